"""Numbers as people read them: signs that stand out, units, no more digits than mean something."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from attrs import frozen

MINUS: Final = "\u2212"
"""As wide as a plus, which a hyphen is not."""
NOTHING: Final = "\u2013"
"""In place of what is not known."""
_SPACE: Final = "\u202f"
"""Narrow, and never broken at the end of a line."""
_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400
_SHORT_SECONDS: Final = 0.1
_FEWEST_DECIMALS: Final = 2
_MOST_DECIMALS: Final = 8
_DIGITS: Final = 4
"""That the largest of several amounts shows at least."""

Number = Decimal | float | int | str


@frozen
class Amounts:
    """Amounts of one currency, all with the decimals that their largest needs: so columns line up."""

    currency: str
    decimals: int

    @classmethod
    def of(cls, currency: str, amounts: Iterable[Number]) -> Amounts:
        """For amounts up to the largest of these."""
        return cls(currency, decimals_for(amounts))

    def text(self, amount: Number | None, *, signed: bool = False) -> str:
        """Without the currency, for a column that names it."""
        return plain(amount, self.decimals, signed=signed)

    def with_unit(self, amount: Number | None, *, signed: bool = False) -> str:
        """With the currency behind it."""
        return NOTHING if amount is None else f"{self.text(amount, signed=signed)}{_SPACE}{self.currency}"


def decimals_for(numbers: Iterable[Number]) -> int:
    """Decimals with which the largest of these shows four digits, between 2 and 8."""
    largest = max((abs(float(number)) for number in numbers), default=0.0)
    if not largest:
        return _FEWEST_DECIMALS
    return min(max(_DIGITS - 1 - math.floor(math.log10(largest)), _FEWEST_DECIMALS), _MOST_DECIMALS)


def plain(number: Number | None, decimals: int = 2, *, signed: bool = False) -> str:
    """A number with thousands told apart; what rounds to zero has no sign."""
    if number is None:
        return NOTHING
    rounded = Decimal(str(number)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    digits = f"{abs(rounded):,.{decimals}f}".replace(",", _SPACE)
    if not rounded:
        return digits
    return f"{MINUS if rounded < 0 else '+' if signed else ''}{digits}"


def exact(number: Number | None) -> str:
    """Every digit, without an exponent."""
    if number is None:
        return NOTHING
    value = Decimal(str(number))
    text = f"{value.normalize():f}" if value else "0"
    return text.replace("-", MINUS)


def count(number: int | None) -> str:
    """A whole number with thousands told apart."""
    return NOTHING if number is None else f"{number:,}".replace(",", _SPACE).replace("-", MINUS)


def bps(number: float | None, *, signed: bool = True) -> str:
    """Basis points, with two decimals."""
    return NOTHING if number is None else f"{plain(number, 2, signed=signed)}{_SPACE}bps"


def percent(share: float | None, decimals: int = 1) -> str:
    """A share of 1 in hundredths; what is not all or nothing never reads as such."""
    if share is None:
        return NOTHING
    smallest = 10.0 ** -(decimals + 2)
    if 0 < share < smallest / 2:
        return f"<{_SPACE}{smallest * 100:.{decimals}f}{_SPACE}%"
    if 1 - smallest / 2 < share < 1:
        return f">{_SPACE}{100 - smallest * 100:.{decimals}f}{_SPACE}%"
    return f"{plain(share * 100, decimals)}{_SPACE}%"


def interval(bounds: tuple[float, float] | None, decimals: int) -> str:
    """Both bounds of an interval."""
    if bounds is None:
        return NOTHING
    return f"{plain(bounds[0], decimals, signed=True)} to {plain(bounds[1], decimals, signed=True)}"


def duration(seconds: float | None) -> str:
    """A duration: ``40 ms``, ``9.3 s``, ``5 min 9 s``, ``1 h 5 min``, ``2 d 1 h``: two units at most."""
    if seconds is None:
        return NOTHING
    if seconds < _SHORT_SECONDS:
        return f"{plain(seconds * 1_000, 0 if seconds >= 0.01 or not seconds else 2)}{_SPACE}ms"  # noqa: PLR2004
    if round(seconds, 1) < _MINUTE:
        return f"{round(seconds, 1):g}{_SPACE}s"
    whole = round(seconds)
    if whole < _HOUR:
        return _in_two(whole, _MINUTE, "min", 1, "s")
    if whole < _DAY:
        return _in_two(round(whole / _MINUTE) * _MINUTE, _HOUR, "h", _MINUTE, "min")
    return _in_two(round(whole / _HOUR) * _HOUR, _DAY, "d", _HOUR, "h")


def _in_two(seconds: int, long: int, name: str, short: int, short_name: str) -> str:
    first, rest = divmod(seconds, long)
    return f"{first}{_SPACE}{name}" + (f" {rest // short}{_SPACE}{short_name}" if rest else "")


def horizon(seconds: float) -> str:
    """A time after a fill, in seconds however long: so that horizons line up."""
    return f"{seconds:g}{_SPACE}s"


def instant(milliseconds: int | None, *, with_date: bool = True) -> str:
    """A time, UTC, of milliseconds since 1970; the page says the zone once beside it."""
    if milliseconds is None:
        return NOTHING
    moment = datetime.fromtimestamp(milliseconds // 1_000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if with_date else f"{moment:%H:%M:%S}"


def sentence(text: str) -> str:
    """A clause as a sentence: a capital at its beginning, a full stop at its end."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}" if text else ""


def words(name: str) -> str:
    """A name of the code as people write it."""
    return name.replace("_", " ")
