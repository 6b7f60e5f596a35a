"""``mm-fsm run``: simulated markets on the paper exchange."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.chart import EdgeDefinition, EngineExecutor, ExecutorKind
from mm_fsm.cli.option_names import ExecutorName
from tests.cli.command_line import command, run, run_process, write_settings, write_tardis
from tests.patience import PATIENCE
from tests.runtime.settings_texts import MARKET, market_entry, with_line, without

MEASURED = {"wall_seconds", "events_per_second", "computing_seconds", "budget_breaches"}


def unmeasured(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries without what a clock measures."""
    return [{name: value for name, value in entry.items() if name not in MEASURED} for entry in entries]


@pytest.mark.smoke
def test_the_demonstration_makes_two_markets(tmp_path: Path) -> None:
    """Without settings two shipped presets run at once, and one JSON object is all there is on standard output."""
    finished = run("run", "--duration", 100, "--seed", 7, "--json", "--out", tmp_path)
    assert finished.status == 0
    entries = finished.json()["symbols"]
    assert [(entry["symbol"], entry["preset"]) for entry in entries] == [
        ("ETH/USD", "paper_ethusd"),
        ("BTC/USD", "paper_btcusd"),
    ]
    for entry in entries:
        assert entry["success"]
        assert entry["fills"] > 0
        assert entry["pnl_identity_gap"] == "0"
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8")) == finished.json()
    first, *markets = finished.messages.splitlines()[:3]
    assert first == "demonstration: two simulated markets; no account, no network, no real orders"
    assert [line.split(", as fast")[0] for line in markets] == [
        f"making {symbol} on paper, in a simulated market (seed {seed}), for 1 minute 40 seconds of its time"
        for symbol, seed in (("ETH/USD", 7), ("BTC/USD", 8))
    ]


def test_the_same_seed_is_the_same_run(tmp_path: Path) -> None:
    """Twice in this process, once in another one with another hash seed; another seed is another run."""
    options = ("run", "--duration", 80, "--json", "--quiet", "--out", tmp_path, "--seed")
    first, second, other = run(*options, 7), run(*options, 7), run(*options, 8)
    elsewhere = run_process(*options, 7, directory=tmp_path, PYTHONHASHSEED="123")
    expected = unmeasured(first.json()["symbols"])
    assert unmeasured(second.json()["symbols"]) == expected
    assert unmeasured(elsewhere.json()["symbols"]) == expected
    assert unmeasured(other.json()["symbols"]) != expected


@pytest.mark.parametrize("journal", ["--journal", "--no-journal"])
def test_either_executor_gives_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: str) -> None:
    """The engine takes every transition of one run and none of the other."""
    fired: list[str] = []
    fire = EngineExecutor.fire

    def counted(self: EngineExecutor, edge: EdgeDefinition) -> None:
        fired.append(edge.event)
        fire(self, edge)

    monkeypatch.setattr(EngineExecutor, "fire", counted)
    found, counts = [], []
    for chosen in ((), ("--executor", "table"), ("--executor", "engine")):
        finished = run("run", "--duration", 60, "--json", "-q", journal, "--out", tmp_path, "--seed", 3, *chosen)
        found.append(unmeasured(finished.json()["symbols"]))
        counts.append(len(fired))
    assert found[0] == found[1] == found[2]
    assert counts[:2] == [0, 0]
    assert counts[2] == sum(entry["state_transition_count"] for entry in found[2])


def test_the_command_line_knows_every_executor() -> None:
    assert {name.name: name.value for name in ExecutorName} == {kind.name: kind.value for kind in ExecutorKind}


def test_a_run_leaves_its_files(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, MARKET)
    finished = run("run", settings, "--duration", 40, "--out", tmp_path / "out", "--quiet")
    assert finished.status == 0
    found = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {"result.json", "ETH-USD/fills.csv", "ETH-USD/transitions.csv"} < found
    assert found & {"ETH-USD/visited.svg", "ETH-USD/visited.dot"}
    assert "net PnL" in finished.output
    assert str(tmp_path / "out") in finished.messages


def test_results_go_below_runs_by_the_settings_name(tmp_path: Path) -> None:
    write_settings(tmp_path, MARKET, "mine.toml")
    finished = run_process("run", "mine.toml", "--duration", "20", "--json", directory=tmp_path)
    assert finished.status == 0
    assert (tmp_path / "runs" / "latest" / "result.json").is_file()
    assert (tmp_path / "runs" / "latest").resolve().name.endswith("-mine")


def test_progress_without_a_terminal_is_log_lines(tmp_path: Path) -> None:
    """One constant event name a line, then fields; no control characters, and none of it on standard output."""
    finished = run_process("run", "--duration", "80", "--json", "--out", "o", directory=tmp_path)
    assert finished.status == 0
    lines = [line.split(" ") for line in finished.messages.splitlines() if " INFO " in line]
    assert {line[2] for line in lines} >= {"session_opened", "session_stopping", "session_ended"}
    assert all("=" in field for line in lines if line[2] == "session_opened" for field in line[3:])
    assert "\x1b" not in finished.messages + finished.output
    assert finished.json()["symbols"]


def test_a_fault_has_its_exit_status(tmp_path: Path) -> None:
    """The kill switch at a hundredth of a cent: 1, and the result says why."""
    settings = write_settings(tmp_path, with_line("strategy", "max_drawdown = 0.0001"))
    finished = run("run", settings, "--duration", 120, "--json", "--out", tmp_path)
    assert finished.status == 1
    (entry,) = finished.json()["symbols"]
    assert (entry["outcome"], entry["success"]) == ("fault", False)
    assert "kill_switch" in entry["error"]
    assert "WARNING fault" in finished.messages


def test_a_late_wind_down_has_its_exit_status(tmp_path: Path) -> None:
    """A position is left past the deadline: 3."""
    hasty = "wind_down_deadline_seconds = 0.1\nwind_down_passive_seconds = 0.1"
    settings = write_settings(tmp_path, with_line("strategy", hasty))
    finished = run("run", settings, "--duration", 120, "--json", "--out", tmp_path)
    assert finished.status == 3
    assert finished.json()["symbols"][0]["outcome"] == "late"


def test_one_fault_among_several_symbols_fails_the_run(tmp_path: Path) -> None:
    """The other one goes on to its end."""
    text = market_entry("A/USD") + market_entry("B/USD").replace(
        "target_spread_bps = 4", "target_spread_bps = 4\nmax_drawdown = 0.0001"
    )
    finished = run("run", write_settings(tmp_path, text), "--duration", 120, "--json", "--out", tmp_path)
    assert finished.status == 1
    assert [entry["outcome"] for entry in finished.json()["symbols"]] == ["completed", "fault"]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["missing.toml"], "No such file"),
        (["--speed", "0"], "--speed"),
        (["--speed", "fast"], "max"),
        (["--duration", "-5"], "above 0"),
        (["--duration", "nan"], "above 0"),
        (["--seed", "-1"], "--seed"),
        (["--sped", "max"], "--sped"),
        (["--executor", "async"], "--executor"),
    ],
)
def test_bad_usage_is_told_in_words(arguments: list[str], part: str) -> None:
    finished = run("run", *arguments)
    assert finished.status == 2
    assert part in finished.messages
    assert "Traceback" not in finished.messages
    assert not finished.output


def test_refused_settings_leave_nothing_behind(tmp_path: Path) -> None:
    """One line on standard error names the field; no directory is made."""
    settings = write_settings(tmp_path, with_line("strategy", "target_sprad_bps = 4"))
    finished = run("run", settings, "--out", tmp_path / "out", "--json")
    assert finished.status == 2
    assert "mm-fsm: setting 'strategy.target_sprad_bps'" in finished.messages
    assert "'target_spread_bps'" in finished.messages
    assert not finished.output
    assert not (tmp_path / "out").exists()


def test_a_service_that_is_not_there_is_refused(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, MARKET + '[strategy.services]\nspreads = "missing"\n')
    finished = run("run", settings, "--out", tmp_path / "out")
    assert finished.status == 2
    assert "mm_fsm.spreads" in finished.messages
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = write_settings(tmp_path, MARKET)
    finished = run("run", settings, "--duration", 20, "--out", tmp_path / "file" / "below")
    assert finished.status == 2
    assert "a file that can be written" in finished.messages


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_and_keeps_the_position(tmp_path: Path, number: signal.Signals) -> None:
    """The run would last an hour of real time; it ends at once, in order, with 128 and the signal's number."""
    process = subprocess.Popen(
        command("run", "--duration", "3600", "--speed", "1", "--json", "--out", "out"),
        cwd=tmp_path, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    assert any("session_opened" in line for line in process.stderr)
    process.send_signal(number)
    output, messages = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    assert "Traceback" not in messages
    assert "interrupted" in messages
    entries = json.loads(output)["symbols"]
    assert [entry["outcome"] for entry in entries] == ["completed", "completed"]
    assert all(Decimal(entry["additional_data"]["inventory_offset"]) == 0 for entry in entries)
    assert (tmp_path / "out" / "result.json").is_file()


@pytest.mark.smoke
def test_a_report_prints_an_earlier_run(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, MARKET)
    first = run("run", settings, "--duration", 20, "--json", "--out", tmp_path / "out")
    again = run("report", tmp_path / "out", "--json")
    assert again.status == 0
    assert json.loads(again.output)["symbols"] == json.loads(first.output)["symbols"]
    assert "net PnL" in run("report", tmp_path / "out").output


def test_a_report_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("[1]")
    for place, part in ((tmp_path, "'symbols'"), (tmp_path / "missing", "expected a run")):
        finished = run("report", place)
        assert finished.status == 2
        assert part in finished.messages


def test_a_recorded_venue_makes_the_market_that_a_backtest_makes(tmp_path: Path) -> None:
    """Files named in the settings and files named on the command line are one recording on one exchange."""
    recording = write_tardis(tmp_path, seconds=60)
    plain = without("simulator") + '[recording]\nexchanges = ["gemini"]\nsymbols = ["ETHUSD"]\n'
    files = json.dumps([str(recording.quotes), str(recording.trades)])
    named = write_settings(tmp_path, f'{plain}[venue]\nkind = "recorded"\nfiles = {files}\n', "recorded.toml")
    settings = write_settings(tmp_path, plain)
    options = ("--json", "--quiet", "--out")
    ran = run("run", named, *options, tmp_path / "a")
    tested = run("backtest", *recording.options, "--settings", settings, *options, tmp_path / "b")
    assert ran.status == tested.status == 0, ran.messages
    ours, theirs = unmeasured(ran.json()["symbols"]), unmeasured(tested.json()["symbols"])
    decided = {*ours[0]} - {"journal", "recording"}  # where the files are, and what was read, is said of one only
    assert [{name: entry[name] for name in decided} for entry in ours] == [
        {name: entry[name] for name in decided} for entry in theirs
    ]
    assert ours[0]["fills"] > 0


def test_a_recorded_venue_without_its_file_is_told_in_one_line(tmp_path: Path) -> None:
    text = without("simulator") + '[venue]\nkind = "recorded"\nfiles = ["nowhere.csv"]\n'
    finished = run("run", write_settings(tmp_path, text), "--quiet", "--out", tmp_path / "out")
    assert finished.status == 2
    assert "nowhere.csv" in finished.messages


def test_a_run_that_ends_before_volatility_is_known_says_so(tmp_path: Path) -> None:
    short = run("run", "--duration", "10s", "--out", tmp_path / "short")
    told = "volatility takes about 1 minute to measure first; a run of 10 seconds will quote nothing"
    assert " ".join(short.messages.split()).count(told) == 2  # of both markets of the demonstration
    longer = run("run", "--duration", "90s", "--out", tmp_path / "longer")
    assert "will quote nothing" not in longer.messages
