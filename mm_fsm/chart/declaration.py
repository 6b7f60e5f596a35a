"""What a class body is written with: python-statemachine's states and transitions, with what it has no place for.

``State`` adds a purpose and a budget; its ``to`` and ``from_`` make ``Edge`` transitions, which add whether the edge
is a command, what it takes precedence over, a note, and the reason why no test can reach it. ``calls_services`` says
beside an action which services it calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import statemachine
from statemachine.transition import Transition
from statemachine.transition_list import TransitionList

from mm_fsm.chart.definition import Budget, BudgetMeasure

Names = str | tuple[str, ...] | None
"""One callback or guard by name, several, or none."""

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_DECLARED_CALLS: Final = "__service_calls__"
"""The attribute of an action that holds what ``calls_services`` declares."""


def computing(*, milliseconds: int) -> Budget:
    """A budget for the machine's own work in one visit to a state."""
    return Budget(milliseconds, BudgetMeasure.COMPUTING)


def waiting(*, milliseconds: int) -> Budget:
    """A budget for the time one visit lasts, the venue's answers included."""
    return Budget(milliseconds, BudgetMeasure.WAITING)


def calls_services(*calls: str) -> Callable[[FunctionT], FunctionT]:
    """Declare which services an action calls, itself and through other methods, as ``role.method``.

    Diagrams show the declaration. An override without one keeps its parent's; ``@calls_services()`` says "none".
    """

    def declare(function: FunctionT) -> FunctionT:
        setattr(function, _DECLARED_CALLS, calls)
        return function

    return declare


def declared_calls(owner: type, name: str) -> tuple[str, ...]:
    """The services that the method ``name`` of ``owner`` declares, or the nearest parent's method that declares any."""
    for cls in owner.__mro__:
        calls: tuple[str, ...] | None = getattr(vars(cls).get(name), _DECLARED_CALLS, None)
        if calls is not None:
            return calls
    return ()


class Edge(Transition):
    """A python-statemachine transition that also says how it is fired and why it is there.

    Nothing is refused here: what is wrong with an edge is said when its class is built, with the chart's name.
    """

    def __init__(
        self,
        source: statemachine.State,
        target: statemachine.State,
        *,
        cond: Names = None,
        unless: Names = None,
        before: Names = None,
        on: Names = None,
        after: Names = None,
        internal: bool = False,
        command: bool = False,
        but: statemachine.State | Iterable[statemachine.State] = (),
        ahead_of: str | None = None,
        note: str = "",
        excluded: str = "",
        **unknown: object,
    ) -> None:
        super().__init__(source, target, cond=cond, unless=unless, before=before, on=on, after=after)
        self.internal = internal
        self.command = command
        self.but = (but,) if isinstance(but, statemachine.State) else tuple(but)
        self.ahead_of = ahead_of
        self.note = note
        self.excluded = excluded
        self.unknown = tuple(unknown)
        """Keywords that an edge of a chart does not have, such as python-statemachine's validators."""
        self.contradictions = tuple(name for name in _listed(cond) if name in _listed(unless))
        """Guards in both cond and unless; the second mention is lost on the transition itself."""


def _listed(names: Names) -> tuple[object, ...]:
    return tuple(names) if isinstance(names, (tuple, list)) else (names,) if names else ()


class _EdgesTo:
    """``state.to(...)``: edges that leave a state."""

    def __init__(self, source: State) -> None:
        self._source = source

    def __call__(self, *targets: statemachine.State, **keywords: Any) -> TransitionList:
        return self._source.declare(Edge(self._source, target, **keywords) for target in targets)

    def itself(self, **keywords: Any) -> TransitionList:
        """An edge back to the same state; with ``internal=True`` it is neither left nor entered."""
        return self(self._source, **keywords)


class _EdgesFrom:
    """``state.from_(...)``: edges that arrive in a state."""

    def __init__(self, target: State) -> None:
        self._target = target

    def __call__(self, *sources: statemachine.State, **keywords: Any) -> TransitionList:
        return self._target.declare(Edge(source, self._target, **keywords) for source in sources)

    def any(self, *, but: statemachine.State | Iterable[statemachine.State] = (), **keywords: Any) -> TransitionList:
        """An edge from every state that is not final and not in ``but``, those that a subclass adds included."""
        return self._target.declare([Edge(ANY_STATE, self._target, but=but, **keywords)])


class State(statemachine.State):
    """A state of a chart.

    Args:
        name: for people; derived from the attribute's name when empty.
        initial: whether a new machine starts here. One state must.
        final: whether the machine ends here. No edge leaves a final state.
        enter: names of the methods that run on entry.
        exit: names of the methods that run on leaving.
        budget: how long one visit may take: ``computing(...)`` or ``waiting(...)``.
        purpose: one line on what the state is for.
    """

    def __init__(
        self,
        name: str = "",
        *,
        initial: bool = False,
        final: bool = False,
        enter: Names = None,
        exit: Names = None,
        budget: Budget | None = None,
        purpose: str = "",
    ) -> None:
        super().__init__(name, initial=initial, final=final, enter=enter, exit=exit)
        self.budget = budget
        self.purpose = purpose
        self.declared_as = ""
        """The attribute it is declared as, set when its class is built."""
        self.handle_of: type | None = None
        """The class whose state this stands for, when it was taken from a parent: ``Parent.monitoring``."""
        self.declared: list[Edge] = []
        """Every edge made from here, so that one that is never given a name can be found."""

    def declare(self, edges: Iterable[Edge]) -> TransitionList:
        """Note edges that were made through this state."""
        listed = list(edges)
        self.declared += listed
        return TransitionList(listed)

    @property
    def to(self) -> _EdgesTo:  # type: ignore[override]
        """Declare edges from this state: ``event = this.to(other, cond="guard")``."""
        return _EdgesTo(self)

    @property
    def from_(self) -> _EdgesFrom:  # type: ignore[override]
        """Declare edges to this state: ``event = this.from_(one, another)`` or ``this.from_.any()``."""
        return _EdgesFrom(self)


ANY_STATE: Final = State("any")
"""Stands for every state that is not final; expanded when a class is built."""
