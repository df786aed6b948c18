"""The choices of filters are read from ConnectWise here, and kept for some minutes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.connections.owned_connections import OwnedConnections
from bridge.domain.errors import NotFoundError, PermissionMissingError, RefusedError
from bridge.domain.filter_choices import ChoiceKind, ChoiceList
from bridge.ports import Clock, Psa, PsaGateway

CHOICES_LIFE = timedelta(minutes=5)
MAX_LISTS_KEPT = 500
"""A process keeps so many lists of all connections at most."""


@dataclass(frozen=True, slots=True)
class _Kept:
    choices: ChoiceList
    read_at: datetime


class FilterChoices:
    """The lists of a tenant's own statuses, types and places, from which filters are chosen."""

    def __init__(self, owned: OwnedConnections, gateway: PsaGateway, clock: Clock) -> None:
        self._owned = owned
        self._gateway = gateway
        self._clock = clock
        self._kept: dict[tuple[str, ChoiceKind], _Kept] = {}

    def list_all(self, partner_id: str, connection_id: str) -> Mapping[ChoiceKind, ChoiceList]:
        """Return every list; one that ConnectWise denies says so, and the others are given.

        Raises NotFoundError, NotPossibleError unless the connection is syncing, and the other
        errors of ConnectWise.
        """
        connection = self._owned.get_syncing(partner_id, connection_id)
        psa = self._gateway.open(connection)
        return {kind: self.read(psa, connection_id, kind) for kind in ChoiceKind}

    def read(self, psa: Psa, connection_id: str, kind: ChoiceKind) -> ChoiceList:
        """Return one list, at most CHOICES_LIFE old; one that was denied is asked for anew."""
        place = (connection_id, kind)
        kept = self._kept.get(place)
        now = self._clock.now()
        if kept is not None and kept.read_at + CHOICES_LIFE > now:
            return kept.choices
        choices = _read(psa, kind)
        if choices.is_known:
            if len(self._kept) >= MAX_LISTS_KEPT:
                self._kept.clear()
            self._kept[place] = _Kept(choices, now)
        return choices


def _read(psa: Psa, kind: ChoiceKind) -> ChoiceList:
    try:
        return ChoiceList(psa.list_choices(kind))
    except PermissionMissingError as error:
        return ChoiceList(missing_rights=error.rights, is_known=False)
    except (NotFoundError, RefusedError):
        # This version of ConnectWise has no such list.
        return ChoiceList(is_known=False)
