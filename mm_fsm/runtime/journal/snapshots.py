"""Everything a machine remembers, as text and back, to the last digit: what a replay or a recovery begins with.

Only plain values and this package's own value objects can be held, so that reading a journal never runs foreign code.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from inspect import isclass
from types import MappingProxyType, ModuleType
from typing import Any, Final

import attrs

from mm_fsm.books import (
    context,
    facts,
    incomplete_fills,
    ledger,
    market,
    markouts,
    orders,
    questions,
    reconciliation,
    reference_price,
    request_rates,
    signals,
    sums,
)
from mm_fsm.core import decisions, instrument, messages, rate_rules, settings
from mm_fsm.estimators import batch_means, decay, ewma, intensity, order_flow, two_scale, volume
from mm_fsm.machine import desk, quote_uptime, visits
from mm_fsm.runtime.journal.messages import encode

_MODULES: Final[tuple[ModuleType, ...]] = (
    context, decisions, facts, incomplete_fills, instrument, ledger, market, markouts, messages, orders, questions,
    reconciliation, reference_price, request_rates, rate_rules, settings, signals, batch_means, decay, ewma, intensity,
    order_flow, two_scale, volume, desk, quote_uptime, visits, sums,
)  # fmt: skip


def _classes() -> dict[str, type]:
    return {
        name: value
        for module in _MODULES
        for name, value in vars(module).items()
        if isclass(value) and (attrs.has(value) or issubclass(value, (Enum, messages.BookLevel)))
    }


_CLASSES: Final = _classes()
_Place = tuple[Any, str]
"""The attributes that lead to a value, the last one first: put together only when there is something to say of it."""
_Writer = Callable[[_Place, Any], Any]


class SnapshotError(ValueError):
    """A value cannot be held in a snapshot, or a snapshot holds what this version does not know."""


def write_snapshot(values: Mapping[str, object]) -> bytes:
    """Named values as compressed text.

    Raises:
        SnapshotError: one of them is, or contains, something that a snapshot cannot hold.
    """
    plain = {name: _plain((None, name), value) for name, value in values.items()}
    return zlib.compress(encode(plain).encode(), level=1)


def read_snapshot(data: bytes) -> dict[str, Any]:
    """The values that ``write_snapshot`` wrote.

    Raises:
        SnapshotError: the data is damaged, or holds what this version does not know.
    """
    try:
        plain = json.loads(zlib.decompress(data))
        return {name: _value(each) for name, each in plain.items()}
    except (zlib.error, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise SnapshotError(
            f"expected a sound snapshot of this version, found one that does not read: {error}"
        ) from error


# -- writing: a snapshot has tens of thousands of values, so each of them takes one look into a table -------------


def _plain(place: _Place, value: object) -> Any:
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    write = _WRITERS.get(kind)
    if write is None:
        raise SnapshotError(
            f"{_spelled(place)}: expected plain values or value objects of mm_fsm, found {kind.__module__}."
            f"{kind.__qualname__}."
        )
    return write(place, value)


def _spelled(place: _Place | None) -> str:
    names = []
    while place is not None:
        place, name = place
        names.append(name)
    return ".".join(reversed(names))


def _writer_of_sequence(letter: str) -> _Writer:
    return lambda place, value: {letter: [_plain(place, each) for each in value]}


def _writer_of_mapping(kind: str) -> _Writer:
    return lambda place, value: {"m": [kind, [_plain(place, part) for item in value.items() for part in item]]}


def _writer_of_enum(name: str) -> _Writer:
    return lambda _, value: {"e": [name, value.value]}


def _writer_of_object(name: str, fields: tuple[str, ...]) -> _Writer:
    return lambda place, value: {"o": [name, {each: _plain((place, each), getattr(value, each)) for each in fields}]}


def _writers() -> dict[type, _Writer]:
    found: dict[type, _Writer] = {
        Decimal: lambda _, value: {"d": str(value)},
        deque: lambda place, value: {"q": [value.maxlen, [_plain(place, each) for each in value]]},
        messages.BookLevel: lambda _, value: {"o": ["BookLevel", {"price": str(value.price), "size": str(value.size)}]},
    }
    found |= {kind: _writer_of_sequence(letter) for kind, letter in ((tuple, "t"), (list, "l"), (set, "s"))}
    found |= {kind: _writer_of_mapping(name) for name, kind in _MAPPINGS.items()}
    for name, cls in _CLASSES.items():
        if issubclass(cls, Enum):
            found[cls] = _writer_of_enum(name)
        elif attrs.has(cls):
            found[cls] = _writer_of_object(name, _written(cls))
    return found


# -- reading ----------------------------------------------------------------------------------------------------


def _value(plain: Any) -> Any:
    if type(plain) is not dict:
        return plain
    ((letter, content),) = plain.items()
    return _READERS[letter](content)


def _attributes(cls: Any) -> tuple[attrs.Attribute[Any], ...]:
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)
    return fields


def _written(cls: Any) -> tuple[str, ...]:
    return tuple(each.name for each in _attributes(cls) if not each.metadata.get("is_derived"))


def _read_mapping(content: list[Any]) -> Any:
    kind, flat = content
    parts = [_value(each) for each in flat]
    return _MAPPINGS[kind](dict(zip(parts[::2], parts[1::2], strict=True)))


def _read_object(content: list[Any]) -> Any:
    """An instance exactly as it was: no initialiser, converter or check runs on it again."""
    name, fields = content
    cls = _CLASSES[name]
    if cls is messages.BookLevel:
        return messages.BookLevel(Decimal(fields["price"]), Decimal(fields["size"]))
    made: Any = object.__new__(cls)
    for attribute in _attributes(cls):
        named = attribute.name
        value = _value(fields[named]) if named in fields else _default(cls, attribute)
        object.__setattr__(made, named, value)
    return made


def _default(cls: type, attribute: attrs.Attribute[Any]) -> Any:
    """What an attribute is that an older version did not have."""
    default: Any = attribute.default
    if default is attrs.NOTHING:
        raise LookupError(f"{cls.__name__}.{attribute.name}")
    return default.factory() if hasattr(default, "factory") else default


_AS_THEY_ARE: Final = frozenset((type(None), bool, int, float, str))
_MAPPINGS: Final[dict[str, type]] = {
    "dict": dict, "Counter": Counter, "OrderedDict": OrderedDict, "mappingproxy": MappingProxyType
}  # fmt: skip
_WRITERS: Final = _writers()
_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "d": Decimal,
    "q": lambda content: deque((_value(each) for each in content[1]), maxlen=content[0]),
    "t": lambda content: tuple([_value(each) for each in content]),
    "l": lambda content: [_value(each) for each in content],
    "s": lambda content: {_value(each) for each in content},
    "m": _read_mapping,
    "e": lambda content: _CLASSES[content[0]](content[1]),
    "o": _read_object,
}
