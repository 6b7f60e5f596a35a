"""Columns of many numbers in few bytes: whole multiples of a small step, each as the difference to the one before.

Differences are written in the variable-length code of source maps (base64 VLQ): six bits a character, one of them says
whether more follow, the lowest bit of the number is its sign. Small differences, which most are, take one character.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

MOST_DECIMALS: Final = 12
_STEPS: Final = 5_000
"""Into which the range of a drawn column is divided at least: several for each pixel of a large screen."""
_COUNTABLE: Final = 2**52
"""Whole numbers below it, and differences of two, are exact in a browser."""
_DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_MORE: Final = 32
_NOTHING: Final = "~"

Number = float | int | str | Decimal


def packed(numbers: Sequence[Number | None], decimals: int) -> dict[str, Any]:
    """A column rounded to ``decimals``; exact where no number has more. ``unpacked`` of the page's script reads it.

    ``first`` is the first number in units of the last decimal; ``steps`` are the differences between neighbours in
    units of ``by`` of that, 0 for the first; ``~`` is None, and the next difference is to the last number before it.
    """
    first: int | None = None
    steps: list[int | None] = []
    before = 0
    for number in numbers:
        if number is None:
            steps.append(None)
            continue
        whole = _whole(number, decimals)
        if first is None:
            first = before = whole
        steps.append(whole - before)
        before = whole
    by = math.gcd(*(step for step in steps if step)) or 1
    text = "".join(_NOTHING if step is None else _written(step // by) for step in steps)
    return {"decimals": decimals, "first": first or 0, "by": by, "steps": text}


def packed_to_draw(*columns: Sequence[float | None]) -> list[dict[str, Any]]:
    """Columns of one scale, rounded to what can be seen of them together."""
    decimals = decimals_to_draw(number for column in columns for number in column if number is not None)
    return [packed(column, decimals) for column in columns]


def packed_exactly(numbers: Sequence[str | None]) -> dict[str, Any]:
    """A column of exact decimals, without a loss: those with more digits than a browser can count stay texts."""
    known = [number for number in numbers if number is not None]
    most = max((_decimals(number) for number in known), default=0)
    if any(abs(_whole(number, most)) >= _COUNTABLE for number in known):
        return {"texts": list(numbers)}
    return packed(numbers, most)


def decimals_to_draw(numbers: Iterable[float]) -> int:
    """Decimals that tell 5,000 levels apart within the range of these numbers, as far as a browser can count."""
    known = list(numbers)
    spread = max(known, default=0.0) - min(known, default=0.0)
    largest = max((abs(number) for number in known), default=0.0)
    wanted = math.log10(_STEPS / max(spread, 10.0**-MOST_DECIMALS))
    countable = math.log10(_COUNTABLE / max(largest, 1.0))
    return max(min(math.ceil(wanted), math.floor(countable), MOST_DECIMALS), 0)


def _whole(number: Number, decimals: int) -> int:
    if isinstance(number, float):
        return round(number * 10.0**decimals)
    return int(Decimal(number).scaleb(decimals).to_integral_value())


def _written(step: int) -> str:
    rest = (abs(step) << 1) | (step < 0)
    text = ""
    while rest >= _MORE:
        text += _DIGITS[rest % _MORE + _MORE]
        rest //= _MORE
    return text + _DIGITS[rest]


def _decimals(number: str) -> int:
    exponent = Decimal(number).as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
