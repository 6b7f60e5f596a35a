"""A market that a bug has ended is restarted from its journal: so many times, each after a longer pause.

The others go on meanwhile. As after a crash of the process, nothing of the machine that failed is kept but what its
journal says, every order that was live is UNKNOWN until the venue has been asked, and nothing is placed before the
books have been compared with the venue's. A market that keeps failing stays down, its orders cancelled, and the run
says so.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, evolve, field, frozen

from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.runtime.journal import Journal
from mm_fsm.runtime.journal.group_commit import GroupCommit
from mm_fsm.runtime.recovery import OpenRun, RunPlan, open_run
from mm_fsm.runtime.releasing import PlacementsWait, Release
from mm_fsm.runtime.stepping import SteppedMachine


@frozen(kw_only=True)
class OpenedMachine:
    """A machine that is ready to take facts."""

    machine: QuotingMachine
    stepped: SteppedMachine
    """What takes the facts: the machine, or the journal around it."""
    journal: Journal | None
    release: Release | None
    """When the intents of a step may leave; at once where it is None."""


Reopen = Callable[[], OpenedMachine]
"""Opens a market's machine anew from its journal, once the one that failed has been given up.

It raises ``MarketMakerError`` where the journal cannot be read or written.
"""


@define(kw_only=True, eq=False)
class RestartPolicy:
    """How often, and how soon, one market is restarted. Times are seconds of one clock."""

    most: int
    """Restarts; then it stays down."""
    first_pause: float
    """Before the first; twice as long before each further one."""
    done: int = field(default=0, init=False)
    due: float | None = field(default=None, init=False)
    """When it is restarted; None while it runs, or when it stays down."""

    def note_failure(self, now: float) -> None:
        """A bug has ended it, or its restart failed."""
        self.due = now + self.first_pause * 2**self.done if self.done < self.most else None

    def note_restart(self) -> None:
        """It is being restarted."""
        self.done += 1
        self.due = None

    def give_up(self) -> None:
        """Whatever happens, it is restarted no more."""
        self.most = self.done
        self.due = None


@define(eq=False)
class JournaledRuns:
    """One market's runs within one process, on one journal: one at a time, each going on where the last one failed.

    Args:
        plan: how the first is begun.
        commits: writes records off the stepping thread; None writes them as they come.
    """

    plan: RunPlan
    commits: GroupCommit | None
    _run: OpenRun | None = field(default=None, init=False)

    def open(self) -> OpenedMachine:
        """Open the first run.

        Raises:
            OwnershipError: another process makes the market.
            MarketMakerError: settings contradict each other, or the journal cannot be read or written.
        """
        return self._opened(open_run(self.plan))

    def reopen(self) -> OpenedMachine:
        """Go on from the journal of the machine that failed. The market stays this process's own meanwhile.

        Raises:
            MarketMakerError: the journal cannot be read or written.
        """
        kept = None if self._run is None else self._run.abandon()
        self._run = None
        return self._opened(open_run(evolve(self.plan, is_continued=True), kept))

    def close(self, *, is_sound: bool) -> None:
        """Let go of journal and market; a machine that a bug has broken is not written down. Never raises."""
        if self._run is None:
            return
        if is_sound:
            self._run.close()
        else:
            self._run.abandon().release()

    def _opened(self, run: OpenRun) -> OpenedMachine:
        self._run = run
        release = None if self.commits is None else PlacementsWait(self.commits.join(run.journal))
        return OpenedMachine(machine=run.machine.machine, stepped=run.machine, journal=run.journal, release=release)
