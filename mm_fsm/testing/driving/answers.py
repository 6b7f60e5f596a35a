"""Which answers of the guards single out one edge: its own let it pass, and every edge tried before it is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from mm_fsm.chart import EdgeDefinition
from mm_fsm.chart.definition import NO_EVENT
from mm_fsm.coverage.model import ChartModel


def answers_for(model: ChartModel, active: Collection[str], place: int) -> Mapping[str, bool] | None:
    """What guards must answer, by name, so that this edge is the next; others may answer anything.

    Args:
        model: the chart.
        active: the states that the machine is in.
        place: the edge.

    Returns:
        None where no answers do: an edge that is tried before it always wins.
    """
    edge = model.definition.edges[place]
    return _refusing({guard.name: guard.expected for guard in edge.guards}, list(_tried_before(model, active, place)))


def answers_for_rest(model: ChartModel, active: Collection[str]) -> Mapping[str, bool] | None:
    """What guards must answer so that nothing is taken by itself; None where something always is."""
    return _refusing({}, [edge for edge in _leaving(model, active) if _moves_by_itself(model, edge)])


def moves_by_itself(model: ChartModel, place: int) -> bool:
    """Whether an edge is taken without an event that somebody sends, as soon as its guards hold."""
    return _moves_by_itself(model, model.definition.edges[place])


def _refusing(answers: dict[str, bool], rivals: Sequence[EdgeDefinition]) -> dict[str, bool] | None:
    """Complete ``answers`` so that no rival passes; the first guard of each that is free to refuse does."""
    if not rivals:
        return answers
    for guard in rivals[0].guards:
        if answers.get(guard.name, not guard.expected) is not guard.expected:
            completed = _refusing({**answers, guard.name: not guard.expected}, rivals[1:])
            if completed is not None:
                return completed
    return None


def _tried_before(model: ChartModel, active: Collection[str], place: int) -> Iterator[EdgeDefinition]:
    """The edges that would be taken in place of this one if their guards held."""
    edge = model.definition.edges[place]
    by_itself, is_before = _moves_by_itself(model, edge), True
    for other in _leaving(model, active):
        is_before = is_before and other is not edge
        is_alike = other.event == edge.event or (by_itself and _moves_by_itself(model, other))
        if (is_before and is_alike) or (other.event == NO_EVENT != edge.event):
            yield other


def _moves_by_itself(model: ChartModel, edge: EdgeDefinition) -> bool:
    return edge.event == NO_EVENT or (model.definition.automatic and not edge.command)


def _leaving(model: ChartModel, active: Collection[str]) -> Iterator[EdgeDefinition]:
    """The edges that may be taken next, in the order in which they are tried: those of inner states first."""
    for state in sorted(active, key=lambda state: -len(list(model.ancestors(state)))):
        yield from model.definition.edges_from(state)
