"""What hypothesis chooses from; each choice becomes moves in the state that the machine is in then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from attrs import field, frozen
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mm_fsm.chart.definition import NO_EVENT
from mm_fsm.core.messages import Fact
from mm_fsm.testing.driving.answers import answers_for, moves_by_itself
from mm_fsm.testing.models.acts import Act, Send, Step, Tell
from mm_fsm.testing.models.plays import EnginePlay, MachinePlay, Play
from mm_fsm.testing.subjects.ways import Ways

Choice = Callable[[Play], Iterator[Act]]
Facts = SearchStrategy[Any]
"""Draws facts, or callables that make a fact of the machine as it is then, or None where none fits."""


@frozen
class Towards:
    """Take an edge, by the shortest way to it: the guards of each hold, and no others that could lead elsewhere."""

    ways: Ways = field(repr=False)
    place: int

    def __call__(self, play: Play) -> Iterator[Act]:
        """The moves; none where no way leads to the edge. An edge that the machine has taken by itself is none."""
        edges = self.ways.model.definition.edges
        way = self.ways.way(play.state, edges[self.place].source)
        for place in () if way is None else (*way, self.place):
            if play.state == edges[place].source:
                answers = answers_for(self.ways.model, [play.state], place) or {}
                holding = [guard for guard, answer in answers.items() if answer]
                by_itself = isinstance(play, MachinePlay) and moves_by_itself(self.ways.model, place)
                yield Step(holding) if by_itself else Send(edges[place].event, holding)


@frozen
class _Anything:
    """Send an event, or take a step, whatever the state, while any guards hold."""

    event: str | None
    holding: tuple[str, ...]

    def __call__(self, play: Play) -> Iterator[Act]:
        """The move; what a machine of ours takes by itself cannot be sent to it."""
        if self.event is None:
            yield Step(self.holding)
        elif self._can_be_sent(self.event, play):
            yield Send(self.event, self.holding)

    def _can_be_sent(self, event: str, play: Play) -> bool:
        if isinstance(play, EnginePlay) or (isinstance(play, MachinePlay) and event in play.commands):
            return True
        return all(edge.event != event for edge in play.model.definition.edges_from(play.state))


@frozen
class _Telling:
    """Tell a fact."""

    fact: Any

    def __call__(self, play: Play) -> Iterator[Act]:
        """The move, with a fact that is made now where it is to be aimed."""
        fact = self.fact if isinstance(self.fact, Fact) else self.fact(play.machine)
        if fact is not None:
            yield Tell(fact)


def choices(ways: Ways, facts: Facts | None, *, is_machine: bool) -> SearchStrategy[Choice]:
    """What may be done next; each choice becomes a move in the state that the machine is in then."""
    definition = ways.model.definition
    events = st.sampled_from(list(dict.fromkeys(edge.event for edge in definition.edges if edge.event != NO_EVENT)))
    sending: SearchStrategy[Choice] = st.builds(_Anything, events, st.just(()))
    if facts is not None:
        told: SearchStrategy[Choice] = st.builds(_Telling, facts)
        return st.one_of(told, told, told, told, told, sending)
    goals = sorted((place for place in range(len(definition.edges)) if ways.is_goal(place)), key=ways.distance)
    towards: SearchStrategy[Choice] = st.builds(Towards, st.just(ways), st.sampled_from(goals))
    guards = st.lists(st.sampled_from(definition.guard_names), unique=True) if definition.guard_names else st.just([])
    holding = guards.map(lambda names: tuple(name for name in definition.guard_names if name in names))
    anything = st.builds(_Anything, st.none() if is_machine else events, holding)
    return st.one_of(*[towards] * 6, anything, sending)
