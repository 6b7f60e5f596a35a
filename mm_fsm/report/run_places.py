"""Which directories hold a run: a directory of runs is none, and a run never mixes with others."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mm_fsm.errors import FileError
from mm_fsm.report.files import RESULT_FILE
from mm_fsm.report.run_data.run_origin import ORIGIN_FILE
from mm_fsm.report.status import STATUS_FILE
from mm_fsm.runtime.operations import ABOUT

_MARKS: Final = (RESULT_FILE, STATUS_FILE, ORIGIN_FILE, ABOUT)
"""One of these is in the directory of any run, from its first second."""
STEPS_PAGE: Final = "inspect.html"
"""What ``mm-fsm inspect`` writes beside a run."""
_RUNS_SHOWN: Final = 3


def is_run(directory: Path) -> bool:
    """Whether a run has written to a directory."""
    return any((directory / name).exists() for name in _MARKS)


def runs_found(place: Path) -> str:
    """Names of the runs in a directory of runs, for people; empty where ``place`` is a run itself, or holds none."""
    if not place.is_dir() or is_run(place):
        return ""
    names = sorted(each.name for each in place.iterdir() if not each.is_symlink() and each.is_dir() and is_run(each))
    more = f" and {len(names) - _RUNS_SHOWN:,} more" if len(names) > _RUNS_SHOWN else ""
    return ", ".join(names[:_RUNS_SHOWN]) + more


def refuse_directory_of_runs(place: Path) -> None:
    """Refuse a place that holds several runs, where one run is to be read.

    Raises:
        FileError: it is one.
    """
    names = runs_found(place)
    if names:
        raise FileError(str(place), "a run", f"a directory of runs: {names}", "Name one of the directories in it.")
