"""Envelopes are the bodies around records: counts, errors and bundles."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from connectwise_sandbox.schemas.base import Flag, Model, Whole


class Count(Model):
    """A count is the answer of every `/count`."""

    count: Whole | None = None


class ValidationError(Model):
    """A validation error is one complaint of an error body."""

    code: str | None = None
    message: str | None = None
    resource: str | None = None
    field: str | None = None
    details: str | None = None


class ErrorResponseMessage(Model):
    """This is the usual error body; `errors` may be absent."""

    code: str | None = None
    message: str | None = None
    errors: list[ValidationError] | None = None


class PatchOperation(Model):
    """A patch operation changes one property."""

    op: str | None = None
    path: str | None = None
    value: object | None = None


class FilterValues(Model):
    """These filters narrow a bundled request."""

    conditions: str | None = None
    order_by: str | None = None
    childconditions: str | None = None
    customfieldconditions: str | None = None


class PageValues(Model):
    """These values choose the page of a bundled request."""

    page: Whole | None = None
    page_size: Whole | None = None
    page_id: Whole | None = None


class IdentifiedItem(BaseModel):
    """An identified item is a record of any kind inside a bundle."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Whole | None = None


class ApiRequest(Model):
    """An API request holds the parameters of one bundled request."""

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
    """A bundle request is one request of a bundle."""

    sequence_number: Whole | None = None
    resource_type: str | None = None
    version: str | None = None
    api_request: ApiRequest | None = None


class BundleRequestsCollection(Model):
    """This is the body of POST `/system/bundles`; the guide writes its names with a capital."""

    requests: list[BundleRequest]


class BundleResult(Model):
    """A bundle result answers one bundled request with a success or failure of its own."""

    sequence_number: Whole | None = None
    resource_type: str | None = None
    entities: list[IdentifiedItem] | None = None
    count: Whole | None = None
    version: str | None = None
    success: Flag | None = None
    status_code: Whole | None = None
    error: ErrorResponseMessage | None = None


class BundleResultsCollection(Model):
    """This is the answer of POST `/system/bundles`."""

    results: list[BundleResult] | None = None
    info: dict[str, object] | None = Field(default=None, alias="_info")
