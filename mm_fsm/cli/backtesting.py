"""``backtest``: a recorded market on the paper exchange, with the preset that fits it or with given settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mm_fsm.cli.consoles import print_message
from mm_fsm.cli.execution import Output, execute
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.opening import Opening, opened
from mm_fsm.cli.options import RunOptions
from mm_fsm.cli.run_directory import run_directory
from mm_fsm.cli.user_code import load_machine
from mm_fsm.cli.views import choose_view
from mm_fsm.errors import RecordingError, SettingsError
from mm_fsm.runtime.presets import matching_preset, preset_names
from mm_fsm.runtime.settings_file import MarketConfiguration, read_preset, read_settings
from mm_fsm.venues.paper import PaperAccount
from mm_fsm.venues.recorded import BinanceRecording, Recording, RecordingInfo, TardisRecording, open_recording
from mm_fsm.venues.recorded.kind import on_recording

_FORMATS: Final[dict[str, type[Recording]]] = {"tardis": TardisRecording, "binance-stream": BinanceRecording}


def run_backtest(
    files: Sequence[Path],
    recording_format: str | None,
    options: RunOptions,
    *,
    settings: Path | None,
    preset: str | None,
) -> int:
    """Run one recording and print the result; the exit status.

    Raises:
        MarketMakerError: settings or the recording are refused, or there is no place for the results.
    """
    machine_class = load_machine(options.machine)
    info = _recording(files, recording_format, symbol=None).describe()
    configuration = _configuration(info, settings, preset)
    if configuration is None:
        print_message(_what_to_write(info))
        return ExitCode.BAD_INPUT
    print_message(f"{info.symbol} at {info.exchange}: {_settings_named(configuration, settings)}", style="dim")
    recording = _recording(files, recording_format, symbol=configuration.symbol)
    if isinstance(recording, TardisRecording) and not recording.has_trades:
        print_message("no trades were given: an order is filled only when the other side's quotes reach its price")
    venue = on_recording(_account(configuration), recording)
    directory = run_directory(options.out, f"{info.exchange}-{info.symbol}".lower())
    opening = Opening(
        directory=directory, has_journal=options.journal, machine_class=machine_class, executor=options.executor
    )
    return execute(
        opened([(configuration, venue)], opening, flatten=options.flatten),
        Output(
            directory=directory,
            as_json=options.as_json,
            watch=lambda sessions: choose_view(sessions, quiet=options.quiet),
            remark=lambda: _passed_over(recording),
        ),
    )


def _account(configuration: MarketConfiguration) -> PaperAccount:
    """The exchange that the recording is shown by: with the settings' latencies where they have any."""
    if isinstance(configuration.venue, PaperAccount):
        return configuration.venue
    remedy = "Give a copy of the settings for backtests, without [venue] and the tables that its kind reads."
    raise SettingsError("venue.kind", "'paper' or 'recorded'", configuration.venue_kind, remedy)


def _passed_over(recording: Recording) -> str:
    if not recording.skipped:
        return ""
    skipped = ", ".join(f"{count:,} of {kind}" for kind, count in sorted(recording.skipped.items()))
    return f"messages that are no book and no trade were passed over: {skipped}"


def _recording(files: Sequence[Path], recording_format: str | None, *, symbol: str | None) -> Recording:
    if not files:
        remedy = "Give --quotes FILE --trades FILE, or --capture FILE."
        raise SettingsError("recording", "at least one file", "none", remedy)
    recording = open_recording(files, symbol=symbol)
    if recording_format is not None and not isinstance(recording, _FORMATS[recording_format]):
        found = next(name for name, kind in _FORMATS.items() if isinstance(recording, kind))
        problem = f"expected the format {recording_format}, found {found}."
        raise RecordingError(files[0].name, 0, problem, "Leave --format out, or name the other one.")
    return recording


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
