"""Settings files: TOML in, validated markets out, or one error that says what to correct. Nothing is half applied.

One market has its tables at the top level; several are written as ``[[market]]``, each with the same tables, and
``[defaults.strategy]`` and so on hold what they share. ``preset = "name"`` puts a shipped preset's tables beneath.
What stands nearer to the market wins: its own tables, then the defaults, then the preset. ``[venue] kind`` says where
orders go; that kind reads ``[venue]`` and tables of its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import frozen

from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.programme import ProgrammeRule
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.core.settings_tables import (
    HINTS,
    Table,
    dotted,
    missing_table,
    placed,
    plain,
    refuse_wrong_values,
    structured,
    sub_table,
    unknown_keys,
)
from mm_fsm.core.suggestions import closest
from mm_fsm.errors import FileError, RecordingError, Refusals, SettingsError
from mm_fsm.estimators.micro_price import micro_price_model
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.journal import JournalSettings
from mm_fsm.runtime.market_layers import COMMON_TABLES, OF_THE_RUN, MarketLayers, wrong_defaults
from mm_fsm.runtime.presets import RecordingMatch, preset_names
from mm_fsm.runtime.watching_settings import AlertSettings, MetricsSettings
from mm_fsm.services.registry import refuse_unknown_services
from mm_fsm.venues.port import MarketRequest, VenuePlan
from mm_fsm.venues.recorded.reading import ReadingSettings


@frozen(kw_only=True)
class MarketConfiguration:
    """Everything about one market, validated together."""

    strategy: MarketMakingSettings
    instrument: Instrument | None
    """As written; None when it is left to the venue."""
    fees: Fees | None
    """As written; None when they are left to the venue."""
    balances: Balances
    venue_kind: str
    """As ``[venue] kind`` names it."""
    venue: VenuePlan
    allows_live: bool
    """Whether ``[venue] live = true`` is written: without it no real order leaves."""
    recording: RecordingMatch | None
    reading: ReadingSettings
    """What is forgiven in recordings of this market, and how they are ordered."""
    journal: JournalSettings
    """The venue's defaults hold unless it says otherwise."""
    account: AccountSettings
    """What all markets of the account may do together; the same for each of them."""
    metrics: MetricsSettings
    """What others may read of the run; the same for each market of a run."""
    alerts: AlertSettings
    """Who is told of trouble; the same for each market of a run."""
    programme: ProgrammeRule
    """What the report holds presence against."""
    preset: str
    """Name of the preset beneath; empty when there is none."""

    @property
    def symbol(self) -> str:
        """The market's name."""
        return self.strategy.symbol

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
    try:
        text = _read_text(path)
        return parse_settings(text, str(path))
    except FileError as error:
        raise _recording_given(path) or _preset_given(path) or error from None


def parse_settings(text: str, name: str = "settings") -> tuple[MarketConfiguration, ...]:
    """Every market of a settings file's text; ``name`` stands in errors about the text as a whole.

    Raises:
        SettingsError: it is no TOML, or says something that cannot be.
    """
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as failure:
        raise FileError(name, "a file in TOML", str(failure), "Correct that place.") from None
    markets = tuple(_markets(table))
    symbols = [market.symbol for market in markets]
    for index, symbol in enumerate(symbols):
        if symbol in symbols[:index]:
            place = f"market[{index}].instrument.symbol"
            raise SettingsError(place, "a symbol of its own", symbol, "Write each market once.")
    _refuse_different_runs(markets)
    return markets


def _refuse_different_runs(markets: tuple[MarketConfiguration, ...]) -> None:
    """Some tables are about the run, not about a market."""
    for table in OF_THE_RUN:
        for market in markets[1:]:
            if getattr(market, table) != getattr(markets[0], table):
                remedy = f"Write [defaults.{table}] once for all markets of the run."
                raise SettingsError(table, f"the same for {markets[0].symbol} and {market.symbol}", "two", remedy)


def read_preset(name: str) -> MarketConfiguration:
    """The market of a shipped preset as it stands.

    Raises:
        SettingsError: there is no such preset.
    """
    return _market(MarketLayers(own={}, preset=name))


def _recording_given(path: Path) -> FileError | None:
    """The refusal of a recording that was given as settings; None where the file is none."""
    from mm_fsm.venues.recorded.opening import layout_of  # noqa: PLC0415 - what reads recordings is needed here only

    try:
        kind = layout_of(path).kind
    except RecordingError:
        return None
    remedy = "Give it to mm-fsm backtest, and here a settings file."
    return FileError(str(path), "a settings file in TOML", f"a recording, {kind}", remedy)


def _preset_given(path: Path) -> FileError | None:
    """The refusal of a shipped preset's name that was given as settings; None where there is a file, or no preset."""
    name = str(path)
    if path.exists() or name not in preset_names():
        return None
    remedy = f'Write the line preset = "{name}" into a file, and give that; check and backtest take --preset {name}.'
    return FileError(name, "a settings file", "a preset's name", remedy)


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        found = f"byte 0x{failure.object[failure.start]:02x} at offset {failure.start}"
        raise FileError(str(path), "a text in UTF-8", found, "Save the file as UTF-8.") from None
    except OSError as failure:
        found = failure.strerror or str(failure)
        raise FileError(str(path), "a file that can be read", found, "Check the path.") from None


def _markets(table: Table) -> Iterator[MarketConfiguration]:
    entries = table.get("market")
    if entries is None:
        _refuse_old_names(table)
        if "defaults" in table:
            remedy = "Write the tables at the top level, or each market below [[market]]."
            raise SettingsError("defaults", "several markets that share them", "none", remedy)
        yield _market(MarketLayers(own=table, preset=_preset_of(table, "", "")))
        return
    Refusals(unknown_keys(table, ("preset", "market", "defaults"), "")).settle()
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise SettingsError("market", "tables", plain(entries), "Write each market below a line [[market]].")
    defaults = sub_table(table, "defaults", "") or {}
    common = _preset_of(table, "", "")
    layers = [
        MarketLayers(own=entry, defaults=defaults, preset=_preset_of(entry, common, place), place=place)
        for place, entry in ((f"market[{index}]", entry) for index, entry in enumerate(entries))
    ]
    refusals = Refusals(wrong_defaults(layers))
    told = {error.field.removeprefix("defaults.") for error in refusals.errors}
    markets = []
    for each in layers:
        try:
            markets.append(_market(each))
        except SettingsError as error:
            own = (one for one in error.each if one.field.removeprefix(f"{each.place}.") not in told)
            refusals.errors += own
    refusals.settle()
    yield from markets


def _refuse_old_names(table: Table) -> None:
    """Keys of earlier versions, where somebody may have written them."""
    venue = table.get("venue")
    if "mode" in table or isinstance(venue, str):
        field = "mode" if "mode" in table else "venue"
        remedy = 'Write kind = "paper", or another kind of venue, below a line [venue], and leave this key out.'
        raise SettingsError(field, "a table [venue]", plain(table[field]), remedy)


def _preset_of(table: Table, otherwise: str, place: str) -> str:
    name = table.get("preset", otherwise)
    if isinstance(name, str):
        return name
    raise SettingsError(dotted(place, "preset"), "a preset's name", plain(name), "Write it in quotes.")


def _market(layers: MarketLayers) -> MarketConfiguration:
    """One market's configuration, or everything that is wrong with it."""
    place, refusals = layers.place, layers.refusals
    tables = layers.tables()
    read: dict[str, Any] = dict.fromkeys(COMMON_TABLES)
    for name, kind in layers.known.items():
        if name in tables and name != "strategy":
            with refusals.gathered():
                if name in COMMON_TABLES:
                    read[name] = structured(kind, tables[name], dotted(place, name), remedy=HINTS.get(name, ""))
                else:  # the kind of venue itself refuses what is missing
                    refuse_wrong_values(kind, tables[name], dotted(place, name))
    strategy = _strategy(layers, tables, read["instrument"], read["fees"])
    refusals.errors += _short_spot(read["balances"], read["instrument"], place)
    if "balances" not in tables and not _is_meant(layers, "balances"):
        refusals.errors.append(missing_table(Balances, "balances", place))
    refusals.settle()
    assert layers.kind is not None and strategy is not None  # noqa: PT018, S101 - otherwise it was refused above
    request = MarketRequest(
        strategy=strategy,
        instrument=read["instrument"],
        fees=read["fees"],
        balances=read["balances"],
        tables={name: tables[name] for name in layers.kind.tables if name in tables},
        place=place,
    )
    plan = layers.kind.plan(request)
    if layers.allows_live and not plan.is_live:
        remedy = f"Leave it out: nothing real happens at a venue of kind {layers.kind_name!r}."
        raise SettingsError(dotted(place, "venue.live"), "false, or nothing", layers.allows_live, remedy)
    journal = {**plan.journal_defaults, **tables.get("journal", {})}
    return MarketConfiguration(
        strategy=strategy,
        instrument=request.instrument,
        fees=request.fees,
        balances=request.balances,
        venue_kind=layers.kind_name,
        venue=plan,
        allows_live=layers.allows_live,
        recording=read["recording"],
        reading=read["reading"] or ReadingSettings(),
        journal=structured(JournalSettings, journal, dotted(place, "journal")),
        account=read["account"] or AccountSettings(),
        metrics=read["metrics"] or MetricsSettings(),
        alerts=read["alerts"] or AlertSettings(),
        programme=read["programme"] or ProgrammeRule(),
        preset=layers.preset,
    )


def _is_meant(layers: MarketLayers, key: str) -> bool:
    """Whether the table may be there, misspelt or as something else: that is refused already."""
    return key in layers.own or key in {closest(each, layers.known) for each in layers.own if each not in layers.known}


def _strategy(
    layers: MarketLayers, tables: Table, instrument: Instrument | None, fees: Fees | None
) -> MarketMakingSettings | None:
    """The strategy's settings; its symbol need not be written beside an instrument that has one. None if refused."""
    where, refusals = dotted(layers.place, "strategy"), layers.refusals
    table = tables.get("strategy", {})
    try:
        refuse_unknown_services(table)
    except SettingsError as error:
        refusals.errors += (placed(each, layers.place) for each in error.each)
    if instrument is not None:
        table = {"symbol": instrument.symbol, **table}
    elif "symbol" not in table:
        if "instrument" not in tables and not _is_meant(layers, "instrument"):
            refusals.errors.append(missing_table(Instrument, "instrument", layers.place))
        with refusals.gathered():
            refuse_wrong_values(MarketMakingSettings, table, where)
        return None
    strategy = None
    with refusals.gathered():
        table = {**table, **_model_text(table, where)}
    with refusals.gathered():
        strategy = structured(MarketMakingSettings, table, where)
        _refuse_contradictions(strategy, instrument, fees, where)
    return strategy


def _short_spot(balances: Balances | None, instrument: Instrument | None, place: str) -> Iterator[SettingsError]:
    if balances is not None and instrument is not None:
        try:
            balances.refuse_short_spot(instrument)
        except SettingsError as error:
            yield placed(error, place)


def _refuse_contradictions(
    strategy: MarketMakingSettings, instrument: Instrument | None, fees: Fees | None, where: str
) -> None:
    if instrument is not None and strategy.symbol != instrument.symbol:
        remedy = "Remove it: the instrument's symbol is taken."
        expected = f"{instrument.symbol!r}, the instrument's"
        raise SettingsError(dotted(where, "symbol"), expected, strategy.symbol, remedy)
    try:
        if fees is not None:
            strategy.spread_floor_bps(fees)
    except SettingsError as error:
        raise placed(error, where) from None


def _model_text(table: Table, place: str) -> dict[str, str]:
    """The text of the micro-price model whose file is named: settings and journals hold all that decides."""
    file = table.get("micro_price_model")
    if not isinstance(file, str) or not file:
        return {}
    try:
        text = _read_text(Path(file))
        micro_price_model(text)
    except SettingsError as error:
        remedy = "Name the file that mm-fsm calibrate --out wrote."
        raise SettingsError(f"{place}.micro_price_model", error.expected, file, remedy) from None
    return {"micro_price_model": text}


def _letters(symbol: str) -> str:
    return "".join(letter for letter in symbol.upper() if letter.isalnum())
