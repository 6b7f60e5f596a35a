"""How often each guard was asked, and what it answered: counted only for metrics, as telling it slows the gate."""

from __future__ import annotations

from collections import Counter

from mm_fsm.chart import EdgeDefinition
from mm_fsm.machine.observers import MachineObserver


class GuardCounts(MachineObserver):
    """Counts the answers of one machine's guards, and of those that replace it after a restart."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, str, str, bool]] = Counter()
        """By state, event, guard and answer."""

    def guard_was_asked(self, edge: EdgeDefinition, guard: str, outcome: bool) -> None:  # noqa: FBT001 - the gate's call
        """Count one answer."""
        self.answers[edge.source, edge.event, guard, outcome] += 1
