"""How one setting is checked, and what it is to whoever sets it. Both stand beside each other where it is declared.

Checks are keyword arguments of ``attrs.field``; so is ``metadata``, one of ``PREFERENCE``, ``LOOSER_ABOVE``,
``LOOSER_BELOW``, ``PROTECTION`` and ``FACT_OF_VENUE``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from mm_fsm.core.validation import exact, number, real
from mm_fsm.errors import SettingsError


class SettingRole(StrEnum):
    """What a setting is to whoever sets it."""

    PREFERENCE = "preference"
    """How one wants to quote: free to choose."""
    PROTECTION = "protection"
    """A limit or a judgement that keeps from loss. It may be moved, but where it holds, it does its work."""
    VENUE = "venue"
    """What the venue does or allows. It is true or false, and nobody's choice."""


ROLE: Final = "role"
LOOSER: Final = "looser"
"""Metadata of a protection that is a number: 1 if a higher one protects less, -1 if a lower one does, else 0."""


def _role(role: SettingRole, looser: int = 0) -> Mapping[str, Any]:
    return MappingProxyType({ROLE: role, LOOSER: looser})


PREFERENCE: Final = _role(SettingRole.PREFERENCE)
PROTECTION: Final = _role(SettingRole.PROTECTION)
"""One that has no looser and stricter side."""
LOOSER_ABOVE: Final = _role(SettingRole.PROTECTION, 1)
"""A protection: a higher number protects less."""
LOOSER_BELOW: Final = _role(SettingRole.PROTECTION, -1)
"""A protection: a lower number protects less."""
FACT_OF_VENUE: Final = _role(SettingRole.VENUE)


def choice_of(kind: type[StrEnum]) -> Any:
    """One of an enumeration, which may be written as its value."""

    def convert(value: object) -> object:
        return next((each for each in kind if each == value), value)

    def validate(_: Any, attribute: Any, value: object) -> None:
        if not isinstance(value, kind):
            raise SettingsError(attribute.name, f"one of {[str(each) for each in kind]}", value, "Choose one.")

    return {"converter": convert, "validator": validate}


def frozen_mapping(value: object) -> Mapping[str, Any]:
    """A table of options, which nobody changes."""
    if not isinstance(value, Mapping):
        raise SettingsError("service_options", "a table of options", value, "Leave it out where there are none.")
    return MappingProxyType(dict(value))


def amount(*, above: float | None = None, optional: bool = False) -> dict[str, Any]:
    """An exact number."""
    return {"converter": exact, "validator": number(above=above, optional=optional)}


def real_number(
    *, at_least: float | None = None, above: float | None = None, at_most: float | None = None
) -> dict[str, Any]:
    """A float."""
    return {"converter": real, "validator": number(at_least=at_least, above=above, at_most=at_most)}


def optional_number(*, above: float) -> dict[str, Any]:
    """A float, or None."""
    return {"converter": real, "validator": number(above=above, optional=True)}


def pairs() -> dict[str, Any]:
    """A list of pairs of numbers."""

    def convert(value: object) -> object:
        if not isinstance(value, (list, tuple)):
            return value
        return tuple(tuple(real(each) for each in pair) if isinstance(pair, (list, tuple)) else pair for pair in value)

    def validate(_: Any, attribute: Any, value: object) -> None:
        are_pairs = isinstance(value, tuple) and all(
            isinstance(pair, tuple) and len(pair) == 2 and all(type(each) is float for each in pair)  # noqa: PLR2004
            for pair in value
        )
        if not are_pairs:
            raise SettingsError(attribute.name, "a list of pairs of numbers", value, "Write [[age, points], ...].")

    return {"converter": convert, "validator": validate}


def shares() -> dict[str, Any]:
    """A list of fractions from 0 to 1."""

    def convert(value: object) -> object:
        return tuple(real(each) for each in value) if isinstance(value, (list, tuple)) else value

    def validate(_: Any, attribute: Any, value: object) -> None:
        are_sound = isinstance(value, tuple) and all(isinstance(each, float) and 0 <= each <= 1 for each in value)
        if not are_sound:
            raise SettingsError(attribute.name, "a list of numbers from 0 to 1", value, "Write one for each level.")

    return {"converter": convert, "validator": validate}


def duration(*, at_least: float = 0.001, optional: bool = False) -> dict[str, Any]:
    """Seconds: long enough to count in nanoseconds, and short enough to be added to a time."""
    return {"converter": real, "validator": number(at_least=at_least, at_most=1e9, optional=optional)}
