"""Bodies by which a server would fill a worker's memory, in the pieces that go over the wire."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from itertools import count

MIB = 1024 * 1024
_PIECE_BYTES = 64 * 1024
_DEPTH = 30

Body = Callable[[int], Iterator[bytes]]
"""Makes the pieces of a body of about so many bytes."""


def _repeated(unit: str) -> Body:
    """Make a list of ``unit``, which is JSON, or several values of it."""

    def body(size: int) -> Iterator[bytes]:
        text = f"{unit},".encode(errors="surrogateescape")
        times = max(1, _PIECE_BYTES // len(text))
        yield b"["
        for _ in range(size // (len(text) * times)):
            yield text * times
        yield text * (size % (len(text) * times) // len(text)) + b"1]"

    return body


def _one_value(opening: str, inside: str, closing: str) -> Body:
    """Make one value around a long inside."""

    def body(size: int) -> Iterator[bytes]:
        text = inside.encode(errors="surrogateescape")
        times = max(1, _PIECE_BYTES // len(text))
        yield opening.encode(errors="surrogateescape")
        for _ in range(size // (len(text) * times)):
            yield text * times
        yield text * (size % (len(text) * times) // len(text)) + closing.encode(
            errors="surrogateescape"
        )

    return body


def _numbered(opening: str, unit: str, closing: str) -> Body:
    """Make one value of units that hold a number of their own, such as names of fields."""

    def body(size: int) -> Iterator[bytes]:
        yield opening.encode(errors="surrogateescape")
        made, numbers = 0, count(1)
        while made < size:
            piece = "".join(f"{unit.replace('#', f'{next(numbers):x}')}," for _ in range(2_000))
            made += len(piece)
            yield piece.encode(errors="surrogateescape")
        yield f"{unit.replace('#', '0')}{closing}".encode(errors="surrogateescape")

    return body


BODIES: Mapping[str, Body] = {
    "empty objects": _repeated("{}"),
    "empty lists": _repeated("[]"),
    "decimals": _repeated("1.1"),
    "long decimals": _repeated("1." + "7" * 390),
    "longer decimals": _repeated("1." + "7" * 90),
    "integers": _repeated("1234567"),
    "long integers": _repeated("9" * 20),
    "integers beyond a double": _repeated("9" * 500),
    "one endless integer": _one_value("[", "9", "]"),
    "exponents beyond a double": _repeated("1e99999"),
    "endless exponent": _one_value("[1e", "9", "]"),
    "short texts": _repeated('"ab"'),
    "single letters of other alphabets": _repeated('"\u00e9\u4e2d"'),
    "astral letters": _repeated('"\U0001f600"'),
    "truths": _repeated("true"),
    "nothings": _repeated("null"),
    "one in a list": _repeated("[1]"),
    "one decimal in a list": _repeated("[1.1]"),
    "five in a list": _repeated("[1,1,1,1,1]"),
    "one field": _repeated('{"a":1}'),
    "one field of an own name": _numbered("[", '{"#":1.1}', "]"),
    "rows with an empty object": _numbered("[", '{"id":#,"a":{}}'.replace("#", "1"), "]"),
    "six fields": _repeated('{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}'),
    "eleven fields": _repeated("{" + ",".join(f'"{i}":1' for i in "abcdefghijk") + "}"),
    "one object of many names": _numbered("[{", '"#":1', "}]"),
    "one object of many names and decimals": _numbered("[{", '"#":1.1', "}]"),
    "one object of many names and objects": _numbered("[{", '"#":{}', "}]"),
    "names of other alphabets": _numbered("[{", '"\u4e2d#":1', "}]"),
    "lists in lists": _repeated("[" * _DEPTH + "]" * _DEPTH),
    "lists in lists beyond all depth": _repeated("[" * 5_000 + "]" * 5_000),
    "objects in objects": _repeated('{"a":' * _DEPTH + "1" + "}" * _DEPTH),
    "brackets that stay open": _one_value("", "[", ""),
    "one long text": _one_value('["', "x", '"]'),
    "one long text with an umlaut": _one_value('["\u00e4', "x", '"]'),
    "one long text with a long dash": _one_value('["\u2014', "x", '"]'),
    "one long text with an astral letter": _one_value('["\U0001f600', "x", '"]'),
    "one long text that ends astral": _one_value('["', "x", '\U0001f600"]'),
    "one long text with an escape": _one_value('["', "x", '\\ud83d\\ude00"]'),
    "one long text of escapes": _one_value('["', "\\n", '"]'),
    "one long text of astral escapes": _one_value('["', "\\ud83d\\ude00", '"]'),
    "deep beside an astral text": _one_value(
        '["' + "[" * 5_000 + "]" * 5_000 + '","\U0001f600',
        "x",
        '",' + "[" * 5_000 + "]" * 5_000 + "]",
    ),
    "deep lists beside an astral text": _one_value(
        '["\U0001f600",', "[" * 5_000 + "]" * 5_000 + ",", "1]"
    ),
    "a long name": _one_value('[{"', "x", '":1}]'),
    "no text at all": _one_value("", "\0", ""),
    "bytes outside of UTF-8": _one_value('["', "\udcff", '"]'),
    "commas": _one_value("[", ",", "]"),
    "colons": _one_value("[", ":", "]"),
    "white space": _one_value("[", " ", "]"),
    "HTML": _one_value("<html>", "<p>no JSON</p>", "</html>"),
}


def zipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces compressed."""
    packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    for piece in pieces:
        packed = packer.compress(piece)
        if packed:
            yield packed
    yield packer.flush()
