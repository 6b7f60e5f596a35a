"""What a run did, drawn over its chart."""

from __future__ import annotations

from mm_fsm.books.facts import Timer
from mm_fsm.chart import State
from mm_fsm.cli.visited import visited_overlay
from tests.runtime.journal.drawn_strategies import Drawn


class Forked(Drawn):
    """One event of one state that leads to two others, and under two conditions to one of them."""

    middle, left, right = State("MIDDLE", initial=True), State("LEFT"), State("RIGHT")
    error, done = State("ERROR"), State("DONE", final=True)
    go = (
        middle.to(left, cond="is_first", on="do_act")
        | middle.to(right, cond="is_second", on="do_act")
        | middle.to(right, cond="is_later", on="do_act")
    )
    back = left.to(middle) | right.to(middle)
    finish = middle.to(done, cond="is_never")
    recover = error.to(middle, cond="is_never")
    error_execution = error.from_.any(but=(error,), command=True) | error.to.itself(internal=True, command=True)

    def facts_met(self) -> int:
        return self.bookkeeper.kinds.total() if self.acted < self.bookkeeper.kinds.total() else 0

    def is_first(self) -> bool:
        return self.facts_met() == 1

    def is_second(self) -> bool:
        return self.facts_met() == 2

    def is_later(self) -> bool:
        return self.facts_met() > 2

    def is_never(self) -> bool:
        return False


def test_edges_that_share_state_and_event_are_counted_apart() -> None:
    """Five facts: the first leads left, the second right, the other three right for another reason."""
    machine = Forked()
    for number in range(1, 6):
        machine.step(Timer(received_at=number))
    overlay = visited_overlay(machine, "")
    suffixes: dict[str, list[str]] = {state.id: [] for state in machine.definition.states}
    for edge in machine.definition.edges:
        if edge.event == "go":
            suffixes[edge.target].append(overlay.edge(edge.id).label_suffix)
    assert (suffixes["left"], suffixes["right"]) == (["x 1"], ["x 1", "x 3"])
