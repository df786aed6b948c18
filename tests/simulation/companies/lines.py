"""Which connections could be proven to reach one company, by what each has shown so far."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from tests.simulation.companies.servers import CLOUD_HOSTS, Company

if TYPE_CHECKING:
    from tests.simulation.companies.world import CompaniesWorld


class Lines:
    """A line is a company as far as proofs lead: one company may be known by several, since a
    self-hosted one that shows nothing of before is not known again."""

    def __init__(self, world: CompaniesWorld) -> None:
        self._world = world
        self._by_proof: dict[tuple[str, object], int] = {}
        self._count = 0
        self.merged: set[int] = set()
        """Lines that were found to be one company later on."""

    def known(self, company: Company, public_key: str, host: str) -> set[int]:
        """Return the lines that these keys, or a place in the cloud, lead to."""
        found = (self._by_proof.get(each) for each in _proofs(company, public_key, host))
        return {each for each in found if each}

    def listed(self, company: Company) -> set[tuple[str, int]]:
        """Return the connections that are registered there, and how often each began to sync."""
        urls = company.registered_urls
        return {
            (each.connection_id, self._world.tale_of(each.connection_id).times_begun)
            for each in self._world.every_connection()
            if any(each.connection_id in url for url in urls)
        }

    def lines_of(self, listed: Collection[tuple[str, int]]) -> set[int]:
        return {self._world.tale_of(each).line for each, _ in listed} - {0}

    def join(
        self, connection_id: str, company: Company, public_key: str, host: str, reached: set[int]
    ) -> None:
        """Let a connection belong to the line that it reached, or to a new one."""
        tale = self._world.tale_of(connection_id)
        if not reached:
            self.begin(connection_id)
        else:
            tale.line = tale.line if tale.line in reached else min(reached)
        if len(reached) > 1:
            self.merged |= reached
        for proof in _proofs(company, public_key, host):
            self._by_proof.setdefault(proof, tale.line)

    def begin(self, connection_id: str) -> None:
        """Let a connection begin a line, without any proof that leads to it."""
        self._count += 1
        self._world.tale_of(connection_id).line = self._count

    def listed_together(self, company: Company) -> None:
        """Note that a check of registrations went well: a connection of the release before gets
        the line of the one that was there first. Those with keys of their own keep theirs."""
        live = [each for each in self._world.connections_to(company) if each.is_syncing]
        keyed = {self._world.tale_of(c.connection_id).line for c in live if c.company_key} - {0}
        if len(keyed) > 1:
            self.merged |= keyed
        for connection in live:
            tale = self._world.tale_of(connection.connection_id)
            if not connection.company_key and len(keyed) == 1:
                tale.line = min(keyed)
            host = connection.address.site_url.partition("://")[2]
            public_key = self._world.public_key_of(connection)
            for proof in _proofs(company, public_key, host) if tale.line else ():
                self._by_proof.setdefault(proof, tale.line)

    def may_differ(self, connection_ids: Collection[str]) -> bool:
        """Tell whether the bridge may not know that these connections reach one company."""
        lines = {self._world.tale_of(each).line for each in connection_ids}
        return len(lines) > 1 or bool(lines & self.merged)


def _proofs(company: Company, public_key: str, host: str) -> list[tuple[str, object]]:
    place: list[tuple[str, object]] = [("cloud", company)] if host in CLOUD_HOSTS else []
    return [*place, ("key", public_key)]
