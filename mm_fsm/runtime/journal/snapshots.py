"""Everything a machine remembers, as text and back, to the last digit: what a replay or a recovery begins with.

Only plain values, this package's value objects and the classes that a strategy names can be held, so that reading a
journal never runs foreign code beyond importing the strategy.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from enum import Enum, Flag
from functools import cache
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


def _package_classes() -> dict[str, type]:
    return {
        name: value
        for module in _MODULES
        for name, value in vars(module).items()
        if isclass(value) and (attrs.has(value) or issubclass(value, (Enum, messages.BookLevel)))
    }


_PACKAGE_CLASSES: Final = _package_classes()
_Place = tuple[Any, str]
"""The attributes that lead to a value, the last one first: put together only when there is something to say of it."""
_Writer = Callable[[_Place, Any], Any]


class SnapshotError(ValueError):
    """A value cannot be held in a snapshot, or a snapshot holds what this version does not know."""


def write_snapshot(values: Mapping[str, object], own_classes: tuple[type, ...] = ()) -> bytes:
    """Named values as compressed text.

    Args:
        values: what to hold.
        own_classes: a strategy's own value classes among them: attrs classes and enumerations.

    Raises:
        SnapshotError: one of them is, or contains, something that a snapshot cannot hold.
    """
    form = _form_with(own_classes)
    plain = {name: form.plain((None, name), value) for name, value in values.items()}
    return zlib.compress(encode(plain).encode(), level=1)


def read_snapshot(
    data: bytes, own_classes: tuple[type, ...] = (), names: Collection[str] | None = None
) -> dict[str, Any]:
    """The values that ``write_snapshot`` wrote.

    Args:
        data: what it gave.
        own_classes: a strategy's own value classes.
        names: of the values to read; None reads all.

    Raises:
        SnapshotError: the data is damaged, or holds what this version and these classes do not know.
    """
    form = _form_with(own_classes)
    try:
        plain = json.loads(zlib.decompress(data))
        return {name: form.value(each) for name, each in plain.items() if names is None or name in names}
    except _Unknown as error:
        raise SnapshotError(
            f"expected value objects of mm_fsm or of the strategy's snapshot_classes, found {error}"
        ) from error
    except (zlib.error, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise SnapshotError(
            f"expected a sound snapshot of this version, found one that does not read: {error}"
        ) from error


class _Unknown(Exception):  # noqa: N818 - never leaves this module
    """A class that a snapshot names and nobody knows."""


class _Form:
    """What values are as plain ones, and back, with the classes that may be among them."""

    def __init__(self, own_classes: tuple[type, ...]) -> None:
        self._classes: Final = {**_PACKAGE_CLASSES, **_named(own_classes)}
        self._writers: Final = self._make_writers()
        self._readers: Final[dict[str, Callable[[Any], Any]]] = {
            "d": Decimal,
            "q": lambda content: deque((self.value(each) for each in content[1]), maxlen=content[0]),
            "t": lambda content: tuple([self.value(each) for each in content]),
            "l": lambda content: [self.value(each) for each in content],
            "s": lambda content: {self.value(each) for each in content},
            "m": self._read_mapping,
            "e": self._read_member,
            "o": self._read_object,
        }

    # -- writing: a snapshot has tens of thousands of values, so each of them takes one look into a table ---------

    def plain(self, place: _Place, value: object) -> Any:
        """A value as JSON can hold it."""
        kind = type(value)
        if kind in _AS_THEY_ARE:
            return value
        write = self._writers.get(kind)
        if write is None:
            raise SnapshotError(
                f"{_spelled(place)}: expected plain values, value objects of mm_fsm or of the strategy's "
                f"snapshot_classes, found {kind.__module__}.{kind.__qualname__}."
            )
        return write(place, value)

    def _make_writers(self) -> dict[type, _Writer]:
        plain = self.plain
        found: dict[type, _Writer] = {
            Decimal: lambda _, value: {"d": str(value)},
            deque: lambda place, value: {"q": [value.maxlen, [plain(place, each) for each in value]]},
            messages.BookLevel: lambda _, value: {
                "o": ["BookLevel", {"price": str(value.price), "size": str(value.size)}]
            },
        }
        found |= {kind: self._writer_of_sequence(letter) for kind, letter in ((tuple, "t"), (list, "l"), (set, "s"))}
        found |= {kind: self._writer_of_mapping(name) for name, kind in _MAPPINGS.items()}
        for name, cls in self._classes.items():
            if issubclass(cls, Enum):
                found[cls] = _writer_of_enum(name, cls)
            elif attrs.has(cls):
                found[cls] = self._writer_of_object(name, _written(cls))
        return found

    def _writer_of_sequence(self, letter: str) -> _Writer:
        plain = self.plain
        return lambda place, value: {letter: [plain(place, each) for each in value]}

    def _writer_of_mapping(self, kind: str) -> _Writer:
        plain = self.plain
        return lambda place, value: {"m": [kind, [plain(place, part) for item in value.items() for part in item]]}

    def _writer_of_object(self, name: str, fields: tuple[str, ...]) -> _Writer:
        plain = self.plain

        def write(place: _Place, value: object) -> Any:
            parts = {}
            for each in fields:
                part = getattr(value, each)
                parts[each] = part if type(part) in _AS_THEY_ARE else plain((place, each), part)
            return {"o": [name, parts]}

        return write

    # -- reading ------------------------------------------------------------------------------------------------

    def value(self, plain: Any) -> Any:
        """The value that ``plain`` gave this for."""
        if type(plain) is not dict:
            return plain
        ((letter, content),) = plain.items()
        return self._readers[letter](content)

    def _class_named(self, name: str) -> Any:
        cls = self._classes.get(name)
        if cls is None:
            raise _Unknown(name.removeprefix("."))
        return cls

    def _read_mapping(self, content: list[Any]) -> Any:
        kind, flat = content
        parts = [self.value(each) for each in flat]
        return _MAPPINGS[kind](dict(zip(parts[::2], parts[1::2], strict=True)))

    def _read_member(self, content: list[Any]) -> Any:
        name, member = content
        cls = self._class_named(name)
        return cls[member] if _is_held_by_name(name, cls) else cls(member)

    def _read_object(self, content: list[Any]) -> Any:
        """An instance exactly as it was: no initialiser, converter or check runs on it again."""
        name, fields = content
        cls = self._class_named(name)
        if cls is messages.BookLevel:
            return messages.BookLevel(Decimal(fields["price"]), Decimal(fields["size"]))
        made: Any = object.__new__(cls)
        for attribute in _attributes(cls):
            named = attribute.name
            value = self.value(fields[named]) if named in fields else _default(cls, attribute)
            object.__setattr__(made, named, value)
        return made


@cache
def _form_with(own_classes: tuple[type, ...]) -> _Form:
    return _Form(own_classes)


def _named(own_classes: tuple[type, ...]) -> dict[str, type]:
    """A strategy's own classes by name, with a dot before it: the package's names, later ones too, stay free for it.

    Raises:
        SnapshotError: one is neither an attrs class nor an enumeration, or two have one name.
    """
    found: dict[str, type] = {}
    for cls in own_classes:
        if not (isclass(cls) and (attrs.has(cls) or issubclass(cls, Enum))):
            raise SnapshotError(f"snapshot_classes: expected attrs classes and enumerations, found {cls!r}.")
        known = found.setdefault(f".{cls.__name__}", cls)
        if known is not cls:
            raise SnapshotError(
                f"snapshot_classes: expected a name of its own for each class, found {cls.__name__} of "
                f"{cls.__module__} and of {known.__module__}."
            )
    return {name: cls for name, cls in found.items() if cls not in _PACKAGE_CLASSES.values()}


def _spelled(place: _Place | None) -> str:
    names = []
    while place is not None:
        place, name = place
        names.append(name)
    return ".".join(reversed(names))


def _writer_of_enum(name: str, cls: type[Enum]) -> _Writer:
    if _is_held_by_name(name, cls):
        return lambda _, value: {"e": [name, value.name]}
    return lambda _, value: {"e": [name, value.value]}


def _is_held_by_name(name: str, cls: type[Enum]) -> bool:
    """Members of a strategy's own enumeration may have any values; flags, which are combined, have numbers."""
    return name.startswith(".") and not issubclass(cls, Flag)


def _attributes(cls: Any) -> tuple[attrs.Attribute[Any], ...]:
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cls)
    return fields


def _written(cls: Any) -> tuple[str, ...]:
    return tuple(each.name for each in _attributes(cls) if not each.metadata.get("is_derived"))


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
