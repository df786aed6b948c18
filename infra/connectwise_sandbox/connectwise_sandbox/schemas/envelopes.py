"""Bodies around records: counts, errors and bundles."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from connectwise_sandbox.schemas.base import Flag, Model, Whole


class Count(Model):
    """The answer of every `/count`."""

    count: Whole | None = None


class ValidationError(Model):
    """One complaint of an error body."""

    code: str | None = None
    message: str | None = None
    resource: str | None = None
    field: str | None = None
    details: str | None = None


class ErrorResponseMessage(Model):
    """The usual error body; `errors` may be absent."""

    code: str | None = None
    message: str | None = None
    errors: list[ValidationError] | None = None


class PatchOperation(Model):
    """One operation of a PATCH."""

    op: str | None = None
    path: str | None = None
    value: object | None = None


class FilterValues(Model):
    """The filters inside a bundled request."""

    conditions: str | None = None
    order_by: str | None = None
    childconditions: str | None = None
    customfieldconditions: str | None = None


class PageValues(Model):
    """The page inside a bundled request."""

    page: Whole | None = None
    page_size: Whole | None = None
    page_id: Whole | None = None


class IdentifiedItem(BaseModel):
    """A record inside a bundle: of any kind, so only the id is known here."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Whole | None = None


class ApiRequest(Model):
    """What one bundled request asks for."""

    id: Whole | None = None
    external_id: str | None = None
    parent_id: Whole | None = None
    grand_parent_id: Whole | None = None
    entity: IdentifiedItem | None = None
    filters: FilterValues | None = None
    page: PageValues | None = None
    fields: str | None = None
    misc_properties: dict[str, object] | None = None
    member_context: str | None = None
    update_only_ces_properties: Flag | None = None


class BundleRequest(Model):
    """One request of a bundle."""

    sequence_number: Whole | None = None
    resource_type: str | None = None
    version: str | None = None
    api_request: ApiRequest | None = None


class BundleRequestsCollection(Model):
    """The body of POST `/system/bundles`; the guide writes its names with a capital."""

    requests: list[BundleRequest]


class BundleResult(Model):
    """The answer to one bundled request; each has its own success."""

    sequence_number: Whole | None = None
    resource_type: str | None = None
    entities: list[IdentifiedItem] | None = None
    count: Whole | None = None
    version: str | None = None
    success: Flag | None = None
    status_code: Whole | None = None
    error: ErrorResponseMessage | None = None


class BundleResultsCollection(Model):
    """The answer of POST `/system/bundles`."""

    results: list[BundleResult] | None = None
    info: dict[str, object] | None = Field(default=None, alias="_info")
