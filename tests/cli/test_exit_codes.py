"""Every command's exit statuses, as the README says them: a table with what is given, and what it comes to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import typer

from mm_fsm.cli.app import app
from mm_fsm.runtime.operations import ENDED, HEARTBEAT
from tests.cli.command_line import run, write_settings, write_tardis
from tests.runtime.settings_texts import MARKET, with_line

FAR: Final = 1e10
"""Seconds since 1970, in 2286: a run that said something then is not silent yet."""
CHART: Final = "mm_fsm.books.order_lifecycle:OrderLifecycle"
CASES: Final[tuple[tuple[str, int, str], ...]] = (
    ("run {good} -q --duration 20 --out {new}", 0, ""),
    ("run {drawdown} -q --duration 120 --out {new}", 1, ""),
    ("run {hasty} -q --duration 120 --out {new}", 3, ""),
    ("run {bad}", 2, "2 settings are wrong"),
    ("run {recording}", 2, "a recording"),
    ("run missing.toml", 2, "file 'missing.toml'"),
    ("run --duration never", 2, "--duration"),
    ("run {good} --out {file}/below", 2, "--out"),
    ("backtest --quotes {quotes} --trades {trades} -q --no-cache --out {new}", 0, ""),
    ("backtest --quotes {trades} --trades {quotes} -q --no-cache --out {new}", 0, "was given as quotes"),
    ("backtest {good}", 2, "goes to --settings"),
    ("backtest", 2, "Name the recorded files: mm-fsm backtest FILE"),
    ("backtest --quotes missing.csv", 2, "missing.csv"),
    ("convert {quotes} {trades} --to tardis --out {new}", 0, ""),
    ("convert missing.csv", 2, "missing.csv"),
    ("check {good}", 0, ""),
    ("check {silent} --price 2000", 1, "would quote nothing"),
    ("check {bad}", 2, "2 settings are wrong"),
    ("check --preset paper_ethusdd", 2, "Did you mean 'paper_ethusd'?"),
    ("report {made}", 0, ""),
    ("report {made} --baseline -q", 0, ""),
    ("report {made} -q --within-bps 0", 2, "programme.within_bps"),
    ("report {empty}", 2, "file "),
    ("compare {made} {again} -q --block 10", 0, ""),
    ("compare {made} {again} -q", 1, "cannot be paired"),
    ("compare {made} {made}", 2, "two runs or more"),
    ("compare {made}", 2, "two runs or more"),
    ("compare {made} {empty}", 2, "file "),
    ("status {made}", 0, ""),
    ("status {gone}", 1, "is gone and has not ended in order"),
    ("status {empty}", 2, "file "),
    ("serve missing", 2, "file 'missing'"),
    ("serve {file}", 2, "the directory of a run"),
    ("serve {empty} --port 70000", 2, "--port"),
    ("serve {empty} --control", 2, "--token-file"),
    ("serve {empty} --token-file missing", 2, "file 'missing'"),
    ("serve {empty} --token-file {good}", 2, "only its owner may read"),
    ("why {made} -q", 0, ""),
    ("why {made} --at 5 -q", 0, ""),
    ("why {made} --at never -q", 2, "--at"),
    ("why {empty}", 2, "found none"),
    ("verify {made} -q", 0, ""),
    ("verify {made} -q --settings {wide}", 1, ""),
    ("verify {empty}", 2, "found none"),
    ("inspect {made} -q --out {new}", 0, ""),
    ("inspect {made} -q --out {new} --settings {wide}", 0, ""),
    ("inspect {made} --symbol XRP/USD", 2, "--symbol"),
    ("inspect {made} --machine mm_fsm.books.order_lifecycle:OrderLifecycle", 2, "expected a strategy"),
    ("inspect {made} --against {made} --settings {wide}", 2, "--against"),
    ("inspect {made} -q --out {file}/below", 2, "file "),
    ("inspect {empty}", 2, "found none"),
    ("diagram " + CHART + " --format mermaid --out {new}", 0, ""),
    ("diagram " + CHART + " --format mermaid --check --out {new}", 1, ""),
    ("diagram nowhere:Chart", 2, "nowhere"),
    ("plugins", 0, ""),
    ("new my_maker {new}", 0, ""),
    ("new my-maker {new}", 2, "option 'NAME'"),
    ("pause {runs}", 0, "will be paused"),
    ("pause {made}", 1, "there is nothing to pause"),
    ("pause {empty}", 2, ""),
    ("resume {made}", 0, ""),
    ("resume {empty}", 2, ""),
    ("stop {runs}", 0, "will be stopped"),
    ("stop {made}", 1, "there is nothing to stop"),
    ("stop {empty}", 2, ""),
    ("watchdog {empty}", 2, ""),
    ("calibrate", 2, ""),
    ("record", 2, ""),
    ("calibrate missing.csv", 2, "missing.csv"),
    ("tune", 2, ""),
    ("rehearse --balance USDT", 2, "CURRENCY=AMOUNT"),
)
"""Command line, exit status, and a part of what standard error says. What else a status means has tests of its own:
4 and signals in test_interruption.py, a lost reader and a full disk in test_output.py."""
RUNS_UNTIL_STOPPED: Final = {"rehearse", "watchdog", "calibrate", "tune", "record", "serve"}
"""Their success takes a run or a long recording: each has a file of tests of its own."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files and directories that the table's command lines name."""
    place = tmp_path_factory.mktemp("exits")
    recording = write_tardis(place, seconds=60)
    written: Callable[[str, str], Path] = lambda name, text: write_settings(place, text, f"{name}.toml")  # noqa: E731
    found = {
        "good": written("good", MARKET),
        "bad": written("bad", with_line("fees", "maker_bps = nan\ntaker_bsp = 1")),
        "wide": written("wide", with_line("strategy", "target_spread_bps = 12")),
        "silent": written("silent", with_line("strategy", "base_order_size = 1")),
        "drawdown": written("drawdown", with_line("strategy", "max_drawdown = 0.0001")),
        "hasty": written(
            "hasty", with_line("strategy", "wind_down_deadline_seconds = 0.1\nwind_down_passive_seconds = 0.1")
        ),
        "quotes": recording.quotes,
        "trades": recording.trades,
        "recording": recording.quotes,
    }
    for name in ("empty", "made", "gone"):
        found[name] = place / name
        found[name].mkdir()
    (place / "file").write_text("")
    found["file"] = place / "file"
    assert run("run", found["good"], "-q", "--duration", 120, "--out", found["made"]).status == 0
    found["again"] = shutil.copytree(found["made"], place / "again")
    status: dict[str, Any] = json.loads((found["made"] / "status.json").read_text())
    (found["gone"] / "status.json").write_text(json.dumps({**status, "is_running": True, "process": 2**22 + 1}))
    found["runs"] = shutil.copytree(found["made"], place / "runs")
    (found["runs"] / "status.json").write_text(json.dumps({**status, "is_running": True, "written_at": FAR}))
    (found["runs"] / HEARTBEAT).write_text(str(FAR))
    (found["runs"] / ENDED).unlink()
    return found


@pytest.mark.parametrize(("line", "status", "part"), CASES, ids=[f"{case[0]} is {case[1]}" for case in CASES])
def test_a_command_ends_with_the_status_that_the_readme_gives_it(
    places: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, status: int, part: str
) -> None:
    """What is refused says so on standard error, never with a traceback, and never calls a file a setting."""
    monkeypatch.chdir(tmp_path)
    words = [word.format(**places, new=tmp_path / "new") for word in line.split()]
    finished = run(*words)
    assert finished.status == status, finished.messages
    assert part in " ".join(finished.messages.split())
    assert "Traceback" not in finished.messages
    assert "setting '/" not in finished.messages
    if status == 2:
        assert finished.messages.strip()
        assert not finished.output


def test_every_command_is_in_the_table_with_a_success_and_a_refusal() -> None:
    group: Any = typer.main.get_command(app)
    for name in group.commands:
        statuses = {status for line, status, _ in CASES if line.split()[0] == name}
        wanted = {2} if name in RUNS_UNTIL_STOPPED else {0, 2} if name != "plugins" else {0}
        assert wanted <= statuses, name
