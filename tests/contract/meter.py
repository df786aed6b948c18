"""What the requests of a DynamoDB client cost."""

from __future__ import annotations

from collections import Counter
from typing import Any

_WRITES = ("PutItem", "TransactWriteItems", "UpdateItem", "DeleteItem")


class Meter:
    """Counts the requests of a client, and the capacity that they consumed."""

    def __init__(self, client: Any) -> None:
        self.requests: list[str] = []
        self.write_units = 0.0
        self.read_units = 0.0
        self.units_by: list[tuple[str, str, float]] = []
        """The write units of each request, with its operation and the name of the table."""
        client.meta.events.register("provide-client-params.dynamodb", self._ask)
        client.meta.events.register("after-call.dynamodb", self._note)

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def _note(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.requests.append(model.name)
        consumed = parsed.get("ConsumedCapacity", [])
        tables = consumed if isinstance(consumed, list) else [consumed]
        units = sum(each["CapacityUnits"] for each in tables)
        if model.name in _WRITES:
            self.write_units += units
            self.units_by += [
                (model.name, each["TableName"], each["CapacityUnits"]) for each in tables
            ]
        else:
            self.read_units += units

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.requests)

    def reset(self) -> None:
        self.requests.clear()
        self.units_by.clear()
        self.write_units = self.read_units = 0.0
