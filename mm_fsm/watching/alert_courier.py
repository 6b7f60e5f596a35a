"""Brings messages to one target in a thread of its own, so that nobody waits for a target that hangs.

A message that a target does not take is tried again a few times; then the next one comes. The log says once that a
target takes nothing, and once that it does again.
"""

from __future__ import annotations

from contextlib import suppress
from queue import Full, Queue
from threading import Event, Thread
from time import monotonic
from typing import Final, Protocol

from loguru import logger

QUEUE_LENGTH: Final = 32
"""Messages that wait for one target; of more the newest is dropped, and the next that leaves says how many."""
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


class Courier:
    """Takes messages for one target.

    Args:
        target: where they go.
        retry_seconds: waits before a message is tried again.
    """

    def __init__(self, target: TakesMessages, retry_seconds: tuple[float, ...] = RETRY_SECONDS) -> None:
        self._target = target
        self._retry_seconds = retry_seconds
        self._waiting: Queue[tuple[str, str] | None] = Queue(QUEUE_LENGTH)
        self._dropped = 0
        """Messages that never left, and that no later message has told of."""
        self._is_failing = False
        self._ends = Event()
        self._is_done = Event()
        # a daemon: a target that hangs for ever must not keep the process
        Thread(target=self._work, daemon=True, name="alerts").start()

    def put(self, title: str, body: str) -> None:
        """Send this when its turn comes. Returns at once, never raises."""
        try:
            self._waiting.put_nowait((title, body))
        except Full:
            self._dropped += 1

    def end(self) -> None:
        """Send what waits, each once, then nothing more. Returns at once."""
        self._ends.set()
        with suppress(Full):  # then it is awake anyway
            self._waiting.put_nowait(None)

    def wait(self, until: float) -> bool:
        """Wait until everything has been tried, or the monotonic clock says ``until``; whether it has been."""
        return self._is_done.wait(max(until - monotonic(), 0.0))

    def _work(self) -> None:
        while not (self._ends.is_set() and self._waiting.empty()):
            message = self._waiting.get()
            if message is not None:
                self._deliver(*message)
        self._is_done.set()

    def _deliver(self, title: str, body: str) -> None:
        dropped = self._dropped
        if dropped:
            body = f"{body}\n{dropped} earlier messages could not be delivered."
        for wait in (0.0, *self._retry_seconds):
            if wait and self._ends.wait(wait):
                break
            if self._target.send(title, body):
                self._dropped -= dropped
                self._note(is_failing=False)
                return
            self._note(is_failing=True)
        self._dropped += 1

    def _note(self, *, is_failing: bool) -> None:
        if is_failing is self._is_failing:
            return
        self._is_failing = is_failing
        if is_failing:
            logger.bind(target=self._target.name, doing="tried again").warning("alert.not_taken")
        else:
            logger.bind(target=self._target.name).info("alert.taken_again")
