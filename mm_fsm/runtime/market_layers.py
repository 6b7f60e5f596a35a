"""The tables of one market from all places where they may stand, and the kind of venue that reads some of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.programme import ProgrammeRule
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.core.settings_tables import Table, dotted, known_keys, merged, no_table, plain, sub_table, unknown_keys
from mm_fsm.errors import Refusals, SettingsError
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.journal import JournalSettings
from mm_fsm.runtime.presets import RecordingMatch, preset_tables
from mm_fsm.runtime.watching_settings import AlertSettings, MetricsSettings
from mm_fsm.venues.kinds import DEFAULT_KIND, kinds_reading, load_kind
from mm_fsm.venues.port import VenueKind
from mm_fsm.venues.recorded.reading import ReadingSettings

COMMON_TABLES: Final[Mapping[str, type]] = MappingProxyType(
    {
        "strategy": MarketMakingSettings,
        "instrument": Instrument,
        "fees": Fees,
        "balances": Balances,
        "recording": RecordingMatch,
        "reading": ReadingSettings,
        "journal": JournalSettings,
        "account": AccountSettings,
        "metrics": MetricsSettings,
        "alerts": AlertSettings,
        "programme": ProgrammeRule,
    }
)
"""Tables that mean the same on every venue."""
OF_THE_RUN: Final = ("metrics", "alerts")
"""Tables of the whole run: all its markets have the same."""
VENUE_KEYS: Final = ("kind", "live")
"""Keys of ``[venue]`` that mean the same for every kind."""


class MarketLayers:
    """One market as it is written: its own tables, what several share, and a preset's beneath.

    Args:
        own: the market's own tables, and ``preset``.
        defaults: what markets share.
        preset: name of the preset beneath; empty when there is none.
        place: dotted name of where ``own`` stands; empty at the top level.

    Attributes:
        refusals: what is wrong with the tables as they stand; whoever reads them settles it.
        kind: what reads the venue's tables; None where ``refusals`` say that there is no such kind.

    Raises:
        SettingsError: there is no such preset, or ``venue`` is no table.
        PluginError: the package that brings the kind of venue is broken.
    """

    def __init__(self, *, own: Table, preset: str, defaults: Table = MappingProxyType({}), place: str = "") -> None:
        self.own = own
        self.place = place
        self.preset = preset
        self.defaults = defaults
        self._layers = (preset_tables(preset) if preset else {}, defaults, own)
        for layer, where in ((defaults, "defaults"), (own, place)):
            sub_table(layer, "venue", where)
        self.kind_name = self._kind_name()
        self.refusals = Refusals()
        self.kind: VenueKind | None = None
        self.allows_live = False
        with self.refusals.gathered():
            self.kind = load_kind(self.kind_name, dotted(place, "venue.kind"))
        self._refuse_tables_of_other_kinds(own)
        others = [key for key in own if key not in self.known and kinds_reading(key)]
        self.refusals.errors += unknown_keys(own, ("preset", "venue", *self.known, *others), place, self._homes)
        for key in self.known:
            with self.refusals.gathered():
                sub_table(own, key, place)
        with self.refusals.gathered():
            self.allows_live = self._is_live_written()

    @cached_property
    def known(self) -> Mapping[str, type]:
        """Every table that this market may have, with the attrs class of its keys."""
        return {**COMMON_TABLES, **(self.kind.tables if self.kind is not None else {})}

    def tables(self) -> dict[str, Any]:
        """The market's tables, what stands nearer merged over what stands farther; ``venue`` without shared keys."""
        both: dict[str, Any] = {}
        for layer in self._layers:
            both = merged(both, {name: layer[name] for name in self.known if isinstance(layer.get(name), Mapping)})
        return {**both, "venue": {key: value for key, value in self._venue().items() if key not in VENUE_KEYS}}

    @cached_property
    def _homes(self) -> Mapping[str, str]:
        """In which table each key belongs; of those in several, the first."""
        homes = {key: name for name, kind in reversed([*self.known.items()]) for key in known_keys(kind)}
        return {**homes, **dict.fromkeys(VENUE_KEYS, "venue")}

    def _refuse_tables_of_other_kinds(self, own: Table) -> None:
        for key in own:
            others = () if key in self.known or self.kind is None else kinds_reading(key)
            if others:
                where = dotted(self.place, key)
                names = " or ".join(repr(name) for name in others)
                remedy = f"Remove it, or write kind = {names} in [{dotted(self.place, 'venue')}]."
                expected = f"a table that venue.kind {self.kind_name!r} reads"
                self.refusals.errors.append(SettingsError(where, expected, key, remedy))

    def _kind_name(self) -> Any:
        written = [layer["venue"]["kind"] for layer in self._layers if "kind" in layer.get("venue", {})]
        return plain(written[-1]) if written else DEFAULT_KIND

    def _venue(self) -> dict[str, Any]:
        """``[venue]``, without what a farther place says about a venue of another kind."""
        venue: dict[str, Any] = {}
        for layer in self._layers:
            table = layer.get("venue", {})
            if table.get("kind", self.kind_name) == self.kind_name:
                venue = merged(venue, table)
        return venue

    def _is_live_written(self) -> bool:
        live = self._venue().get("live", False)
        if isinstance(live, bool):
            return live
        where = dotted(self.place, "venue.live")
        raise SettingsError(where, "true or false", plain(live), "Write one of the two, without quotes.")


def wrong_defaults(markets: Sequence[MarketLayers]) -> Iterator[SettingsError]:
    """A refusal for each table of ``[defaults]`` that no market reads, and each key that its table does not have.

    Here is the mistake, not in each market that shares it.
    """
    defaults = markets[0].defaults
    known = {name: kind for market in markets for name, kind in market.known.items()}
    yield from unknown_keys(defaults, known, "defaults")
    for key in (key for key in defaults if key in known):
        if not isinstance(defaults[key], Mapping):
            yield no_table(defaults[key], f"defaults.{key}")
            continue
        also = VENUE_KEYS if key == "venue" else ()
        keys = {name for market in markets if key in market.known for name in known_keys(market.known[key])}
        yield from unknown_keys(defaults[key], (*keys, *also), f"defaults.{key}")
