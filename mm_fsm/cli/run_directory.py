"""Where a run's files go: a directory of its own, so that no run writes over another's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import Final, TypeVar

from mm_fsm.cli.earlier_run import forget_steps
from mm_fsm.errors import OptionError
from mm_fsm.report.run_places import runs_found

RUNS: Final = Path("runs")
LATEST: Final = "latest"
_Opened = TypeVar("_Opened")


def run_directory(out: Path | None, name: str, *, runs: Path = RUNS) -> Path:
    """The directory that was asked for, else a new one under ``runs`` that is named by the time and ``name``.

    ``once_open`` lets ``runs/latest`` point at the new one.

    Raises:
        OptionError: no directory can be made there, a file is there, or several runs are: files would mix.
    """
    if out is not None:
        if out.exists() and not out.is_dir():
            expected, remedy = "a directory", "Name another."
            words = f"option '--out': expected {expected}, found the file {out}. {remedy}"
            raise OptionError("--out", expected, str(out), remedy, words=words)
        names = runs_found(out)
        if names:
            remedy = f"Name one of its own, such as {out / name}."
            raise OptionError("--out", "a directory for one run", f"a directory of runs: {names}", remedy)
        return out
    began = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    try:
        runs.mkdir(parents=True, exist_ok=True)
        directory = _make(runs, f"{began}-{name}")
    except OSError as error:
        expected = "a directory that can be made"
        raise OptionError("--out", expected, f"{runs}: {error.strerror}", "Name another with --out DIR.") from error
    return directory


@contextmanager
def once_open(
    make: Callable[[], AbstractContextManager[_Opened]],
    directory: Path,
    *,
    is_new: bool,
    tell: Callable[[], None] = lambda: None,
) -> Iterator[_Opened]:
    """What ``make`` opens; only once it is open does ``runs/latest`` point at its directory, and is anything told.

    Who asks the last run to stop must not reach one that was refused: another may be trading. The directory of a
    refused run goes.

    Args:
        make: opens the run.
        directory: where its files go.
        is_new: whether ``run_directory`` has made it for this run alone.
        tell: says what has begun.
    """
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(make())
        except BaseException:
            if is_new:
                rmtree(directory, ignore_errors=True)
            raise
        if is_new or _is_below(RUNS, directory):
            _point_at(directory.with_name(LATEST), directory)
        forget_steps(directory)
        tell()
        yield opened


def _is_below(runs: Path, directory: Path) -> bool:
    """Whether a directory that was asked for is one of those among which the last run is looked for."""
    return directory.absolute().parent == runs.absolute() and directory.name != LATEST


def _make(runs: Path, name: str) -> Path:
    for number in count(1):
        directory = runs / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            directory.mkdir()
            return directory
    raise AssertionError


def _point_at(link: Path, directory: Path) -> None:
    """Replace the link in one step, so that who follows it meanwhile finds the one or the other run."""
    fresh = link.with_name(f".{LATEST}-{directory.name}")
    with suppress(OSError):  # no links here, or something of that name that is none: the run goes on without
        if link.exists() and not link.is_symlink():
            return
        fresh.symlink_to(directory.name, target_is_directory=True)
        fresh.replace(link)
