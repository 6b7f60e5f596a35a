"""Checks in forked processes: verdicts, limits, and nothing that comes back."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import pytest

from mm_fsm.coverage.mutation.children import Check, Job, Outcome, Verdict, run_jobs


def job(*checks: Check, number: int = 0, prepare: Callable[[], object] = lambda: None, limit: float = 60) -> Job:
    return Job(number=number, prepare=prepare, checks=checks, limits=(limit,) * len(checks))


def outcome_of(one: Job) -> Outcome:
    (outcome,) = run_jobs([one], 1)
    return outcome


def passes() -> bool:
    return True


def fails() -> bool:
    return False


def raises() -> bool:
    raise KeyboardInterrupt


def dies() -> bool:
    os.kill(os.getpid(), signal.SIGKILL)
    return True


def hangs() -> bool:
    threading.Event().wait()
    return True


@pytest.mark.parametrize(
    ("checks", "verdict", "place"),
    [
        ((passes, passes), Verdict.PASSED, 1),
        ((), Verdict.PASSED, -1),
        ((passes, fails, hangs), Verdict.FAILED, 1),
        ((raises,), Verdict.FAILED, 0),
        ((passes, dies), Verdict.FAILED, 1),
    ],
)
def test_a_job_ends_with_its_first_check_that_does_not_pass(
    checks: tuple[Check, ...], verdict: Verdict, place: int
) -> None:
    assert outcome_of(job(*checks)) == Outcome(number=0, verdict=verdict, check=place)


def test_a_check_that_does_not_end_is_ended() -> None:
    assert outcome_of(job(passes, hangs, limit=0.5)) == Outcome(number=0, verdict=Verdict.TIMED_OUT, check=1)


def test_a_job_that_cannot_be_prepared_is_no_failure_of_its_checks() -> None:
    outcome = outcome_of(job(fails, prepare=lambda: 1 // 0))
    assert outcome.verdict is Verdict.BROKEN
    assert "ZeroDivisionError" in outcome.reason


def test_every_job_has_one_outcome_whatever_their_number_and_that_of_processes() -> None:
    jobs = [job(fails if number % 3 else passes, number=number) for number in range(10)]
    outcomes = sorted(run_jobs(jobs, 3), key=lambda outcome: outcome.number)
    assert [outcome.verdict is Verdict.PASSED for outcome in outcomes] == [number % 3 == 0 for number in range(10)]


def test_nothing_comes_back_from_a_process() -> None:
    seen: list[int] = []

    def writes() -> bool:
        seen.append(1)
        return len(seen) == 1

    assert outcome_of(job(writes, prepare=seen.clear)).verdict is Verdict.PASSED
    assert seen == []


def test_a_process_that_cannot_be_started_leaves_no_pipe_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two: the first one is ended, too."""
    fork, started = os.fork, [True, False]

    def fork_once() -> int:
        if started.pop(0):
            return fork()
        raise BlockingIOError(11, "Resource temporarily unavailable")

    pipes: list[int] = []
    pipe = os.pipe
    monkeypatch.setattr(os, "pipe", lambda: (ends := pipe(), pipes.extend(ends))[0])
    monkeypatch.setattr(os, "fork", fork_once)
    with pytest.raises(BlockingIOError):
        list(run_jobs([job(hangs), job(passes)], 2))
    assert len(pipes) == 4
    for end in pipes:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(end)
