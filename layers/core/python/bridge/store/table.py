"""A table offers conditional writes that recognise their own repetition, and bounded reads.

The SDK repeats a request whose answer was lost, and the repetition of a conditional write fails
on the very item that the first attempt wrote. So every write carries a fresh ``write_token``; a
condition that fails on an item with our own token has held, and the write counts as done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from bridge.aws_calls import attempts
from bridge.domain.errors import ConflictError, InfrastructureError, ThrottledError
from bridge.store.attributes import Item, Plain, check_storable, from_item, to_item
from bridge.store.errors import ConditionFailedError, ContendedError, translated
from bridge.store.expressions import Condition, parameters
from bridge.store.keys import DUE_INDEX, LISTING_INDEX, PARTNER_INDEX, Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from bridge.ports import Clock

T = TypeVar("T")

WRITE_TOKEN = "write_token"  # noqa: S105  # an attribute's name, not a secret
MAX_BATCH = 100
MAX_ATTEMPTS = 6
_FIRST_WAIT_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Write:
    """A write is one part of a transaction: it puts ``item``, or deletes the item at ``key``."""

    item: Item | None = None
    key: Key | None = None
    condition: Condition | None = None
    is_check: bool = False
    """Insist on the condition at ``key``, and leave the item as it is."""
    table: str = ""
    """The name of another table that the item is in; a transaction may span tables."""


@dataclass(frozen=True, slots=True)
class Range:
    """A range is a part of one partition of the table or an index, from ``low`` to ``high``."""

    pk: str
    low: str
    high: str
    index: str | None = None
    is_descending: bool = False
    condition: Condition | None = None
    """Drops items after they were read."""
    attributes: tuple[str, ...] = ()
    """The wanted attributes; an empty tuple asks for all."""

    @property
    def key_names(self) -> tuple[str, str]:
        if self.index is None:
            return "pk", "sk"
        if self.index == DUE_INDEX:
            return "gsi3pk", "gsi3sk"
        first = self.index in (LISTING_INDEX, PARTNER_INDEX)
        return ("gsi1pk", "gsi1sk") if first else ("gsi2pk", "gsi2sk")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer is one page of a range."""

    items: tuple[Item, ...]
    last: Item | None
    """The key where the query stopped, or None at the end of the range."""


class Table:
    """A table has a name and a low-level client; it waits between attempts by its clock.

    Any method may raise ThrottledError, InfrastructureError or PermanentError (see ``errors``).
    """

    def __init__(self, client: DynamoDBClient, name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock

    @property
    def name(self) -> str:
        return self._name

    def get(self, key: Key) -> Item | None:
        """Return the item as of now (a consistent read)."""
        with translated():
            answer = self._client.get_item(
                TableName=self._name, Key=_attributes_of(key), ConsistentRead=True
            )
        return to_item(answer["Item"]) if "Item" in answer else None

    def get_many(self, keys: Sequence[Key], attributes: tuple[str, ...] = ()) -> dict[Key, Item]:
        """Return those of the items that exist, as of now.

        ``attributes`` are the wanted ones, with ``pk`` and ``sk`` among them; empty asks for all.
        """
        found: dict[Key, Item] = {}
        distinct = list(dict.fromkeys(keys))
        for start in range(0, len(distinct), MAX_BATCH):
            found |= self._get_batch(distinct[start : start + MAX_BATCH], attributes)
        return found

    def _get_batch(self, keys: Sequence[Key], attributes: tuple[str, ...]) -> dict[Key, Item]:
        found: dict[Key, Item] = {}
        part: Any = parameters({"ProjectionExpression": _projection(attributes)}, {})
        wanted: Any = [_attributes_of(key) for key in keys]
        for _ in self._attempts():
            asked: Any = {"Keys": wanted, "ConsistentRead": True, **part}
            with translated():
                answer = self._client.batch_get_item(RequestItems={self._name: asked})
            for item in map(to_item, answer["Responses"].get(self._name, [])):
                found[Key(str(item["pk"]), str(item["sk"]))] = item
            left: Any = answer.get("UnprocessedKeys", {})
            if not left:
                return found
            wanted = left[self._name]["Keys"]
        raise ThrottledError("DynamoDB left keys unread")

    def put(self, item: Item, condition: Condition | None = None) -> None:
        """Write an item. Raises ConditionFailedError, and MalformedRecordError if too large."""
        token = uuid4().hex
        request = self._part(_with_token(item, token), condition)

        def write() -> None:
            with translated():
                self._client.put_item(**request)

        self._write(write, token)

    def delete(self, key: Key, condition: Condition | None = None) -> None:
        """Delete an item, where one is. Raises ConditionFailedError, and for the repetition of a
        deletion whose condition needs the item."""
        request = self._part(None, condition) | {"Key": _attributes_of(key)}

        def write() -> None:
            with translated():
                self._client.delete_item(**request)

        self._attempt(write)

    def transact(self, writes: Sequence[Write]) -> None:
        """Make all writes together, at most 100, or refuse all. Raises as :meth:`put` does."""
        token = uuid4().hex
        items: Any = [self._transact_item(write, token) for write in writes]

        def write() -> None:
            with translated():
                self._client.transact_write_items(TransactItems=items, ClientRequestToken=token)

        self._write(write, token)

    def update(
        self, key: Key, change: str, values: Mapping[str, Plain], condition: Condition
    ) -> Item:
        """Change single attributes by an update expression and return their new values.

        The change must be one that may happen twice, because a repetition of the SDK's passes
        for a change of its own. Raises ConditionFailedError.
        """
        request = parameters(
            {"UpdateExpression": change, "ConditionExpression": condition.expression},
            {**values, **condition.values},
        )

        def write() -> Item:
            with translated():
                answer = self._client.update_item(
                    TableName=self._name,
                    Key=_attributes_of(key),
                    ReturnValues="UPDATED_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **request,
                )
            return to_item(answer.get("Attributes", {}))

        return self._attempt(write)

    def query(self, wanted: Range, *, limit: int, start: Mapping[str, str] | None = None) -> Answer:
        """Return one page of at most ``limit`` items read (before the condition drops some)."""
        request = self._query_request(wanted) | {"Limit": limit}
        if start:
            request["ExclusiveStartKey"] = from_item(dict(start))
        with translated():
            answer = self._client.query(**request)
        last = answer.get("LastEvaluatedKey")
        return Answer(tuple(map(to_item, answer["Items"])), to_item(last) if last else None)

    def scan(self, condition: Condition, *, limit: int, start: Key | None = None) -> Answer:
        """Return those of the table's next items that fulfil the condition, as of now.

        It reads whole partitions of all partners: for an operator's work alone.
        """
        request: dict[str, Any] = parameters(
            {"FilterExpression": condition.expression}, condition.values
        )
        if start:
            request["ExclusiveStartKey"] = _attributes_of(start)
        with translated():
            answer = self._client.scan(
                TableName=self._name, ConsistentRead=True, Limit=limit, **request
            )
        last = answer.get("LastEvaluatedKey")
        return Answer(tuple(map(to_item, answer["Items"])), to_item(last) if last else None)

    def walk(self, wanted: Range, *, max_pages: int) -> Iterator[Item]:
        """Yield every item of a range. Raises InfrastructureError after ``max_pages`` of 1 MB."""
        for page in self._pages(self._query_request(wanted), max_pages):
            yield from map(to_item, page["Items"])

    def count(self, wanted: Range, *, max_pages: int) -> int:
        """Return how many items of a range fulfil its condition."""
        request = self._query_request(wanted) | {"Select": "COUNT"}
        return sum(page["Count"] for page in self._pages(request, max_pages))

    def _pages(self, request: dict[str, Any], max_pages: int) -> Iterator[Any]:
        for _ in range(max_pages):
            with translated():
                answer = self._client.query(**request)
            yield answer
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        raise InfrastructureError("range has too many pages")

    def _query_request(self, wanted: Range) -> dict[str, Any]:
        pk, sk = wanted.key_names
        request = parameters(
            {
                "KeyConditionExpression": f"#{pk} = :pk AND #{sk} BETWEEN :low AND :high",
                "FilterExpression": wanted.condition.expression if wanted.condition else "",
                "ProjectionExpression": _projection(wanted.attributes),
            },
            {
                "pk": wanted.pk,
                "low": wanted.low,
                "high": wanted.high,
                **(wanted.condition.values if wanted.condition else {}),
            },
        )
        where = {"IndexName": wanted.index} if wanted.index else {"ConsistentRead": True}
        return {
            "TableName": self._name,
            "ScanIndexForward": not wanted.is_descending,
            **where,
            **request,
        }

    def _transact_item(self, write: Write, token: str) -> dict[str, Any]:
        if write.item is not None:
            item = _with_token(write.item, token)
            return {"Put": self._part(item, write.condition, write.table)}
        if write.key is None:
            raise ValueError("a write needs an item or a key")
        action = "ConditionCheck" if write.is_check else "Delete"
        part = self._part(None, write.condition, write.table)
        return {action: part | {"Key": _attributes_of(write.key)}}

    def _part(
        self, item: Item | None, condition: Condition | None, table: str = ""
    ) -> dict[str, Any]:
        """Return the parameters that a write has alone as well as within a transaction."""
        part: dict[str, Any] = {"TableName": table or self._name}
        if item is not None:
            check_storable(item)
            part["Item"] = from_item(item)
        if condition:
            part |= parameters({"ConditionExpression": condition.expression}, condition.values)
            part["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return part

    def _write(self, write: Callable[[], None], token: str) -> None:
        try:
            self._attempt(write)
        except ConditionFailedError as error:
            # A transaction is made as a whole, so one item with our token proves all of it.
            if all(item.get(WRITE_TOKEN) != token for item in error.found.values()):
                raise

    def _attempt(self, write: Callable[[], T]) -> T:
        """Make a write, and repeat it a few times while another transaction holds its item."""
        for _ in self._attempts():
            with suppress(ContendedError):
                return write()
        raise ConflictError("other transactions kept hold of the record")

    def _attempts(self) -> Iterator[None]:
        return attempts(self._clock, limit=MAX_ATTEMPTS, first_wait_seconds=_FIRST_WAIT_SECONDS)


def _with_token(item: Item, token: str) -> Item:
    return {**item, WRITE_TOKEN: token}


def _projection(attributes: Sequence[str]) -> str:
    return ", ".join(f"#{name}" for name in attributes)


def _attributes_of(key: Key) -> Any:
    return from_item(dict(key.attributes()))
