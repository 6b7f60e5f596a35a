"""Tables of a settings file to validated values, with errors that name the field and say what to do.

Numbers with a point are read as exact decimals; a quoted number is taken where an exact decimal is wanted. Nothing is
converted silently: a text is no number, a boolean is no number, a number is no text. cattrs reads the attrs classes
and gathers what is wrong; attrs alone would stop at the first wrong value.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import partial
from operator import eq
from typing import Any, Final, TypeVar, get_args, get_origin

import attrs
from cattrs import ClassValidationError, Converter, ForbiddenExtraKeysError, override
from cattrs.gen import make_dict_structure_fn

from mm_fsm.core.instrument import InstrumentKind
from mm_fsm.core.suggestions import closest, did_you_mean
from mm_fsm.errors import Refusals, SettingsError

Table = Mapping[str, Any]

HINTS: Final[Mapping[str, str]] = types.MappingProxyType(
    {
        "instrument": "Take the rules from the venue's list of instruments.",
        "fees": "Look both rates up in the venue's fee schedule; a missing fee is never taken as zero.",
        "balances": "Write what part of the account this market may use.",
    }
)
"""Where to find what stands in a table."""
RENAMED: Final[Mapping[str, str]] = types.MappingProxyType(
    {
        "requote_tolerance_share": "requote_tolerance_away_share and requote_tolerance_towards_share",
        "adverse_selection_hold_bps": "max_spread_bps: quoting is held where the widest spread is not enough,",
    }
)
"""Keys that files of an earlier version may have, and what they are."""
BELOW: Final[Mapping[str, str]] = types.MappingProxyType(
    dict.fromkeys(("spreads", "orders", "inventory", "risk"), "services")
)
"""Keys of a table within a table, which may be written in the outer one by mistake."""
GIVEN: Final = types.MappingProxyType({"given": True})
"""Metadata of a field that the program gives: no key of a file."""

_Value = TypeVar("_Value")
_NOTHING: Final[Mapping[str, Any]] = types.MappingProxyType({})
_MOST_DIGITS: Final = 24
"""On either side of the point of an exact number, as in the ledger."""


def structured(
    kind: type[_Value], table: object, place: str, *, given: Mapping[str, Any] = _NOTHING, remedy: str = ""
) -> _Value:
    """Make a ``kind``, a class of attrs, from a table; ``place`` is the table's dotted name in the file.

    ``given`` values are of fields with the metadata ``GIVEN``; ``remedy`` says where to find a key that is missing.

    Raises:
        SettingsError: keys are unknown or missing, or values are not what they must be: all of them are told.
    """
    value = _read(kind, {**given, **table} if isinstance(table, Mapping) else table, place, remedy)
    assert value is not None  # noqa: S101 - without a remedy for what is missing, that may be forgiven
    return value


def refuse_wrong_values(kind: type, table: object, place: str) -> None:
    """Refuse what is wrong in itself in a table for ``kind``; what is missing may come from elsewhere.

    Raises:
        SettingsError: keys are unknown, or values are not what they must be: all of them are told.
    """
    _read(kind, table, place, None)


def known_keys(kind: type) -> tuple[str, ...]:
    """The keys that a table for ``kind`` may have."""
    return tuple(field.name for field in _fields_of(kind) if field.metadata != GIVEN)


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
    raise no_table(found, dotted(place, key))


def unknown_keys(
    table: Iterable[str], known: Iterable[str], place: str, elsewhere: Mapping[str, str] = _NOTHING
) -> Iterator[SettingsError]:
    """A refusal for each key that is not among ``known``, naming the one that may be meant. Its value is never shown.

    ``elsewhere`` names the table in which a key would be known.
    """
    names = sorted(set(known))
    for key in table:
        if key not in names:
            remedy = did_you_mean(key, names, f"Remove it; what can stand here: {', '.join(names)}.")
            if key in RENAMED:
                remedy = f"It is {RENAMED[key]} now."
            if key in elsewhere:
                remedy = f"It belongs in [{dotted(place, elsewhere[key])}]."
            expected = f"a key that {'the top level of the file' if not place else f'[{place}]'} has"
            yield SettingsError(dotted(place, key), expected, key, remedy)


def placed(error: SettingsError, place: str) -> SettingsError:
    """The error of a value that does not know where it was written, with the dotted name from the file."""
    field = error.field.removeprefix(f"{place.rpartition('.')[2]}.")
    return SettingsError(dotted(place, field), error.expected, plain(error.found), error.remedy)


def plain(found: object) -> Any:
    """What the file has, in plain Python values: for messages, and for options of a third party's service."""
    if isinstance(found, Mapping):
        return {key: plain(each) for key, each in found.items()}
    if isinstance(found, (list, tuple)):
        return [plain(each) for each in found]
    if not isinstance(found, Decimal):
        return found
    return int(found) if found.as_tuple().exponent == 0 else float(found)


def dotted(place: str, name: str) -> str:
    """The dotted name of a key."""
    return f"{place}.{name}" if place else name


def no_table(found: object, place: str) -> SettingsError:
    """The refusal of what stands where a table must."""
    return SettingsError(place, "a table", plain(found), f"Write its keys below a line [{place}].")


def _fields_of(kind: type) -> tuple[attrs.Attribute[Any], ...]:
    resolved: tuple[attrs.Attribute[Any], ...] = attrs.fields(attrs.resolve_types(kind))
    return resolved


# -- what cattrs refuses, in our words ---------------------------------------------------------------------------------


class _NotATableError(Exception):
    """Something else stands where a table must; it is the error's argument."""


def _read(kind: type[_Value], table: object, place: str, remedy: str | None) -> _Value | None:
    """What the table says; None where all that is wrong are missing keys, and there is no remedy for them."""
    refusals = Refusals()
    try:
        return _CONVERTER.structure(table, kind)
    except (ClassValidationError, _NotATableError) as error:
        refusals.errors += _told(error, place, remedy)
    refusals.settle()
    return None


def _told(error: Exception, place: str, remedy: str | None) -> Iterator[SettingsError]:
    """Each refusal of the value at ``place``."""
    if isinstance(error, _NotATableError):
        yield no_table(error.args[0], place)
    elif isinstance(error, SettingsError):
        yield from (SettingsError(place, one.expected, plain(one.found), one.remedy) for one in error.each)
    elif isinstance(error, ClassValidationError):
        yield from _told_of_class(error, place, remedy)
    else:
        raise error


def _told_of_class(error: ClassValidationError, place: str, remedy: str | None) -> Iterator[SettingsError]:
    """Each refusal within a table. A missing key is not told beside an unknown one that may mean it."""
    known = known_keys(error.cl)
    extra = [each for each in error.exceptions if isinstance(each, ForbiddenExtraKeysError)]
    unknown = [key for each in extra for key in each.extra_fields]
    elsewhere = {key: table for key, table in BELOW.items() if table in known}
    yield from unknown_keys(unknown, known, place, elsewhere)
    meant = {closest(key, known) for key in unknown}
    of_keys, of_table = error.group_exceptions()
    for each, note in of_keys:
        if not isinstance(each, KeyError | ForbiddenExtraKeysError):
            yield from _told(each, dotted(place, note.name), remedy)
        elif isinstance(each, KeyError) and remedy is not None and note.name not in meant:
            hint = f"Write {note.name} = ... below [{place}]. {remedy}".rstrip()
            yield SettingsError(dotted(place, note.name), "a value", "nothing", hint)
    for each in of_table:
        if each not in extra:
            yield from _placed_all(each, place)


def _placed_all(error: Exception, place: str) -> Iterator[SettingsError]:
    """Refusals of values that contradict each other: each names its key."""
    if not isinstance(error, SettingsError):
        raise error
    yield from (placed(each, place) for each in error.each)


# -- how a value becomes what its field wants --------------------------------------------------------------------------


def _read_class(kind: type, converter: Converter) -> Callable[[Any, Any], Any]:
    """Reads a table for a class of attrs, each value with its field's own converter and validator."""
    hooks: dict[str, Any] = {field.name: override(struct_hook=_read_field(field)) for field in _fields_of(kind)}
    read: Any = make_dict_structure_fn(kind, converter, **hooks)

    def structure(table: Any, wanted: Any) -> Any:
        if not isinstance(table, Mapping):
            raise _NotATableError(table)
        return read(table, wanted)

    return structure


def _read_field(field: attrs.Attribute[Any]) -> Callable[[Any, Any], Any]:
    def structure(value: Any, kind: Any) -> Any:
        if field.metadata == GIVEN:
            if isinstance(value, kind):
                return value
            raise ForbiddenExtraKeysError("", kind, {field.name})
        value = _CONVERTER.structure(value, kind)
        value = field.converter(value) if callable(field.converter) else value
        if field.validator is not None:
            field.validator(None, field, value)
        return value

    return structure


def _decimal(value: Any) -> Decimal | None:
    if not isinstance(value, (int, str, Decimal)) or isinstance(value, bool):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    is_bookable = isinstance(exponent, int) and exponent >= -_MOST_DIGITS and number.adjusted() < _MOST_DIGITS
    return number if is_bookable else None


def _float(value: Any) -> float | None:
    if not isinstance(value, (int, float, Decimal)) or isinstance(value, bool):
        return None
    number = float(Decimal(value))
    return number if math.isfinite(number) else None


def _texts(value: Any) -> tuple[str, ...] | None:
    is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return tuple(value) if is_list else None


def _choice(value: Any, kind: type[StrEnum]) -> Any:
    if kind is InstrumentKind:
        return value  # the instrument itself says why it is refused
    if value in list(kind):
        return kind(value)
    choices = [each.value for each in kind]
    remedy = did_you_mean(value, choices, "Choose one.")
    raise SettingsError("", f"one of {', '.join(map(repr, choices))}", value, remedy)


def _only(kind: type) -> Callable[[Any], Any]:
    return lambda value: value if type(value) is kind else None


def _strictly(convert: Callable[[Any], Any], expected: str, remedy: str) -> Callable[[Any, Any], Any]:
    """A hook of cattrs that refuses what ``convert`` makes None of."""

    def structure(value: Any, _: Any) -> Any:
        converted = convert(value)
        if converted is None:
            raise SettingsError("", expected, value, remedy)
        return converted

    return structure


def _has_own_checks(kind: Any) -> bool:
    """Whether only a field's own converter and validator know what it wants: tuples of numbers, a number or a word."""
    alternatives = {*get_args(kind)} - {types.NoneType} if get_origin(kind) is types.UnionType else ()
    return len(alternatives) > 1 or get_origin(kind) in {tuple, Mapping}


def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    converter.register_structure_hook_func(_has_own_checks, lambda value, _: plain(value))
    converter.register_structure_hook_func(
        partial(eq, tuple[str, ...]), _strictly(_texts, "a list of texts", 'Write it like ["ETHUSD"].')
    )
    converter.register_structure_hook_factory(attrs.has, _read_class)
    converter.register_structure_hook(StrEnum, _choice)
    for kind, hook in {
        Decimal: _strictly(_decimal, "a finite number below 1e24 with at most 24 decimals", "Correct the value."),
        float: _strictly(_float, "a finite number", "Write a number, without quotes."),
        int: _strictly(_only(int), "a whole number", "Write it without quotes and without a decimal point."),
        bool: _strictly(_only(bool), "true or false", "Write one of the two, without quotes."),
        str: _strictly(_only(str), "a text", "Write it in quotes."),
    }.items():
        converter.register_structure_hook(kind, hook)
    return converter


_CONVERTER: Final = _converter()
