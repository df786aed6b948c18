"""Odd pages are those of servers that cap, overfill or misorder lists, or break under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from connectwise_sandbox.errors import ApiError, refused
from connectwise_sandbox.kinds import Record
from connectwise_sandbox.messages import Fate, Response, text_response
from connectwise_sandbox.switches import Switches

_GATEWAY_REASONS = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Time-out"}


def page_rows(switches: Switches, asked_rows: int) -> int:
    """Return the rows of a full page for a client that asked for a number of them."""
    return min(asked_rows, switches.page_row_limit) + switches.page_surplus_rows


def in_forward_order(switches: Switches, page: Sequence[Record]) -> Sequence[Record]:
    """Return the rows of a forward-only page, given by growing ids, in the order it shows them."""
    return page[::-1] if switches.forward_only_order == "falling" else page


def require_light_page(switches: Switches, rows: int) -> None:
    """Raise the answer of a server for which a page of so many rows is too heavy."""
    if 0 < switches.heavy_page_rows < rows:
        raise ApiError(_HEAVY_ANSWERS[switches.heavy_page_answer]())


def _gateway_page(status: int) -> Response:
    reason = f"{status} {_GATEWAY_REASONS[status]}"
    page = f"<html><head><title>{reason}</title></head><body><h1>{reason}</h1></body></html>"
    return text_response(status, page, "text/html")


def _timed_out() -> Response:
    return refused(500, "ConnectWiseApi", "A timeout has occured. Please try again.").response


_HEAVY_ANSWERS: Mapping[str, Callable[[], Response]] = {
    "html_502": lambda: _gateway_page(502),
    "html_503": lambda: _gateway_page(503),
    "html_504": lambda: _gateway_page(504),
    "json_500": _timed_out,
    "nothing": lambda: Response(504, fate=Fate.WITHHELD),
}
