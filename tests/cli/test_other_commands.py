"""``diagram``, ``plugins``, help and version, and what holds for every command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mm_fsm
from tests.cli.command_line import run, run_process

COMMANDS = ("run", "backtest", "check", "report", "verify", "diagram", "new", "plugins")


@pytest.mark.smoke
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    finished = run(name, "--help")
    assert finished.status == 0
    assert f"Example: mm-fsm {name}" in " ".join(finished.output.split())


@pytest.mark.smoke
def test_help_lists_the_commands_and_what_exit_statuses_mean() -> None:
    finished = run("--help")
    assert finished.status == 0
    for name in COMMANDS:
        assert name in finished.output
    assert "3 a wind-down passed its deadline" in " ".join(finished.output.split())


@pytest.mark.smoke
def test_the_version_is_the_packages(tmp_path: Path) -> None:
    finished = run_process("--version", directory=tmp_path)
    assert finished.status == 0
    assert finished.output == f"mm-fsm {mm_fsm.__version__}\n"


def test_help_loads_no_machine(tmp_path: Path) -> None:
    """Help is quick because it loads neither the state machine library nor what draws."""
    program = (
        "import sys\nfrom mm_fsm.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'statemachine', 'graphviz', 'pygraphviz', 'ccxt', 'loguru'} & set(sys.modules)))"
    )
    path = tmp_path / "program.py"
    path.write_text(program)
    finished = run_process_of(path, "--help", directory=tmp_path)
    assert finished.splitlines()[-1] == "[]"


def run_process_of(program: Path, *arguments: str, directory: Path) -> str:
    finished = subprocess.run(
        [sys.executable, program, *arguments],
        cwd=directory, env=dict(os.environ), capture_output=True, check=True, text=True,
    )  # fmt: skip
    return finished.stdout


@pytest.mark.smoke
def test_plugins_lists_services_and_presets() -> None:
    content = run("plugins", "--json").json()
    services = {(service["role"], service["name"], service["origin"]) for service in content["services"]}
    assert {(role, "default", "mm-fsm") for role in ("spreads", "orders", "inventory", "risk")} <= services
    presets = {preset["name"]: preset for preset in content["presets"]}
    assert presets["gemini_ethusd"]["exchanges"] == ["gemini"]
    table = run("plugins").output
    assert "mm_fsm.services.spreads:DefaultSpreadService" in table
    assert "gemini_ethusd" in table


@pytest.mark.smoke
def test_diagrams_are_drawn_and_then_up_to_date(tmp_path: Path) -> None:
    """Text formats need nothing that is not installed."""
    options = ("diagram", "--out", tmp_path, "--format", "dot", "--format", "mermaid", "--format", "markdown")
    drawn = run(*options)
    assert drawn.status == 0
    assert len(drawn.output.splitlines()) == 6
    assert all(Path(line).is_file() for line in drawn.output.splitlines())
    assert run(*options, "--check").status == 0


def test_a_stale_diagram_fails_the_check(tmp_path: Path) -> None:
    options = ("diagram", "--out", tmp_path, "--format", "mermaid")
    run(*options)
    (tmp_path / "market_making.mmd").write_text("flowchart\n")
    stale = run(*options, "--check")
    assert stale.status == 1
    assert "stale" in stale.messages
    (tmp_path / "market_making.mmd").unlink()
    missing = run(*options, "--check")
    assert missing.status == 1
    assert "missing" in missing.messages


def test_a_chart_in_the_current_directory_is_found(tmp_path: Path) -> None:
    """As with python -m, a user's own module needs no installation."""
    chart = (
        "from mm_fsm.chart import Chart, State\n"
        "class Lamp(Chart):\n    chart_is_automatic = False\n"
        "    off = State('OFF', initial=True)\n    on = State('ON')\n"
        "    switch = off.to(on) | on.to(off)\n"
    )
    (tmp_path / "lamp.py").write_text(chart)
    finished = run_process("diagram", "lamp:Lamp", "--format", "mermaid", directory=tmp_path)
    assert finished.status == 0, finished.messages
    assert "switch" in (tmp_path / "diagrams" / "lamp.mmd").read_text(encoding="utf-8")


@pytest.mark.parametrize("reference", ["no_such_module:Chart", "mm_fsm.errors:Nothing", "not a reference"])
def test_a_chart_that_is_not_there_is_refused(tmp_path: Path, reference: str) -> None:
    finished = run("diagram", reference, "--out", tmp_path)
    assert finished.status == 2
    assert reference in finished.messages
    assert "Traceback" not in finished.messages


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("run --seed -1", "expected a whole number from 0, found '-1'."),
        ("run --seed 1.5", "expected a whole number from 0, found '1.5'."),
        ("run --executor fast", "expected one of table, engine, found 'fast'."),
        ("convert quotes.csv --to csv", "expected one of tardis, binance-public,"),
        ("backtest quotes.csv --max-passed-over 2", "expected a number from 0 to 1, found '2'."),
        ("backtest quotes.csv --reorder-window nan", "expected a number from 0, found 'nan'."),
        ("diagram --format bmp", "expected one of dot, svg, png, pdf, mermaid, markdown, found 'bmp'."),
    ],
)
def test_an_option_out_of_its_range_is_told_as_everything_else_is(line: str, told: str) -> None:
    finished = run(*line.split())
    assert finished.status == 2
    words = " ".join(finished.messages.replace("│", " ").split())
    assert told in words
    for foreign in ("Input should", "Value error", "valid integer"):
        assert foreign not in words


@pytest.mark.parametrize("name", ["why", "inspect", "report", "verify", "status"])
def test_a_run_that_is_not_there_is_named_alike_with_its_whole_path(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    finished = run(name, "runs/mine")
    assert finished.status == 2
    words = "".join(finished.messages.split())
    assert f"file'{tmp_path / 'runs' / 'mine'}':expectedarun,found'nothing'." in words
    assert "--out" in words
