"""The tenant's setup tables, as odd as their rows may be."""

from __future__ import annotations

import httpx

from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.choices import list_choices
from bridge.domain.customer import NamedRef
from bridge.domain.filter_choices import ChoiceKind
from tests.unit.connectwise.bench import bench


def test_a_choice_is_a_text_that_can_be_shown_whatever_the_server_calls_it() -> None:
    body = rb'[{"id":3,"name":"half \ud83d"},{"id":4,"name":5},{"id":"x","name":"x"},{"id":6}]'
    it = bench(httpx.Response(200, content=body, headers={"Link": ""}))

    found = list_choices(BulkReader(it.client()), ChoiceKind.DEPARTMENTS)

    assert found == (NamedRef(3, "half ?"), NamedRef(4, "5"), NamedRef(6, ""))
