"""Every behaviour of ConnectWise that nobody has proven, as a setting with both answers.

The defaults are the readings that the sandbox's authors think likeliest or, where a guess would
hide a mistake of the client, the ones that show it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=30 * 24 * 3600)]


class Switches(BaseModel):
    """The settings of a sandbox; all can change while it runs."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    hosting: Literal["cloud", "on_premise"] = "cloud"
    """On premise, `v4_6_release/` is the codebase and `IsCloud` is "False"."""
    wrong_keys_status: Literal[401, 404] = 401
    missing_client_id_status: Literal[400, 401] = 400
    known_client_ids_only: bool = False
    """Whether a clientId other than the printed one is refused like a missing one."""
    unknown_endpoint_status: Literal[404, 403] = 404
    requests_per_minute: Annotated[int, Field(ge=0, le=1_000_000)] = 1_000
    """The allowance of one clientId; 0 switches throttling off."""
    max_url_characters: Annotated[int, Field(ge=100, le=100_000)] = 2_000

    oversized_page: Literal["clamped", "refused"] = "clamped"
    forward_only_end: Literal["empty_page", "short_page"] = "empty_page"
    """Where the Link header is empty: on a page without rows, or already on a page that is not
    full."""

    payment_touches_last_updated: bool = True
    payment_fires_invoice_callback: bool = True
    payment_date_keeps_time: bool = False
    balance_delay_seconds: Seconds = 0.0
    """How long an invoice's money fields stay as they were after its payments changed."""
    second_payment: Literal["appended", "replaces", "refused"] = "appended"
    overpayment: Literal["accepted", "capped", "refused"] = "accepted"
    locked_invoice_payments: Literal["refused", "accepted"] = "refused"
    """Payments of closed and of batched invoices."""
    locked_invoice_status: Literal[400, 403, 409] = 400
    deleting_paid_invoice: Literal["refused", "accepted"] = "refused"

    merge_touches_last_updated: bool = False
    merge_moves_invoices: bool = True
    contacts_have_own_right: bool = False
    """Whether contacts need the row Companies / Contacts, which the integration's guide does
    not grant, or are covered by Company Maintenance."""
    visible_location_ids: list[int] | None = None
    """The part of the organisation that the API member sees; None is all of it."""

    callback_key_access: Literal["open", "client_id", "authenticated"] = "open"
    callback_server_error: Literal["lost", "retried"] = "lost"
    """What a 5xx, a time-out or a refused connection does to a delivery."""
    callback_duplicate_rate: Probability = 0.0
    callback_drop_rate: Probability = 0.0
    callback_delay_seconds: Seconds = 0.0
    callback_reorder_seconds: Seconds = 0.0
    """Each delivery waits a random part of this, so that later events overtake earlier ones."""
    delete_fires_callback: bool = True

    pdf: Literal["rendered", "blank", "empty", "html", "server_error"] = "rendered"
    """A blank page is a PDF for whoever does not read it, in no time."""
    pdf_seconds: Seconds = 0.0
