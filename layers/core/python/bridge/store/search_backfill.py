"""The backfill gives every record that 0.1.0 stored its search keys, and packs it.

It goes through the whole table once after the release, those of ended connections and of the
platform included, in steps that may be repeated. Lists use search keys when it is done.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bridge.domain.errors import ConflictError, MalformedRecordError
from bridge.domain.mirrored_kinds import mirrored_kind
from bridge.store.attributes import Item
from bridge.store.expressions import Condition, version_is
from bridge.store.items import (
    SCHEMA,
    new_search_keys,
    read_record,
    repacked,
)
from bridge.store.keys import Key, kind_word
from bridge.store.kinds import STORED_KINDS
from bridge.store.search_keys import SEARCH_IS_COMPLETE
from bridge.store.table import Table

STEP_ITEMS = 500

_IS_PLAIN = Condition("#schema = :plain AND attribute_exists(#data)", {"plain": SCHEMA})
_KINDS = {kind.name: mirrored_kind(kind).record_type for kind in STORED_KINDS}

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BackfillStep:
    """A step did this, and the next one begins there."""

    rewritten: int
    cursor: Key | None
    """Where the next step begins; None when all is done."""


class SearchBackfill:
    """The backfill works on the records table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def step(self, cursor: Key | None = None) -> BackfillStep:
        """Rewrite those of the next items that need it.

        The last step notes that the search is complete. An item that somebody writes meanwhile has
        its search keys by that.
        """
        answer = self._table.scan(_IS_PLAIN, limit=STEP_ITEMS, start=cursor)
        rewritten = sum(map(self._rewrite, answer.items))
        if answer.last is not None:
            return BackfillStep(rewritten, Key(str(answer.last["pk"]), str(answer.last["sk"])))
        self._table.put(dict(SEARCH_IS_COMPLETE.attributes()))
        return BackfillStep(rewritten, None)

    def _rewrite(self, item: Item) -> bool:
        record_type = _KINDS.get(kind_word(str(item["pk"])))
        if record_type is None:
            return False
        try:
            record = read_record(record_type, item)
        except MalformedRecordError:
            _logger.exception("a stored record cannot be read: %s %s", item["pk"], item["sk"])
            return False
        for search_key in new_search_keys(record, None):
            self._table.put(search_key)
        packed = repacked(record, item)
        try:
            self._table.put(packed, version_is(int(str(packed["version"]))))
        except ConflictError:
            return False
        return True
