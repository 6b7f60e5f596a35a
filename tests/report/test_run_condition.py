"""One answer to what has become of a run, for every command and page."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.report.run_condition import RunCondition, condition_now, condition_of, silence_told
from mm_fsm.report.status import FORMAT, STATUS_FILE
from mm_fsm.runtime.operations import ABOUT, ENDED, HEARTBEAT, OperationsDirectory, RescuedMarket, this_run
from tests.patience import until
from tests.report.statuses import quoting_market


@pytest.fixture
def operations(tmp_path: Path) -> OperationsDirectory:
    directory = OperationsDirectory(tmp_path)
    directory.begin(None, [])
    (tmp_path / HEARTBEAT).write_text(str(BEGUN))
    return directory


BEGUN = 1_704_110_400.0
"""When each run began, and said last that it is alive: 2024-01-01 12:00:00 UTC."""


@cache
def market() -> dict[str, Any]:
    return quoting_market()


def entry(*, has_ended: bool) -> dict[str, Any]:
    ending = {**market()["ending"], "outcome": "completed" if has_ended else "unfinished"}
    return {**market(), "has_ended": has_ended, "ending": ending}


def status(*has_ended: bool, **changes: Any) -> dict[str, Any]:
    """Of this process, which runs, and wrote it as its run began."""
    return {
        "format": FORMAT, "is_running": True, "run": this_run(), "process": os.getpid(), "host": socket.gethostname(),
        "written_at": BEGUN, "error": None, "symbols": [entry(has_ended=each) for each in has_ended], **changes,
    }  # fmt: skip


def dead() -> int:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def judged(operations: OperationsDirectory, shown: dict[str, Any], now: float = BEGUN) -> RunCondition:
    """By status and page; pause, resume and stop find the same."""
    (operations.directory / STATUS_FILE).write_text(json.dumps(shown))
    found = condition_of(operations, shown, now)
    assert condition_now(operations, now) is found
    return found


def test_a_run_has_ended_only_if_every_market_has(operations: OperationsDirectory) -> None:
    assert judged(operations, status(True, True, is_running=False)) is RunCondition.ENDED
    assert judged(operations, status(True, False, is_running=False)) is RunCondition.LEFT
    assert judged(operations, status(True, False, is_running=False, process=dead())) is RunCondition.LEFT


def test_a_run_is_silent_by_the_older_of_its_two_signs_of_life(operations: OperationsDirectory) -> None:
    beats = operations.directory / HEARTBEAT
    assert judged(operations, status(False), BEGUN + 10) is RunCondition.RUNNING
    assert judged(operations, status(False), BEGUN + 11) is RunCondition.SILENT
    assert judged(operations, status(False, written_at=BEGUN + 11), BEGUN + 11) is RunCondition.SILENT
    beats.write_text(str(BEGUN + 11))
    assert judged(operations, status(False), BEGUN + 11) is RunCondition.SILENT
    assert judged(operations, status(False, written_at=BEGUN + 11), BEGUN + 11) is RunCondition.RUNNING


def test_a_dead_process_is_gone_on_this_machine_and_unknown_on_another(operations: OperationsDirectory) -> None:
    number = dead()
    assert judged(operations, status(False, process=number)) is RunCondition.GONE
    assert judged(operations, status(False, process=number, host="elsewhere.example")) is RunCondition.RUNNING


def test_a_run_is_known_by_its_name_and_not_by_its_process_number(operations: OperationsDirectory) -> None:
    """Both are process 1 of a container: the status is the first one's, and a second one has begun there."""
    earlier = status(False, run="an earlier one")
    (operations.directory / STATUS_FILE).write_text(json.dumps(earlier))
    assert condition_of(operations, earlier, BEGUN) is RunCondition.GONE
    assert condition_now(operations, BEGUN) is RunCondition.RUNNING
    operations.note_rescue({"A/B": RescuedMarket(run="an earlier one", at=1.0, is_confirmed_empty=True, cancels=1)})
    assert operations.rescues() == {}
    operations.note_rescue({"A/B": RescuedMarket(run=this_run(), at=1.0, is_confirmed_empty=True, cancels=1)})
    assert [*operations.rescues()] == ["A/B"]


def test_without_a_status_the_other_files_tell(operations: OperationsDirectory) -> None:
    assert condition_now(operations, BEGUN + 10) is RunCondition.RUNNING
    assert condition_now(operations, BEGUN + 11) is RunCondition.SILENT
    change_about(operations, process=dead())
    assert condition_now(operations) is RunCondition.GONE
    operations.end()
    assert condition_now(operations) is RunCondition.ENDED


def change_about(operations: OperationsDirectory, **changes: Any) -> None:
    about = operations.directory / ABOUT
    about.write_text(json.dumps({**json.loads(about.read_text()), **changes}))


def test_a_missing_heartbeat_is_no_end(operations: OperationsDirectory) -> None:
    """The disk was full at the first beat, or somebody has cleaned the directory: the process lives."""
    (operations.directory / HEARTBEAT).unlink()
    assert condition_now(operations) is RunCondition.SILENT
    assert judged(operations, status(False)) is RunCondition.SILENT
    change_about(operations, process=dead())
    assert judged(operations, status(False)) is RunCondition.GONE


def test_how_a_run_is_silent_is_told_by_the_older_sign_of_life(operations: OperationsDirectory) -> None:
    shown = status(False, written_at=BEGUN + 20)
    assert silence_told(operations, shown, BEGUN + 26) == "has said nothing for 26.0 s"
    (operations.directory / HEARTBEAT).unlink()
    assert silence_told(operations, shown, BEGUN + 26) == "has no heartbeat that can be read"
    (operations.directory / ABOUT).unlink()  # as a backtest's, which has none
    assert silence_told(operations, shown, BEGUN + 26) == "has said nothing for 6.0 s"


def test_an_end_is_the_mark_of_that_run_and_of_no_other(operations: OperationsDirectory) -> None:
    (operations.directory / ENDED).write_text("of an earlier one")
    assert judged(operations, status(False)) is RunCondition.RUNNING
    operations.end()
    assert judged(operations, status(False)) is RunCondition.ENDED
    assert judged(operations, status(False, process=dead())) is RunCondition.ENDED
    operations.begin(None, [])
    assert judged(operations, status(False)) is RunCondition.RUNNING


def test_a_number_that_another_process_has_now_is_no_sign_of_life(operations: OperationsDirectory) -> None:
    if not operations.read().started:
        pytest.skip("this system does not say when a process started")
    change_about(operations, started="1")
    assert judged(operations, status(False)) is RunCondition.GONE


def test_a_killed_process_is_gone_before_its_parent_has_collected_it(operations: OperationsDirectory) -> None:
    """A container's first process may never do that."""
    if not operations.read().started:
        pytest.skip("this system does not say that a process has ended")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        process.kill()
        until(lambda: judged(operations, status(False, process=process.pid)) is RunCondition.GONE)
        assert process.returncode is None


def test_a_backtest_has_a_status_alone(tmp_path: Path) -> None:
    assert condition_of(OperationsDirectory(tmp_path), status(False), BEGUN) is RunCondition.RUNNING
    assert condition_of(OperationsDirectory(tmp_path), status(False, process=dead())) is RunCondition.GONE


def test_another_process_has_another_name() -> None:
    program = "from mm_fsm.runtime.operations import this_run; print(this_run(), this_run())"
    first, second = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert first == second
    assert len(first) == 32
    assert first != this_run()
