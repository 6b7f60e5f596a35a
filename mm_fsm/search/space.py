"""Which settings are searched, and between what: texts from the command line to values and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs
from attrs import evolve, frozen

from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import OptionError

_OPTIONS: Final = "service_options"
EXPECTED: Final = "NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=ONE,OTHER"


@frozen(kw_only=True)
class Dimension:
    """One setting: numbers from ``low`` to ``high``, or ``choices``."""

    name: str
    """As below ``[strategy]``, dotted within tables: ``service_options.glft.risk_aversion``, ``services.spreads``."""
    low: float = 0.0
    high: float = 0.0
    is_log: bool = False
    """Whether each power of ten gets as much attention as the next."""
    is_whole: bool = False
    choices: tuple[str, ...] = ()


def parse_dimension(text: str) -> Dimension:
    """What is searched, from ``NAME=LOW:HIGH``, ``NAME=LOW:HIGH:log`` or ``NAME=ONE,OTHER``.

    Raises:
        SettingsError: it reads otherwise, or there is no such setting.
    """
    name, _, span = text.partition("=")
    fields = attrs.fields_dict(MarketMakingSettings)
    first = name.partition(".")[0]
    if first not in fields:
        raise OptionError("--set", "a setting of [strategy]", name, f"Write {EXPECTED}.")
    if ":" not in span:
        choices = tuple(filter(None, span.split(",")))
        if len(choices) < 2:  # noqa: PLR2004 - nothing to choose
            raise OptionError("--set", EXPECTED, text, "Give a range, or at least two choices.")
        return Dimension(name=name, choices=choices)
    low, high, *rest = span.split(":")
    try:
        bounds = float(low), float(high)
    except ValueError:
        raise OptionError("--set", EXPECTED, text, "Both bounds are numbers.") from None
    is_log = rest == ["log"]
    if not bounds[0] < bounds[1] < float("inf") or (rest and not is_log) or (is_log and bounds[0] <= 0):
        raise OptionError("--set", EXPECTED, text, "The lower bound comes first, and is above 0 for log.")
    is_whole = fields[first].type in {int, "int"}
    return Dimension(name=name, low=bounds[0], high=bounds[1], is_log=is_log, is_whole=is_whole)


def with_values(settings: MarketMakingSettings, values: Mapping[str, Any]) -> MarketMakingSettings:
    """The settings with these values in place of theirs.

    Raises:
        SettingsError: a value is out of its range, or contradicts another setting.
    """
    changes: dict[str, Any] = {}
    for name, value in values.items():
        first, *rest = name.split(".")
        if not rest:
            changes[first] = value
        elif first == _OPTIONS:
            table = changes.setdefault(_OPTIONS, _thawed(settings.service_options))
            for key in rest[:-1]:
                table = table.setdefault(key, {})
            table[rest[-1]] = value
        elif first == "services" and len(rest) == 1 and rest[0] in attrs.fields_dict(type(settings.services)):
            changes[first] = evolve(changes.get(first, settings.services), **{rest[0]: value})
        else:
            raise OptionError("--set", f"a name below {_OPTIONS} or services", name, "Correct it.")
    return evolve(settings, **changes)


def as_toml(values: Mapping[str, Any]) -> Iterable[str]:
    """Lines below ``[strategy]``."""
    for name, value in values.items():
        yield f"{name} = {value!r}" if not isinstance(value, str) else f'{name} = "{value}"'


def _thawed(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _thawed(value) if isinstance(value, Mapping) else value for key, value in table.items()}
