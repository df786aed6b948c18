"""What a function's code is found to need in AWS is what its code does."""

import ast
from pathlib import Path
from typing import Any

import pytest

import bridge
from bridge.store.keys import Key
from bridge.store.table import Table, Write
from infra.config import PROD
from tests.fakes.clock import FakeClock
from tests.infra.code_rights import ADAPTERS, callers_outside_adapters, needed
from tests.infra.templates import StageTemplates

pytestmark = pytest.mark.xdist_group("templates")

STORE = Path(bridge.__file__).parent / "store"


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def modules_with(attribute: str) -> set[str]:
    """The modules of the store that use an attribute of this name."""
    return {
        path.stem
        for path in STORE.glob("*.py")
        if any(
            isinstance(node, ast.Attribute) and node.attr == attribute
            for node in ast.walk(parsed(path))
        )
    }


def test_every_adapter_of_a_table_is_named() -> None:
    assert modules_with("_table") == set[str]().union(*ADAPTERS.values())


def test_every_call_of_a_client_lies_behind_an_adapter_that_is_named() -> None:
    assert callers_outside_adapters() == set()


def test_only_the_table_reaches_dynamodbs_client() -> None:
    assert modules_with("_client") == {"table"}


def test_the_parts_of_a_transaction_are_of_three_kinds() -> None:
    """What `Write` means is told by the request that `Table` makes of it."""
    asked: list[dict[str, Any]] = []

    class Client:
        def transact_write_items(self, **request: Any) -> None:
            asked.extend(request["TransactItems"])

    client: Any = Client()
    key = Key("pk", "sk")
    writes = [Write({"pk": "pk", "sk": "sk"}), Write(key=key), Write(key=key, is_check=True)]
    Table(client, "table", FakeClock()).transact(writes)
    assert [kind for part in asked for kind in part] == ["Put", "Delete", "ConditionCheck"]


def test_a_call_deep_behind_protocols_and_wiring_is_found() -> None:
    """A PDF's worker reads the invoice, and keeps what it fetched; it never writes an invoice."""
    found = needed("invoice_pdf", PROD)
    assert found["<records.Arn>"] == {"dynamodb:GetItem"}
    assert "<ledger.Arn>" not in found
    assert {"s3:PutObject"} < set().union(*found.values())


def test_a_transaction_and_an_index_are_found() -> None:
    found = needed("payment_writeback", PROD)
    transaction = {"dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"}
    assert transaction < found["<ledger.Arn>"]
    assert needed("dashboard_api", PROD)["<ledger.Arn>/index/by_customer"] == {"dynamodb:Query"}


def test_no_function_may_scan_or_write_in_batches(any_stage: StageTemplates) -> None:
    """Neither can be held to conditions, and no code calls them."""
    allowed = {
        action
        for function in any_stage.functions()
        for statement in any_stage.statements(function)
        for action in statement.actions
    }
    assert not allowed & {"dynamodb:Scan", "dynamodb:BatchWriteItem"}
