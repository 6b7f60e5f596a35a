"""Settings files: TOML in, validated markets out, or one error that says what to correct. Nothing is half applied.

One market has its tables at the top level; several are written as ``[[market]]``, each with the same tables, and
``[defaults.strategy]`` and so on hold what they share. ``preset = "name"`` puts a shipped preset's tables beneath.
What stands nearer to the market wins: its own tables, then the defaults, then the preset.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import evolve, frozen

from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import SettingsError
from mm_fsm.runtime.journal import JournalSettings
from mm_fsm.runtime.presets import RecordingMatch, preset_tables
from mm_fsm.runtime.settings_tables import (
    Table,
    dotted,
    known_keys,
    merged,
    placed,
    plain,
    refuse_unknown_keys,
    structured,
    sub_table,
)
from mm_fsm.venues.paper import PaperSettings
from mm_fsm.venues.simulator import SimulatorSettings

SIMULATED_EPOCH: Final = 1_704_067_200_000_000_000
"""2024-01-01 UTC, nanoseconds: when simulated sessions start unless settings say otherwise."""
DEFAULT_START_TICKS: Final = 20_000
"""Start price of a simulated market whose settings name none, in ticks: a tick is half a basis point then."""
LEVEL_ORDERS: Final = 20
"""Size of a displayed level of such a market, in innermost orders of the strategy."""
TAKER_ORDERS: Final = 5
"""Size of a taker's trade there, in innermost orders of the strategy."""

_TABLES: Final[dict[str, type]] = {
    "strategy": MarketMakingSettings,
    "instrument": Instrument,
    "fees": Fees,
    "balances": Balances,
    "paper": PaperSettings,
    "simulator": SimulatorSettings,
    "recording": RecordingMatch,
    "journal": JournalSettings,
}
_HOMES: Final = {key: name for name, kind in reversed(_TABLES.items()) for key in known_keys(kind)}
"""In which table each key belongs; of those in several, the first."""
_JOURNAL: Final = {"record_market_data": True, "synchronise": False}
"""What suits the paper exchange: complete enough to replay, and no more durable than the process it lives in."""
_RUN_KEYS: Final = ("mode", "venue", "preset")
_WHERE_TO_FIND: Final = {
    "instrument": "Take the rules from the venue's list of instruments.",
    "fees": "Look both rates up in the venue's fee schedule; a missing fee is never taken as zero.",
    "balances": "Write what part of the account this market may use.",
}

_Value = TypeVar("_Value")


@frozen(kw_only=True)
class MarketConfiguration:
    """Everything about one market, validated together."""

    strategy: MarketMakingSettings
    instrument: Instrument
    fees: Fees
    balances: Balances
    paper: PaperSettings
    simulator: SimulatorSettings
    recording: RecordingMatch | None
    journal: JournalSettings
    """Market data is recorded, and the disk is not waited for, unless it says otherwise."""
    preset: str
    """Name of the preset beneath; empty when there is none."""
    has_start_price: bool
    """Whether the simulator's start price is written, and not a stand-in."""
    has_duration: bool
    """Whether the simulator's duration is written."""

    @property
    def symbol(self) -> str:
        """The market's name."""
        return self.instrument.symbol

    def fits_recording(self, exchange: str, symbol: str) -> bool:
        """Whether a recording is of this market: by its ``[recording]`` table, else by the name of the symbol."""
        if self.recording is not None:
            return self.recording.fits(exchange, symbol)
        return _letters(symbol) == _letters(self.symbol)


def read_settings(path: Path) -> tuple[MarketConfiguration, ...]:
    """Every market of a settings file.

    Raises:
        SettingsError: the file cannot be read, is no TOML, or says something that cannot be.
    """
    return parse_settings(_read_text(path), str(path))


def parse_settings(text: str, name: str = "settings") -> tuple[MarketConfiguration, ...]:
    """Every market of a settings file's text; ``name`` stands in errors about the text as a whole.

    Raises:
        SettingsError: it is no TOML, or says something that cannot be.
    """
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as failure:
        raise SettingsError(name, "a file in TOML", str(failure), "Correct that place.") from None
    _refuse_live_trading(table)
    markets = tuple(_markets(table))
    symbols = [market.symbol for market in markets]
    for index, symbol in enumerate(symbols):
        if symbol in symbols[:index]:
            place = f"market[{index}].instrument.symbol"
            raise SettingsError(place, "a symbol of its own", symbol, "Write each market once.")
    return markets


def read_preset(name: str) -> MarketConfiguration:
    """The market of a shipped preset as it stands.

    Raises:
        SettingsError: there is no such preset.
    """
    return _market({}, {}, name, "")


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        found = f"byte 0x{failure.object[failure.start]:02x} at offset {failure.start}"
        raise SettingsError(str(path), "a text in UTF-8", found, "Save the file as UTF-8.") from None
    except OSError as failure:
        found = failure.strerror or str(failure)
        raise SettingsError(str(path), "a file that can be read", found, "Check the path.") from None


def _refuse_live_trading(table: Table) -> None:
    """Only the paper exchange takes orders in this version: settings that ask for more are refused, not reduced."""
    for key in ("mode", "venue"):
        value = table.get(key, "paper")
        if value == "paper":
            continue
        remedy = "Write 'paper', or leave the key out."
        if value == "live" or str(value).startswith("ccxt"):
            remedy = f"Live trading is not available in this version: no order leaves for a real venue. {remedy}"
        raise SettingsError(key, "'paper'", plain(value), remedy)


def _markets(table: Table) -> Iterator[MarketConfiguration]:
    entries = table.get("market")
    if entries is None:
        refuse_unknown_keys(table, (*_RUN_KEYS, *_TABLES, "market", "defaults"), "", _HOMES)
        if "defaults" in table:
            remedy = "Write the tables at the top level, or each market below [[market]]."
            raise SettingsError("defaults", "several markets that share them", "none", remedy)
        tables = {key: value for key, value in table.items() if key in _TABLES}
        yield _market(tables, {}, _preset_of(table, "", ""), "")
        return
    refuse_unknown_keys(table, (*_RUN_KEYS, "market", "defaults"), "")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise SettingsError("market", "tables", plain(entries), "Write each market below a line [[market]].")
    defaults = _defaults(table)
    common = _preset_of(table, "", "")
    for index, entry in enumerate(entries):
        place = f"market[{index}]"
        refuse_unknown_keys(entry, ("preset", *_TABLES), place, _HOMES)
        tables = {key: value for key, value in entry.items() if key in _TABLES}
        yield _market(tables, defaults, _preset_of(entry, common, place), place)


def _preset_of(table: Table, otherwise: str, place: str) -> str:
    name = table.get("preset", otherwise)
    if isinstance(name, str):
        return name
    raise SettingsError(dotted(place, "preset"), "a preset's name", plain(name), "Write it in quotes.")


def _defaults(table: Table) -> Table:
    """The tables that markets share; their keys are checked here, where the mistake is."""
    defaults = sub_table(table, "defaults", "") or {}
    refuse_unknown_keys(defaults, _TABLES, "defaults")
    for key in defaults:
        shared = sub_table(defaults, key, "defaults") or {}
        refuse_unknown_keys(shared, known_keys(_TABLES[key]), f"defaults.{key}")
    return defaults


def _market(tables: Table, defaults: Table, preset: str, place: str) -> MarketConfiguration:
    beneath = preset_tables(preset) if preset else {}
    for key in tables:
        sub_table(tables, key, place)
    both = merged(merged(beneath, defaults), tables)
    instrument = _required(Instrument, both, "instrument", place)
    fees = _required(Fees, both, "fees", place)
    balances = _required(Balances, both, "balances", place)
    strategy = _strategy(both, instrument, fees, place)
    simulator = both.get("simulator", {})
    recording = both.get("recording")
    return MarketConfiguration(
        strategy=strategy,
        instrument=instrument,
        fees=fees,
        balances=balances,
        paper=structured(PaperSettings, both.get("paper", {}), dotted(place, "paper")),
        simulator=_simulator(simulator, instrument, strategy, dotted(place, "simulator")),
        recording=None if recording is None else structured(RecordingMatch, recording, dotted(place, "recording")),
        journal=structured(JournalSettings, {**_JOURNAL, **both.get("journal", {})}, dotted(place, "journal")),
        preset=preset,
        has_start_price="start_price" in simulator,
        has_duration="duration_seconds" in simulator,
    )


def _required(kind: type[_Value], both: dict[str, Any], key: str, place: str) -> _Value:
    where = dotted(place, key)
    if key not in both:
        remedy = f"Write a table [{where}] with {', '.join(known_keys(kind))}. {_WHERE_TO_FIND[key]}"
        raise SettingsError(where, f"a table [{where}]", "nothing", remedy)
    return structured(kind, both[key], where, remedy=_WHERE_TO_FIND[key])


def _strategy(both: dict[str, Any], instrument: Instrument, fees: Fees, place: str) -> MarketMakingSettings:
    """The strategy's settings; its symbol is the instrument's and need not be written."""
    where = dotted(place, "strategy")
    table = {"symbol": instrument.symbol, **both.get("strategy", {})}
    strategy = structured(MarketMakingSettings, table, where)
    if strategy.symbol != instrument.symbol:
        remedy = "Remove it: the instrument's symbol is taken."
        raise SettingsError(
            dotted(where, "symbol"), f"{instrument.symbol!r}, the instrument's", strategy.symbol, remedy
        )
    try:
        strategy.spread_floor_bps(fees)
    except SettingsError as error:
        raise placed(error, where) from None
    return strategy


def _simulator(table: Table, instrument: Instrument, strategy: MarketMakingSettings, place: str) -> SimulatorSettings:
    """A simulated market; what is not written follows from the instrument's grid and the strategy's order size."""
    fixed = {"seed": 0, "start_time": SIMULATED_EPOCH, "start_price": instrument.tick_size * DEFAULT_START_TICKS}
    sizes = {"level_size": instrument.lot_size, "taker_size": instrument.lot_size}
    given = {"instrument": instrument}
    settings = structured(SimulatorSettings, {**fixed, **sizes, **table}, place, given=given)
    one_order = strategy.base_order_size / settings.start_price / instrument.contract_size
    level_size, taker_size = (
        max(instrument.floor_quantity(orders * one_order), instrument.lot_size)
        for orders in (LEVEL_ORDERS, TAKER_ORDERS)
    )
    return evolve(
        settings,
        level_size=settings.level_size if "level_size" in table else level_size,
        taker_size=settings.taker_size if "taker_size" in table else taker_size,
    )


def _letters(symbol: str) -> str:
    return "".join(letter for letter in symbol.upper() if letter.isalnum())
