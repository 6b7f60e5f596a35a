"""``backtest``: recorded markets on the paper exchange, with the preset that fits it or with given settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen

from mm_fsm.cli.consoles import print_message
from mm_fsm.cli.earlier_run import make_room
from mm_fsm.cli.execution import Output, execute
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.opening import Opening, opened
from mm_fsm.cli.options import RecordingOptions, RunOptions
from mm_fsm.cli.recordings import (
    NO_TRADES_GIVEN,
    described,
    figures_of,
    opened_for,
    recorded_files,
    remarks_on,
)
from mm_fsm.cli.run_directory import once_open, run_directory
from mm_fsm.cli.user_code import load_machine
from mm_fsm.cli.views import choose_view
from mm_fsm.errors import FileError, OptionError, SettingsError
from mm_fsm.report.run_data.run_origin import RecordedData
from mm_fsm.runtime.presets import matching_preset, preset_names
from mm_fsm.runtime.settings_file import MarketConfiguration, read_preset, read_settings
from mm_fsm.venues.paper import PaperAccount
from mm_fsm.venues.recorded import Recording, RecordingInfo
from mm_fsm.venues.recorded.kind import on_recording


@frozen
class _Market:
    """One recorded market with its settings."""

    info: RecordingInfo
    configuration: MarketConfiguration
    recording: Recording
    files: Sequence[Path]

    @property
    def data(self) -> RecordedData:
        """What its venue plays."""
        return RecordedData(files=tuple(self.files), has_trades=self.recording.has_trades)


def run_backtest(given: RecordingOptions, options: RunOptions, *, settings: Path | None, preset: str | None) -> int:
    """Run recorded markets, all at once in time order, and print the result; the exit status.

    Raises:
        MarketMakerError: settings or a recording are refused, or there is no place for the results.
    """
    machine_class = load_machine(options.machine)
    markets: list[_Market] = []
    for symbol, files in recorded_files(given, "backtest").items():
        info = described(files, given, symbol)
        configuration = configuration_for(info, settings, preset)
        if configuration is None:
            print_message(settings_to_write(info))
            return ExitCode.BAD_INPUT
        print_message(f"{info.symbol} at {info.exchange}: {_settings_named(configuration, settings)}", style="dim")
        recording = opened_for(files, given, info, configuration.reading, configuration.symbol)
        markets.append(_Market(info, configuration, recording, files))
    if not all(market.recording.has_trades for market in markets):
        print_message(NO_TRADES_GIVEN)
    directory = run_directory(options.out, _directory_name(markets))
    opening = Opening(
        directory=directory, has_journal=options.journal, machine_class=machine_class, executor=options.executor
    )
    place = f"files go to {directory}{make_room(directory)}"
    venues = [(each.configuration, on_recording(_account(each.configuration), each.recording)) for each in markets]
    return execute(
        once_open(
            lambda: opened(venues, opening, flatten=options.flatten),
            directory,
            is_new=options.out is None,
            tell=lambda: print_message(place, style="dim"),
        ),
        Output(
            directory=directory,
            as_json=options.as_json,
            watch=lambda sessions: choose_view(sessions, quiet=options.quiet),
            remark=lambda: "\n".join(line for each in markets for line in remarks_on(each.recording, each.info)),
            annotate=lambda symbol: _annotation(markets, symbol),
            recorded=lambda: {each.configuration.symbol: each.data for each in markets},
        ),
    )


def _annotation(markets: Sequence[_Market], symbol: str) -> dict[str, Any]:
    """What the entry of a market has besides its report."""
    market = next(each for each in markets if each.configuration.symbol == symbol)
    return {"recording": figures_of(market.recording, market.info)}


def _directory_name(markets: Sequence[_Market]) -> str:
    return "-".join([markets[0].info.exchange, *(market.info.symbol for market in markets)]).lower()


def _account(configuration: MarketConfiguration) -> PaperAccount:
    """The exchange that the recording is shown by: with the settings' latencies where they have any."""
    if isinstance(configuration.venue, PaperAccount):
        return configuration.venue
    remedy = "Give a copy of the settings for backtests, without [venue] and the tables that its kind reads."
    raise SettingsError("venue.kind", "'paper' or 'recorded'", configuration.venue_kind, remedy)


def configuration_for(info: RecordingInfo, settings: Path | None, preset: str | None) -> MarketConfiguration | None:
    """The settings for a recording; None when none are given and no preset fits.

    Raises:
        SettingsError: they are refused, or are of another market.
    """
    if settings is not None and preset is not None:
        raise OptionError("--preset", "nothing beside --settings", preset, 'Write preset = "..." in the file.')
    if settings is not None:
        table = f'[recording] with exchanges = ["{info.exchange}"], symbols = ["{info.symbol}"]'
        remedy = f"Name another file, or add {table}."
        return _fitting(info, read_settings(settings), partial(FileError, str(settings), remedy=remedy))
    if preset is not None:
        remedy = f'Name another, or a settings file with preset = "{preset}" and a table [recording] of its own.'
        return _fitting(info, (read_preset(preset),), partial(OptionError, "--preset", remedy=remedy))
    name = matching_preset(info.exchange, info.symbol)
    return None if name is None else read_preset(name)


def _fitting(
    info: RecordingInfo, markets: Sequence[MarketConfiguration], refusal: Callable[[str, str], SettingsError]
) -> MarketConfiguration:
    for market in markets:
        if market.fits_recording(info.exchange, info.symbol):
            return market
    raise refusal(
        f"a market that fits {info.symbol} at {info.exchange}", ", ".join(market.symbol for market in markets)
    )


def _settings_named(configuration: MarketConfiguration, settings: Path | None) -> str:
    beneath = f"preset {configuration.preset}" if configuration.preset else "no preset"
    return f"{beneath}" if settings is None else f"settings {settings}, {beneath}"


def settings_to_write(info: RecordingInfo) -> str:
    """What to do about a recording that no preset fits."""
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
