"""Each request that changes something, or hands out a link, is told in one line."""

from __future__ import annotations

from bridge.domain.connection import Connection
from bridge.domain.invoice import Invoice
from tests.unit.conftest import LogLines
from tests.unit.dashboard_api.payments import path_to, payment_form
from tests.unit.dashboard_api.world import REQUEST_ID, Caller, World

FORM = {"company_id": "acme", "public_key": "pub", "private_key": "prv"}


def test_connecting_names_partner_user_and_the_new_connection(
    partner: Caller, named_lines: LogLines
) -> None:
    created = partner.post("/v1/connections", FORM)
    (line,) = named_lines("API request")
    assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/connections", 201)
    assert line["partner_id"] == "partner-a"
    assert line["user_id"]
    assert line["made_id"] == created.json["id"]


def test_a_change_names_the_records_in_its_path(
    connection: Connection, partner: Caller, named_lines: LogLines
) -> None:
    partner.post(f"/v1/connections/{connection.connection_id}/verify")
    (line,) = named_lines("API request")
    assert line["connection_id"] == connection.connection_id
    assert line["route"] == "/v1/connections/<connection_id>/verify"
    assert line["status"] == 200


def test_a_refused_change_is_told_too(partner: Caller, named_lines: LogLines) -> None:
    partner.post("/v1/connections/nobody/verify")
    (line,) = named_lines("API request")
    assert (line["status"], line["connection_id"]) == (404, "nobody")
    assert line["request_id"] == REQUEST_ID


def test_a_recorded_payment_names_the_service_and_the_payment(
    world: World, connection: Connection, invoice: Invoice, named_lines: LogLines
) -> None:
    world.service().put(path_to(connection, "pay-1"), payment_form(invoice))
    line = named_lines("API request")[-1]
    assert line["client_id"]
    assert line["payment_id"] == "pay-1"


def test_a_link_to_a_document_is_told_and_other_reads_are_not(
    invoice: Invoice, partner: Caller, named_lines: LogLines
) -> None:
    partner.get(f"/v1/invoices/{invoice.invoice_id}")
    assert named_lines("API request") == []
    partner.get(f"/v1/invoices/{invoice.invoice_id}/pdf")
    (line,) = named_lines("API request")
    assert line["invoice_id"] == invoice.invoice_id
    assert line["partner_id"] == "partner-a"


def test_what_is_no_id_stays_out_of_the_log(partner: Caller, named_lines: LogLines) -> None:
    partner.delete("/v1/invoices/jane@example.com")
    assert "jane" not in str(named_lines())


def test_no_line_names_the_request_before(partner: Caller, named_lines: LogLines) -> None:
    partner.post("/v1/connections/first/verify")
    partner.post("/v1/connections", FORM)
    assert "connection_id" not in named_lines("API request")[-1]
