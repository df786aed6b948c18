"""References, links and currencies as one ConnectWise server or another shows them."""

from __future__ import annotations

from connectwise_sandbox.in_process_client import PsaClient
from connectwise_sandbox.kinds import Kind

INVOICES, COMPANIES = "/finance/invoices", "/company/companies"


def psa_with_books(**switches: object) -> PsaClient:
    return PsaClient(seed=7, customers=12, invoices=60, **switches)


def test_a_company_links_everything_that_belongs_to_it() -> None:
    psa = psa_with_books()
    company = psa.get(COMPANIES, pageSize=1)[0]

    links = {name: href for name, href in company["_info"].items() if name.endswith("_href")}

    assert len(links) == 13
    path = f"company/contacts?conditions=company/id={company['id']}"
    assert links["contacts_href"] == f"{psa.tenant.api_url}/{path}"
    site_path = f"company/companies/{company['id']}/sites/{company['site']['id']}"
    assert company["site"]["_info"]["site_href"] == f"{psa.tenant.api_url}/{site_path}"
    assert "/company/countries/" in company["country"]["_info"]["country_href"]
    assert "_info" not in company["billingTerms"]
    assert all("type_href" in each["_info"] for each in company["types"])


def test_a_contact_links_its_communications_and_more() -> None:
    contact = psa_with_books().get("/company/contacts", pageSize=1)[0]

    assert contact["_info"]["communications_href"].endswith(
        f"/company/contacts/{contact['id']}/communications"
    )
    assert sum(name.endswith("_href") for name in contact["_info"]) == 10


def test_a_site_that_is_linked_can_be_read() -> None:
    psa = psa_with_books()
    invoice = psa.get(INVOICES, pageSize=1)[0]

    _, _, path = invoice["billingSite"]["_info"]["site_href"].partition("/apis/3.0")

    assert psa.get(path)["id"] == invoice["billingSite"]["id"]


def test_the_references_of_an_invoice_are_linked_as_recorded() -> None:
    psa = psa_with_books()
    batched = next(row for row in psa.get(INVOICES, pageSize=1000) if "glBatch" in row)

    assert batched["glBatch"]["_info"]["batch_href"].endswith(
        f"/finance/accounting/batches/{batched['glBatch']['id']}"
    )
    assert "_info" not in batched["status"]
    assert "_info" not in batched["billingTerms"]
    assert "currency_href" in batched["currency"]["_info"]


def test_an_empty_reference_comes_without_an_id_where_the_switch_says_so() -> None:
    psa = psa_with_books()
    before = psa.get(INVOICES, pageSize=1000)

    psa.switch(empty_references="without_id")

    after = psa.get(INVOICES, pageSize=1000)
    for old, new in zip(before, after, strict=True):
        for field in ("billToCompany", "agreement", "glBatch", "ticket"):
            assert new[field] == old.get(field, {"_info": {}})
    company = psa.get(COMPANIES, pageSize=1)[0]
    assert company["parentCompany"] == {"_info": {}}
    assert psa.get(INVOICES, fields="id", pageSize=1)[0].keys() == {"id"}


def test_an_old_server_names_its_currency_by_iso_code_or_not_at_all() -> None:
    psa = psa_with_books(currency_form="iso_code")
    invoice = psa.get(INVOICES, pageSize=1)[0]
    code = next(iter(psa.tenant.store[Kind.INVOICE]))["currency"]["currencyCode"]
    assert invoice["currency"]["isoCode"] == code
    assert invoice["currency"].keys() == {"id", "symbol", "isoCode", "name", "_info"}

    psa.switch(currency_form="absent")

    assert "currency" not in psa.get(INVOICES, pageSize=1)[0]
    assert "currency" not in psa.get(COMPANIES, pageSize=1)[0]


def test_a_renamed_billing_status_shows_in_its_invoices_which_do_not_change() -> None:
    psa = psa_with_books()
    before = psa.get(INVOICES, pageSize=1000)
    status = next(row["status"] for row in before if row["status"]["isClosed"])

    psa.admin("PATCH", f"/billing-statuses/{status['id']}", {"name": "Settled"})

    after = psa.get(INVOICES, pageSize=1000)
    renamed = [row for row in after if row["status"]["name"] == "Settled"]
    assert renamed
    assert {row["status"]["id"] for row in renamed} == {status["id"]}
    assert [row["_info"] for row in after] == [row["_info"] for row in before]
