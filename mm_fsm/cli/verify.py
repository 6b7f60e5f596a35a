"""``verify``: replay the journals of a run and compare every step."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from mm_fsm.cli.consoles import result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.long_work import long_work
from mm_fsm.cli.run_journals import journals_by_symbol, say_whose_steps, strategy_of
from mm_fsm.cli.user_code import find_modules_here, load_strategy
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import JournalError
from mm_fsm.machine.strategy import StrategyMachine
from mm_fsm.runtime.journal import JournalReader, VerifyReport, verify_run


def run_verify(place: Path, *, machine: str | None, settings: Path | None, as_json: bool, quiet: bool) -> int:
    """Verify one journal, or every journal of a run, and print what was found; the exit status.

    Raises:
        JournalError: a file is no sound journal, there is none, or two are of one market.
        MarketMakerError: the machine's class is not there, or the settings are refused.
    """
    find_modules_here()  # a machine that wrote a journal may be one of them
    machine_class = None if machine is None else load_strategy(machine)
    reports = []
    journals = journals_by_symbol(place)
    say_whose_steps(place, journals)
    for symbol, path in journals.items():
        with long_work("verify", str(path), quiet=quiet) as tell:
            changed = None if settings is None else strategy_of(symbol, settings)
            reports.append(_verify(path, machine_class, changed, tell))
    console = result_console()
    if as_json:
        console.out(json.dumps({"journals": [report.entry() for report in reports]}, indent=2), highlight=False)
    else:
        console.print("\n\n".join(map(str, reports)), highlight=False, markup=False, soft_wrap=True)
    return ExitCode.SUCCESS if all(report.is_clean for report in reports) else ExitCode.FAILURE


def _verify(
    path: Path,
    machine_class: type[StrategyMachine] | None,
    settings: MarketMakingSettings | None,
    tell: Callable[[float], None],
) -> VerifyReport:
    try:
        with JournalReader(path) as reader:
            last = max(reader.last_sequence, 1)
        report = verify_run(path, machine_class, settings=settings, on_progress=lambda sequence: tell(sequence / last))
    except JournalError as error:  # of several journals with one name, which?
        raise JournalError(str(path), error.problem, error.remedy) from error
    report.journal = str(path)
    return report
