"""A run into a directory of an earlier one: nothing of an unfinished one is lost; whose place it takes is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.cli.earlier_run import make_room
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.report.status import STATUS_FILE
from mm_fsm.runtime.operations import ENDED, PAUSE
from tests.cli.command_line import run, write_settings
from tests.runtime.settings_texts import MARKET

SHORT = ("--quiet", "--duration", "20s", "--seed", "7")
NOBODY = 2**22 + 1
"""More than Linux ever numbers a process."""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run on paper that has ended."""
    place = tmp_path_factory.mktemp("ended")
    assert run("run", write_settings(place, MARKET), *SHORT, "--out", place / "out").status == ExitCode.SUCCESS
    return place / "out"


@pytest.fixture
def runs(ended: Path, tmp_path: Path) -> Path:
    """A directory of runs, with the ended one as ``one``."""
    shutil.copytree(ended, tmp_path / "runs" / "one")
    return tmp_path / "runs"


def killed(directory: Path, **changes: Any) -> None:
    """Let a run look as SIGKILL leaves one."""
    (directory / ENDED).unlink()
    for name in (STATUS_FILE, "operations.json"):
        content = json.loads((directory / name).read_text())
        content["process"] = NOBODY
        if name == STATUS_FILE:
            content["is_running"] = True
            content["symbols"] = [{**each, "has_ended": False, **changes} for each in content["symbols"]]
        (directory / name).write_text(json.dumps(content))


def test_the_next_run_says_whose_place_it_takes_and_removes_the_page_of_its_steps(runs: Path) -> None:
    (runs / "one" / "inspect.html").write_text("steps of the first run")
    finished = run("run", write_settings(runs, MARKET), "--duration", "20s", "--out", runs / "one")
    assert finished.status == ExitCode.SUCCESS
    assert "in place of the run that ended at" in " ".join(finished.messages.split())
    assert not (runs / "one" / "inspect.html").exists()


def test_what_an_unfinished_run_on_paper_left_is_kept_beside(runs: Path) -> None:
    one = runs / "one"
    killed(one)
    (one / PAUSE).write_text("mind the news")
    (one / "notes.txt").write_text("somebody's own")
    before = {path.relative_to(one): path.read_bytes() for path in one.rglob("*") if path.is_file()}
    words = make_room(one)
    assert f"are kept in {runs / 'one.unfinished-1'}" in words
    kept = runs / "one.unfinished-1"
    after = {path.relative_to(kept): path.read_bytes() for path in kept.rglob("*") if path.is_file()}
    assert after == {path: content for path, content in before.items() if path.name not in {PAUSE, "notes.txt"}}
    assert {path.name for path in one.iterdir()} == {PAUSE, "notes.txt", "settings.toml"}
    assert make_room(one) == ""


def test_two_unfinished_runs_are_both_kept(runs: Path, ended: Path) -> None:
    killed(runs / "one")
    make_room(runs / "one")
    shutil.copytree(ended, runs / "one", dirs_exist_ok=True)
    killed(runs / "one")
    assert "one.unfinished-2" in make_room(runs / "one")
    assert sorted(each.name for each in runs.iterdir()) == ["one", "one.unfinished-1", "one.unfinished-2"]


def test_a_run_with_real_orders_goes_on_where_it_is(runs: Path) -> None:
    killed(runs / "one", has_real_orders=True)
    assert "its journal goes on" in make_room(runs / "one")
    assert (runs / "one" / STATUS_FILE).exists()


@pytest.mark.parametrize("command", ["report", "why", "inspect", "verify"])
def test_a_directory_of_runs_is_no_run(runs: Path, command: str) -> None:
    before = sorted(runs.rglob("*"))
    finished = run(command, runs)
    assert finished.status == ExitCode.BAD_INPUT
    assert "expected a run, found 'a directory of runs: one'" in " ".join(finished.messages.split())
    assert sorted(runs.rglob("*")) == before


def test_no_run_writes_among_runs(runs: Path, tmp_path: Path) -> None:
    before = sorted(runs.rglob("*"))
    finished = run("run", write_settings(tmp_path, MARKET), *SHORT, "--out", runs)
    assert finished.status == ExitCode.BAD_INPUT
    assert "--out" in finished.messages
    assert sorted(runs.rglob("*")) == before
