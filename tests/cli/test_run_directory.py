"""No run writes over another's files, and the last one is found under one name."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from mm_fsm.cli.run_directory import once_open, run_directory
from mm_fsm.errors import OptionError, OwnershipError, SettingsError


def test_the_directory_that_was_asked_for_is_taken_as_it_is(tmp_path: Path) -> None:
    assert run_directory(tmp_path / "mine", "demo", runs=tmp_path / "runs") == tmp_path / "mine"
    assert list(tmp_path.iterdir()) == []


def opened(runs: Path) -> Path:
    """The directory of a run that could be opened."""
    directory = run_directory(None, "demo", runs=runs)
    with once_open(nullcontext, directory, is_new=True):
        return directory


def test_each_run_has_its_own_and_latest_is_the_last(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    made = [opened(runs) for _ in range(3)]
    assert len(set(made)) == 3
    assert all(re.fullmatch(r"\d{8}-\d{6}-demo(-\d)?", directory.name) for directory in made)
    assert (runs / "latest").resolve() == made[-1].resolve()


@pytest.mark.parametrize("is_new", [True, False])
def test_a_run_that_is_refused_is_never_the_last_and_only_a_directory_of_its_own_goes(
    tmp_path: Path, *, is_new: bool
) -> None:
    first = opened(tmp_path)
    directory = run_directory(None, "demo", runs=tmp_path)
    told: list[str] = []

    def refuse() -> AbstractContextManager[None]:
        raise OwnershipError("another process makes it")

    with (
        pytest.raises(OwnershipError),
        once_open(refuse, directory, is_new=is_new, tell=lambda: told.append("begun")),
    ):
        pass
    assert directory.exists() is not is_new
    assert (tmp_path / "latest").resolve() == first.resolve()
    assert told == []


def test_what_somebody_else_calls_latest_stays(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    assert opened(tmp_path).is_dir()
    assert not (tmp_path / "latest").is_symlink()


def test_a_link_that_leads_nowhere_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to("gone")
    made = opened(tmp_path)
    assert (tmp_path / "latest").resolve() == made.resolve()


@pytest.mark.parametrize(("out", "is_last"), [("runs/demo", True), ("runs/latest", False), ("elsewhere/demo", False)])
def test_a_directory_below_runs_is_found_as_the_last_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, *, is_last: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(out).mkdir(parents=True)
    with once_open(nullcontext, run_directory(Path(out), "demo"), is_new=False):
        pass
    assert Path(out).with_name("latest").is_symlink() is is_last
    assert not is_last or Path("runs/latest").resolve() == Path(out).resolve()


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text("mine")
    with pytest.raises(OptionError, match=r"^option '--out': expected a directory, found the file .*README.md\. Name"):
        run_directory(file, "demo")
    assert file.read_text() == "mine"


def test_where_nothing_can_be_made_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(SettingsError, match="--out"):
        run_directory(None, "demo", runs=tmp_path / "runs")
