"""A market maker inside another program: the shortest way from a machine to a host's own connection."""

from __future__ import annotations

from collections.abc import Callable

from mm_fsm.core.messages import Fact
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.pushed import PushedRunner
from mm_fsm.runtime.stepping import SteppedMachine
from mm_fsm.venues.host import CarryOut, HostVenue


class HostedMaker(PushedRunner):
    """A machine on a host's connection. Give it facts with ``take``; call ``wake`` at ``wake_at``, or simply often.

    Args:
        machine: the machine, or the one with a journal that ``mm_fsm.runtime.recovery.open_run`` gives.
        carry_out: sends one intent to the real venue and returns at once; its answer comes later, by ``take``.
        now: the host's clock, nanoseconds since the Unix epoch, never going back; the wall's by default.
        on_result: is told each step's result; must not raise.
    """

    def __init__(
        self,
        machine: SteppedMachine,
        carry_out: CarryOut,
        now: Callable[[], int] | None = None,
        on_result: Callable[[StepResult], None] | None = None,
    ) -> None:
        self.host = HostVenue(carry_out, now)
        super().__init__(machine, self.host, on_result)
        self.host.attach(self.take)

    def take(self, fact: Fact) -> None:
        """Give the machine a fact, and before it the outcome of what the host failed to carry out in an earlier call.

        An answer that comes while an intent is carried out follows the step that asked for it.
        """
        if not self._is_stepping:
            self.host.report_failures()
        super().take(fact)

    @property
    def is_final(self) -> bool:
        """Whether the machine has ended: every order is confirmed gone."""
        return self.machine.is_final

    def wake(self) -> None:
        """Time has passed. Before ``wake_at`` this does nothing."""
        self.host.wake()
