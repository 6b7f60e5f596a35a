"""Other values of one setting, from near to far, and the nearest of them for which something holds.

What a setting may be is asked of the settings themselves: their types say whether a value is a number, a choice or a
switch, and their own checks say which numbers they take, beside the other settings as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Any, Final

from attrs import asdict, evolve, fields, frozen

from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import SettingsError
from mm_fsm.report.exact import exact_text
from mm_fsm.services.registry import load_services

Holds = Callable[[MarketMakingSettings], bool]

_FACTORS: Final = tuple(map(Decimal, ("1.25", "2", "5", "50", "5000")))
"""How many times a number is tried, near to far, and in the same way what part of it."""
_FROM_ZERO: Final = tuple(map(Decimal, ("0.001", "0.1", "1", "10", "100", "10000")))
"""What is tried where a number is 0, in both directions."""
_OPTIONS: Final = "service_options"
_DIGITS: Final = 3
"""Significant digits to which the nearest number is found: people write no more into settings."""
_MOST_DIGITS: Final = 8
"""To which it is found where no number of fewer digits will do."""
_FINER: Final = Decimal("0.1")
"""Share of the last digit to which it is bisected, so that rounding outwards finds the nearest of three digits."""
_BOUND_ATTEMPTS: Final = 24


@frozen(kw_only=True)
class SettingChange:
    """The nearest other value of one setting for which something holds."""

    name: str
    value: Any
    """As it is."""
    changed: Any
    """What it would have to be."""

    @property
    def share(self) -> float:
        """How far that is, as a share of the value; infinite from 0, and for what is no number."""
        if not is_number(self.value) or not is_number(self.changed) or not self.value:
            return math.inf
        return abs(float(self.changed) / float(self.value) - 1)


def option_names(settings: MarketMakingSettings) -> list[str]:
    """The options of the services in use, as ``service_options.SERVICE.OPTION``."""
    found = []
    for service in dict.fromkeys(asdict(settings.services).values()):
        table = settings.service_options.get(service)
        found += [f"{_OPTIONS}.{service}.{key}" for key in table] if isinstance(table, Mapping) else []
    return found


def option_of(name: str) -> tuple[str, str] | None:
    """Service and option that such a name means; None for a setting."""
    if not name.startswith(f"{_OPTIONS}."):
        return None
    _, service, key = name.split(".", 2)
    return service, key


def value_of(settings: MarketMakingSettings, name: str) -> Any:
    """A setting by its name, or an option of a service."""
    option = option_of(name)
    if option is None:
        return getattr(settings, name)
    service, key = option
    return settings.service_options[service][key]


def with_value(settings: MarketMakingSettings, name: str, value: Any) -> MarketMakingSettings:
    """The settings with another value of one, or of an option of a service.

    Raises:
        SettingsError: they do not take it; nor does the service.
    """
    option = option_of(name)
    if option is None:
        return evolve(settings, **{name: value})
    service, key = option
    table = {**settings.service_options[service], key: value}
    changed = evolve(settings, service_options={**settings.service_options, service: table})
    load_services(changed.services, changed.service_options)
    return changed


def is_searchable(settings: MarketMakingSettings, name: str) -> bool:
    """Whether a setting has other values to try: numbers that are set, choices, switches."""
    value = value_of(settings, name)
    return is_number(value) or isinstance(value, (bool, StrEnum))


Ladders = dict[tuple[str, bool], tuple[Decimal, ...]]
"""The numbers that were found to try, by setting and direction: what settings take is asked once."""


def nearest_change(
    settings: MarketMakingSettings, name: str, holds: Holds, ladders: Ladders | None = None
) -> SettingChange | None:
    """The smallest change of one setting for which ``holds``; None where the search finds none.

    A number is searched in both directions, in rising steps up to the last one that settings take; between a step for
    which it does not hold and the next for which it does, by bisection to three significant digits; to more where
    none of three holds. So a range that begins and ends between two steps is passed over.
    Of a limit that may be left out, leaving it out is tried last.

    Args:
        settings: as they are.
        name: of the setting.
        holds: what is to hold.
        ladders: kept for further searches of the same settings.
    """
    known = {} if ladders is None else ladders
    value = value_of(settings, name)
    if not is_number(value):
        choices: tuple[Any, ...] = tuple(type(value)) if isinstance(value, StrEnum) else (not value,)
        found = [each for each in choices if each is not value and _attempt(settings, name, each, holds)]
        return SettingChange(name=name, value=value, changed=found[0]) if found else None
    nearest = [
        changed
        for is_up in (True, False)
        if (changed := _nearest_number(settings, name, holds, _ladder(known, settings, name, is_up=is_up))) is not None
    ]
    if nearest:
        changed = min(nearest, key=lambda each: abs(_exact(each) - _exact(value)))
        return SettingChange(name=name, value=value, changed=changed)
    if _may_be_none(settings, name) and _attempt(settings, name, None, holds):
        return SettingChange(name=name, value=value, changed=None)
    return None


# -- numbers -----------------------------------------------------------------------------------------------------------


def _ladder(known: Ladders, settings: MarketMakingSettings, name: str, *, is_up: bool) -> tuple[Decimal, ...]:
    key = name, is_up
    if key not in known:
        known[key] = tuple(_steps(settings, name, is_up=is_up))
    return known[key]


def _nearest_number(settings: MarketMakingSettings, name: str, holds: Holds, ladder: tuple[Decimal, ...]) -> Any | None:
    value = value_of(settings, name)
    without = _exact(value)
    for reached in ladder:
        if _attempt(settings, name, _like(value, reached), holds):
            return _bisected(settings, name, holds, without, reached)
        without = reached
    return None


def _steps(settings: MarketMakingSettings, name: str, *, is_up: bool) -> Iterator[Decimal]:
    """Numbers away from the value, near to far; the last one is the last that the settings take."""
    value = value_of(settings, name)
    start = _exact(value)
    before = start
    for step in _away(start, is_up=is_up):
        reached = _exact(_like(value, step))
        if reached == before:
            continue
        if not _is_taken(settings, name, _like(value, reached)):
            bound = _last_taken(settings, name, before, reached)
            if bound != before and (reached or not bound):  # next to a 0 that is refused lies nothing of use
                yield bound
            return
        yield reached
        before = reached


def _away(start: Decimal, *, is_up: bool) -> Iterator[Decimal]:
    if not start:
        yield from (step if is_up else -step for step in _FROM_ZERO)
        return
    grows = is_up is (start > 0)
    yield from (start * factor if grows else start / factor for factor in _FACTORS)
    if not grows:
        yield Decimal(0)


def _last_taken(settings: MarketMakingSettings, name: str, taken: Decimal, refused: Decimal) -> Decimal:
    """The last number between these two that the settings take, as near as it matters."""
    value = value_of(settings, name)
    for _ in range(_BOUND_ATTEMPTS):
        middle = _exact(_like(value, (taken + refused) / 2))
        if middle in {taken, refused}:
            break
        if _is_taken(settings, name, _like(value, middle)):
            taken = middle
        else:
            refused = middle
    return _rounded_bound(settings, name, taken, refused)


def _rounded_bound(settings: MarketMakingSettings, name: str, taken: Decimal, refused: Decimal) -> Decimal:
    """The bound as it is written, where the bisection has only come near it."""
    value = value_of(settings, name)
    for digits in range(1, 9):
        rounded = _exact(_like(value, _round(refused, digits, ROUND_FLOOR if refused > taken else ROUND_CEILING)))
        near = abs(rounded - taken) <= abs(taken) * Decimal("1e-6") + Decimal("1e-9")
        if near and _is_taken(settings, name, _like(value, rounded)):
            return rounded
    return taken


def _bisected(settings: MarketMakingSettings, name: str, holds: Holds, without: Decimal, reached: Decimal) -> Any:
    """The number nearest to ``without`` for which it holds, to three significant digits or as few more as it takes.

    It holds for ``reached``.
    """
    value = value_of(settings, name)
    is_up = reached > without
    while True:
        if abs(reached - without) <= _unit(reached) * _FINER:
            break
        middle = _exact(_like(value, (without + reached) / 2))
        if middle in {without, reached}:
            break
        if _attempt(settings, name, _like(value, middle), holds):
            reached = middle
        else:
            without = middle
    outwards = ROUND_CEILING if is_up else ROUND_FLOOR
    for start, digits in (*((without, digits) for digits in range(1, _DIGITS + 1)), (reached, _DIGITS)):
        rounded = _exact(_like(value, _round(start, digits, outwards)))
        is_beyond = without < rounded if is_up else rounded < without
        is_near = abs(rounded - reached) < _unit(reached)
        if is_beyond and is_near and _attempt(settings, name, _like(value, rounded), holds):
            return _like(value, rounded)
    for digits in range(_DIGITS, _MOST_DIGITS + 1):
        rounded = _exact(_like(value, _round(reached, digits, ROUND_CEILING if is_up else ROUND_FLOOR)))
        if _attempt(settings, name, _like(value, rounded), holds):
            return _like(value, rounded)
    return _like(value, reached)


def _unit(number: Decimal) -> Decimal:
    """One in the last of the significant digits."""
    return Decimal(1).scaleb(number.adjusted() - _DIGITS + 1) if number else Decimal("1e-9")


def _round(number: Decimal, digits: int, rounding: str) -> Decimal:
    if not number:
        return number
    return number.quantize(Decimal(1).scaleb(number.adjusted() - digits + 1), rounding=rounding)


# -- values ------------------------------------------------------------------------------------------------------------


def is_number(value: object) -> bool:
    """Whether a value is a number, and no switch."""
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _exact(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def _like(value: Any, number: Decimal) -> Any:
    """A number of the kind that the value is."""
    if isinstance(value, Decimal):
        return Decimal(exact_text(number))
    return int(number) if isinstance(value, int) else float(number)


def _may_be_none(settings: MarketMakingSettings, name: str) -> bool:
    return option_of(name) is None and getattr(fields(type(settings)), name).default is None


def _is_taken(settings: MarketMakingSettings, name: str, value: Any) -> bool:
    try:
        with_value(settings, name, value)
    except SettingsError:
        return False
    return True


def _attempt(settings: MarketMakingSettings, name: str, value: Any, holds: Holds) -> bool:
    """Whether it holds with that value; not where the settings or the market refuse it."""
    try:
        return holds(with_value(settings, name, value))
    except SettingsError:
        return False
