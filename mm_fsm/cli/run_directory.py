"""Where a run's files go: a directory of its own, so that no run writes over another's."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

from mm_fsm.errors import OptionError

RUNS: Final = Path("runs")
LATEST: Final = "latest"


def run_directory(out: Path | None, name: str, *, runs: Path = RUNS) -> Path:
    """The directory that was asked for, else a new one under ``runs`` that is named by the time and ``name``.

    ``runs/latest`` points at the new one, where the file system has links.

    Raises:
        SettingsError: no directory can be made there.
    """
    if out is not None:
        return out
    began = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    try:
        runs.mkdir(parents=True, exist_ok=True)
        directory = _make(runs, f"{began}-{name}")
    except OSError as error:
        expected = "a directory that can be made"
        raise OptionError("--out", expected, f"{runs}: {error.strerror}", "Name another with --out DIR.") from error
    _point_at(runs / LATEST, directory)
    return directory


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
