"""Runs checks in forked processes: nothing is imported again, and nothing that they do comes back but the verdict.

A child writes one byte when it begins a check, and one with its verdict. Whatever ends it without a verdict counts as
a check that failed; a check that takes longer than its limit is ended from outside.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from time import monotonic
from typing import Final, Never

from attrs import define, field, frozen

Check = Callable[[], bool]

_BEGUN: Final = b"b"
_PASSED: Final = b"p"
_FAILED: Final = b"f"
_BROKEN: Final = b"!"
_PREPARING: Final = 60.0
"""Seconds that a child may take before its first check."""
_CHUNK: Final = 65536


class Verdict(StrEnum):
    """What came of a job."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    BROKEN = "broken"
    """The job could not be prepared."""


@frozen(kw_only=True)
class Job:
    """Checks to run one after the other in a process of their own, until one fails."""

    number: int
    prepare: Callable[[], object]
    """Called in the process before the first check."""
    checks: tuple[Check, ...]
    limits: tuple[float, ...]
    """Seconds that each check may take."""


@frozen(kw_only=True)
class Outcome:
    """What came of one job."""

    number: int
    verdict: Verdict
    check: int = -1
    """The place of the check that failed or did not end."""
    reason: str = ""
    """Why it could not be prepared."""


@define
class _Child:
    job: Job
    process: int
    pipe: int
    deadline: float
    check: int = -1
    said: bytes = field(default=b"")

    def hear(self) -> bool:
        """Read what the child has written; False at its end, or when it has said its verdict."""
        text = os.read(self.pipe, _CHUNK)
        begun = 0 if _BROKEN in self.said + text else text.count(_BEGUN)
        if begun:
            self.check += begun
            self.deadline = monotonic() + self.job.limits[self.check]
        self.said += text
        return bool(text) and not self.said.endswith((_PASSED, _FAILED))

    def outcome(self) -> Outcome:
        """What the child has said in the end."""
        begun, _, reason = self.said.partition(_BROKEN)
        if reason:
            return Outcome(number=self.job.number, verdict=Verdict.BROKEN, reason=reason[:-1].decode(errors="replace"))
        verdict = Verdict.PASSED if begun.endswith(_PASSED) else Verdict.FAILED
        return Outcome(number=self.job.number, verdict=verdict, check=self.check)

    def end(self) -> None:
        """End the child, with every process that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process, signal.SIGKILL)
        os.close(self.pipe)
        os.waitpid(self.process, 0)


def run_jobs(jobs: Iterable[Job], processes: int) -> Iterator[Outcome]:
    """Run every job, at most ``processes`` at a time, and give outcomes as they come.

    Raises:
        OSError: no process can be started.
    """
    waiting, children = iter(jobs), dict[int, _Child]()
    with selectors.DefaultSelector() as selector:
        try:
            while True:
                while len(children) < processes and (job := next(waiting, None)) is not None:
                    child = _start(job, list(children))
                    children[child.pipe] = child
                    selector.register(child.pipe, selectors.EVENT_READ)
                if not children:
                    return
                for child, outcome in _ended(selector, children):
                    selector.unregister(child.pipe)
                    del children[child.pipe]
                    child.end()
                    yield outcome
        finally:
            for child in children.values():
                child.end()


def _ended(selector: selectors.BaseSelector, children: dict[int, _Child]) -> list[tuple[_Child, Outcome]]:
    """Wait until something happens, and tell which children have ended or must be."""
    patience = max(0.0, min(child.deadline for child in children.values()) - monotonic())
    heard = [children[key.fd] for key, _ in selector.select(patience)]
    ended = [(child, child.outcome()) for child in heard if not child.hear()]
    now = monotonic()
    late = [child for child in children.values() if child not in heard and child.deadline <= now]
    return ended + [
        (child, Outcome(number=child.job.number, verdict=Verdict.TIMED_OUT, check=child.check)) for child in late
    ]


def _start(job: Job, others: list[int]) -> _Child:
    read, write = os.pipe()
    try:
        with warnings.catch_warnings():  # later interpreters warn about threads: the child does not touch them
            warnings.simplefilter("ignore", DeprecationWarning)
            process = os.fork()
    except BaseException:
        os.close(read)
        os.close(write)
        raise
    if not process:
        for pipe in (*others, read):
            os.close(pipe)
        _be_child(job, write)
    with contextlib.suppress(ProcessLookupError, PermissionError):  # whoever comes first; the child does the same
        os.setpgid(process, process)
    os.close(write)
    return _Child(job, process, read, monotonic() + _PREPARING)


def _be_child(job: Job, pipe: int) -> Never:
    """Run the checks, say how they went, and leave at once: nothing of the parent's runs at this exit."""
    verdict = _FAILED
    try:
        os.setpgid(0, 0)
        if _prepare(job, pipe) and _all_pass(job, pipe):
            verdict = _PASSED
    except BaseException:  # noqa: BLE001, S110 - whatever a check raises, it has not passed
        pass
    finally:
        with contextlib.suppress(OSError):
            os.write(pipe, verdict)
        os._exit(0)


def _prepare(job: Job, pipe: int) -> bool:
    try:
        job.prepare()
    except BaseException:  # noqa: BLE001 - it is reported
        os.write(pipe, _BROKEN + traceback.format_exc().encode())
        return False
    return True


def _all_pass(job: Job, pipe: int) -> bool:
    for check in job.checks:
        os.write(pipe, _BEGUN)
        if not check():
            return False
    return True
