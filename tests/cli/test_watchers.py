"""What follows a run besides its view: figures that a scraper reads while it trades, and nothing unless asked for."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket

import pytest

from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.run_view import RunView
from mm_fsm.cli.watchers import WatchedRun, prepare_watching
from mm_fsm.errors import SettingsError
from mm_fsm.machine.results import StepResult
from mm_fsm.report.status import StatusFile
from mm_fsm.runtime.session import Session, for_session, open_session
from mm_fsm.runtime.settings_file import parse_settings
from mm_fsm.watching.exposition import CONTENT_TYPE, metrics_of_run
from tests.cli.command_line import run, write_settings
from tests.patience import PATIENCE
from tests.runtime.settings_texts import MARKET, with_line
from tests.watching.http_target import SECRET, http_target


def opened(extra: str = "") -> Session:
    (market,) = parse_settings(MARKET + extra)
    return open_session(for_session(market, duration_seconds=20, seed=7))


def watched(session: Session, directory: Path) -> RunView:
    return prepare_watching([session.configuration]).of(RunView(), [session], directory)


@contextmanager
def free_port() -> Iterator[int]:
    """A port that nothing listens on until the ``with`` statement ends."""
    with socket(AF_INET, SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    yield port


def scraped(port: int, headers: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Status, content type and text."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return response.status, response.headers["Content-Type"], response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def test_nothing_is_written_and_nothing_listens_unless_it_is_asked_for(tmp_path: Path) -> None:
    view, session = RunView(), opened()
    assert prepare_watching([session.configuration]).of(view, [session], tmp_path) is view
    assert [*tmp_path.iterdir()] == []


def test_a_run_serves_its_figures_while_it_lasts(tmp_path: Path) -> None:
    with free_port() as port:
        session = opened(f"[metrics]\nport = {port}\n")
        with watched(session, tmp_path) as view:
            for result in session.runner.run():
                view.take(session, result)
            status, kind, text = scraped(port)
            assert (status, kind) == (200, CONTENT_TYPE)
            assert 'mm_fsm_state{state="idle",symbol="ETH/USD"} 1.0' in text
            assert scraped(port, {"Host": "rebound.example"})[0] == 421
            assert scraped(port, {"Origin": "http://elsewhere.example"})[0] == 403
        with pytest.raises(urllib.error.URLError):
            scraped(port)
    assert 'mm_fsm_state{state="completed",symbol="ETH/USD"} 1.0' in (tmp_path / "metrics.prom").read_text()


def test_a_port_that_is_taken_is_refused_by_its_setting(tmp_path: Path) -> None:
    with socket(AF_INET, SOCK_STREAM) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=r"setting .metrics\.port.: expected one that can be listened on"):
            watched(opened(f"[metrics]\nport = {port}\n"), tmp_path)


def test_a_process_beside_the_run_has_its_figures_until_it_ends(tmp_path: Path) -> None:
    """Figures that stand still would look like a quiet market: of a run that is over there are none."""
    session = opened("[metrics]\nenabled = true\n")
    with StatusFile(tmp_path, [session]) as status, watched(session, tmp_path):
        response = metrics_of_run(tmp_path)
        assert (response.status, response.content_type) == (200, CONTENT_TYPE)
        assert b'mm_fsm_side_live{side="bid",symbol="ETH/USD"} 0.0' in response.body
        (tmp_path / "metrics.prom").unlink()
        assert metrics_of_run(tmp_path).status == 404
        content = json.loads(status.path.read_text())
    assert metrics_of_run(tmp_path).status == 503
    (tmp_path / "status.json").write_text(json.dumps({**content, "process": 2**22 + 1}))
    assert metrics_of_run(tmp_path).status == 503
    assert metrics_of_run(tmp_path / "elsewhere").status == 503


def test_a_watcher_that_fails_ends_no_run() -> None:
    class Broken:
        told = 0

        def take(self, session: Session, result: StepResult) -> None:
            self.told += 1
            raise RuntimeError("a bug")

        def tick(self) -> None:
            raise RuntimeError("another")

        def abandon(self, failure: Exception) -> None:
            raise RuntimeError("a fourth")

        def close(self, error: BaseException | None) -> None:
            raise RuntimeError("a third")

    session, broken, slow = opened(), Broken(), Broken()
    with WatchedRun(RunView(), [broken]) as view:
        for result in session.runner.run():
            view.take(session, result)
    assert session.machine.is_final
    assert broken.told == 1
    with WatchedRun(RunView(), [slow]) as view:
        view.tick()
        view.take(session, result)
    assert slow.told == 0


def test_a_watcher_that_fails_is_never_told_of_its_own_failure_as_the_runs() -> None:
    """Its bug is passed to ``abandon`` once; ``close`` comes at the end, with what has ended the run: nothing."""

    class Broken:
        def __init__(self) -> None:
            self.told: list[tuple[str, str | None]] = []

        def take(self, session: Session, result: StepResult) -> None:
            raise RuntimeError("a bug")

        def tick(self) -> None:
            raise RuntimeError("a bug")

        def abandon(self, failure: Exception) -> None:
            self.told.append(("abandon", repr(failure)))

        def close(self, error: BaseException | None) -> None:
            self.told.append(("close", repr(error) if error else None))

    broken = Broken()
    with WatchedRun(RunView(), [broken]) as view:
        view.tick()
        view.tick()
        assert broken.told == [("abandon", "RuntimeError('a bug')")]
    assert broken.told[1:] == [("close", None)]


def test_a_whole_run_leaves_its_figures(tmp_path: Path) -> None:
    settings = write_settings(tmp_path, MARKET + "[metrics]\nenabled = true\n")
    finished = run("run", settings, "--duration", 20, "--json", "--quiet", "--no-journal", "--out", tmp_path / "out")
    assert finished.status == ExitCode.SUCCESS, finished.messages
    (entry,) = finished.json()["symbols"]
    text = (tmp_path / "out" / "metrics.prom").read_text()
    assert f'mm_fsm_steps_total{{symbol="ETH/USD"}} {float(entry["steps"])}' in text


VARIABLE = "MM_FSM_TEST_TARGETS"
ALERTS = f'[alerts]\ntargets_variable = "{VARIABLE}"\n'


def test_a_whole_run_tells_its_kill_switch_and_shows_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A market that may lose no more than a cent; the address is in nothing that the run leaves."""
    settings = write_settings(tmp_path, with_line("strategy", "max_drawdown = 0.01") + ALERTS)
    with http_target() as target:
        monkeypatch.setenv(VARIABLE, target.address)
        finished = run("run", settings, "--duration", 120, "--json", "--out", tmp_path / "out")
        told = target.all()
    assert finished.json()["symbols"][0]["faults"] == {"kill_switch": 1}
    (kill,) = [each for each in told if each["title"].startswith("mm-fsm: Kill switch")]
    assert kill["message"].startswith("ETH/USD: kill switch: lost ")
    assert "what is done: all orders are cancelled" in kill["message"]
    assert SECRET not in finished.output + finished.messages
    for path in (tmp_path / "out").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_a_target_that_is_none_is_refused_before_anything_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, f"nothing://{SECRET}")
    finished = run("run", write_settings(tmp_path, MARKET + ALERTS), "--duration", 20)
    assert finished.status == ExitCode.BAD_INPUT
    assert "addresses that apprise knows; number 1 is none" in finished.messages
    assert SECRET not in finished.messages
    assert not (tmp_path / "runs").exists()


def test_a_run_whose_targets_are_gone_ends_as_it_would_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens at the address. The end waits for no further attempt."""
    monkeypatch.setenv(VARIABLE, f"json://127.0.0.1:1/{SECRET}")
    settings = write_settings(tmp_path, with_line("strategy", "max_drawdown = 0.01") + ALERTS)
    finished = run("run", settings, "--duration", 120, "--json", "--out", tmp_path / "out")
    plain = write_settings(tmp_path, with_line("strategy", "max_drawdown = 0.01"))
    alone = run("run", plain, "--duration", 120, "--json", "--out", tmp_path / "alone")
    assert finished.status == alone.status
    assert [each["net_pnl"] for each in finished.json()["symbols"]] == [
        each["net_pnl"] for each in alone.json()["symbols"]
    ]
    assert finished.messages.count("alert.not_taken") == 1
    assert SECRET not in finished.messages


def test_a_test_message_says_which_target_takes_any(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = write_settings(tmp_path, MARKET + ALERTS)
    with http_target() as target:
        monkeypatch.setenv(VARIABLE, f"{target.address} json://127.0.0.1:1/{SECRET}")
        finished = run("check", settings, "--alerts")
        (told,) = target.all()
    assert told["title"] == "mm-fsm: a test"
    assert finished.status == ExitCode.FAILURE
    assert finished.output.splitlines() == [
        "target 1 (JSON) took a message",
        "target 2 (JSON) TOOK NO MESSAGE: check its address and the network",
    ]
    assert SECRET not in finished.output + finished.messages


def test_a_test_message_to_all_is_a_success_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_target() as target:
        monkeypatch.setenv(VARIABLE, target.address)
        finished = run("check", write_settings(tmp_path, MARKET + ALERTS), "--alerts", "--json")
    assert finished.status == ExitCode.SUCCESS
    assert finished.json() == {"targets": [{"name": "1 (JSON)", "is_taken": True}]}


def test_a_test_message_to_nobody_is_refused(tmp_path: Path) -> None:
    finished = run("check", write_settings(tmp_path, MARKET), "--alerts")
    assert finished.status == ExitCode.BAD_INPUT
    assert "targets_variable or targets_file" in finished.messages
    assert run("check", "--alerts").status == ExitCode.BAD_INPUT
