"""A digest of the books: equal books have equal digests in every process. Only parts that changed are written again.

Numbers are normalised: 1, 1.0, ``Decimal("1.00")`` and True are one text. So neither trailing zeros nor the units of
exact sums are seen. A field with ``LATER`` in its metadata is written only where it is not None.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from hashlib import blake2b
from operator import attrgetter, methodcaller
from types import MappingProxyType
from typing import Any, Final

import attrs
from attrs import define, field

from mm_fsm.core.validation import LATER

DIGEST_BYTES: Final = 32


@define(eq=False)
class BooksDigest:
    """Keeps the text of every part until the part changes."""

    _parts: list[object] = field(factory=list, init=False)
    _texts: list[str] = field(factory=list, init=False)
    _elements: dict[tuple[int, int], tuple[object, str]] = field(factory=dict, init=False)
    """Text of the tuples among a part's elements, so that of many orders only the one that changed is written."""

    def of(self, values: tuple[object, ...]) -> str:
        """The digest of these values, always the same ones in the same order: 64 hexadecimal digits."""
        parts, texts = self._parts, self._texts
        if len(parts) != len(values):
            parts[:], texts[:] = [self] * len(values), [""] * len(values)  # equal to no value
            self._elements.clear()
        for index, value in enumerate(values):
            known = parts[index]
            if value is known and type(value) in _SIMPLE:
                continue
            plain = plainly(value)
            if plain is not known and plain != known:
                texts[index] = self._write(index, plain)
            parts[index] = plain
        return blake2b("\n".join(texts).encode(), digest_size=DIGEST_BYTES).hexdigest()

    def _write(self, index: int, plain: object) -> str:
        if type(plain) is not tuple:
            return written(plain)
        texts = []
        for number, each in enumerate(plain):
            if type(each) is not tuple:
                texts.append(written(each))
                continue
            known = self._elements.get((index, number))
            if known is None or known[0] != each:
                known = (each, written(each))
                self._elements[index, number] = known
            texts.append(known[1])
        return f"({','.join(texts)})"


def plainly(value: object) -> object:
    """What stands for a value: itself where it cannot change, else a tuple of its parts, made now.

    What a ``snapshot`` method returns is taken as it is: a tuple of values that cannot change.
    """
    return _MAKERS[type(value)](value)


def written(plain: object) -> str:
    """A value that cannot change as text; equal values are one text."""
    return _WRITERS[type(plain)](plain)


def _itself(value: object) -> object:
    return value


def _parts_of(values: Iterable[object]) -> tuple[object, ...]:
    return tuple([_MAKERS[type(each)](each) for each in values])


def _write_all(values: Iterable[object]) -> str:
    return f"({','.join([_WRITERS[type(each)](each) for each in values])})"


def _write_float(value: float) -> str:
    return repr(value).removesuffix(".0") if value else "0"


def _write_decimal(value: Decimal) -> str:
    text = str(value)
    if "E" in text:
        text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if value else "0"


def _reader(kind: Any) -> Callable[[Any], tuple[object, ...]]:
    """Reads every field of a value object that is not computed from others."""
    names = [
        each.name for each in attrs.fields(kind) if not each.metadata.get("is_derived") and not each.metadata.get(LATER)
    ]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple([getattr(value, name) for name in names])


def _later_reader(kind: Any) -> Callable[[Any], str]:
    """Writes those fields of a frozen value object that came later and are not None, by name."""
    names = [each.name for each in attrs.fields(kind) if each.metadata.get(LATER)]
    if not names:
        return lambda _: ""
    return lambda value: "".join(
        f"{name}={written(plainly(found))}" for name in names if (found := getattr(value, name)) is not None
    )


class _Makers(dict[type, Callable[[Any], object]]):
    """What makes a plain value, by class; found once for each class."""

    def __missing__(self, kind: type) -> Callable[[Any], object]:
        if hasattr(kind, "snapshot"):
            make: Callable[[Any], object] = methodcaller("snapshot")
        elif issubclass(kind, (dict, MappingProxyType)):
            make = self[dict]
        elif attrs.has(kind) and not attrs.inspect(kind).is_frozen:
            read = _reader(kind)
            make = lambda value: _parts_of(read(value))  # noqa: E731 - one of several
        else:
            make = _itself
        self[kind] = make
        return make


class _Writers(dict[type, Callable[[Any], str]]):
    """What writes a plain value, by class; found once for each class."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        write: Callable[[Any], str] = repr
        if issubclass(kind, str):
            write = str.__repr__
        elif issubclass(kind, tuple):
            write = _write_all
        elif attrs.has(kind):
            read, name, later = _reader(kind), kind.__name__, _later_reader(kind)
            write = lambda value: name + _write_all(_parts_of(read(value))) + later(value)  # noqa: E731 - one of several
        self[kind] = write
        return write


_MAKERS: Final = _Makers(
    {
        list: _parts_of,
        tuple: _parts_of,
        deque: _parts_of,
        dict: lambda value: _parts_of([part for item in value.items() for part in item]),
        set: lambda value: tuple(sorted(map(written, value))),
    }
)
_WRITERS: Final = _Writers(
    {
        bool: lambda value: str(int(value)),
        int: str,
        str: repr,
        float: _write_float,
        Decimal: _write_decimal,
    }
)
_SIMPLE: Final = frozenset((type(None), bool, int, float, str, Decimal))
"""Classes of values that are compared by identity first: most of them have not changed."""
