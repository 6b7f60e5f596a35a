"""Checks that every field of a fact holds what its class declares. The declarations are read once.

What a declaration cannot say is checked too: times are not negative, and a venue's time lies no further ahead of the
receipt than clocks may differ, or one bad stamp would make everything after it look old; decimals are amounts that
the ledger can book; names are not empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, Final, get_args, get_type_hints

from attrs import fields

from mm_fsm.books.exact import AMOUNT_EXPECTED, is_amount
from mm_fsm.core.clock import nanoseconds
from mm_fsm.errors import FactRefusedError

CLOCK_TOLERANCE_SECONDS: Final = 60.0
"""How far the venue's clock and the host's may lie apart."""

ASK_AGAIN: Final = "Drop the message and ask the venue again."

TIMES_END: Final = 2**63
"""In the year 2262: what a database holds as a whole number."""

MAY_BE_EMPTY: Final = {"may_be_empty": True}
"""Metadata of a field with a text that need not say anything. Every other one is a name."""
VENUE_TIME: Final = {"venue_time": True}
"""Metadata of a field with a time by the venue's clock. Every other one is a time by the host's, or of its choice."""

Check = Callable[[object, str, Any], None]


def check_fields(fact: object) -> None:
    """Check every field of a fact against its declaration.

    Raises:
        FactRefusedError: with the first field that does not hold what it should.
    """
    kind: Any = type(fact)
    for name, usual, check in _checks_of(kind):
        value = getattr(fact, name)
        if type(value) is not usual:
            check(fact, name, value)


def refusal(fact: object, field: str, expected: str, found: object, remedy: str = ASK_AGAIN) -> FactRefusedError:
    """The error that refuses ``fact``."""
    return FactRefusedError(type(fact).__name__, field, expected, found, remedy)


@cache
def _checks_of(kind: Any) -> tuple[tuple[str, type | None, Check], ...]:
    """Of each field its name, a class every value of which is sound, if there is one, and its check."""
    hints = get_type_hints(kind)
    return tuple(
        (
            each.name,
            _sound_class(each.metadata, hints[each.name]),
            _check_for(each.metadata, hints[each.name]),
        )
        for each in fields(kind)
    )


def _sound_class(metadata: Mapping[Any, Any], declared: Any) -> type | None:
    if NoneType in get_args(declared):
        return NoneType
    is_text = declared is str and metadata == MAY_BE_EMPTY
    is_closed = declared is bool or (isinstance(declared, type) and issubclass(declared, Enum))
    return declared if is_text or is_closed else None


def _check_for(metadata: Mapping[Any, Any], declared: Any) -> Check:
    alternatives = [kind for kind in get_args(declared) if kind is not NoneType]
    if declared is int:
        return _check_venue_time if metadata == VENUE_TIME else check_time
    if declared is Decimal:
        return _check_amount
    if declared is str:
        return _check_text if metadata == MAY_BE_EMPTY else _check_name
    if getattr(declared, "__origin__", None) is tuple:
        return _check_tuple_of(alternatives[0])
    if alternatives:  # None is sound by itself
        return _check_for(metadata, alternatives[0])
    return _check_instance_of(declared)


def check_time(fact: object, field: str, value: object) -> None:
    """Nanoseconds since 1970.

    Raises:
        FactRefusedError: they are not.
    """
    if type(value) is int and 0 <= value < TIMES_END:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < TIMES_END:
        raise refusal(fact, field, "nanoseconds since 1970 as a whole number below 2**63", value, "Convert it first.")


def _check_venue_time(fact: Any, field: str, value: Any) -> None:
    received_at = getattr(fact, "received_at", value)
    if type(value) is int and 0 <= value <= received_at < TIMES_END:
        return  # as every sound stamp is, most of the time
    check_time(fact, field, value)
    if value > received_at + nanoseconds(CLOCK_TOLERANCE_SECONDS):
        expected = f"at most {CLOCK_TOLERANCE_SECONDS:g} s after received_at, {received_at}"
        raise refusal(fact, field, expected, value, "Set the host's clock, or drop the message.")


def _check_amount(fact: object, field: str, value: object) -> None:
    if not is_amount(value):
        raise refusal(fact, field, f"a {AMOUNT_EXPECTED}", value)


def check_positive(fact: object, field: str, value: object) -> None:
    """A positive decimal.

    Raises:
        FactRefusedError: it is not.
    """
    if not isinstance(value, Decimal) or not value.is_finite() or value <= 0:
        raise refusal(fact, field, "a positive finite decimal", value)


def _check_text(fact: object, field: str, value: object) -> None:
    if not isinstance(value, str):
        raise refusal(fact, field, "a text", value)


def _check_name(fact: object, field: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise refusal(fact, field, "a text that is not empty", value)


def _check_instance_of(kind: type) -> Check:
    expected = f"one of {[str(member) for member in kind]}" if issubclass(kind, Enum) else f"a {kind.__name__}"

    def check_kind(fact: object, field: str, value: object) -> None:
        if not isinstance(value, kind):
            raise refusal(fact, field, expected, value)

    return check_kind


def _check_tuple_of(kind: Any) -> Check:
    """Elements are only asked what they are and whose: which of them concern this machine is for the caller to know."""
    expected = f"a tuple of {kind.__name__}"
    is_about_order = hasattr(kind, "client_order_id")

    def check_elements(fact: object, field: str, value: object) -> None:
        if not isinstance(value, tuple):
            raise refusal(fact, field, expected, value)
        for element in value:
            if not isinstance(element, kind) or (is_about_order and not isinstance(element.client_order_id, str)):
                raise refusal(fact, field, expected, element)

    return check_elements
