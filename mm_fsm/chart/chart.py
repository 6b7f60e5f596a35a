"""``Chart``: the base of every declared machine, whose subclasses never change their parents.

python-statemachine shares state objects between a class and its subclasses, so that an edge declared in a subclass
appears in its parent too. Here a class body is read into plain declarations, merged with what the parent declares,
checked, and built into a ``StateChart`` of its own from fresh states. A machine *has* that chart (``chart_of``)
rather than *is* it, so no event can be fired past the machine by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import statemachine
from attrs import evolve, field, frozen
from statemachine.transition_list import TransitionList

from mm_fsm.chart.adoption import with_states_of_ours
from mm_fsm.chart.checks import check_body, check_definition
from mm_fsm.chart.declaration import State
from mm_fsm.chart.definition import ChartDefinition
from mm_fsm.chart.engine import build_engine_class
from mm_fsm.chart.expansion import define
from mm_fsm.chart.merge import Declarations
from mm_fsm.chart.table import Table
from mm_fsm.errors import ChartDefinitionError


@frozen
class _Built:
    """What a class's own chart consists of; a class without states has no definition."""

    declarations: Declarations
    definition: ChartDefinition | None = None
    engine_class: type[statemachine.StateChart[Any]] | None = None
    table: Table | None = None
    handles: dict[str, State] = field(factory=dict)
    """States that a subclass's body has taken from this class so far."""


class ChartMeta(type):
    """Reads a class body's states and edges, and builds the class's own chart."""

    __chart__: _Built

    @classmethod
    def __prepare__(cls, name: str, bases: tuple[type, ...], /, **keywords: Any) -> dict[str, object]:
        """Forget what an earlier class body took from the parents, also one that failed half-way."""
        _forget_handles(_lineage(bases))
        return {}

    def __new__(mcs, name: str, bases: tuple[type, ...], body: dict[str, Any], **keywords: Any) -> ChartMeta:
        """Build the class and its chart.

        Raises:
            ChartDefinitionError: with what is wrong in the declaration and what to do.
        """
        lineage = _lineage(bases)
        inherited = _inherited(name, bases)
        try:
            body = with_states_of_ours(name, body)
            declarations = _read_body(name, bases, body, inherited, lineage)
        finally:
            _forget_handles(lineage)
        plain = {
            key: value
            for key, value in body.items()
            if not isinstance(value, (State, TransitionList)) and not (value is None and key in inherited)
        }
        cls = super().__new__(mcs, name, bases, plain, **keywords)
        cls.__chart__ = _Built(declarations)
        if declarations.states:
            cls.__chart__ = _build(cls, declarations, lineage)
        return cls

    def __getattr__(cls, name: str) -> Any:
        """A handle of a state, to declare edges with in a subclass's body: ``Parent.monitoring.to(paused)``."""
        if name.startswith("_"):
            raise AttributeError(name)
        states, handles = cls.__chart__.declarations.states, cls.__chart__.handles
        if name not in states:
            raise AttributeError(f"{cls.__name__} has no attribute {name!r}; its states are {sorted(states)}.")
        if name not in handles:
            handle = State(states[name].name)
            handle.declared_as, handle.handle_of = name, cls
            handles[name] = handle
        return handles[name]


def _lineage(bases: tuple[type, ...]) -> list[ChartMeta]:
    """Every chart that a class with these bases inherits from, nearest first."""
    classes = [cls for base in bases for cls in base.__mro__]
    return [cls for cls in dict.fromkeys(classes) if isinstance(cls, ChartMeta)]


def _forget_handles(lineage: Iterable[ChartMeta]) -> None:
    for cls in lineage:
        cls.__chart__.handles.clear()


def _inherited(name: str, bases: tuple[type, ...]) -> Declarations:
    parents = [base for base in bases if isinstance(base, ChartMeta)]
    if len(parents) > 1:
        raise ChartDefinitionError(
            name,
            f"it has {len(parents)} parents that are charts: {[parent.__name__ for parent in parents]}.",
            "Inherit from one chart; share methods through plain mix-in classes.",
        )
    return parents[0].__chart__.declarations if parents else Declarations()


def _read_body(
    name: str, bases: tuple[type, ...], body: dict[str, Any], inherited: Declarations, lineage: list[ChartMeta]
) -> Declarations:
    if isinstance(original := body.get("__chart__"), _Built):
        # attrs and dataclasses build a class a second time to give it slots; its states have left its body by then.
        return original.declarations
    check_body(name, body, bases, inherited, [state for cls in lineage for state in cls.__chart__.handles.values()])
    return inherited.merged(name, body, lineage)


def _gathered(cls: type, setting: str) -> frozenset[str]:
    """What a class and its parents put in a setting, which none of them can take out.

    Raises:
        ChartDefinitionError: the setting is one string where names in a tuple or a set were meant.
    """
    gathered: set[str] = set()
    for base in cls.__mro__:
        names = vars(base).get(setting, ())
        if isinstance(names, str):
            raise ChartDefinitionError(
                cls.__name__, f"{setting} is {names!r}.", f"Write several names, or one with a comma: ({names!r},)."
            )
        gathered.update(names)
    return frozenset(gathered)


def _build(cls: type, declarations: Declarations, lineage: list[ChartMeta]) -> _Built:
    definition = define(cls, declarations)
    check_definition(
        cls,
        definition,
        must_reach=_gathered(cls, "chart_must_reach"),
        ancestors=[base.__chart__.definition for base in lineage if base.__chart__.definition is not None],
    )
    return _Built(declarations, definition, build_engine_class(cls, definition), Table(definition))


class Chart(metaclass=ChartMeta):
    """Base of declared machines.

    In one class body a subclass adds states and edges, replaces an edge by declaring its event again, removes a
    state or an event with ``None``, and overrides guards and callbacks by name. Its parent never changes.
    """

    chart_is_automatic: ClassVar[bool] = True
    """Whether events fire by themselves when their guards hold, in declared order; otherwise the host sends them."""
    chart_fault_event: ClassVar[str | None] = None
    """The command sent when a guard or a callback raises; every state that is not final must accept it."""
    chart_must_reach: ClassVar[tuple[str, ...]] = ()
    """States that must be reachable from every state that is not final; a subclass adds to its parents'."""


def definition_of(chart: type[Chart]) -> ChartDefinition:
    """The neutral definition of a chart's class.

    Raises:
        ChartDefinitionError: the class declares no states.
    """
    if chart.__chart__.definition is None:
        raise ChartDefinitionError(chart.__name__, "it declares no states.", "Declare at least an initial State.")
    return chart.__chart__.definition


def chart_of(chart: type[Chart]) -> type[statemachine.StateChart[Any]]:
    """The python-statemachine class of a chart, for diagrams, for coverage, and to run.

    Raises:
        ChartDefinitionError: the class declares no states.
    """
    if chart.__chart__.engine_class is None:
        raise ChartDefinitionError(chart.__name__, "it declares no states.", "Declare at least an initial State.")
    return chart.__chart__.engine_class


def table_of(chart: type[Chart]) -> Table:
    """The table that a chart's class is compiled to.

    Raises:
        ChartDefinitionError: the class declares no states.
    """
    if chart.__chart__.table is None:
        raise ChartDefinitionError(chart.__name__, "it declares no states.", "Declare at least an initial State.")
    return chart.__chart__.table


@contextmanager
def redefined(
    chart: type[Chart], definition: ChartDefinition, engine_class: type[statemachine.StateChart[Any]]
) -> Iterator[None]:
    """Let a class have another chart until the block ends, unchecked: machines made meanwhile run it.

    This is for testing whether a test suite notices. Subclasses have charts of their own and keep them.
    """
    built = chart.__chart__
    chart.__chart__ = evolve(built, definition=definition, engine_class=engine_class, table=Table(definition))
    try:
        yield
    finally:
        chart.__chart__ = built
