"""Real requests to an exchange on this machine: looked at, killed in the middle of quoting, rescued by the watchdog."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.runtime.operations import OperationsDirectory
from mm_fsm.testing.rehearsal.endpoint import VARIABLE
from mm_fsm.testing.rehearsal.log_file import read_log
from tests.cli.command_line import command, run, run_process, write_settings
from tests.cli.test_rehearse import rehearsing
from tests.patience import PATIENCE, until
from tests.watching.http_target import HttpTarget, http_target

pytest.importorskip("ccxt", reason="needs the extra 'exchanges'")

LIVE = """
[venue]
kind = "ccxt"
exchange = "binance"
factory = "mm_fsm.testing.rehearsal.client:binance_from_environment"
live = true

[account]
max_exposure = 20000

[strategy]
symbol = "ETH/USDT"
target_spread_bps = 30
base_order_size = 200
warm_up_samples = 2
volatility_sample_seconds = 0.5
validity_window_seconds = 10

[balances]
base = 1
quote = 5000
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "exchange" / "endpoint.json"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "exchange").mkdir()
    return write_settings(tmp_path, LIVE)


@pytest.fixture
def alerted(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpTarget]:
    """A target on loopback that settings can name by ``MM_FSM_TEST_TARGETS``."""
    with http_target() as target:
        monkeypatch.setenv("MM_FSM_TEST_TARGETS", target.address)
        yield target


def test_check_shows_the_account_and_sends_nothing(tmp_path: Path, settings: Path) -> None:
    with rehearsing(tmp_path / "exchange", "ETH/USDT", "--balance", "USDT=6000", "--balance", "ETH=2"):
        finished = run("check", settings, "--venue", "--json")
        shown = run("check", settings, "--venue")
        assert read_log(tmp_path / "exchange" / "log.jsonl").open_orders() == ()
    assert finished.status == ExitCode.SUCCESS, finished.messages
    (account,) = finished.json()["accounts"]
    assert account["account"] == "binance-354937868"
    assert account["permissions"] == {"trade": True, "withdraw": False}
    assert {each: Decimal(part) for each, part in account["balances"]["USDT"].items()} == {"total": 6000, "free": 6000}
    assert abs(account["clock_offset_seconds"]) < 1
    assert account["markets"]["ETH/USDT"]["own_orders"] == []
    assert "all markets together: exposure at most 20000" in account["at_risk"]
    assert "may withdraw" in shown.output
    assert "0 open orders of ours, 0 of others" in shown.output
    assert "at most 10000 and 9000000 USDT; maker" in " ".join(shown.output.split())


def test_a_market_that_may_use_more_than_there_is_is_told(tmp_path: Path, settings: Path) -> None:
    with rehearsing(tmp_path / "exchange", "ETH/USDT", "--balance", "USDT=4000", "--balance", "ETH=2"):
        finished = run("check", settings, "--venue")
    assert finished.status == ExitCode.FAILURE
    assert "balances: expected 5000 USDT as the markets together may use, found 4000" in finished.messages


def test_the_watchdog_takes_the_orders_of_a_killed_run_out_of_the_market(
    tmp_path: Path, settings: Path, alerted: HttpTarget
) -> None:
    """SIGKILL in the middle of quoting; the exchange's own log says what rests before and after.

    The run can tell nobody of its own end; the watchdog does.
    """
    log, out = tmp_path / "exchange" / "log.jsonl", tmp_path / "out"
    settings.write_text(LIVE + '[alerts]\ntargets_variable = "MM_FSM_TEST_TARGETS"\n')
    with rehearsing(tmp_path / "exchange", "ETH/USDT", "--balance", "USDT=6000", "--balance", "ETH=2"):
        maker = subprocess.Popen(
            command("run", settings, "--live", "--quiet", "--duration", "600", "--out", out),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            until(lambda: len(read_log(log).open_orders()) >= 2, maker)
        finally:
            maker.kill()
            maker.communicate()
        assert len(read_log(log).open_orders()) >= 2
        for command_name in ("pause", "resume", "stop"):
            unseen = run(command_name, out)
            assert unseen.status == ExitCode.FAILURE
            assert f"process {maker.pid} is gone" in unseen.messages
            assert f"run mm-fsm watchdog {out}" in "".join(unseen.messages.splitlines())
            assert "within a second" not in unseen.messages
        assert "Orders may still be open" in run("status", out).messages
        before = alerted.all()
        watched = run("watchdog", out)
        assert read_log(log).open_orders() == ()
    assert [each["title"] for each in before if "gone" in each["title"]] == []
    gone, rescued = alerted.all()
    assert gone["title"] == "mm-fsm: the run of ETH/USDT is gone"
    assert f"process {maker.pid} is gone, and it did not end in order: cancelling" in gone["message"]
    assert rescued["title"] == "mm-fsm: after a run that is gone every book is empty"
    assert "ETH/USDT: book confirmed empty" in rescued["message"]
    told = run("status", out)
    assert told.status == ExitCode.FAILURE
    assert "ETH/USDT: a watchdog found the book empty" in told.output
    assert "Orders may still be open" not in told.messages
    assert run("status", out, "--json").json()["watchdog"]["ETH/USDT"]["is_confirmed_empty"] is True
    assert "A watchdog has confirmed every book empty" in run("stop", out).messages
    verified = run("verify", out, "--json", "--quiet")
    assert verified.status == ExitCode.SUCCESS, verified.messages
    assert len(verified.json()["journals"]) == 1
    assert watched.status == ExitCode.FAILURE, watched.messages
    assert "is gone, and it did not end in order" in watched.messages
    assert "ETH/USDT: book confirmed empty" in watched.messages


def test_a_run_that_is_stopped_by_command_leaves_nothing_and_the_watchdog_nothing_to_do(
    tmp_path: Path, settings: Path
) -> None:
    log, out = tmp_path / "exchange" / "log.jsonl", tmp_path / "out"
    with rehearsing(tmp_path / "exchange", "ETH/USDT", "--balance", "USDT=6000", "--balance", "ETH=2"):
        maker = subprocess.Popen(
            command("run", settings, "--live", "--quiet", "--json", "--duration", "600", "--out", out),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            until(lambda: read_log(log).open_orders(), maker)
            assert run("pause", out, "--reason", "news").status == ExitCode.SUCCESS
            until(lambda: not read_log(log).open_orders(), maker)
            assert run("resume", out).status == ExitCode.SUCCESS
            until(lambda: read_log(log).open_orders(), maker)
            assert run("stop", out).status == ExitCode.SUCCESS
            output, messages = maker.communicate(timeout=PATIENCE)
        finally:
            maker.kill()
            maker.communicate()
        assert read_log(log).open_orders() == ()
        watched = run("watchdog", out)
    assert maker.returncode == ExitCode.SUCCESS, messages
    (entry,) = json.loads(output)["symbols"]
    assert entry["ending"]["is_book_confirmed_empty"]
    assert watched.status == ExitCode.SUCCESS
    assert "has ended in order" in watched.messages


def test_a_refused_second_start_touches_nothing_of_the_run_that_trades(
    tmp_path: Path, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a directory that is named, and with one of its own: neither the files nor ``runs/latest`` speak of it."""
    monkeypatch.chdir(tmp_path)
    log, latest = tmp_path / "exchange" / "log.jsonl", tmp_path / "runs" / "latest"
    with rehearsing(tmp_path / "exchange", "ETH/USDT", "--balance", "USDT=6000", "--balance", "ETH=2"):
        maker = subprocess.Popen(
            command("run", settings, "--live", "--quiet", "--duration", "600"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            until(lambda: len(read_log(log).open_orders()) >= 2, maker)
            place = latest.resolve()
            for named in ((), ("--out", place)):
                refused = run_process("run", settings, "--live", *named, directory=tmp_path)
                assert refused.status == ExitCode.BAD_INPUT, refused.messages
                assert "expected nobody to quote it" in refused.messages
                assert "REAL orders" not in refused.messages
                assert OperationsDirectory(place).read().process == maker.pid
                assert latest.resolve() == place
                assert [each.name for each in (tmp_path / "runs").iterdir() if not each.is_symlink()] == [place.name]
            assert run("stop").status == ExitCode.SUCCESS
            maker.communicate(timeout=PATIENCE)
            assert maker.returncode == ExitCode.SUCCESS
        finally:
            maker.kill()
            maker.communicate()
