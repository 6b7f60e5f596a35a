"""Judges mutants: each in a process of its own, forked from this one, several at a time."""

from __future__ import annotations

import os
import pickle
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from selectors import EVENT_READ, DefaultSelector
from typing import Final

from attrs import field, frozen

from mm_fsm.testing.foreign import AnyChart
from mm_fsm.testing.mutant import Mutant, mutants
from mm_fsm.testing.mutated import applied
from mm_fsm.testing.problems import GenerationError

Judge = Callable[[Mutant], "str | None"]
"""Given a mutant that is in force, the name of a test that notices it, or None."""

WORKERS: Final = 2
_CHUNK: Final = 65536


class Outcome(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    """No verdict in time: the machine runs in circles. Counts as killed."""
    STILLBORN = "stillborn"
    """The chart's own checks refuse it. Counts neither way."""


@frozen(kw_only=True)
class Verdict:
    """One mutant and what became of it."""

    mutant: Mutant
    outcome: Outcome
    by: str = ""
    """The test that noticed it, or what the chart's checks say."""


@frozen
class MutationResult:
    """Every verdict on a chart."""

    verdicts: tuple[Verdict, ...] = field(converter=tuple)

    def count(self, outcome: Outcome) -> int:
        """How many mutants had this outcome."""
        return sum(verdict.outcome is outcome for verdict in self.verdicts)

    @property
    def survivors(self) -> tuple[Mutant, ...]:
        """Mutants that nothing noticed."""
        return tuple(verdict.mutant for verdict in self.verdicts if verdict.outcome is Outcome.SURVIVED)

    @property
    def score(self) -> float:
        """Share of the mutants that were noticed, stillborn ones apart, 0 to 1; 1 where there was none to notice."""
        judged = len(self.verdicts) - self.count(Outcome.STILLBORN)
        return 1 - len(self.survivors) / judged if judged else 1.0


def judge_mutants(
    chart: AnyChart, check: Callable[[], object], *, workers: int = WORKERS, seconds: float = 60.0
) -> MutationResult:
    """Run a check against every mutant of a chart. The check raises where something is wrong.

    Args:
        chart: one of our charts, or a flat python-statemachine class.
        check: what must fail on a mutant; it must pass on the chart as it is, which is tried first.
        workers: how many processes at a time.
        seconds: how long a check may take on one mutant.

    Raises:
        GenerationError: the chart will not do, or this platform cannot fork.
        Exception: whatever the check raises on the chart as it is.
    """
    check()

    def judge(_mutant: Mutant) -> str | None:
        try:
            check()
        except Exception as error:  # noqa: BLE001 - whatever it is, the check has noticed
            return f"{type(error).__name__}: {error}"[:200]
        return None

    return MutationResult(judge_each(mutants(chart), judge, workers=workers, seconds=seconds))


def judge_each(
    judged: Iterable[Mutant], judge: Judge, *, workers: int = WORKERS, seconds: float = 60.0
) -> Iterator[Verdict]:
    """Apply each mutant in a forked process and let ``judge`` look for a test that notices it, in any order.

    Raises:
        GenerationError: this platform cannot fork.
    """
    if not hasattr(os, "fork"):
        raise GenerationError("mutants", "expected a platform with os.fork, found none.", "Use Linux or macOS.")
    waiting = list(judged)
    for mutant in waiting:
        if mutant.stillborn:
            yield Verdict(mutant=mutant, outcome=Outcome.STILLBORN, by=mutant.stillborn)
    queue = [mutant for mutant in waiting if not mutant.stillborn][::-1]
    with DefaultSelector() as selector:
        running: dict[int, _Child] = {}
        try:
            while queue or running:
                while queue and len(running) < workers:
                    child = _Child(queue.pop(), judge, seconds)
                    running[child.pipe] = child
                    selector.register(child.pipe, EVENT_READ)
                selector.select(timeout=max(min(child.deadline for child in running.values()) - time.monotonic(), 0))
                for child in [child for child in running.values() if child.is_over()]:
                    selector.unregister(child.pipe)
                    del running[child.pipe]
                    yield child.verdict()
        finally:
            for child in running.values():
                child.end()


class _Child:
    """One forked process. Parent's side."""

    def __init__(self, mutant: Mutant, judge: Judge, seconds: float) -> None:
        self.mutant = mutant
        self.deadline = time.monotonic() + seconds
        self._found = b""
        self._outcome: Outcome | None = None
        self.pipe, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads: the child runs tests and nothing else
            self._process = os.fork()
        if not self._process:
            _live_as_mutant(mutant, judge, self.pipe, writing)
        os.close(writing)
        os.set_blocking(self.pipe, False)

    def is_over(self) -> bool:
        """Read what there is; whether the process has ended, or has had its time."""
        try:
            while chunk := os.read(self.pipe, _CHUNK):
                self._found += chunk
        except BlockingIOError:
            if time.monotonic() < self.deadline:
                return False
            self._outcome = Outcome.TIMED_OUT
        self.end()
        return True

    def end(self) -> None:
        """The process ends, if it has not."""
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self.pipe)

    def verdict(self) -> Verdict:
        """What became of the mutant. A process that dies without a word was killed by what the mutant did."""
        if self._outcome is Outcome.TIMED_OUT:
            return Verdict(mutant=self.mutant, outcome=Outcome.TIMED_OUT)
        by = pickle.loads(self._found) if self._found else "the process died"  # noqa: S301 - our own child wrote it
        return Verdict(mutant=self.mutant, outcome=Outcome.KILLED if by else Outcome.SURVIVED, by=by or "")


def _live_as_mutant(mutant: Mutant, judge: Judge, reading: int, writing: int) -> None:
    """The child's whole life. Nothing of the parent's is cleaned up by it."""
    try:
        os.close(reading)
        with applied(mutant):
            found = pickle.dumps(judge(mutant))
        os.write(writing, found)
    finally:
        os._exit(0)


def survivor_lines(survivors: Sequence[Mutant]) -> list[str]:
    """One line for each test that is missing, each once."""
    return list(dict.fromkeys(mutant.missing_test for mutant in survivors))
