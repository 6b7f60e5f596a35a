"""Which answers of the guards let one edge be taken and no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mm_fsm.chart import ChartDefinition, EdgeDefinition

Answers = dict[str, bool]


def rivals_of(definition: ChartDefinition, edge: EdgeDefinition, *, at_rest: bool = False) -> list[EdgeDefinition]:
    """The edges that would be taken instead of ``edge`` if their guards held: those before it that may fire with it.

    ``at_rest`` asks of a command that the machine waits for it: then every edge that fires by itself is a rival.
    """
    leaving = list(definition.edges_from(edge.source))
    before = leaving[: leaving.index(edge)]
    if at_rest and definition.automatic and edge.command:
        return [other for other in leaving if not other.command or (other in before and other.event == edge.event)]
    return [other for other in before if _compete(definition, other, edge)]


def _compete(definition: ChartDefinition, one: EdgeDefinition, other: EdgeDefinition) -> bool:
    return one.event == other.event or (definition.automatic and not one.command and not other.command)


def answers_that_take(
    definition: ChartDefinition,
    edge: EdgeDefinition,
    prefer: Mapping[str, bool] | None = None,
    *,
    at_rest: bool = False,
) -> Iterator[Answers]:
    """Every way in which ``edge`` holds and all its rivals are refused; guards that do not matter are left out.

    Ways that need less of a change from ``prefer`` tend to come first.
    """
    wanted = {guard.name: guard.expected for guard in edge.guards}
    yield from _refuse(rivals_of(definition, edge, at_rest=at_rest), wanted, prefer or {})


def _refuse(rivals: Sequence[EdgeDefinition], answers: Answers, prefer: Mapping[str, bool]) -> Iterator[Answers]:
    if not rivals:
        yield answers
        return
    rival, further = rivals[0], rivals[1:]
    if any(answers.get(guard.name, guard.expected) is not guard.expected for guard in rival.guards):
        yield from _refuse(further, answers, prefer)
        return
    undecided = [guard for guard in rival.guards if guard.name not in answers]
    for guard in sorted(undecided, key=lambda guard: prefer.get(guard.name, guard.expected) is guard.expected):
        yield from _refuse(further, {**answers, guard.name: not guard.expected}, prefer)


def with_later_rivals_holding(
    definition: ChartDefinition, edge: EdgeDefinition, answers: Mapping[str, bool]
) -> Answers:
    """The same answers with as many of the edges behind ``edge`` holding too as possible: only order decides then."""
    completed = dict(answers)
    leaving = list(definition.edges_from(edge.source))
    for later in leaving[leaving.index(edge) + 1 :]:
        terms = {guard.name: guard.expected for guard in later.guards}
        agrees = all(completed.get(name, expected) is expected for name, expected in terms.items())
        if agrees and _compete(definition, edge, later):
            completed.update(terms)
    return {name: completed.get(name, False) for name in definition.guard_names}
