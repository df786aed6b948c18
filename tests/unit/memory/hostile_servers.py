"""Servers that answer every request with one body, or with as many rows as they are asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.connectwise.scripted_network import answer_of
from tests.unit.memory.hostile_bodies import BODIES, MIB, zipped

_LONG_NOTES = 1_500


@dataclass(frozen=True, slots=True)
class SameAnswer:
    """Answers each request with the same body, compressed as a small one that swells."""

    body: str
    size: int
    status: int = 200

    def __call__(self, _request: bytes) -> Iterator[bytes]:
        pieces = zipped(BODIES[self.body](self.size))
        return answer_of(pieces, status=self.status, is_gzip=True)


@dataclass(frozen=True, slots=True)
class ByteAfterByte:
    """Answers with a body in chunks of one or two bytes."""

    chunk_bytes: int

    def __call__(self, _request: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunk = b"%x\r\n%s\r\n" % (self.chunk_bytes, b" " * self.chunk_bytes)
        yield from repeat(chunk * 4_096)


@dataclass(frozen=True, slots=True)
class EndlessRows:
    """Lists what it is asked for, each invoice with so many lines of each kind and payments."""

    rows_of_one: int
    has_notes: bool = False

    def __call__(self, request: bytes) -> Iterator[bytes]:
        url = urlsplit(request.split(b" ", 2)[1].decode())
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        information = re.search(r"/info/invoice/(\d+)$", url.path)
        if information:
            return answer_of(self._information(int(information[1])))
        rows = self._rows(url.path, query) if not url.path.endswith("/count") else {"count": 1}
        return answer_of(iter([json.dumps(rows).encode()]))

    def _information(self, source_id: int) -> Iterator[bytes]:
        """Yield an invoice with all its lines in one answer, as if they added up."""
        sums = dict.fromkeys(("productTotal", "serviceTotal", "expenseTotal"), 0)
        header = {**_invoice(source_id), **sums, "_info": {"lastUpdated": "2026-01-01T00:00:00Z"}}
        yield b'{"invoice":' + json.dumps(header).encode()
        for name in ("products", "timeEntries", "expenses"):
            yield f',"{name}":['.encode()
            for number in range(1, self.rows_of_one + 1):
                line = json.dumps(self._line(number, [source_id])).encode()
                yield line if number == 1 else b"," + line
            yield b"]"
        yield b"}"

    def _rows(self, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
        conditions, size = query.get("conditions", ""), int(query["pageSize"])
        owners = [int(each) for each in re.findall(r"\d+", conditions.partition(")")[0])]
        last = re.search(r"id>(\d+)$", conditions)
        first = int(last[1]) + 1 if last else 1
        if path.endswith("/invoices"):
            return [_invoice(each) for each in owners if each >= first]
        if path.endswith("/payments"):
            end = min(first + size, self.rows_of_one + 1)
            return [{"id": each, "amount": 1} for each in range(first, end)]
        end = min(first + size, self.rows_of_one * len(owners) + 1)
        return [self._line(each, owners) for each in range(first, end)]

    def _line(self, number: int, owners: Sequence[int]) -> dict[str, Any]:
        line = {"id": number, "invoice": {"id": owners[(number - 1) // self.rows_of_one]}}
        return {**line, "notes": f"{number}".ljust(_LONG_NOTES, "x")} if self.has_notes else line


def _invoice(source_id: int) -> dict[str, Any]:
    return {
        "id": source_id,
        "invoiceNumber": str(source_id),
        "type": "Standard",
        "company": {"id": 1},
        "date": "2026-01-01T00:00:00Z",
        "dueDate": "2026-01-01T00:00:00Z",
        "currency": {"id": 1, "currencyCode": "USD"},
        "total": 1,
        "balance": 1,
        "payments": 1,
    }


def zeros_behind_an_empty_gzip(_request: bytes) -> Iterator[bytes]:
    return answer_of(_endlessly(b"\0" * (MIB // 16)), is_gzip=True)


def endless_gzip_members(_request: bytes) -> Iterator[bytes]:
    member = b"".join(zipped(iter([b"[]"])))
    return answer_of(repeat(member * 1_000), is_gzip=True)


def _endlessly(rest: bytes) -> Iterator[bytes]:
    yield b"".join(zipped(iter([b"[]"])))
    yield from repeat(rest)
