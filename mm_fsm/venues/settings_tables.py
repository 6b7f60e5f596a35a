"""Tables of a settings file to validated values, with errors that name the field and say what to do.

Numbers with a point are read as exact decimals; a quoted number is taken where an exact decimal is wanted. Nothing is
converted silently: a text is no number, a boolean is no number, a number is no text.
"""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, TypeVar

import attrs

from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.core.suggestions import closest, did_you_mean
from mm_fsm.errors import Refusals, SettingsError, SeveralSettingsError

Table = Mapping[str, Any]

HINTS: Final[Mapping[str, str]] = types.MappingProxyType(
    {
        "instrument": "Take the rules from the venue's list of instruments.",
        "fees": "Look both rates up in the venue's fee schedule; a missing fee is never taken as zero.",
        "balances": "Write what part of the account this market may use.",
    }
)
"""Where to find what stands in a table."""

_Value = TypeVar("_Value")
_NOTHING: Final[Mapping[str, Any]] = types.MappingProxyType({})
_CORRECT: Final = "Correct the value."
_MOST_DIGITS: Final = 24
"""On either side of the point of an exact number, as in the ledger."""


def structured(
    kind: type[_Value], table: Table, place: str, *, given: Mapping[str, Any] = _NOTHING, remedy: str = ""
) -> _Value:
    """Make a ``kind``, a class of attrs, from a table; ``place`` is the table's dotted name in the file.

    ``given`` fields are no keys of the table; ``remedy`` says where to find a key that is missing. A missing key is
    not told beside an unknown one that may be meant for it.

    Raises:
        SettingsError: keys are unknown or missing, or values are not what they must be: all of them are told.
    """
    fields = {field.name: field for field in _fields_of(kind) if field.name not in given}
    refusals = Refusals()
    values = _read(fields, table, place, refusals)
    meant = {closest(key, fields) for key in table if key not in fields}
    for name, field in fields.items():
        if field.default is attrs.NOTHING and name not in table and name not in meant:
            hint = f"Write {name} = ... below [{place}]. {remedy}".rstrip()
            refusals.errors.append(SettingsError(dotted(place, name), "a value", "nothing", hint))
    if refusals.errors:
        refusals.errors += (placed(error, place) for error in _refused_values(kind, values))
        refusals.settle()
    try:
        return kind(**values, **given)
    except SettingsError as error:
        errors = [placed(each, place) for each in (*_refused_values(kind, {**values, **given}),) or error.each]
        raise (SeveralSettingsError(errors) if len(errors) > 1 else errors[0]) from None


def refuse_wrong_values(kind: type, table: Table, place: str) -> None:
    """Refuse what is wrong in itself in a table for ``kind``; what is missing may come from elsewhere.

    Raises:
        SettingsError: keys are unknown, or values are not what they must be: all of them are told.
    """
    fields = {field.name: field for field in _fields_of(kind)}
    refusals = Refusals()
    with refusals.gathered():
        refuse_unknown_keys(table, fields, place)
    readable = {name: field for name, field in fields.items() if _can_convert(field.type)}
    values = _read(readable, {name: value for name, value in table.items() if name in readable}, place, refusals)
    refusals.errors += (placed(error, place) for error in _refused_values(kind, values))
    refusals.settle()


def known_keys(kind: type) -> tuple[str, ...]:
    """The keys that a table for ``kind`` may have."""
    return tuple(field.name for field in _fields_of(kind))


def missing_table(kind: type, name: str, place: str) -> SettingsError:
    """The refusal of settings in which a table that they need is not written."""
    where = dotted(place, name)
    remedy = f"Write a table [{where}] with {', '.join(known_keys(kind))}. {HINTS.get(name, '')}".rstrip()
    return SettingsError(where, f"a table [{where}]", "nothing", remedy)


def merged(lower: Table, upper: Table) -> dict[str, Any]:
    """Two tables as one: what ``upper`` has wins, tables within both are merged in turn."""
    result = dict(lower)
    for key, value in upper.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


def sub_table(table: Table, key: str, place: str) -> Table | None:
    """The table under ``key``; None when there is none.

    Raises:
        SettingsError: there is something else.
    """
    found = table.get(key)
    if found is None or isinstance(found, Mapping):
        return found
    raise _no_table(found, dotted(place, key))


RENAMED: Final[Mapping[str, str]] = {
    "requote_tolerance_share": "requote_tolerance_away_share and requote_tolerance_towards_share",
}
"""Keys that files of an earlier version may have, and what took their place."""


def refuse_unknown_keys(
    table: Table, known: Iterable[str], place: str, elsewhere: Mapping[str, str] = _NOTHING
) -> None:
    """Refuse a key that is not among ``known``, naming the one that may be meant. Its value is never shown.

    ``elsewhere`` names the table in which a key would be known.

    Raises:
        SettingsError: there is such a key.
    """
    names = sorted(known)
    refusals = Refusals()
    for key in table:
        if key not in names:
            remedy = did_you_mean(key, names, f"Remove it; what can stand here: {', '.join(names)}.")
            if key in RENAMED:
                remedy = f"It is {RENAMED[key]} now."
            if key in elsewhere:
                remedy = f"It belongs in [{dotted(place, elsewhere[key])}]."
            expected = f"a key that {_table_name(place)} has"
            refusals.errors.append(SettingsError(dotted(place, key), expected, key, remedy))
    refusals.settle()


def placed(error: SettingsError, place: str) -> SettingsError:
    """The error of a value that does not know where it was written, with the dotted name from the file."""
    field = error.field.removeprefix(f"{place.rpartition('.')[2]}.")
    return SettingsError(dotted(place, field), error.expected, plain(error.found), error.remedy)


def plain(found: object) -> object:
    """A number as the file has it, for messages."""
    if not isinstance(found, Decimal):
        return found
    return int(found) if found.as_tuple().exponent == 0 else float(found)


def dotted(place: str, name: str) -> str:
    """The dotted name of a key."""
    return f"{place}.{name}" if place else name


def _fields_of(kind: type) -> tuple[attrs.Attribute[Any], ...]:
    resolved: tuple[attrs.Attribute[Any], ...] = attrs.fields(attrs.resolve_types(kind))
    return resolved


def _read(fields: Mapping[str, attrs.Attribute[Any]], table: Table, place: str, refusals: Refusals) -> dict[str, Any]:
    """The values that can be read; what is refused goes to ``refusals``."""
    with refusals.gathered():
        refuse_unknown_keys(table, fields, place)
    values = {}
    for name, value in table.items():
        if name in fields:
            with refusals.gathered():
                values[name] = _converted(value, fields[name].type, dotted(place, name))
    return values


def _refused_values(kind: type, values: Mapping[str, Any]) -> Iterator[SettingsError]:
    """What validators say about each value alone; attrs itself stops at the first."""
    for field in _fields_of(kind):
        if field.validator is not None and field.name in values:
            value = values[field.name]
            try:
                field.validator(None, field, field.converter(value) if callable(field.converter) else value)
            except SettingsError as error:
                yield from error.each
            except AttributeError:  # a method of the class that asks other fields: not to be had yet
                continue


def _can_convert(kind: Any) -> bool:
    """Whether a value of this kind can be read where it stands; a table's own fields may come from elsewhere."""
    kind = _not_none(kind)
    return kind in _CONVERSIONS or (isinstance(kind, type) and issubclass(kind, StrEnum))


def _not_none(kind: Any) -> Any:
    """The type that a value of an optional field has, for TOML has no null."""
    if isinstance(kind, types.UnionType):
        return next(each for each in kind.__args__ if each is not types.NoneType)
    return kind


def _table_name(place: str) -> str:
    return f"[{place}]" if place else "the file's top level"


def _no_table(found: object, place: str) -> SettingsError:
    return SettingsError(place, "a table", plain(found), f"Write its keys below a line [{place}].")


def _converted(value: Any, kind: Any, place: str) -> Any:
    """``value`` as its field wants it."""
    kind = _not_none(kind)
    if attrs.has(kind) or (typing.get_origin(kind) or kind) is Mapping:
        if not isinstance(value, Mapping):
            raise _no_table(value, place)
        return structured(kind, value, place) if attrs.has(kind) else _as_options(value)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _as_choice(value, kind, place)
    convert, expected, remedy = _CONVERSIONS[kind]
    converted = convert(value)
    if converted is None:
        raise SettingsError(place, expected, plain(value), remedy)
    return converted


def _as_choice(value: Any, kind: type[StrEnum], place: str) -> Any:
    if value in list(kind):
        return kind(value)
    if kind is InstrumentKind:
        return value  # the instrument itself says why it is refused
    choices = ", ".join(repr(each.value) for each in kind)
    remedy = did_you_mean(value, [each.value for each in kind], "Choose one.")
    raise SettingsError(place, f"one of {choices}", plain(value), remedy)


def _as_options(value: Any) -> Any:
    """Options of a third party's service, in plain Python values."""
    if isinstance(value, Mapping):
        return {key: _as_options(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_options(each) for each in value]
    return plain(value) if isinstance(value, Decimal) else value


def _as_decimal(value: Any) -> Decimal | None:
    if not isinstance(value, (int, str, Decimal)) or isinstance(value, bool):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if _is_bookable(number) else None


def _is_bookable(number: Decimal) -> bool:
    """Whether the ledger could book it exactly."""
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -_MOST_DIGITS and number.adjusted() < _MOST_DIGITS


def _as_float(value: Any) -> float | None:
    if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
        return None
    number = float(Decimal(value))
    return number if math.isfinite(number) else None


def _as_texts(value: Any) -> tuple[str, ...] | None:
    is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return tuple(value) if is_list else None


def _as(kind: type) -> Callable[[Any], Any]:
    return lambda value: value if type(value) is kind else None


_CONVERSIONS: Final[Mapping[Any, tuple[Callable[[Any], Any], str, str]]] = {
    Decimal: (_as_decimal, "a finite number below 1e24 with at most 24 decimals", _CORRECT),
    float: (_as_float, "a finite number", "Write a number, without quotes."),
    int: (_as(int), "a whole number", "Write it without quotes and without a decimal point."),
    bool: (_as(bool), "true or false", "Write one of the two, without quotes."),
    str: (_as(str), "a text", "Write it in quotes."),
    tuple[str, ...]: (_as_texts, "a list of texts", 'Write it like ["ETHUSD"].'),
}
"""How a value becomes what a field wants (None: it cannot), what is expected, and what to do otherwise."""
