"""Validators for settings: each refuses with the field's name, what was expected, what was found, and what to do."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from operator import ge, gt, le
from typing import Any, Final

from attrs import Attribute

from mm_fsm.errors import SettingsError

Validator = Callable[[Any, "Attribute[Any]", Any], None]
LATER: Final = "is_later"
"""In the metadata of a value object's field that came after the others, with None by default: books that lack it have
the digest that they had before there was such a field."""


def exact(value: object) -> object:
    """Convert a whole number, a float or a text to the decimal a person would read; leave anything else alone."""
    if isinstance(value, bool) or value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, (int, float, str)):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            return value
    return value


def real(value: object) -> object:
    """Convert a whole number or a decimal to a float; leave anything else alone."""
    if not isinstance(value, (int, Decimal)) or isinstance(value, bool) or not _is_finite(value):
        return value
    return float(value)


def number(
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    optional: bool = False,
    table: str = "",
    remedy: str = "Correct the value.",
) -> Validator:
    """A validator for a finite number within bounds; ``optional`` also allows None.

    ``table`` is where settings files have it, for classes whose fields are named with it.
    """
    bounds = (("above", above, gt), ("at least", at_least, ge), ("at most", at_most, le))
    checks = [(words, bound, holds) for words, bound, holds in bounds if bound is not None]
    expected = ", ".join(["a finite number", " and ".join(f"{words} {bound:g}" for words, bound, _ in checks)])

    def validate(_: Any, attribute: Attribute[Any], value: Any) -> None:
        if optional and value is None:
            return
        is_number = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
        if not is_number or not _is_finite(value) or not all(holds(value, bound) for _, bound, holds in checks):
            raise SettingsError(_named(attribute, table), expected.removesuffix(", "), value, remedy)

    return validate


def decimal_of(table: str, expected: str, holds: Callable[[Decimal], bool], remedy: str) -> Validator:
    """A validator for a finite decimal for which ``holds``; ``table`` is where settings files have it."""

    def validate(_: Any, attribute: Attribute[Any], value: Any) -> None:
        if not isinstance(value, Decimal) or not value.is_finite() or not holds(value):
            raise SettingsError(_named(attribute, table), expected, value, remedy)

    return validate


def _named(attribute: Attribute[Any], table: str) -> str:
    return f"{table}.{attribute.name}" if table else attribute.name


def _is_finite(value: float | Decimal) -> bool:
    try:
        return math.isfinite(value)
    except (OverflowError, ValueError):  # an integer beyond every float; a signalling NaN
        return False


def whole_number(*, at_least: int, at_most: int | None = None, table: str = "") -> Validator:
    """A validator for an integer within bounds; ``table`` as for ``number``."""
    expected = f"a whole number of at least {at_least}" + (f" and at most {at_most}" if at_most is not None else "")

    def validate(_: Any, attribute: Attribute[Any], value: Any) -> None:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or value < at_least or (at_most is not None and value > at_most):
            raise SettingsError(_named(attribute, table), expected, value, "Correct the value.")

    return validate


def one_of(kind: type) -> Validator:
    """A validator for a value of one class."""

    def validate(_: Any, attribute: Attribute[Any], value: Any) -> None:
        if not isinstance(value, kind):
            raise SettingsError(attribute.name, f"a {kind.__name__}", value, f"Pass a {kind.__name__}.")

    return validate


def yes_or_no(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """A validator for a boolean."""
    if not isinstance(value, bool):
        raise SettingsError(attribute.name, "true or false", value, "Correct the value.")


def identifier(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """A validator for a short name that every venue takes as the beginning of a client order id."""
    if not isinstance(value, str) or re.fullmatch(r"[A-Za-z0-9_]{1,12}", value) is None:
        raise SettingsError(attribute.name, "1 to 12 letters, digits or underscores", value, "Shorten or rename it.")


def any_text(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """A validator for a text that may be empty."""
    if not isinstance(value, str):
        raise SettingsError(attribute.name, "a text", value, "Write it in quotes.")


def text(_: Any, attribute: Attribute[Any], value: Any) -> None:
    """A validator for a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(attribute.name, "a text that is not empty", value, "Write a name.")
