"""Options of a service, from its table below ``[strategy.service_options]``, checked when the service is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import attrs

from mm_fsm.core.settings_tables import known_keys, structured
from mm_fsm.core.validation import number, real
from mm_fsm.errors import SettingsError

_Options = TypeVar("_Options")


def positive(*, optional: bool = False) -> Any:
    """A field that is a finite number above 0; ``optional`` also allows to leave it out."""
    if optional:
        return attrs.field(default=None, converter=real, validator=number(above=0, optional=True))
    return attrs.field(converter=real, validator=number(above=0))


ESTIMATED: Final = "estimated"
"""In place of a number: the machine's own estimate, from what it sees."""


def positive_or_estimated(*, optional: bool = False) -> Any:
    """A field that is a finite number above 0, or ``"estimated"``; ``optional`` also allows to leave it out."""
    is_positive = number(above=0, optional=optional)

    def validate(instance: Any, attribute: Any, value: Any) -> None:
        if value != ESTIMATED:
            is_positive(instance, attribute, value)

    if optional:
        return attrs.field(default=None, converter=real, validator=validate)
    return attrs.field(converter=real, validator=validate)


def parse_options(kind: type[_Options], table: object, service: str) -> _Options:
    """The options of a service as its class of attrs.

    Raises:
        SettingsError: the table is none, lacks a key or has one too many, or a value is out of its range: all is told.
    """
    place = f"strategy.service_options.{service}"
    if not isinstance(table, Mapping):
        raise SettingsError(place, f"a table with {', '.join(known_keys(kind))}", table, "Write it below [strategy].")
    return structured(kind, table, place, remedy="mm-fsm calibrate fits some of them.")
