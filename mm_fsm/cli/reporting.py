"""``report`` and ``compare``: what runs came to, as tables, as pages, and beside each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, evolve, frozen

from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.execution import print_result
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.library_output import library_output_hidden
from mm_fsm.cli.long_work import long_work
from mm_fsm.cli.run_journals import own_journals, say_whose_steps
from mm_fsm.cli.user_code import find_modules_here
from mm_fsm.core.programme import ProgrammeRule
from mm_fsm.errors import FileError, JournalError, OptionError
from mm_fsm.report.exact import as_json
from mm_fsm.report.figures import RunFigures
from mm_fsm.report.figures_table import comparison_tables, figures_table
from mm_fsm.report.files import RESULT_FILE, read_result
from mm_fsm.report.run_condition import LISTENING, condition_of
from mm_fsm.report.run_data.baseline import run_baseline
from mm_fsm.report.run_data.comparing import compared
from mm_fsm.report.run_data.figures_file import FIGURES_FILE, PAGE_FILE, UnusableFiguresError, read_figures
from mm_fsm.report.run_data.from_journal import Replaying, figures_from_journals, forgotten_text
from mm_fsm.report.run_data.run_origin import read_origin
from mm_fsm.report.run_data.run_report import write_report
from mm_fsm.report.run_data.settings_text import SETTINGS_FILE
from mm_fsm.report.status import STATUS_FILE, read_status
from mm_fsm.runtime.operations import OperationsDirectory, this_run
from mm_fsm.runtime.settings_file import read_settings


@frozen(kw_only=True)
class ReportOptions:
    """Options of ``report``."""

    directory: Path
    brief: bool
    as_json: bool
    quiet: bool
    baseline: bool
    programme: Mapping[str, Any]
    """Of the programme's rule, what the command line says otherwise."""


def run_report(options: ReportOptions) -> int:
    """Print the result of a run, and write ``report.html`` anew; the exit status.

    Raises:
        MarketMakerError: there is no run, its journal does not replay, or an option cannot be followed.
    """
    directory = options.directory
    figures = _figures(options)
    problems: list[str] = []
    if figures is not None and options.baseline:
        figures = _with_baselines(figures, options)
    if figures is not None:
        try:
            with library_output_hidden():
                write_report(directory, figures)
        except OSError as error:
            problems.append(f"report in {directory}: expected to be written, found {error.strerror or error}.")
    _print(options, figures)
    for problem in problems:
        print_message(f"mm-fsm: {problem}", style="red")
    return ExitCode.FAILURE if problems else ExitCode.SUCCESS


def _print(options: ReportOptions, figures: RunFigures | None) -> None:
    directory, console = options.directory, result_console()
    has_result = (directory / RESULT_FILE).exists() or directory.is_file()
    if options.as_json and figures is not None:
        content: dict[str, Any] = {"symbols": read_result(directory) if has_result else []}
        content["report"] = str(directory / FIGURES_FILE)
        content["page"] = str(directory / PAGE_FILE) if (directory / PAGE_FILE).exists() else None
        content["markets"] = [_headline(each) for each in figures.entry()["markets"]]
        console.out(json.dumps(content, indent=2, allow_nan=False), highlight=False)
        return
    for market in figures.markets if figures is not None else ():
        if market.forgotten_seconds is not None:
            print_message(f"{market.symbol}: {forgotten_text(market.forgotten_seconds)}", style="red")
    if has_result:
        print_result(read_result(directory), as_json=options.as_json, in_full=not options.brief)
    if figures is None:
        return
    if not has_result or any(market.baseline is not None for market in figures.markets):
        console.print(figures_table(figures, console.width))
    for note in (*figures.notes, *(note for market in figures.markets for note in market.notes)):
        print_message(note, style="dim")
    if (directory / PAGE_FILE).exists():
        print_message(f"the page of it: {directory / PAGE_FILE}", style="dim")


def _headline(market: Mapping[str, Any]) -> dict[str, Any]:
    """What of a market's figures is no long column."""
    names = ("symbol", "outcome", "seconds", "profit", "drawdown", "inventory", "presence", "orders", "notes")
    return {name: market[name] for name in names} | {"baseline": market["baseline"]}


def _figures(options: ReportOptions) -> RunFigures | None:
    """The figures that the run has left, or made from its journals; None where it has left neither.

    Raises:
        MarketMakerError: a file is damaged, a journal does not replay, or there is no run at all.
    """
    directory = options.directory
    if directory.is_file():
        return None
    found: RunFigures | None = None
    refused: UnusableFiguresError | None = None
    try:
        found = None if options.programme else read_figures(directory)
    except UnusableFiguresError as error:
        refused = error
    if found is not None and found.reproduction.made_by == "run":
        return found
    by_symbol = own_journals(directory) if directory.is_dir() else {}
    journals = list(by_symbol.values())
    if found is not None and not _has_grown(journals, directory / FIGURES_FILE):
        return found
    if not journals and options.programme:
        name = next(iter(options.programme)).replace("_", "-")
        remedy = "Make the run with a journal, or write [programme] in its settings."
        raise OptionError(f"--{name}", f"a run with a journal in {directory}", "none", remedy)
    if not journals:
        if refused is not None:
            if not (directory / RESULT_FILE).exists():
                raise refused
            print_message(str(refused), style="yellow")
        read_result(directory)  # what is there of an earlier version is printed; nothing at all is refused
        return None
    if refused is not None:
        print_message(f"{refused.field}: {refused.found}; made anew from the journal", style="dim")
    say_whose_steps(directory, by_symbol)
    return _replayed(options, journals)


def _has_grown(journals: Sequence[Path], since: Path) -> bool:
    """Whether a journal was written after the figures that were made from it: the run went on."""
    files = [*journals, *(path.with_name(f"{path.name}-wal") for path in journals)]
    return any(path.stat().st_mtime_ns > since.stat().st_mtime_ns for path in files if path.exists())


def _replayed(options: ReportOptions, journals: Sequence[Path]) -> RunFigures | None:
    find_modules_here()  # a machine that wrote a journal may be one of them
    directory, origin = options.directory, read_origin(options.directory)
    rule = evolve(ProgrammeRule(), **options.programme) if options.programme else None
    is_over = not _is_running(directory)
    with long_work("report", str(directory), quiet=options.quiet) as tell:
        replaying = Replaying(rule=rule, tables_below=directory if is_over else None, on_progress=tell)
        try:
            return figures_from_journals(directory, journals, origin, replaying)
        except JournalError as error:
            if options.programme or not (directory / RESULT_FILE).exists():
                raise
            print_message(f"no figures beside these, and no page: {error}", style="dim")
            return None


def _is_running(directory: Path) -> bool:
    """Whether the run's own process writes there."""
    if not (directory / STATUS_FILE).exists():
        return False
    status = read_status(directory)
    return condition_of(OperationsDirectory(directory), status) in LISTENING and status["run"] != this_run()


def _with_baselines(figures: RunFigures, options: ReportOptions) -> RunFigures:
    """Each market with the plain quoter beside it.

    Raises:
        MarketMakerError: the run's settings are not there, or name no market that can be made again.
    """
    path = options.directory / SETTINGS_FILE
    if not path.exists():
        remedy = "Make the run again: it leaves its settings then."
        raise FileError(str(path), "the settings of the run", "none", remedy)
    configurations = {each.symbol: each for each in read_settings(path)}
    markets = []
    for market in figures.markets:
        with long_work("baseline", market.symbol, quiet=options.quiet) as tell:
            baseline = run_baseline(configurations[market.symbol], market, tell)
        markets.append(evolve(market, baseline=baseline))
    return evolve(figures, markets=tuple(markets))


def run_compare(directories: Sequence[Path], *, block_seconds: float | None, as_json: bool, quiet: bool) -> int:
    """Print runs side by side with their paired differences; the exit status: 1 where none could be paired.

    Raises:
        MarketMakerError: fewer than two runs are named, or one of them has left no figures and no journal.
    """
    different = len({directory.resolve() for directory in directories})
    if different < len(directories) or different <= 1:
        raise OptionError("RUN", "two runs or more", f"{different} of them", "Name the directories of different runs.")
    runs = {}
    for directory in directories:
        options = ReportOptions(
            directory=directory, brief=True, as_json=as_json, quiet=quiet, baseline=False, programme={}
        )
        figures = _figures(options)
        if figures is None:
            remedy = "Make it again with this version, or with a journal."
            raise FileError(str(directory), "a run with figures or a journal", "neither", remedy)
        runs[str(directory)] = figures
    comparisons = compared(runs, block_seconds)
    console = result_console()
    if as_json:
        content = {"markets": [as_json_object(each) for each in comparisons]}
        console.out(json.dumps(content, indent=2, allow_nan=False), highlight=False)
    else:
        console.print(comparison_tables(comparisons, console.width))
    for line in _refusals(comparisons):
        print_message(line, style="yellow")
    return ExitCode.SUCCESS if any(each.pairs for each in comparisons) else ExitCode.FAILURE


def _refusals(comparisons: Sequence[Any]) -> Iterator[str]:
    for each in comparisons:
        yield from (f"{each.symbol}: {refusal}" for refusal in each.refused)


def as_json_object(value: Any) -> Any:
    """An attrs object with only what JSON knows."""
    return as_json(asdict(value))
