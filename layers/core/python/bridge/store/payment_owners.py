"""A payment in ConnectWise has one owner under each key of its books; others are read beside.

An owner is the id of a write-back, or ``NO_OWNER`` where a person said that it is somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from bridge.domain.write_back import Books, WriteBack
from bridge.ports import NO_OWNER
from bridge.store import keys
from bridge.store.attributes import Item
from bridge.store.errors import ConditionFailedError
from bridge.store.expressions import IS_NEW, Condition
from bridge.store.table import Table, Write


def find(table: Table, books: Books, psa_payment_ids: Sequence[int]) -> Mapping[int, str]:
    wanted = {
        (each, books_key): keys.psa_payment_key(books_key, each)
        for each in psa_payment_ids
        for books_key in reversed(books.read_keys)
    }
    found = table.get_many(list(wanted.values()))
    return {
        each: str(found[key]["write_back_id"]) for (each, _), key in wanted.items() if key in found
    }


def disputed(table: Table, books: Books, owners: Mapping[int, str]) -> tuple[int, ...]:
    wanted = {
        keys.psa_payment_key(books_key, each): each
        for each in owners
        for books_key in books.read_keys
    }
    found = table.get_many(list(wanted))
    others = {
        each
        for key, each in wanted.items()
        if key in found and found[key]["write_back_id"] not in (owners[each], NO_OWNER)
    }
    return tuple(each for each in owners if each in others)


def disclaim(table: Table, books: Books, psa_payment_ids: Sequence[int]) -> None:
    for psa_payment_id in psa_payment_ids:
        for books_key in books.keys:
            with suppress(ConditionFailedError):
                table.put(_item(books_key, psa_payment_id, NO_OWNER), IS_NEW)


def give_up(table: Table, books: Books, psa_payment_id: int, owner_id: str) -> None:
    for books_key in books.keys:
        key = keys.psa_payment_key(books_key, psa_payment_id)
        # Another write-back owns it under this key, and keeps it.
        with suppress(ConditionFailedError):
            table.delete(key, _is_nobodys_or(owner_id))


def move(table: Table, books: Books, owners: Mapping[int, str]) -> tuple[int, ...]:
    """Keep owners under every key of the books, and return the payments that others own."""
    taken = []
    for psa_payment_id, owner_id in owners.items():
        for books_key in books.keys:
            try:
                table.put(_item(books_key, psa_payment_id, owner_id), _is_nobodys_or(owner_id))
            except ConditionFailedError:
                taken.append(psa_payment_id)
    return tuple(dict.fromkeys(taken))


def ownership_writes(books: Books, write_back: WriteBack, psa_payment_id: int) -> list[Write]:
    owner_id = write_back.write_back_id
    return [
        Write(_item(each, psa_payment_id, owner_id), condition=_is_nobodys_or(owner_id))
        for each in books.keys
    ]


def disownment_writes(
    books: Books, write_back: WriteBack, psa_payment_id: int | None
) -> list[Write]:
    if psa_payment_id is None:
        return []
    condition = _is_nobodys_or(write_back.write_back_id)
    return [
        Write(key=keys.psa_payment_key(each, psa_payment_id), condition=condition)
        for each in books.keys
    ]


def _item(books_key: str, psa_payment_id: int, owner_id: str) -> Item:
    key = keys.psa_payment_key(books_key, psa_payment_id)
    return {**key.attributes(), "write_back_id": owner_id}


def _is_nobodys_or(owner_id: str) -> Condition:
    return Condition(
        "attribute_not_exists(#pk) OR #write_back_id = :write_back_id",
        {"write_back_id": owner_id},
    )
