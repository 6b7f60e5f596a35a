"""Options of a service, from its table below ``[strategy.service_options]``, checked when the service is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import attrs

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
        SettingsError: the table is none, lacks a key or has one too many, or a value is out of its range.
    """
    place = f"service_options.{service}"
    fields = attrs.fields_dict(kind)  # type: ignore[arg-type]
    if not isinstance(table, Mapping):
        raise SettingsError(place, f"a table with {', '.join(fields)}", table, "Write it below [strategy].")
    for name in table:
        if name not in fields:
            raise SettingsError(f"{place}.{name}", f"one of {', '.join(fields)}", name, "Correct the name.")
    for name, each in fields.items():
        if each.default is attrs.NOTHING and name not in table:
            remedy = f"Write {name} = ... below [strategy.{place}]; mm-fsm calibrate fits some of them."
            raise SettingsError(f"{place}.{name}", "a value", "nothing", remedy)
    try:
        return kind(**table)
    except SettingsError as error:
        raise SettingsError(f"{place}.{error.field}", error.expected, error.found, error.remedy) from None
