"""Room for a run in a directory that an earlier one has written to: its unfinished files are kept, the rest is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from shutil import copy2
from typing import Final

from mm_fsm.errors import FileError, OptionError
from mm_fsm.report.files import RESULT_FILE
from mm_fsm.report.run_condition import LISTENING, RunCondition, condition_of
from mm_fsm.report.run_data.figures_file import FIGURES_FILE, PAGE_FILE
from mm_fsm.report.run_data.run_origin import ORIGIN_FILE
from mm_fsm.report.run_data.settings_text import SETTINGS_FILE
from mm_fsm.report.run_places import STEPS_PAGE, is_run
from mm_fsm.report.status import STATUS_FILE, read_status
from mm_fsm.runtime.operations import ABOUT, ENDED, FOUND, HEARTBEAT, STOP, OperationsDirectory

_OF_A_RUN: Final = frozenset(
    {RESULT_FILE, FIGURES_FILE, PAGE_FILE, ORIGIN_FILE, STATUS_FILE, STEPS_PAGE, ABOUT, ENDED, FOUND, HEARTBEAT, STOP}
)
_OF_A_MARKET: Final = ("run.journal", "fills.csv")
"""One of these is in the directory of each market of a run."""


def make_room(directory: Path) -> str:
    """Keep the files of an unfinished run elsewhere; which run's place the next one takes, for people.

    One with real orders goes on from its journal, which lies elsewhere, so its files stay where they are. A pause stays
    as well: it holds for whatever runs there.

    Returns:
        Words that go on from "files go to DIRECTORY"; empty where no earlier run has ended there.

    Raises:
        OptionError: the files cannot be kept.
    """
    if not is_run(directory):
        return ""
    try:
        status = read_status(directory)
    except FileError:
        return ", in place of an earlier run"
    condition = condition_of(OperationsDirectory(directory), status)
    if condition in LISTENING:  # the lock says whether somebody has it
        return ""
    written = datetime.fromtimestamp(status["written_at"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if condition is RunCondition.ENDED:
        return f", in place of the run that ended at {written}"
    if any(each["has_real_orders"] for each in status["symbols"]):
        return f", in place of the run that was left unfinished at {written}; its journal goes on"
    try:
        kept = _set_aside(directory)
    except OSError as error:
        expected = f"room for the files of the run that was left unfinished at {written}"
        found = f"{directory}: {error.strerror or error}"
        raise OptionError("--out", expected, found, "Name another directory.") from error
    return f"; the files of the run that was left unfinished at {written} are kept in {kept}"


def forget_steps(directory: Path) -> None:
    """Remove the page that steps through an earlier run: links of the next one's report would lead to its steps.

    Never raises: whoever cannot remove it is told by the run, which cannot write there either.
    """
    with suppress(OSError):
        (directory / STEPS_PAGE).unlink(missing_ok=True)


def _set_aside(directory: Path) -> Path:
    """Move what a run has written to a directory beside its own; the settings are copied, as they may be a user's."""
    place = directory.resolve()
    kept = next(path for path in _names(place) if not path.exists())
    kept.mkdir()
    for each in sorted(place.iterdir()):
        is_market = each.is_dir() and any((each / name).exists() for name in _OF_A_MARKET)
        if each.name in _OF_A_RUN or is_market:
            each.rename(kept / each.name)
    if (place / SETTINGS_FILE).is_file():
        copy2(place / SETTINGS_FILE, kept / SETTINGS_FILE)
    return directory.with_name(kept.name) if directory.name == place.name else kept


def _names(place: Path) -> Iterator[Path]:
    return (place.with_name(f"{place.name}.unfinished-{number}") for number in count(1))
