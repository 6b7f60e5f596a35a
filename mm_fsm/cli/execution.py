"""Runs sessions to their end while people watch, and leaves the result: on disk, and as the entries of the report."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from signal import Signals
from time import perf_counter
from typing import Any, Final

from attrs import frozen
from rich.text import Text

from mm_fsm.cli.consoles import can_redraw, message_console, print_message, result_console
from mm_fsm.cli.exit_codes import exit_status
from mm_fsm.cli.interruption import Interruption, interruptible
from mm_fsm.cli.run_view import RunView
from mm_fsm.cli.unblocked_output import drain, is_behind, unblocked
from mm_fsm.cli.unprinted_output import print_no_more, unprinted
from mm_fsm.cli.visited import write_visited
from mm_fsm.cli.wrapping import wrapped
from mm_fsm.core.messages import CancelOrder, Intent, PlaceOrder
from mm_fsm.errors import MarketMakerError
from mm_fsm.report.files import SessionFiles, as_text, symbol_directory, write_result
from mm_fsm.report.recorder import SessionRecorder
from mm_fsm.report.run_data.figures_file import PAGE_FILE
from mm_fsm.report.run_data.run_origin import RecordedData
from mm_fsm.report.run_data.run_report import RunReport
from mm_fsm.report.session_report import make_report
from mm_fsm.report.status import StatusFile
from mm_fsm.report.table import endings, result_tables
from mm_fsm.runtime.session import Session
from mm_fsm.runtime.supervisor import Supervising

Watch = Callable[[Sequence[Session]], RunView]
"""Makes what people see of sessions that have been opened."""


_OWN_NAMES: Final = ("mm-fsm", "mm-fsm.exe", "__main__.py")
"""How this program is called."""
_OBJECTS_A_COLLECTION: Final = 100_000
"""New objects after which a run looks for cycles, of which steps leave hardly any: a search of more would be a gap."""


@frozen(kw_only=True)
class Output:
    """How a run is shown, and where its files go."""

    directory: Path
    as_json: bool
    watch: Watch
    remark: Callable[[], str] = str
    """What there is to say once the run is over; nothing by default."""
    annotate: Callable[[str], Mapping[str, Any]] = lambda _: {}
    """What a market's entry has besides its report, by the market's name."""
    recorded: Callable[[], Mapping[str, RecordedData]] = dict
    """What each market's venue plays, where its settings do not name it."""


def execute(
    opening: AbstractContextManager[Supervising],
    output: Output,
) -> int:
    """Run every session to its end, leave what there is to leave, print the result; the exit status.

    Args:
        opening: opens the sessions, and closes their journals and venues.
        output: how the run is shown, and where its files go.

    Raises:
        SettingsError: the directory cannot be written to.
        RecordingError: a recording is malformed from some line on.
    """
    started = perf_counter()
    with unblocked("stderr"), interruptible() as interruption:
        with opening as supervisor:
            sessions = supervisor.sessions
            recorders = {session.symbol: SessionRecorder(session) for session in sessions}
            figures = RunReport(output.directory, sessions, given_command(), output.recorded())
            interruption.ends(supervisor)
            problems = _run(supervisor, recorders, output)
        signal_number = interruption.signal_number
        _say_how_it_ended(interruption)
        _say_what_never_left(supervisor.unsent)
        wall_seconds = perf_counter() - started
        if can_redraw(message_console()):
            print_message("writing the report…", style="dim")
        reports = {symbol: make_report(recorder, wall_seconds) for symbol, recorder in recorders.items()}
        entries = [{**report.entry(), **output.annotate(symbol)} for symbol, report in reports.items()]
        problems += [*_journal_problems(entries), *_written(sessions, entries, output.directory)]
        problems += figures.finish(reports)
        for problem in problems:
            print_message(f"mm-fsm: {problem}", style="red")
        for remark in filter(None, (output.remark(), *_ways_on(sessions, output.directory))):
            print_message(remark, style="dim")
        problems += _printed(entries, as_json=output.as_json)
    return exit_status(entries, signal_number, is_something_unwritten=bool(problems))


def _ways_on(sessions: Sequence[Session], directory: Path) -> Iterator[str]:
    """Where to look next: what a user of the first run does not know yet."""
    if (directory / PAGE_FILE).exists():
        yield f"the run as a page: {directory / PAGE_FILE}"
    yield f"every figure: mm-fsm report {directory}"
    recorded = [each.configuration.journal.record_market_data for each in sessions if each.journal is not None]
    if any(recorded):
        yield f"why a side was empty: mm-fsm why {directory}"
        yield f"step by step: mm-fsm inspect {directory}"
    elif recorded:
        keeps = "record_market_data = true below [journal] keeps what they need"
        yield f"why and step by step: not for this run; {keeps}"


def given_command() -> tuple[str, ...]:
    """The command line as it was given; empty where the program is part of another one. No option takes a secret."""
    program = Path(sys.argv[0]).name
    return ("mm-fsm", *sys.argv[1:]) if program in _OWN_NAMES else ()


def _printed(entries: Sequence[Mapping[str, Any]], *, as_json: bool) -> Iterator[str]:
    """Print the result. What became of the sessions decides the exit status, also where nobody reads any more."""
    drain(sys.stderr)
    try:
        # a pipe is waited for: whoever reads it wants all; a terminal that is stopped would keep the process for ever
        with unblocked("stdout") if sys.stdout.isatty() else nullcontext():
            print_result(entries, as_json=as_json, in_full=False)
            sys.stdout.flush()
    except BrokenPipeError:
        print_no_more()
    except OSError as error:
        print_no_more()
        print_message(f"mm-fsm: {unprinted(error)}", style="red")
        yield unprinted(error)
    if is_behind(sys.stdout):
        yield "the result could not be printed: the terminal takes nothing"


def print_result(entries: Sequence[Mapping[str, Any]], *, as_json: bool, in_full: bool) -> None:
    """Print a result to standard output, one JSON object or tables, and last how each market was left."""
    console = result_console()
    if as_json:
        console.out(as_text(entries), end="", highlight=False)
        for line in endings(entries):
            print_message(line)
        return
    console.print(result_tables(entries, console.width, in_full=in_full))
    for line in endings(entries):
        for part in wrapped(Text(line), console.width) if console.is_terminal else [Text(line)]:
            console.print(part, soft_wrap=True)


def _run(supervisor: Supervising, recorders: Mapping[str, SessionRecorder], output: Output) -> list[str]:
    """Let the sessions run, everything they do being written and shown; what could not be written."""
    with ExitStack() as stack:
        stack.enter_context(_cycles_seldom_sought())
        files: dict[Session, SessionFiles] = {}
        for session in supervisor.sessions:
            place = symbol_directory(output.directory, session.symbol)
            files[session] = stack.enter_context(SessionFiles(session, place))
        counting = {session: recorders[session.symbol] for session in supervisor.sessions}
        status = stack.enter_context(StatusFile(output.directory, supervisor.sessions))
        view = stack.enter_context(output.watch(supervisor.sessions))
        for taken in supervisor.run():
            if taken is None:
                status.tick()
                view.tick()
                continue
            session, result = taken
            counting[session].take(result)
            files[session].take(result)
            status.take(session, result)
            view.take(session, result)
    failures = {each.directory: each.failure for each in files.values()} | {status.path: status.failure}
    return [f"{path}: not all could be written: {failure}" for path, failure in failures.items() if failure]


@contextmanager
def _cycles_seldom_sought() -> Iterator[None]:
    """What the program holds by now stays: searching it for cycles costs time, and gaps."""
    thresholds = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS_A_COLLECTION, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _journal_problems(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        failure = None if entry["journal"] is None else entry["journal"]["failure"]
        if failure is not None:
            yield f"journal of {entry['symbol']}: expected to be written, found {failure}. Make room or access."


def _written(sessions: Sequence[Session], entries: Sequence[Mapping[str, Any]], directory: Path) -> Iterator[str]:
    """Write the result and the pictures; what could not be written."""
    try:
        write_result(directory, entries)
        for session in sessions:
            write_visited(session, symbol_directory(directory, session.symbol))
    except (MarketMakerError, OSError) as error:
        yield str(error)


def _say_what_never_left(unsent: Sequence[Intent]) -> None:
    """Requests whose outcome nobody knows: the next run on the account asks for each of these orders."""
    for kind, name in ((CancelOrder, "cancels"), (PlaceOrder, "placements")):
        orders = sorted(each.client_order_id for each in unsent if isinstance(each, kind))
        if orders:
            print_message(
                f"{len(orders)} {name} did not leave, or had no answer, in time: {', '.join(orders)}", style="red"
            )


def _say_how_it_ended(interruption: Interruption) -> None:
    if interruption.signal_number is None:
        return
    name = Signals(interruption.signal_number).name
    if interruption.leaves:
        print_message(f"interrupted by {name}, and again: cancels were sent, no answer was waited for", style="yellow")
    else:
        print_message(f"interrupted by {name}", style="yellow")
