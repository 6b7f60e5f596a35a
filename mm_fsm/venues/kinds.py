"""Kinds of venue by name: the shipped ones, and those that other packages register as entry points.

Group: ``mm_fsm.venues``. An entry point names a class, or a function, that takes no arguments and returns a
``mm_fsm.venues.port.VenueKind``. A shipped kind is imported when it is asked for, so that paper needs no live library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Final

from attrs import frozen

from mm_fsm.core.suggestions import did_you_mean
from mm_fsm.errors import PluginError, SettingsError
from mm_fsm.venues.port import VenueKind

DEFAULT_KIND: Final = "paper"
GROUP: Final = "mm_fsm.venues"

_SHIPPED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "paper": "mm_fsm.venues.paper.kind:PaperKind",
        "recorded": "mm_fsm.venues.recorded.kind:RecordedKind",
        "ccxt": "mm_fsm.venues.ccxt_venue.kind:CcxtKind",
    }
)
"""Where the class of each shipped kind is."""
_PROMISED: Final = ("tables", "plan")


@frozen(kw_only=True)
class RegisteredKind:
    """One kind of venue that settings can name."""

    name: str
    origin: str
    """The package that brings it, or ``mm-fsm`` for the shipped ones."""
    target: str
    """``module:attribute``."""


def registered_kinds() -> Iterator[RegisteredKind]:
    """Every kind that can be named, the shipped ones first."""
    for name, target in _SHIPPED.items():
        yield RegisteredKind(name=name, origin="mm-fsm", target=target)
    for name, point in _brought().items():
        origin = point.dist.name if point.dist is not None else "unknown"
        yield RegisteredKind(name=name, origin=origin, target=point.value)


def load_kind(name: object, place: str = "venue.kind") -> VenueKind:
    """The kind that settings name at ``place``.

    Raises:
        SettingsError: there is no such kind.
        PluginError: the package that brings it is broken.
    """
    brought = _brought()
    names = (*_SHIPPED, *brought)
    if not isinstance(name, str) or name not in names:
        expected = "one of " + ", ".join(repr(each) for each in names)
        install = f"Choose one, or install the package that registers it under the entry point group {GROUP!r}."
        remedy = did_you_mean(name, names, install)
        raise SettingsError(place, expected, name, remedy)
    if name in _SHIPPED:
        module, _, attribute = _SHIPPED[name].partition(":")
        kind: VenueKind = getattr(import_module(module), attribute)()
        return kind
    return _loaded(name, brought[name])


def kinds_reading(table: str) -> tuple[str, ...]:
    """The shipped kinds that read a table of this name, which is none of the common ones."""
    return tuple(name for name in _SHIPPED if table in load_kind(name).tables)


def _brought() -> dict[str, EntryPoint]:
    """Kinds of other packages; none of them takes a shipped one's name."""
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return {point.name: point for point in points if point.name not in _SHIPPED}


def _loaded(name: str, point: EntryPoint) -> VenueKind:
    try:
        kind: VenueKind = point.load()()
    except Exception as error:
        raise PluginError(
            f"venue.kind: {name!r} ({point.value}) could not be made: {error!r}. Repair that package."
        ) from error
    missing = [each for each in _PROMISED if getattr(kind, each, None) is None]
    if missing or "venue" not in kind.tables:
        found = f"lacks {missing}" if missing else "reads no table 'venue'"
        raise PluginError(f"venue.kind: {name!r} ({point.value}) {found}. Implement mm_fsm.venues.port.VenueKind.")
    return kind
