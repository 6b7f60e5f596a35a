"""Which edges a machine took, and how long its visits to states lasted, by the times that facts carried."""

from __future__ import annotations

from collections import Counter

from attrs import define, field

from mm_fsm.chart import BudgetMeasure, EdgeDefinition, StateDefinition
from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND


@define
class Visits:
    """What a machine counts about its way through its chart; a restart carries it. Durations in nanoseconds."""

    sequence: int = 0
    """Steps so far."""
    entered_at: int | None = None
    """When the current visit began; None before the first fact."""
    unfinished_command: str | None = None
    """A command that was interrupted before the chart moved: it is sent again with the next fact."""
    transition_counts: Counter[str] = field(factory=Counter)
    """How often edges were taken, by ``source.event``, which several may share."""
    edge_counts: Counter[str] = field(factory=Counter)
    """How often each edge was taken, by ``EdgeDefinition.id``."""
    state_durations: Counter[str] = field(factory=Counter)
    """Time spent in each state; the current visit is added on leaving."""
    budget_breaches: Counter[str] = field(factory=Counter)
    """Visits to each state that took longer than its waiting budget."""

    def count_edge(self, edge: EdgeDefinition, source: StateDefinition, now: int) -> str | None:
        """Count an edge; unless it is internal, end the visit. What there is to say of a budget that was broken."""
        self.transition_counts[f"{edge.source}.{edge.event}"] += 1
        self.edge_counts[edge.id] += 1
        if edge.internal:
            return None
        entered_at, self.entered_at = self.entered_at, now
        duration = 0 if entered_at is None else now - entered_at
        self.state_durations[source.id] += duration
        budget = source.budget
        if budget is None or budget.measure is not BudgetMeasure.WAITING:
            return None
        if duration <= budget.milliseconds * NANOSECONDS_PER_MILLISECOND:
            return None
        self.budget_breaches[source.id] += 1
        spent = duration / NANOSECONDS_PER_MILLISECOND
        return f"{source.id} took {spent:.0f} ms; its budget is {budget.milliseconds} ms"

    def durations_until(self, now: int, state: str) -> dict[str, int]:
        """Time spent in each state, the current visit to ``state`` included."""
        durations = dict(self.state_durations)
        if self.entered_at is not None:
            durations[state] = durations.get(state, 0) + now - self.entered_at
        return durations
