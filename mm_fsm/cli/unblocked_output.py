"""Output of programs that must not wait for whoever reads it: a terminal after Ctrl-S, an ssh that hangs.

A thread of its own writes; a bounded queue lies between. Text that finds no room there is dropped, and its count told.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import RLock, Thread
from time import monotonic, sleep
from typing import Any, Final, Literal, TextIO

LONGEST_WAIT_SECONDS: Final = 1.0
"""For what is still to be written, once the program's work is over."""
MOST_WAITING: Final = 1000
"""Texts, each a line or a picture of the view."""
_LOOK_SECONDS: Final = 0.01


class UnblockedStream:
    """Takes text like the stream that it stands for, and never waits.

    Everything else of that stream (its name, encoding, descriptor) is as it was. Signal handlers may write, too.

    Args:
        stream: with a descriptor. A duplicate of that is written to directly, so that what others do to the number
            meanwhile, such as keeping the output of a library, loses nothing.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: Final = stream
        self._descriptor: Final = os.dup(stream.fileno())
        self._waiting: Final = SimpleQueue[bytes]()
        """Its ``put`` is reentrant: a signal handler may interrupt it."""
        self._lock: Final = RLock()
        self._put = self._written = self.dropped = 0
        stream.flush()
        Thread(target=self._write_on, name="output", daemon=True).start()

    def __getattr__(self, name: str) -> Any:
        """Whatever else the stream has."""
        return getattr(self._stream, name)

    @property
    def is_behind(self) -> bool:
        """Whether there is text that nobody has taken yet."""
        return self._written < self._put

    def write(self, text: str) -> int:
        """Leave the text to be written; drop it where too much waits already."""
        content = text.encode(self._stream.encoding or "utf-8", "backslashreplace")
        with self._lock:
            if self._put - self._written >= MOST_WAITING:
                self.dropped += 1
            elif content:
                self._put += 1
                self._waiting.put(content)
        return len(text)

    def flush(self) -> None:
        """Nothing to do: the thread writes everything as soon as it can."""

    def drain(self, seconds: float = LONGEST_WAIT_SECONDS) -> bool:
        """Wait for a while until everything is written; whether it is."""
        end = monotonic() + seconds
        while self.is_behind and monotonic() < end:
            sleep(_LOOK_SECONDS)  # no event: a signal handler that waits for one may have interrupted its own setting
        return not self.is_behind

    def _write_on(self) -> None:
        told = 0
        while True:
            content = self._waiting.get()
            _write_whole(self._descriptor, content)
            dropped = self.dropped
            if dropped > told and self._waiting.empty():
                words = f"mm-fsm: {dropped - told} lines were dropped: nobody read them in time\n"
                _write_whole(self._descriptor, words.encode())
                told = dropped
            self._written += 1


def _write_whole(descriptor: int, content: bytes) -> None:
    """Write everything, or nothing further where the reader has gone: a run does not end for that."""
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    except OSError:
        return


@contextmanager
def unblocked(name: Literal["stderr", "stdout"]) -> Iterator[None]:
    """Let nothing wait for the reader of a standard stream meanwhile.

    The end waits ``LONGEST_WAIT_SECONDS`` for what is still to be written. Where that is not enough, the stream stays
    unblocked until the process ends: nothing later must wait either. A file always takes what is written, and stays as
    it is; so does what a program around this one has put in the stream's place.
    """
    stream = getattr(sys, name)
    if isinstance(stream, UnblockedStream) or not _may_block(stream):
        yield
        return
    fresh = UnblockedStream(stream)
    setattr(sys, name, fresh)
    try:
        yield
    finally:
        if fresh.drain() and getattr(sys, name) is fresh:
            setattr(sys, name, stream)


def _may_block(stream: TextIO | None) -> bool:
    """Whether it is a terminal, a pipe or a socket."""
    try:
        return stream is not None and not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (AttributeError, OSError, ValueError):  # no stream of the system's
        return False


def is_behind(stream: object) -> bool:
    """Whether ``stream`` holds text that nobody has taken yet; never so for a stream that blocks."""
    return isinstance(stream, UnblockedStream) and stream.is_behind


def drain(stream: object) -> bool:
    """Wait a little until what ``stream`` took is written; whether it is."""
    return not isinstance(stream, UnblockedStream) or stream.drain()
