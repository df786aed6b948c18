"""Bridges that read an untidy ConnectWise carelessly. A simulation that does not find them proves
nothing.

Each takes ConnectWise for tidier than it is; the test beside it says which invariant it breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar
from unittest.mock import patch

from bridge.connectwise import invoices, psa
from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.fingerprints import FingerprintFields, fingerprint
from bridge.domain.comparison import Difference
from bridge.domain.connection import Connection
from bridge.domain.run import Run
from bridge.mirror import run_worker
from bridge.mirror.connection_hints import ConnectionHints
from bridge.mirror.page_refresh import PageRefresh
from bridge.mirror.payers import PayerReader, Payers
from bridge.mirror.refreshed import Refreshed
from bridge.ports import Psa
from tests.fakes import records
from tests.simulation.wiring import Wiring

Hit = Callable[[], None]
Patches = Sequence[tuple[object, str, Any]]
"""What is replaced: of an object, an attribute, by something worse."""


class _Careless(Wiring):
    """Replaces functions of the bridge by worse ones while its world is played."""

    worse: ClassVar[Patches]

    @classmethod
    def surroundings(cls, _: Hit) -> AbstractContextManager[object]:
        stack = ExitStack()
        for target, name, replacement in cls.worse:
            stack.enter_context(patch.object(target, name, replacement))
        return stack


_read_once = BulkReader._forward_once


def _ending_early(reader: BulkReader, *arguments: Any, size: int, **named: Any) -> Any:
    page = _read_once(reader, *arguments, size=size, **named)
    return replace(page, is_last=True) if len(page.rows) < size else page


class EndsOnShortPages(_Careless):
    """A server that caps its pages and sends no header shows the first page alone."""

    worse = ((BulkReader, "_forward_once", _ending_early),)


def _whole_or_nothing(reader: BulkReader, route: str, *asked: Any) -> Any:
    query, page, size, room = asked
    step = _read_once(reader, route, query, page.last_id, size=min(size.now, room), attempts=1)
    return replace(step, rows=page.rows + step.rows)


def _as_large_as_before(run: Run) -> Run:
    return run


class NeverHalvesPages(_Careless):
    """A server for which whole pages are too heavy shows nothing at all."""

    worse = (
        (BulkReader, "_prolonged", _whole_or_nothing),
        (Run, "with_smaller_pages", _as_large_as_before),
    )


def _server_time(server_time: datetime, *_: object) -> datetime:
    return server_time


class BelievesTheServersClock(_Careless):
    """One answer that is dated wrongly moves the watermark past what is not stored yet."""

    worse = ((run_worker, "earlier_clock", _server_time),)


def _money_alone(row: Mapping[str, Any], fields: FingerprintFields) -> str:
    ignored = {Difference.PAYER, Difference.STATUS}
    return fingerprint(row, {each: of for each, of in fields.items() if each not in ignored})


class ComparesMoneyAlone(_Careless):
    """Who owes, and whether the status closes, changes without a new date of change."""

    worse = ((psa, "fingerprint", _money_alone), (invoices, "fingerprint", _money_alone))


def _passing_over(
    reader: PayerReader,
    connection: Connection,
    _: Psa,
    names: Mapping[int, str],
    *,
    refresh: Callable[[Sequence[int]], Refreshed],
    now: datetime,
) -> Payers:
    known = reader._stored(connection, sorted(names))
    missing = [source_id for source_id in sorted(names) if known[source_id].value is None]
    if missing:
        refresh(missing)
        known = reader._stored(connection, sorted(names))
    return Payers(frozenset(source_id for source_id, item in known.items() if item.value))


class PassesUnreadablePayersOver(_Careless):
    """Invoices of a payer who cannot be read are left out, and nobody is told."""

    worse = ((PayerReader, "read", _passing_over),)


def _looking_away(*_: object, **__: object) -> None:
    return


class LooksOnceAtUnsettled(_Careless):
    """A balance that was behind its payments stays so until something else changes."""

    worse = (
        (ConnectionHints, "_look_again", _looking_away),
        (PageRefresh, "_look_again", _looking_away),
    )


def _as_if_listed(change_fingerprint: str) -> str:
    return change_fingerprint


class ForgetsUnlistedPayments(_Careless):
    """An invoice whose worker died between its writes looks complete: many payments lack."""

    worse = ((records, "as_unlisted", _as_if_listed),)
