"""The environment of the function, read and checked once."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field


class DashboardSettings(BaseModel):
    """Names of what the function works with; the values of secrets are never among them."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    records_table: str = Field(alias="RECORDS_TABLE")
    operations_table: str = Field(alias="OPERATIONS_TABLE")
    coordination_table: str = Field(alias="COORDINATION_TABLE")
    secrets_prefix: str = Field(alias="SECRETS_PREFIX")
    run_steps_queue_url: str = Field(alias="RUN_STEPS_QUEUE_URL")
    pdf_queue_url: str = Field(alias="PDF_QUEUE_URL")
    hints_queue_url: str = Field(alias="HINTS_QUEUE_URL")
    documents_bucket: str = Field(alias="DOCUMENTS_BUCKET")
    webhook_base_url: str = Field(alias="WEBHOOK_BASE_URL")
    connectwise_client_id_secret: str = Field(alias="CONNECTWISE_CLIENT_ID_SECRET")
    allow_loopback_egress: bool = Field(default=False, alias="ALLOW_LOOPBACK_EGRESS")
    egress_addresses: str = Field(default="", alias="EGRESS_ADDRESSES")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> DashboardSettings:
        """Raises pydantic's ValidationError, which names the missing variables and no values."""
        return cls.model_validate(dict(environment))
