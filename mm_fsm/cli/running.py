"""``run``: simulated markets on the paper exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.execution import execute
from mm_fsm.cli.exit_codes import exit_status
from mm_fsm.cli.views import choose_view
from mm_fsm.core.clock import nanoseconds
from mm_fsm.report.files import as_text
from mm_fsm.report.table import result_tables
from mm_fsm.runtime.pacing import Pacer
from mm_fsm.runtime.session import Session, for_simulation, open_simulated_session
from mm_fsm.runtime.settings_file import MarketConfiguration, read_preset, read_settings

DEMONSTRATION_PRESETS: Final = ("paper_ethusd", "paper_btcusd")
DEFAULT_DIRECTORY: Final = Path("runs")


def run_simulation(
    settings: Path | None,
    *,
    duration_seconds: float | None,
    speed: str,
    seed: int | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Run every market of the settings, or the demonstration's, and print the result; the exit status.

    Raises:
        MarketMakerError: settings are refused, or results cannot be written.
    """
    markets: Sequence[MarketConfiguration]
    markets = [read_preset(name) for name in DEMONSTRATION_PRESETS] if settings is None else read_settings(settings)
    configurations = [
        for_simulation(market, duration_seconds=duration_seconds, seed=None if seed is None else seed + index)
        for index, market in enumerate(markets)
    ]
    sessions = [open_simulated_session(configuration) for configuration in configurations]
    directory = out or DEFAULT_DIRECTORY / ("demo" if settings is None else settings.stem)
    view = choose_view(sessions, lambda: _fraction_done(sessions), quiet=quiet)
    run = execute(sessions, view, directory, None if speed == "max" else Pacer(float(speed)))
    print_result(run.entries, as_json=as_json)
    print_message(f"files are in {directory}", style="dim")
    return exit_status(run.entries, run.signal_number)


def print_result(entries: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print a result to standard output: one JSON object, or tables."""
    console = result_console()
    if as_json:
        console.out(as_text(entries), end="", highlight=False)
    else:
        console.print(result_tables(entries, console.width))


def _fraction_done(sessions: Sequence[Session]) -> float:
    return min(_fraction_of(session) for session in sessions)


def _fraction_of(session: Session) -> float:
    """How much of a session is over; its wind-down is not counted."""
    if session.machine.is_final:
        return 1.0
    strategy, simulator = session.configuration.strategy, session.configuration.simulator
    length = simulator.duration_seconds if strategy.session_seconds is None else strategy.session_seconds
    return min((session.runner.now - simulator.start_time) / max(nanoseconds(length), 1), 1.0)
