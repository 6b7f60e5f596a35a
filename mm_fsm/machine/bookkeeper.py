"""What the stepper asks beside the chart: how facts are admitted and booked, and what follows once the chart rests.

A bookkeeper is no base of a machine: a machine has one beside its chart, so no name here is reserved there.
"""

from __future__ import annotations

from collections.abc import Mapping

from mm_fsm.core.decisions import Fault
from mm_fsm.core.messages import Fact
from mm_fsm.machine.step_draft import StepDraft


class Bookkeeper:
    """Books nothing but time, and has nothing to follow up: the base of bookkeepers, and enough for a bare chart."""

    def __init__(self) -> None:
        self.draft = StepDraft()
        """What the step under way has led to; the stepper empties it."""
        self.rests = False
        """Whether the fact just booked changed nothing that the chart came to rest on: it need not be asked all of its
        guards again, and nothing is to be followed up."""
        self._now = 0

    @property
    def now(self) -> int:
        """The latest time any fact carried, nanoseconds."""
        return self._now

    def admit(self, fact: Fact) -> object:
        """Check a fact; raise ``FactRefusedError`` before anything has changed. The result is handed to ``book``."""

    def book(self, fact: Fact, admitted: object, *, is_final: bool) -> str | None:
        """Apply an admitted fact to the books. Return the command it carries, if any."""
        self._now = max(self._now, fact.received_at)
        return None

    def follow_up(self, state: str, *, is_final: bool) -> None:
        """Once the chart rests: ask again, cancel again, whatever the state. Only stages cancels and queries."""

    def find_wake_time(self, *, is_final: bool) -> int | None:
        """When time alone will next change something, strictly after ``now``; None when never."""

    def withdraw_placements(self) -> None:
        """Take staged placements back out of the books and out of the staged intents."""

    def note_fault(self, fault: Fault) -> None:
        """Remember a fault; must not raise."""

    def cancel_all_live(self, *, is_final: bool) -> None:
        """Last resort after a fault: every live order has a cancel in flight. Runs no replaceable code."""

    def remembered_values(self) -> Mapping[str, object]:
        """Everything that later steps depend on, by name; the values themselves, no copies."""
        return {}

    def continue_from(self, values: Mapping[str, object]) -> None:
        """Go on with values that ``remembered_values`` gave."""
