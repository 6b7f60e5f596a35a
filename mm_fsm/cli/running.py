"""``run``: markets on the venues that settings name, or shipped ones on the paper exchange."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from mm_fsm.cli.asked_for import refuse_unasked_live
from mm_fsm.cli.consoles import print_message
from mm_fsm.cli.durations import duration_in_words
from mm_fsm.cli.earlier_run import make_room
from mm_fsm.cli.execution import Output, execute
from mm_fsm.cli.log_format import log_to_standard_error
from mm_fsm.cli.opening import Opening, opened, opened_in_wall_time
from mm_fsm.cli.options import RunOptions
from mm_fsm.cli.run_directory import once_open, run_directory
from mm_fsm.cli.user_code import load_machine
from mm_fsm.cli.views import choose_view
from mm_fsm.cli.watchers import prepare_watching
from mm_fsm.runtime.operations import PAUSE, OperationsDirectory
from mm_fsm.runtime.pacing import Pacer
from mm_fsm.runtime.session import for_session, open_venue
from mm_fsm.runtime.settings_file import MarketConfiguration, read_preset, read_settings
from mm_fsm.runtime.supervisor import Supervising
from mm_fsm.venues.paper import PaperPlan
from mm_fsm.venues.port import PlacedPlan, PushedPlan

DEMONSTRATION_PRESETS: Final = ("paper_ethusd", "paper_btcusd")
DEMONSTRATION: Final = "demonstration: two simulated markets; no account, no network, no real orders"
"""What a run without settings is, in its first line."""


def run_simulation(
    settings: Path | None,
    options: RunOptions,
    *,
    duration_seconds: float | None,
    speed: str,
    seed: int | None,
    live: bool,
) -> int:
    """Run every market of the settings, or the demonstration's, and print the result; the exit status.

    Raises:
        MarketMakerError: settings are refused, or there is no place for the results.
    """
    machine_class = load_machine(options.machine)
    configurations = _markets_of(settings, duration_seconds, seed)
    refuse_unasked_live(configurations, asked=live)
    watching = prepare_watching(configurations)
    heading = DEMONSTRATION if settings is None else _real_orders(configurations)
    directory = run_directory(options.out, "demo" if settings is None else settings.stem)
    opening = Opening(
        directory=directory,
        has_journal=options.journal,
        machine_class=machine_class,
        executor=options.executor,
        operations=OperationsDirectory(directory),
        settings=settings,
    )
    place = f"files go to {directory}{make_room(directory)}"

    def tell() -> None:
        _warn_if_paused(directory)
        if not options.quiet:
            _announce(heading, *_what_is_shown(configurations, place, is_real_time=speed != "max"))
            _announce(*_too_short(configurations), style="yellow")

    return execute(
        once_open(
            lambda: _opened(configurations, opening, speed, flatten=options.flatten),
            directory,
            is_new=options.out is None,
            tell=tell,
        ),
        Output(
            directory=directory,
            as_json=options.as_json,
            remark=lambda: _ended_paused(directory),
            watch=lambda shown: watching.of(choose_view(shown, quiet=options.quiet, heading=heading), shown, directory),
        ),
    )


def _markets_of(settings: Path | None, duration_seconds: float | None, seed: int | None) -> list[MarketConfiguration]:
    markets = [*map(read_preset, DEMONSTRATION_PRESETS)] if settings is None else read_settings(settings)
    return [
        for_session(market, duration_seconds=duration_seconds, seed=None if seed is None else seed + index)
        for index, market in enumerate(markets)
    ]


def _real_orders(configurations: Sequence[MarketConfiguration]) -> str | None:
    """Where real orders leave, in a few words that stay in sight; None where none does."""
    live = [each.symbol for each in configurations if each.venue.is_live]
    more = f" and {len(live) - 1} more" if len(live) > 1 else ""
    return f"REAL orders: {live[0]}{more}" if live else None


def _announce(*lines: str | None, style: str = "dim") -> None:
    for line in lines:
        if line is not None:
            print_message(line, style=style)


def _warn_if_paused(directory: Path) -> None:
    """A run that places no order says why, also where it is to be quiet."""
    if OperationsDirectory(directory).wishes().pause is not None:
        place = f"{directory / PAUSE} is there; mm-fsm resume {directory} lets it quote"
        print_message(f"this run begins paused: {place}", style="yellow")


def _ended_paused(directory: Path) -> str:
    """What to know of a run that ended while it was paused; nothing of any other."""
    if OperationsDirectory(directory).wishes().pause is None:
        return ""
    place = f"{directory / PAUSE} is there; mm-fsm resume {directory} lets the next one quote"
    return f"this run ended paused: {place}"


def _what_is_shown(configurations: Sequence[MarketConfiguration], files: str, *, is_real_time: bool) -> Iterator[str]:
    """What begins, in a few lines."""
    for each in configurations:
        venue = each.venue
        place = f"a venue of kind {each.venue_kind!r}"
        place = f"{venue.place_name if isinstance(venue, PlacedPlan) else place}"
        place = f"with {'REAL' if venue.is_live else 'no real'} orders at {place}"
        if isinstance(venue, PaperPlan):
            length = _length(each) or 0.0
            pace = "paced by the clock" if is_real_time else "as fast as it goes"
            place = f"on paper, in a simulated market (seed {venue.simulator.seed}), "
            place += f"for {duration_in_words(length)} of its time, {pace}"
        yield f"making {each.symbol} {place}"
    yield f"{files}; Ctrl-C cancels every order, confirms that, and ends the run"


def _length(market: MarketConfiguration) -> float | None:
    """Seconds of event time that a run lasts; None where nobody has said so."""
    if market.strategy.session_seconds is None and isinstance(market.venue, PaperPlan):
        return market.venue.simulator.duration_seconds
    return market.strategy.session_seconds


def _too_short(markets: Sequence[MarketConfiguration]) -> Iterator[str]:
    """Of a run that ends before volatility is known: why nothing will be quoted."""
    for each in markets:
        length = _length(each)
        measured = each.strategy.warm_up_samples * each.strategy.volatility_sample_seconds
        if length is not None and length <= measured:
            yield (
                f"{each.symbol}: volatility takes about {duration_in_words(measured)} to measure first; a run of "
                f"{duration_in_words(length)} will quote nothing"
            )


def _opened(
    configurations: Sequence[MarketConfiguration], opening: Opening, speed: str, *, flatten: bool | None
) -> AbstractContextManager[Supervising]:
    """In wall time where facts are pushed, else in event time."""
    if any(isinstance(each.venue, PushedPlan) for each in configurations):
        log_to_standard_error()  # what a venue says while it opens has fields that matter
        return opened_in_wall_time(configurations, opening, flatten=flatten)
    markets = [(configuration, open_venue(configuration)) for configuration in configurations]
    return opened(markets, opening, None if speed == "max" else Pacer(float(speed)), flatten=flatten)
