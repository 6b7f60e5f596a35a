"""The step under way: what it has led to so far, and what leaves once it has come to rest."""

from __future__ import annotations

from attrs import define, field

from mm_fsm.core.decisions import Fault
from mm_fsm.core.messages import Intent
from mm_fsm.machine.results import TransitionRecord


@define
class StepDraft:
    """Intents staged, reasons given, edges taken and faults noted since the step began."""

    intents: list[Intent] = field(factory=list)
    reasons: list[str] = field(factory=list)
    transitions: list[TransitionRecord] = field(factory=list)
    faults: list[Fault] = field(factory=list)

    def stage(self, intent: Intent) -> None:
        """Let an intent leave with this step's result."""
        self.intents.append(intent)

    def explain(self, reason: str) -> None:
        """Add one line to the step's reasons."""
        self.reasons.append(reason)

    def note_fault(self, fault: Fault) -> None:
        """The step's result tells of a fault."""
        self.faults.append(fault)
        self.explain(f"fault {fault.code}: {fault.reason}")

    def clear(self) -> None:
        """Begin the next step."""
        self.intents.clear()
        self.reasons.clear()
        self.transitions.clear()
        self.faults.clear()
