"""Everything a machine remembers, as text and back, to the last digit: what a replay or a recovery begins with.

Only plain values and this package's own value objects can be held, so that reading a journal never runs foreign code.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter, OrderedDict, deque
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from inspect import isclass
from types import MappingProxyType, ModuleType
from typing import Any, Final

import attrs

from mm_fsm.core import (
    context,
    decisions,
    instrument,
    ledger,
    market,
    markouts,
    messages,
    orders,
    reconciliation,
    settings,
    volatility,
)
from mm_fsm.machine import presence
from mm_fsm.runtime.journal.messages import encode

_MODULES: Final[tuple[ModuleType, ...]] = (
    context, decisions, instrument, ledger, market, markouts, messages, orders,
    reconciliation, settings, volatility, presence,
)  # fmt: skip


def _classes() -> dict[str, type]:
    return {
        name: value
        for module in _MODULES
        for name, value in vars(module).items()
        if isclass(value) and (attrs.has(value) or issubclass(value, (Enum, messages.BookLevel)))
    }


_CLASSES: Final = _classes()
_NAMES: Final = {cls: name for name, cls in _CLASSES.items()}


class SnapshotError(ValueError):
    """A value cannot be held in a snapshot, or a snapshot holds what this version does not know."""


def write_snapshot(values: Mapping[str, object]) -> bytes:
    """Named values as compressed text.

    Raises:
        SnapshotError: one of them is, or contains, something that a snapshot cannot hold.
    """
    plain = {name: _plain(name, value) for name, value in values.items()}
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


def _plain(place: str, value: object) -> Any:  # noqa: PLR0911 - one line for each kind
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is Decimal:
        return {"d": str(value)}
    if kind is deque:
        return {"q": [value.maxlen, [_plain(place, each) for each in value]]}  # type: ignore[attr-defined]
    if kind in (tuple, list, set):
        letter = {tuple: "t", list: "l", set: "s"}[kind]
        return {letter: [_plain(place, each) for each in value]}  # type: ignore[attr-defined]
    if isinstance(value, Mapping):
        return _plain_mapping(place, value)
    if kind not in _NAMES:
        raise SnapshotError(
            f"{place}: expected plain values or value objects of mm_fsm.core, found {kind.__module__}."
            f"{kind.__qualname__}."
        )
    if isinstance(value, Enum):
        return {"e": [_NAMES[kind], value.value]}
    if isinstance(value, messages.BookLevel):
        return {"o": ["BookLevel", {"price": str(value.price), "size": str(value.size)}]}
    names = [attribute.name for attribute in _attributes(kind)]
    fields = {name: _plain(f"{place}.{name}", getattr(value, name)) for name in names}
    return {"o": [_NAMES[kind], fields]}


_MAPPINGS: Final = {"dict": dict, "Counter": Counter, "OrderedDict": OrderedDict, "mappingproxy": dict}


def _plain_mapping(place: str, value: Mapping[Any, Any]) -> Any:
    kind = type(value).__name__
    if kind not in _MAPPINGS:
        raise SnapshotError(f"{place}: expected a dict, found {kind}.")
    flat = [_plain(place, part) for item in value.items() for part in item]
    return {"m": [kind, flat]}


def _value(plain: Any) -> Any:  # noqa: PLR0911 - one line for each kind
    if not isinstance(plain, dict):
        return plain
    ((letter, content),) = plain.items()
    match letter:
        case "d":
            return Decimal(content)
        case "q":
            return deque((_value(each) for each in content[1]), maxlen=content[0])
        case "t":
            return tuple(_value(each) for each in content)
        case "l":
            return [_value(each) for each in content]
        case "s":
            return {_value(each) for each in content}
        case "m":
            return _mapping(*content)
        case "e":
            return _CLASSES[content[0]](content[1])
        case "o":
            return _object(_CLASSES[content[0]], content[1])
        case _:
            raise LookupError(letter)


def _attributes(cls: Any) -> tuple[attrs.Attribute[Any], ...]:
    return attrs.fields(cls)  # type: ignore[no-any-return]


def _mapping(kind: str, flat: list[Any]) -> Any:
    parts = [_value(each) for each in flat]
    mapping = _MAPPINGS[kind](zip(parts[::2], parts[1::2], strict=True))
    return MappingProxyType(mapping) if kind == "mappingproxy" else mapping


def _object(cls: type, fields: dict[str, Any]) -> Any:
    """An instance exactly as it was: no initialiser, converter or check runs on it again."""
    if cls is messages.BookLevel:
        return messages.BookLevel(Decimal(fields["price"]), Decimal(fields["size"]))
    made: Any = object.__new__(cls)
    for attribute in _attributes(cls):
        if attribute.name in fields:
            value = _value(fields[attribute.name])
        elif attribute.default is attrs.NOTHING:
            raise LookupError(f"{cls.__name__}.{attribute.name}")
        else:
            default: Any = attribute.default
            value = default.factory() if hasattr(default, "factory") else default
        object.__setattr__(made, attribute.name, value)
    return made
