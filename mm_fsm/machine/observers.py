"""What may watch a machine. Observers are told; nothing they do can influence a decision."""

from __future__ import annotations

from collections.abc import Callable

from mm_fsm.chart import EdgeDefinition
from mm_fsm.core.messages import Fact
from mm_fsm.machine.results import StepResult, TransitionRecord


class MachineObserver:
    """Base of observers: override what is of interest. Errors raised here are the observer's own and propagate."""

    def step_began(self, state: str, fact: Fact) -> None:
        """A fact is about to be booked, in ``state``."""

    def guard_was_asked(self, edge: EdgeDefinition, guard: str, outcome: bool) -> None:  # noqa: FBT001 - the gate's call
        """A guard answered ``outcome``, before that is compared with what the edge expects."""

    def transition_began(self, state: str, event: str) -> None:
        """An edge is about to be taken."""

    def transition_was_taken(self, transition: TransitionRecord, time: int) -> None:
        """An edge was taken."""

    def command_was_refused(self, state: str, command: str) -> None:
        """The fact carries a command that no edge of ``state`` takes, or takes now."""

    def step_ended(self, result: StepResult) -> None:
        """The machine has come to rest."""


class Observers:
    """Who watches one machine, by what each wants to be told: a method that is not overridden is never called."""

    def __init__(self) -> None:
        self.step_began: list[Callable[[str, Fact], None]] = []
        self.transition_began: list[Callable[[str, str], None]] = []
        self.transition_was_taken: list[Callable[[TransitionRecord, int], None]] = []
        self.command_was_refused: list[Callable[[str, str], None]] = []
        self.step_ended: list[Callable[[StepResult], None]] = []

    def add(self, observer: MachineObserver) -> None:
        """Tell one more, after those who are told already."""
        for name, told in vars(self).items():
            if getattr(type(observer), name) is not getattr(MachineObserver, name):
                told.append(getattr(observer, name))
