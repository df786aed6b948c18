"""The due listing finds the write-backs whose time has come, so that each partner gets a share.

The due index holds them by shard, then ``{spread}#{partner}#{connection}#{due}#{write-back}``. The
spread is a number made of the partner's id. A read takes a page, keeps a share of each connection,
and goes on behind the last one: a connection costs one page, however much of it waits. Each time a
shard is read from another place, so that all partners are reached even where there are more of
them than one tick can read.

Write-backs that version 0.1.0 wrote stand in the listing alone, all partners by time, until they
are written again.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from bridge.domain.errors import MalformedRecordError
from bridge.domain.write_back import WriteBack
from bridge.store import keys
from bridge.store.attributes import Item, Plain
from bridge.store.items import read_record
from bridge.store.table import Range, Table

MAX_READS_OF_SHARD = 40
MAX_READS_OF_LISTING = 5
_PAGE_SIZE = 100
_LISTING_PAGE_SIZE = 1000
_SPREAD = 16**4

_logger = logging.getLogger(__name__)


def read_due(table: Table, now: datetime, *, share: int) -> list[WriteBack]:
    """Return due write-backs, of each connection at least its ``share`` longest due ones."""
    items: dict[tuple[Plain, Plain], Item] = {}
    for pk in keys.DUE_SHARDS:
        for item in _of_shard(table, pk, keys.timestamp(now), share):
            items[item["pk"], item["sk"]] = item
    for item in _of_listing(table, keys.timestamp(now)):
        items[item["pk"], item["sk"]] = item
    return list(_readable(items.values()))


def in_turn(
    due: Iterable[WriteBack], *, limit: int, share: int, silent: Collection[str]
) -> tuple[WriteBack, ...]:
    """Return ``share`` at most of each partner and one at most of each silent connection.

    Partners come in turn, and so do the connections of one partner, each with the longest due
    first.
    """
    of_connection: Counter[str] = Counter()
    of_partner: Counter[str] = Counter()
    places: list[tuple[int, WriteBack]] = []
    for write_back in sorted(due, key=_age):
        place = of_connection[write_back.connection_id]
        of_connection[write_back.connection_id] += 1
        if place == 0 or write_back.connection_id not in silent:
            places.append((place, write_back))
    turns: list[tuple[int, WriteBack]] = []
    for _, write_back in sorted(places, key=_place_and_age):
        turn = of_partner[write_back.partner_id]
        of_partner[write_back.partner_id] += 1
        if turn < share:
            turns.append((turn, write_back))
    return tuple(write_back for _, write_back in sorted(turns, key=_place_and_age)[:limit])


def _of_shard(table: Table, pk: str, now: str, share: int) -> Iterator[Item]:
    """Yield a shard's due items from a place on to its end, and then from its beginning on."""
    start = f"{random.randrange(_SPREAD):04x}"  # noqa: S311  # takes turns, hides nothing
    reads_left = MAX_READS_OF_SHARD
    for first, high in ((start, keys.LAST), (keys.FIRST, start)):
        low: str | None = first
        while low is not None:
            if reads_left == 0:
                _logger.warning("more is due than one tick reads; the next begins elsewhere")
                return
            reads_left -= 1
            wanted = Range(pk, low, high, keys.DUE_INDEX)
            answer = table.query(wanted, limit=max(_PAGE_SIZE, share))
            owners = [(owner, list(each)) for owner, each in groupby(answer.items, _owner)]
            low = _next_low(owners) if answer.last is not None else None
            for _, of_owner in owners:
                yield from [item for item in of_owner if _due_at(item) <= now][:share]


def _next_low(owners: Sequence[tuple[str, Sequence[Item]]]) -> str:
    """Return where the next page begins: with the last connection, which this page may have cut,
    or behind it where it filled the page."""
    last, _ = owners[-1]
    return f"{last}#" if len(owners) > 1 else f"{last}#{keys.LAST}"


def _of_listing(table: Table, now: str) -> Iterator[Item]:
    wanted = Range(keys.DUE_WRITE_BACKS_PK, keys.FIRST, now + keys.LAST, keys.LISTING_INDEX)
    start: Mapping[str, str] | None = None
    for _ in range(MAX_READS_OF_LISTING):
        answer = table.query(wanted, limit=_LISTING_PAGE_SIZE, start=start)
        yield from answer.items
        if answer.last is None:
            return
        start = {name: str(value) for name, value in answer.last.items()}


def _readable(items: Iterable[Item]) -> Iterator[WriteBack]:
    """Yield the records; one that is unreadable waits, and the others go on."""
    for item in items:
        try:
            yield read_record(WriteBack, item)
        except MalformedRecordError:
            _logger.exception("a due write-back is unreadable", extra={"pk": item["pk"]})


def _owner(item: Item) -> str:
    return str(item["gsi3sk"]).rsplit("#", 2)[0]


def _due_at(item: Item) -> str:
    return str(item["gsi3sk"]).rsplit("#", 2)[1]


def _age(write_back: WriteBack) -> tuple[datetime, str]:
    return write_back.next_look_at or write_back.created_at, write_back.write_back_id


def _place_and_age(entry: tuple[int, WriteBack]) -> tuple[int, datetime, str]:
    place, write_back = entry
    return place, *_age(write_back)
