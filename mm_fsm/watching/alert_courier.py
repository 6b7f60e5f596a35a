"""Brings messages to one target in a thread of its own, so that nobody waits for a target that hangs.

A message that a target does not take is tried again a few times; then the next one comes. What is urgent stays until it
is taken. The log says once that a target takes nothing, and once that it does again.
"""

from __future__ import annotations

from collections import deque
from threading import Condition, Thread
from time import monotonic
from typing import Final, Protocol

from attrs import define
from loguru import logger

QUEUE_LENGTH: Final = 32
"""Messages that wait for one target. Of more the newest that is not urgent is dropped, or the newest where all are; the
next that leaves says how many."""
RETRY_SECONDS: Final = (5.0, 30.0, 120.0)
"""Waits before a message is tried again."""


class TakesMessages(Protocol):
    """A target, as far as its courier needs it."""

    @property
    def name(self) -> str:
        """For logs."""
        ...

    def send(self, title: str, body: str) -> bool:
        """Send one message; whether it was taken. May block for ever."""
        ...


@define
class _Waiting:
    title: str
    body: str
    is_urgent: bool


class Courier:
    """Takes messages for one target.

    Args:
        target: where they go.
        retry_seconds: waits before a message is tried again.
    """

    def __init__(self, target: TakesMessages, retry_seconds: tuple[float, ...] = RETRY_SECONDS) -> None:
        self._target = target
        self._retry_seconds = retry_seconds
        self._waiting: deque[_Waiting] = deque()
        """What was not taken yet, the one that is being sent at first."""
        self._dropped = 0
        """Messages that never left, and that no later message has told of."""
        self._is_failing = False
        self._ends = False
        self._is_done = False
        self._changed = Condition()
        # a daemon: a target that hangs for ever must not keep the process
        Thread(target=self._work, daemon=True, name="alerts").start()

    @property
    def name(self) -> str:
        """The target's, for logs."""
        return self._target.name

    def put(self, title: str, body: str, *, is_urgent: bool = False) -> None:
        """Send this when its turn comes; what is urgent until it is taken. Returns at once, never raises."""
        with self._changed:
            self._waiting.append(_Waiting(title, body, is_urgent))
            if len(self._waiting) > QUEUE_LENGTH + 1:  # the first is on its way
                others = [place for place, each in enumerate(self._waiting) if place and not each.is_urgent]
                del self._waiting[others[-1] if others else -1]
                self._dropped += 1
            self._changed.notify_all()

    def end(self) -> None:
        """Try what waits once more, each once, then nothing. Returns at once."""
        with self._changed:
            self._ends = True
            self._changed.notify_all()

    def wait(self, until: float) -> bool:
        """Wait until everything has been tried, or the monotonic clock says ``until``; whether it has been."""
        with self._changed:
            return self._changed.wait_for(lambda: self._is_done, max(until - monotonic(), 0.0))

    def untold(self) -> tuple[str, ...]:
        """Titles of what was not taken so far, and how many messages were dropped before."""
        with self._changed:
            dropped = (f"{self._dropped} earlier messages",) if self._dropped else ()
            return (*(each.title for each in self._waiting), *dropped)

    def _work(self) -> None:
        while self._has_next():
            self._deliver(self._waiting[0])
        with self._changed:
            self._waiting = deque(sorted(self._waiting, key=lambda each: not each.is_urgent))
        for _ in range(len(self._waiting)):
            if not self._try(self._waiting[0]):
                self._waiting.rotate(-1)
        with self._changed:
            self._is_done = True
            self._changed.notify_all()

    def _has_next(self) -> bool:
        """Wait for a message; False at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ends)
            return not self._ends

    def _deliver(self, message: _Waiting) -> None:
        """Try the first of the queue a few times; then it is out of the queue, or its last if it is urgent."""
        for wait in (0.0, *self._retry_seconds):
            if wait and self._is_ending_within(wait):
                return
            if self._try(message):
                return
        with self._changed:
            self._waiting.popleft()
            if message.is_urgent:
                self._waiting.append(message)
            else:
                self._dropped += 1
        if message.is_urgent:
            self._is_ending_within(self._retry_seconds[-1])

    def _is_ending_within(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._ends, seconds)

    def _try(self, message: _Waiting) -> bool:
        """Send the first of the queue; once it is taken it is out of it."""
        dropped, body = self._dropped, message.body
        if dropped:
            body = f"{body}\n{dropped} earlier messages could not be delivered."
        is_taken = self._target.send(message.title, body)
        self._note(is_failing=not is_taken)
        if is_taken:
            with self._changed:
                self._waiting.popleft()
                self._dropped -= dropped
        return is_taken

    def _note(self, *, is_failing: bool) -> None:
        if is_failing is self._is_failing:
            return
        self._is_failing = is_failing
        if is_failing:
            logger.bind(target=self._target.name, doing="tried again").warning("alert.not_taken")
        else:
            logger.bind(target=self._target.name).info("alert.taken_again")
