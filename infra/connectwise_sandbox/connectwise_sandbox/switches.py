"""Switches choose between the possible answers wherever ConnectWise's behaviour is unproven.

A default is the reading that the sandbox's authors think likeliest or, where a guess would hide a
mistake of the client, the one that shows it. The README repeats every switch in its table.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=30 * 24 * 3600)]


class Switches(BaseModel):
    """Switches are the settings of a sandbox; each can change while it runs."""

    model_config = ConfigDict(
        extra="forbid", validate_assignment=True, use_attribute_docstrings=True
    )

    hosting: Literal["cloud", "on_premise"] = "cloud"
    """On premise (`on_premise`), `v4_6_release/` is the codebase and `IsCloud` is `"False"`."""
    wrong_keys_status: Literal[401, 404] = 401
    """The status that answers wrong keys: 401 or 404."""
    missing_client_id_status: Literal[400, 401] = 400
    """The status that answers a missing clientId: 400 or 401."""
    known_client_ids_only: bool = False
    """Only the printed clientId is accepted; others are answered like a missing one."""
    unknown_endpoint_status: Literal[404, 403] = 404
    """The status that answers an unknown path: 404 or 403."""
    requests_per_minute: Annotated[int, Field(ge=0, le=1_000_000)] = 1_000
    """The allowance of one clientId before 429; 0 lifts the limit."""
    max_url_characters: Annotated[int, Field(ge=100, le=100_000)] = 2_000
    """The longest URL before 414."""

    forward_only_end: Literal["empty_page", "short_page"] = "empty_page"
    """The Link header is empty on an `empty_page`, or already on a `short_page`."""
    forward_only_order: Literal["growing", "falling"] = "growing"
    """The rows of a forward-only page come by `growing` ids, or by `falling` ones."""
    link_header: bool = True
    """Lists have a Link header."""
    page_row_limit: Annotated[int, Field(ge=1, le=1_000)] = 1_000
    """A page has at most this many rows, however many are asked for."""
    page_surplus_rows: Annotated[int, Field(ge=0, le=1_000)] = 0
    """A full page has this many rows more than were asked for."""
    heavy_page_rows: Annotated[int, Field(ge=0, le=1_000)] = 0
    """A page of more rows than this fails as `heavy_page_answer` says; 0 lets every page pass."""
    heavy_page_answer: Literal["html_502", "html_503", "html_504", "json_500", "nothing"] = (
        "html_502"
    )
    """A heavy page answers a gateway's HTML, ConnectWise's JSON, or `nothing` until a time-out."""
    server_clock_minutes_off: Annotated[float, Field(ge=-1_000_000, le=1_000_000)] = 0.0
    """The server's clock, in Date, `lastUpdated` and today's day, is this many minutes ahead."""
    invoice_information: Literal["served", "missing"] = "served"
    """`GET /finance/info/invoice/{id}` is `served`, or `missing` as an unknown path is."""
    empty_references: Literal["left_out", "without_id"] = "left_out"
    """An empty reference of an invoice or company is `left_out`, or shown `without_id`."""
    currency_form: Literal["code", "iso_code", "absent"] = "code"
    """Currencies have a `currencyCode` (`code`); on old servers an `iso_code`, or are `absent`."""

    payment_touches_last_updated: bool = True
    """A payment moves the `lastUpdated` of its invoice."""
    payment_fires_invoice_callback: bool = True
    """A payment fires a callback of its invoice."""
    payment_date_keeps_time: bool = False
    """`paymentDate` keeps its time; otherwise it becomes midnight."""
    payment_day_shift: Literal[-1, 0, 1] = 0
    """Payments show their day -1, 0 or 1 days later, as a time zone may make them."""
    payment_shows_member: Literal["always", "not_in_lists", "never"] = "always"
    """A payment shows its `appliedBy` `always`, `not_in_lists` or `never`."""
    payment_ids: Literal["growing", "shuffled"] = "growing"
    """New payments get `growing` ids, or unique ones in any order (`shuffled`)."""
    payment_list_delay_seconds: Seconds = 0.0
    """Lists of payments show a change after this delay, a payment read by its id at once."""
    invoice_list_delay_seconds: Seconds = 0.0
    """Lists and counts of invoices show a change after this delay, one read by its id at once."""
    balance_delay_seconds: Seconds = 0.0
    """An invoice shows its payments in its balance after this delay."""
    second_payment: Literal["appended", "replaces", "refused"] = "appended"
    """A further payment is `appended`, `replaces` the earlier ones, or is `refused`."""
    overpayment: Literal["accepted", "capped", "refused"] = "accepted"
    """An amount above the balance is `accepted`, `capped` to the balance, or `refused`."""
    payment_amount_changes: Literal["accepted", "refused", "ignored"] = "accepted"
    """A change of a payment's amount is `accepted`, `refused`, or `ignored` with a 200."""
    locked_invoice_payments: Literal["accepted", "refused"] = "accepted"
    """Payments on closed invoices outside a GL batch are `accepted` or `refused`."""
    locked_payment_deletions: Literal["as_payments", "refused", "accepted"] = "as_payments"
    """Deleting one there is treated `as_payments` are, or is `refused` or `accepted`."""
    batched_invoice_payments: Literal["accepted", "refused"] = "accepted"
    """Payments on invoices in a GL batch are `accepted` or `refused`."""
    batched_payment_deletions: Literal["as_payments", "refused", "accepted"] = "as_payments"
    """Deleting one in a GL batch is treated `as_payments` are, or is `refused` or `accepted`."""
    locked_invoice_status: Literal[400, 403, 409] = 400
    """The status that refuses a change of a locked invoice: 400, 403 or 409."""
    deleting_paid_invoice: Literal["refused", "accepted"] = "refused"
    """Deleting an invoice with payments or credits is `refused` or `accepted`."""

    merge_touches_last_updated: bool = False
    """A merge moves the `lastUpdated` of the losing company and its invoices, with callbacks."""
    merge_moves_invoices: bool = True
    """A merge moves the invoices of the losing company to the winning one."""
    merged_company: Literal["flagged", "gone"] = "flagged"
    """The losing company of a merge keeps a `deletedFlag` (`flagged`), or is a 404 (`gone`)."""
    contacts_have_own_right: bool = False
    """Contacts need the row Companies / Contacts; otherwise Company Maintenance is enough."""
    visible_location_ids: list[int] | None = None
    """The locations whose records the API member sees; `null` shows all."""
    visible_department_ids: list[int] | None = None
    """The departments whose records the API member sees; `null` shows all."""
    hidden_record_status: Literal[404, 403] = 404
    """The status that answers a record out of the API member's sight: 404 or 403."""

    callback_key_access: Literal["open", "client_id", "authenticated"] = "open"
    """The signing key is `open`, needs a clientId (`client_id`), or the keys (`authenticated`)."""
    callback_key_ids: Literal["one", "per_delivery"] = "one"
    """All deliveries name `one` signing key, or each a new one with an id of its own."""
    callback_server_error: Literal["lost", "retried"] = "lost"
    """A delivery that meets a 5xx, a time-out or a refused connection is `lost` or `retried`."""
    callback_duplicate_rate: Probability = 0.0
    """The share of deliveries that are sent twice."""
    callback_drop_rate: Probability = 0.0
    """The share of deliveries that are dropped."""
    callback_delay_seconds: Seconds = 0.0
    """Every delivery waits this long."""
    callback_reorder_seconds: Seconds = 0.0
    """Each delivery waits a random part of this too, so that later ones overtake earlier ones."""
    delete_fires_callback: bool = True
    """A deletion fires a callback."""

    pdf: Literal["rendered", "blank", "empty", "html", "server_error"] = "rendered"
    """An invoice's PDF is `rendered`, a `blank` page, `empty`, `html`, or a `server_error`."""
    pdf_seconds: Seconds = 0.0
    """The delay of a PDF."""
