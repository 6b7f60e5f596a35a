"""Settings are floats where they are signals; where money is computed with one, it is this exact decimal."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache


@lru_cache(maxsize=1024)  # the same few settings are asked for after every fact
def exact(value: float) -> Decimal:
    """The decimal that is written as ``value`` is: 0.1 is one tenth."""
    return Decimal(str(value))
