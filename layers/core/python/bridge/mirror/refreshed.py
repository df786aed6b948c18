"""The outcome of a refresh tells its caller what is done, and what is left to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.domain.mirrored_kinds import MirroredRecord
from bridge.domain.run import Counters

LOOKS_AFTER_SECONDS = (10, 15, 25)
"""A record whose parts disagree is looked at again so long after each look: within a minute."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The outcome of a refresh; outcomes of parts add up."""

    counters: Counters = field(default_factory=Counters)
    contested: tuple[int, ...] = ()
    """Ids whose stored version moved meanwhile; these records are left unwritten."""
    changed: tuple[MirroredRecord, ...] = ()
    """Records created or updated, as stored now."""
    left_out: tuple[int, ...] = ()
    """Ids of records that the mirror lacks because a filter keeps them out."""
    unsettled: tuple[int, ...] = ()
    """Ids of records whose parts disagree: ConnectWise may be about to change one."""
    reported: tuple[int, ...] = ()
    """Ids of records that are unread, with an open problem each."""

    @property
    def unsettled_changes(self) -> tuple[int, ...]:
        """Ids of records that changed, and whose parts disagree."""
        changed = {record.source_id for record in self.changed}
        return tuple(source_id for source_id in self.unsettled if source_id in changed)

    def __add__(self, other: Refreshed) -> Refreshed:
        return Refreshed(
            counters=self.counters + other.counters,
            contested=self.contested + other.contested,
            changed=self.changed + other.changed,
            left_out=self.left_out + other.left_out,
            unsettled=self.unsettled + other.unsettled,
            reported=self.reported + other.reported,
        )
