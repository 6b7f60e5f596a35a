"""Values as JSON has them. Exact decimals become texts, because a JSON number is read as a float and loses digits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from mm_fsm.books.exact import EXACT

_AS_THEY_ARE: Final = frozenset({str, int, bool, type(None)})


def exact_text(value: Decimal) -> str:
    """Every digit of a decimal, without exponent, trailing zeros or a negative zero."""
    return f"{EXACT.normalize(value):f}" if value else "0"


def as_json(value: Any) -> Any:
    """A value with only what JSON knows: decimals as texts, sequences as lists, numbers that are not finite as null."""
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return exact_text(value)
    if isinstance(value, Mapping):
        return {str(key): as_json(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(each) for each in value]
    return value.value if isinstance(value, StrEnum) else value
