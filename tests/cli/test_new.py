"""``mm-fsm new``: a strategy of one's own that works from the first minute."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mm_fsm.cli import scaffold
from tests.cli.command_line import Finished, run, run_process


def run_pytest(directory: Path) -> Finished:
    """Run the scaffold's own tests as its owner would, away from this project's configuration and measurements."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MM_FSM"))}
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=directory, env=environment, capture_output=True, check=False, text=True,
    )  # fmt: skip
    return Finished(finished.returncode, finished.stdout, finished.stderr)


def test_its_tests_pass_and_gate_every_transition(tmp_path: Path) -> None:
    """From the first minute; and an edge that no test takes fails them."""
    assert run("new", "my_maker", tmp_path / "bot").status == 0
    first = run_pytest(tmp_path / "bot")
    assert first.status == 0, first.output
    assert "my_maker:MyMaker" in first.output
    tests = tmp_path / "bot" / "test_my_maker.py"
    tests.write_text(tests.read_text().replace("@fsm_paths(MyMaker)\n", "@pytest.mark.skip\n").replace(
        "from pathlib import Path\n", "from pathlib import Path\n\nimport pytest\n"
    ))  # fmt: skip
    second = run_pytest(tmp_path / "bot")
    assert second.status != 0
    assert "transitions" in second.output
    assert " failed" not in second.output.splitlines()[-1]  # no test does: the gate says no


@pytest.mark.parametrize("has_pytest", [True, False])
def test_what_it_says_to_do_begins_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_pytest: bool
) -> None:
    """As after an installation without the extra: the tests cannot be run before it."""
    found = scaffold.find_spec

    def find(name: str) -> object:
        return None if name == "pytest" and not has_pytest else found(name)

    monkeypatch.setattr(scaffold, "find_spec", find)
    made = run("new", "my_maker", tmp_path / "bot")
    install = "" if has_pytest else "pip install 'mm-fsm[test]'; "
    assert made.messages.startswith(f"now: {install}cd {tmp_path / 'bot'}; python -m pytest\n")
    readme = (tmp_path / "bot" / "README.md").read_text()
    assert readme.index("pip install 'mm-fsm[test]'") < readme.index("python -m pytest")


def test_an_edge_that_is_added_has_its_tests_already(tmp_path: Path) -> None:
    run("new", "my_maker", tmp_path / "bot")
    machine = tmp_path / "bot" / "my_maker.py"
    edge = '    give_up_pausing = paused.to(MarketMakingStateMachine.error, cond="must_withdraw")\n'
    lines = machine.read_text().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if line.startswith("    resume = "))
    machine.write_text("".join([*lines[: place + 1], edge, *lines[place + 1 :]]))
    finished = run_pytest(tmp_path / "bot")
    assert finished.status == 0, finished.output


def test_it_can_be_drawn_checked_run_and_verified(tmp_path: Path) -> None:
    """In the directory it makes, by the commands that ``new`` and its files name."""
    made = run_process("new", "my_maker", directory=tmp_path)
    assert made.status == 0
    bot = tmp_path / "my_maker"
    assert made.output.splitlines() == [
        f"my_maker/{name}"
        for name in ("my_maker.py", "test_my_maker.py", "settings.toml", "pyproject.toml", "README.md")
    ]
    assert "mm-fsm run settings.toml --machine my_maker:MyMaker" in made.messages
    drawn = run_process("diagram", "my_maker:MyMaker", "--format", "mermaid", directory=bot)
    assert drawn.status == 0, drawn.messages
    assert "PAUSED" in (bot / drawn.output.strip()).read_text()
    assert run_process("check", "settings.toml", directory=bot).status == 0
    options = ("settings.toml", "--machine", "my_maker:MyMaker", "--duration", "620", "--json", "-q", "--out", "out")
    finished = run_process("run", *options, directory=bot)
    assert finished.status == 0, finished.messages
    (entry,) = finished.json()["symbols"]
    assert entry["state_seconds"]["paused"] == pytest.approx(60, abs=1)
    assert run_process("verify", "out", directory=bot).status == 0


def test_installed_its_machine_and_its_service_are_chosen_by_name(tmp_path: Path) -> None:
    """As its README says: installed, listed, run by name; a name that is misspelt is recognised."""
    pytest.importorskip("hatchling", reason="building a package needs its build tool: make environment")
    assert run("new", "my_maker", tmp_path / "bot").status == 0
    settings = (
        (tmp_path / "bot" / "settings.toml").read_text().replace("# [strategy", "[strategy").replace("# spr", "spr")
    )
    (tmp_path / "mine.toml").write_text(settings)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    options = ["--no-deps", "--no-build-isolation", "--target", str(tmp_path / "installed"), str(tmp_path / "bot")]
    subprocess.run([*install, *options], check=True, capture_output=True, text=True, timeout=120)
    path = os.pathsep.join((str(tmp_path / "installed"), str(Path(__file__).parents[2])))

    listed = run_process("plugins", "--json", directory=tmp_path, PYTHONPATH=path).json()
    found = [("mm_fsm.machines", each["name"], each["problem"]) for each in listed["machines"]]
    assert found == [("mm_fsm.machines", "my_maker", None)]
    assert ("spreads", "my_maker", None) in [
        (each["role"], each["name"], each["problem"]) for each in listed["services"]
    ]

    chosen = ("run", "mine.toml", "--duration", "60", "--json", "-q", "--out", "out", "--machine")
    finished = run_process(*chosen, "my_maker", directory=tmp_path, PYTHONPATH=path)
    assert finished.status == 0, finished.messages
    assert "paused" in finished.json()["symbols"][0]["state_seconds"]
    refused = run_process(*chosen, "my_makr", directory=tmp_path, PYTHONPATH=path)
    assert refused.status == 2
    assert "Did you mean 'my_maker'?" in refused.messages


@pytest.mark.parametrize(
    "name", ["my-maker", "2fast", "class", "random", "mm_fsm", "pytest", "conftest", "test_it", "", "a.b", "_"]
)
def test_a_name_that_cannot_be_a_module_of_ones_own_is_refused(tmp_path: Path, name: str) -> None:
    finished = run("new", name, tmp_path / "bot")
    assert finished.status == 2
    assert "NAME" in finished.messages
    assert not (tmp_path / "bot").exists()


def test_twice_is_refused_in_the_words_of_who_typed_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run("new", "my_maker").status == 0
    again = run("new", "my_maker")
    assert again.status == 2
    assert "the directory my_maker is there already: choose another name, or remove it" in again.messages


@pytest.mark.parametrize("there", ["my_maker.py", "test_my_maker.py", "settings.toml", "pyproject.toml", "README.md"])
def test_nothing_is_overwritten_and_nothing_half_made(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    finished = run("new", "my_maker", tmp_path)
    assert finished.status == 2
    assert there in finished.messages
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finished = run("new", "my_maker", tmp_path / "file" / "below")
    assert finished.status == 2
    assert "Traceback" not in finished.messages
