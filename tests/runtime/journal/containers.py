"""Finds every container that hangs on an object, and how large each is: what grows without bound is seen at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

_LEAVES = (str, bytes, int, float, type(None), type, ModuleType, FunctionType, BuiltinFunctionType)
_SEQUENCES = (list, tuple, set, frozenset, deque)


def sizes(**roots: object) -> dict[str, int]:
    """The largest length of every container, by the attributes that lead to it; of decimals, the digits."""
    found: dict[str, int] = {}
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = list(roots.items())
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, _LEAVES) or id(value) in seen:
            continue
        if isinstance(value, Decimal):
            found[f"{place} digits"] = max(found.get(f"{place} digits", 0), len(value.as_tuple().digits))
            continue
        seen.add(id(value))
        if isinstance(value, (*_SEQUENCES, dict)):
            found[place] = max(found.get(place, 0), len(value))
        waiting.extend(_parts(place, value))
    return found


def _parts(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((f"{place}[]", part) for item in value.items() for part in item)
    elif isinstance(value, _SEQUENCES):
        yield from ((f"{place}[]", part) for part in value)
    elif isinstance(value, MethodType):
        yield f"{place}.self", value.__self__
    names = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ()) if name != "__weakref__"]
    for name in [*names, *getattr(value, "__dict__", {})]:
        yield f"{place}.{name}", getattr(value, name, None)
