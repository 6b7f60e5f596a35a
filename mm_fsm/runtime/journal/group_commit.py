"""Makes records durable off the thread that steps: the journals of all markets share a few writing threads.

A journal that joins hands its rows over and goes on; whatever has come together by the time that a thread is free
becomes durable in one transaction. Cancels and questions need not wait for it; placements do, by ``durable``, which is
what ``mm_fsm.runtime.releasing.PlacementsWait`` asks. Journals of different markets are written side by side, so that
one slow disk write holds up the placements of one market.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, Self

from attrs import define, field

from mm_fsm.errors import JournalError
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.journal.writer import Journal

WRITING_THREADS: Final = 4
"""SQLite lets other threads run while it waits for the disk, so that few threads serve many journals. One would wait
for the writes of all files one after the other; more than four gain nothing (``benchmarks/group_commit.py``)."""


class GroupCommit:
    """Writes for every journal that joins. For one asyncio loop; close it after the journals.

    Args:
        loop: the loop in which placements wait.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Final = loop
        self._threads: Final = ThreadPoolExecutor(WRITING_THREADS, thread_name_prefix="journal")

    def join(self, journal: Journal) -> Callable[[StepResult], Awaitable[None] | None]:
        """Write for a journal from now on. The returned function says what a step's placements wait for.

        What placements wait for raises ``JournalError`` where the record could not be written.
        """
        lane = _Lane(journal=journal, loop=self._loop, threads=self._threads)
        journal.hand_over_to(lane.write_soon)
        return lane.durable

    def close(self) -> None:
        """Finish what was begun, and end the threads. Never raises."""
        self._threads.shutdown(wait=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@define(kw_only=True, eq=False)
class _Lane:
    """One journal's way to the disk, and who waits at its end."""

    journal: Journal
    loop: asyncio.AbstractEventLoop
    threads: ThreadPoolExecutor
    _is_due: bool = field(default=False, init=False)
    _waiting: deque[tuple[int, asyncio.Future[None]]] = field(factory=deque, init=False)

    def write_soon(self) -> None:
        """Have a thread write the journal's waiting rows, and those that arrive before it begins."""
        if not self._is_due:
            self._is_due = True
            self.threads.submit(self._write)

    def durable(self, result: StepResult) -> Awaitable[None] | None:
        """What a step's placements wait for; None when it is durable already."""
        del result  # by now the step is the journal's latest record
        recorded = self.journal.rows_recorded
        if self.journal.rows_durable >= recorded:
            return None
        future: asyncio.Future[None] = self.loop.create_future()
        self._waiting.append((recorded, future))
        return future

    def _write(self) -> None:
        """In a writing thread."""
        self._is_due = False  # cleared before the rows are taken, so that later rows ask again
        if self.journal.failure is None:
            with suppress(JournalError):  # the journal notes the failure; its next step finds it
                self.journal.commit()
        self._tell()
        with suppress(JournalError):
            self.journal.tidy_up()

    def _tell(self) -> None:
        with suppress(RuntimeError):  # the loop has been closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._let_go)

    def _let_go(self) -> None:
        """In the loop: wake everybody whose rows are durable."""
        failure = self.journal.failure
        while self._waiting:
            recorded, future = self._waiting[0]
            is_durable = self.journal.rows_durable >= recorded
            if not is_durable and failure is None:
                return
            self._waiting.popleft()
            if future.done():
                continue
            if is_durable:
                future.set_result(None)
            else:
                future.set_exception(self.journal.file.refusal())
