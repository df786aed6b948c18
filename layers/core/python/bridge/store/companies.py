"""The store keeps claims of ConnectWise companies, and the proofs that lead to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from bridge.domain.company import CompanyClaim, CompanyProof
from bridge.ports import Stored
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.codec import encode
from bridge.store.expressions import IS_NEW, all_equal, version_is
from bridge.store.items import SCHEMA, read_stored, record_item
from bridge.store.table import Table, Write


class DynamoCompanyStore:
    """The operations table fulfils :class:`bridge.ports.CompanyStore`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def find(self, proofs: Collection[CompanyProof]) -> Mapping[CompanyProof, str]:
        proof_keys = {proof: keys.company_proof_key(proof) for proof in proofs}
        found = self._table.get_many(list(proof_keys.values()))
        return {
            proof: str(found[key]["company_key"])
            for proof, key in proof_keys.items()
            if key in found
        }

    def get(self, company_key: str) -> Stored[CompanyClaim]:
        return read_stored(CompanyClaim, self._table.get(keys.company_key(company_key)))

    def save(
        self,
        claims: Sequence[tuple[CompanyClaim, int]],
        *,
        company_key: str = "",
        proofs: Mapping[CompanyProof, str] | None = None,
    ) -> None:
        writes = [_claim_write(claim, version) for claim, version in claims]
        writes += [_proof_write(each, company_key, was) for each, was in (proofs or {}).items()]
        if writes:
            self._table.transact(writes)


def _claim_write(claim: CompanyClaim, expected_version: int) -> Write:
    item = record_item(keys.company_key(claim.company_key), {}, expected_version + 1, encode(claim))
    return Write(item, condition=version_is(expected_version))


def _proof_write(proof: CompanyProof, company_key: str, was: str) -> Write:
    key = keys.company_proof_key(proof)
    item: Item = {**key.attributes(), "schema": SCHEMA, "company_key": company_key}
    return Write(item, condition=all_equal({"company_key": was}) if was else IS_NEW)
