"""``backtest``: recorded markets on the paper exchange, with the preset that fits it or with given settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen

from mm_fsm.cli.consoles import print_message
from mm_fsm.cli.execution import Output, execute
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.opening import Opening, opened
from mm_fsm.cli.options import RecordingOptions, RunOptions
from mm_fsm.cli.run_directory import run_directory
from mm_fsm.cli.user_code import load_machine
from mm_fsm.cli.views import choose_view
from mm_fsm.errors import RecordingError, SettingsError
from mm_fsm.runtime.presets import matching_preset, preset_names
from mm_fsm.runtime.settings_file import MarketConfiguration, read_preset, read_settings
from mm_fsm.venues.paper import PaperAccount
from mm_fsm.venues.recorded import Order, PreparedFiles, ReadingSettings, Recording, RecordingInfo, open_recording
from mm_fsm.venues.recorded.kind import on_recording
from mm_fsm.venues.recorded.opening import files_by_symbol, swapped
from mm_fsm.venues.recorded.prepared import default_directory

_NO_TRADES: Final = "no trades were given: an order is filled only when the other side's quotes reach its price"
_NO_TRADES_FOUND: Final = (
    "the recording has no trades: an order was filled only when the other side's quotes reached its price"
)


@frozen
class _Market:
    """One recorded market with its settings."""

    info: RecordingInfo
    configuration: MarketConfiguration
    recording: Recording


def run_backtest(given: RecordingOptions, options: RunOptions, *, settings: Path | None, preset: str | None) -> int:
    """Run recorded markets, all at once in time order, and print the result; the exit status.

    Raises:
        MarketMakerError: settings or a recording are refused, or there is no place for the results.
    """
    machine_class = load_machine(options.machine)
    markets: list[_Market] = []
    for symbol, files in _files(given).items():
        info = _described(files, given, symbol)
        configuration = _configuration(info, settings, preset)
        if configuration is None:
            print_message(_what_to_write(info))
            return ExitCode.BAD_INPUT
        print_message(f"{info.symbol} at {info.exchange}: {_settings_named(configuration, settings)}", style="dim")
        markets.append(_Market(info, configuration, _opened(files, given, info, configuration)))
    if not all(market.recording.has_trades for market in markets):
        print_message(_NO_TRADES)
    directory = run_directory(options.out, _directory_name(markets))
    opening = Opening(
        directory=directory, has_journal=options.journal, machine_class=machine_class, executor=options.executor
    )
    venues = [(each.configuration, on_recording(_account(each.configuration), each.recording)) for each in markets]
    return execute(
        opened(venues, opening, flatten=options.flatten),
        Output(
            directory=directory,
            as_json=options.as_json,
            watch=lambda sessions: choose_view(sessions, quiet=options.quiet),
            remark=lambda: "\n".join(_remarks(markets)),
            annotate=lambda symbol: _read(next(each for each in markets if each.configuration.symbol == symbol)),
        ),
    )


def _directory_name(markets: Sequence[_Market]) -> str:
    return "-".join([markets[0].info.exchange, *(market.info.symbol for market in markets)]).lower()


def _account(configuration: MarketConfiguration) -> PaperAccount:
    """The exchange that the recording is shown by: with the settings' latencies where they have any."""
    if isinstance(configuration.venue, PaperAccount):
        return configuration.venue
    remedy = "Give a copy of the settings for backtests, without [venue] and the tables that its kind reads."
    raise SettingsError("venue.kind", "'paper' or 'recorded'", configuration.venue_kind, remedy)


def _files(given: RecordingOptions) -> dict[str, list[Path]]:
    """Files by the market that is taken from them."""
    if not given.files:
        remedy = "Give --quotes FILE --trades FILE, or --capture FILE."
        raise SettingsError("recording", "at least one file", "none", remedy)
    for remark in (swapped(given.quotes, "quotes"), swapped(given.trades, "trades")):
        if remark is not None:
            print_message(remark, style="yellow")
    return files_by_symbol(given.files, given.symbols)


def _described(files: Sequence[Path], given: RecordingOptions, symbol: str) -> RecordingInfo:
    recording = open_recording(files, recorded_symbol=symbol)
    if given.format is not None and recording.formats != (given.format,):
        problem = f"expected the format {given.format}, found {' and '.join(recording.formats)}."
        raise RecordingError(files[0].name, 0, problem, "Leave --format out, or name the other one.")
    return recording.describe()


def _opened(
    files: Sequence[Path], given: RecordingOptions, info: RecordingInfo, configuration: MarketConfiguration
) -> Recording:
    return open_recording(
        files,
        symbol=configuration.symbol,
        recorded_symbol=info.symbol,
        reading=_reading(given, configuration.reading),
        prepared=PreparedFiles(default_directory()) if given.is_cached else None,
    )


def _reading(given: RecordingOptions, reading: ReadingSettings) -> ReadingSettings:
    """The settings, with what the command line says otherwise."""
    changes: dict[str, Any] = {
        "order": None if given.order is None else Order(given.order),
        "reorder_window_seconds": given.reorder_window_seconds,
        "max_passed_over": given.max_passed_over,
        "refuse": None if given.refuse is None else tuple(given.refuse),
    }
    return evolve(reading, **{name: value for name, value in changes.items() if value is not None})


def _read(market: _Market) -> dict[str, Any]:
    """What was read of a recording, and what was passed over, for the report."""
    recording = market.recording
    return {
        "recording": {
            "exchange": market.info.exchange,
            "symbol": market.info.symbol,
            "formats": list(recording.formats),
            "order": str(recording.order),
            "rows": recording.rows,
            "books": recording.books,
            "trades": recording.trades,
            "passed_over": dict(sorted(recording.skipped.items())),
        }
    }


def _remarks(markets: Sequence[_Market]) -> Iterator[str]:
    for market in markets:
        recording = market.recording
        if recording.has_trades and not recording.trades:
            yield f"{market.info.symbol}: {_NO_TRADES_FOUND}"
        if recording.skipped:
            skipped = ", ".join(f"{count:,} {kind}" for kind, count in sorted(recording.skipped.items()))
            yield f"{market.info.symbol}: passed over of {recording.rows:,} rows: {skipped}"


def _configuration(info: RecordingInfo, settings: Path | None, preset: str | None) -> MarketConfiguration | None:
    """The settings for a recording; None when none are given and no preset fits."""
    if settings is not None and preset is not None:
        raise SettingsError("--preset", "nothing beside --settings", preset, 'Write preset = "..." in the file.')
    if settings is not None:
        return _fitting(info, read_settings(settings), str(settings))
    if preset is not None:
        return _fitting(info, (read_preset(preset),), preset)
    name = matching_preset(info.exchange, info.symbol)
    return None if name is None else read_preset(name)


def _fitting(info: RecordingInfo, markets: Sequence[MarketConfiguration], origin: str) -> MarketConfiguration:
    for market in markets:
        if market.fits_recording(info.exchange, info.symbol):
            return market
    remedy = f'Name another file, or add [recording] with exchanges = ["{info.exchange}"], symbols = ["{info.symbol}"].'
    found = ", ".join(market.symbol for market in markets)
    raise SettingsError(origin, f"a market that fits {info.symbol} at {info.exchange}", found, remedy)


def _settings_named(configuration: MarketConfiguration, settings: Path | None) -> str:
    beneath = f"preset {configuration.preset}" if configuration.preset else "no preset"
    return f"{beneath}" if settings is None else f"settings {settings}, {beneath}"


def _what_to_write(info: RecordingInfo) -> str:
    return f"""mm-fsm: no shipped preset fits {info.symbol} at {info.exchange} (there are {", ".join(preset_names())}).
Write the market's rules and fees into a file, and give it with --settings FILE:

[recording]
exchanges = ["{info.exchange}"]
symbols = ["{info.symbol}"]

[instrument]                # from the venue's list of instruments
symbol = "{info.symbol}"
base_currency = ""
quote_currency = ""
tick_size =                 # smallest step of a price
lot_size =                  # smallest step of a quantity
minimum_quantity =          # of one order; 0 where there is no such rule
minimum_notional =          # of one order, in quote currency; 0 where there is no such rule
kind = "spot"               # or "linear" for a contract settled in the quote currency

[fees]                      # from the venue's fee schedule, for your volume
maker_bps =
taker_bps =

[balances]                  # what part of the account this market may use
base =
quote =

[strategy]
target_spread_bps =         # above two maker fees
max_spread_bps =
base_order_size =           # innermost order, in quote currency

Then see what would be quoted: mm-fsm check FILE --price PRICE"""
