"""What every CompanyStore does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest

from bridge.domain.company import CompanyClaim, CompanyProof, ProofKind
from bridge.domain.errors import ConflictError
from bridge.domain.identity import new_id
from bridge.ports import Stored
from infra.local.patience import PATIENCE_SECONDS
from tests.builders.records import CONNECTION, OTHER_CONNECTION, PARTNER
from tests.contract.conftest import Stores
from tests.fakes.clock import START

COMPANY, OTHER_COMPANY = "c1" * 16, "c2" * 16
CLAIM = CompanyClaim(COMPANY, CONNECTION, PARTNER, START)
CLOUD = CompanyProof.of(ProofKind.CLOUD, "na.myconnectwise.net/acme")
PUBLIC_KEY = CompanyProof.of(ProofKind.PUBLIC_KEY, "public-key")


def test_a_company_that_nobody_claimed_is_nothing_at_version_0(stores: Stores) -> None:
    assert stores.companies.get(new_id()) == Stored(None, 0)
    assert stores.companies.find([CLOUD, PUBLIC_KEY]) == {}
    assert stores.companies.find([]) == {}


def test_a_claim_comes_back_and_is_found_by_its_proofs(stores: Stores) -> None:
    stores.companies.save([(CLAIM, 0)], company_key=COMPANY, proofs={CLOUD: "", PUBLIC_KEY: ""})

    assert stores.companies.get(COMPANY) == Stored(CLAIM, 1)
    assert stores.companies.find([CLOUD, PUBLIC_KEY]) == {CLOUD: COMPANY, PUBLIC_KEY: COMPANY}


def test_the_same_text_proves_nothing_under_another_kind(stores: Stores) -> None:
    stores.companies.save([(CLAIM, 0)], company_key=COMPANY, proofs={PUBLIC_KEY: ""})

    other_kind = CompanyProof(ProofKind.CALLBACK_SECRET, PUBLIC_KEY.digest)
    assert stores.companies.find([other_kind]) == {}


def test_an_ended_claim_keeps_its_end(stores: Stores) -> None:
    stores.companies.save([(CLAIM, 0)])
    ended = CLAIM.ended(START + timedelta(hours=1))

    stores.companies.save([(ended, 1)])

    assert stores.companies.get(COMPANY) == Stored(ended, 2)


@pytest.mark.parametrize("version", [0, 2])
def test_a_claim_on_another_version_changes_nothing(stores: Stores, version: int) -> None:
    stores.companies.save([(CLAIM, 0)])
    late = replace(CLAIM, connection_id=OTHER_CONNECTION)

    with pytest.raises(ConflictError):
        stores.companies.save([(late, version)], company_key=COMPANY, proofs={CLOUD: ""})

    assert stores.companies.get(COMPANY) == Stored(CLAIM, 1)
    assert stores.companies.find([CLOUD]) == {}


@pytest.mark.parametrize("was", ["", "c3" * 16])
def test_a_proof_that_leads_elsewhere_meanwhile_takes_the_claim_along(
    stores: Stores, was: str
) -> None:
    stores.companies.save([(CLAIM, 0)], company_key=COMPANY, proofs={CLOUD: ""})
    other = CompanyClaim(OTHER_COMPANY, OTHER_CONNECTION, PARTNER, START)

    with pytest.raises(ConflictError):
        stores.companies.save([(other, 0)], company_key=OTHER_COMPANY, proofs={CLOUD: was})

    assert stores.companies.get(OTHER_COMPANY) == Stored(None, 0)
    assert stores.companies.find([CLOUD]) == {CLOUD: COMPANY}


def test_a_proof_can_be_led_to_another_company_by_whoever_knows_where_it_led(
    stores: Stores,
) -> None:
    stores.companies.save([(CLAIM, 0)], company_key=COMPANY, proofs={CLOUD: ""})
    other = CompanyClaim(OTHER_COMPANY, OTHER_CONNECTION, PARTNER, START)

    stores.companies.save(
        [(other, 0), (CLAIM.ended(START), 1)], company_key=OTHER_COMPANY, proofs={CLOUD: COMPANY}
    )

    assert stores.companies.find([CLOUD]) == {CLOUD: OTHER_COMPANY}
    assert stores.companies.get(COMPANY) == Stored(CLAIM.ended(START), 2)


def test_of_two_claims_by_one_proof_at_once_one_is_stored(stores: Stores) -> None:
    together = Barrier(2, timeout=PATIENCE_SECONDS)
    outcomes: list[str] = []

    def claim(company_key: str) -> None:
        claim = CompanyClaim(company_key, CONNECTION, PARTNER, START)
        together.wait()
        try:
            stores.companies.save([(claim, 0)], company_key=company_key, proofs={CLOUD: ""})
            outcomes.append("claimed")
        except ConflictError:
            outcomes.append("refused")

    threads = [Thread(target=claim, args=(key,)) for key in (COMPANY, OTHER_COMPANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["claimed", "refused"]
