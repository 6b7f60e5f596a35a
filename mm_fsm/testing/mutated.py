"""Makes a chart's class, and those that inherit from it, behave like a mutant for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from attrs import evolve
from statemachine import StateChart
from statemachine.callbacks import CallbackSpec

from mm_fsm.chart import Chart, definition_of
from mm_fsm.chart.checks import check_definition
from mm_fsm.chart.engine import build_engine_class
from mm_fsm.chart.names import hooks_of
from mm_fsm.core import order_lifecycle
from mm_fsm.coverage.reading import read_engine
from mm_fsm.errors import ChartDefinitionError
from mm_fsm.testing.mutant import Mutant, MutantKind


def why_stillborn(mutant: Mutant) -> str:
    """What the checks of our charts say against a mutant; empty when they let it pass."""
    cls: Any = mutant.chart
    changed = mutant.changed(definition_of(cls))
    assert changed is not None  # noqa: S101 - it was made from this definition
    ancestors = [base for base in cls.__mro__[1:] if isinstance(base, type(cls)) and issubclass(base, Chart)]
    try:
        check_definition(
            cls,
            changed,
            must_reach=frozenset(name for base in cls.__mro__ for name in vars(base).get("chart_must_reach", ())),
            reserved=frozenset(name for base in cls.__mro__ for name in vars(base).get("chart_reserved_names", ())),
            ancestors=[base.__chart__.definition for base in ancestors if base.__chart__.definition is not None],
        )
        build_engine_class(cls, changed)
    except ChartDefinitionError as error:
        return str(error)
    return ""


@contextmanager
def applied(mutant: Mutant) -> Iterator[None]:
    """While this lasts, new machines of the class behave like the mutant; so do those of classes that inherit from it
    and still have what is changed. Machines made before are as they were.
    """
    with ExitStack() as stack:
        if issubclass(mutant.chart, Chart):
            for cls in (mutant.chart, *_subclasses(mutant.chart)):
                stack.enter_context(_definition_changed(cls, mutant))
            stack.enter_context(_order_table_compiled_anew())
        else:
            stack.enter_context(_engine_changed(mutant.chart, mutant))
        yield


def _subclasses(cls: type[Chart]) -> list[type[Chart]]:
    found = list(cls.__subclasses__())
    for one in found:
        found += [child for child in one.__subclasses__() if child not in found]
    return found


@contextmanager
def _definition_changed(cls: Any, mutant: Mutant) -> Iterator[None]:
    built = cls.__chart__
    changed = mutant.changed(built.definition) if built.definition is not None else None
    if changed is None:
        yield
        return
    with ExitStack() as stack:
        if mutant.callback in hooks_of(changed):
            stack.enter_context(_method_muted(cls, mutant.callback))
        cls.__chart__ = evolve(built, definition=changed, engine_class=build_engine_class(cls, changed))
        try:
            yield
        finally:
            cls.__chart__ = built


@contextmanager
def _method_muted(cls: type, name: str) -> Iterator[None]:
    """python-statemachine binds a hook by its name, whatever the chart says."""
    own = vars(cls).get(name)

    def mute(_self: object) -> None:
        """Nothing."""

    mute.__name__ = name
    setattr(cls, name, mute)
    try:
        yield
    finally:
        if own is None:
            delattr(cls, name)
        else:
            setattr(cls, name, own)


@contextmanager
def _order_table_compiled_anew() -> Iterator[None]:
    """The order's chart runs as a table, which is compiled when its module is imported."""
    lifecycle: Any = order_lifecycle
    table = lifecycle.STATUS_AFTER
    lifecycle.STATUS_AFTER = lifecycle._compile()
    try:
        yield
    finally:
        lifecycle.STATUS_AFTER = table


# -- python-statemachine's own classes: changed in place, and back ------------------------------------------------------


@contextmanager
def _engine_changed(chart: type[StateChart[Any]], mutant: Mutant) -> Iterator[None]:
    undo = _change_engine(chart, mutant)
    try:
        yield
    finally:
        undo()


def _change_engine(chart: type[StateChart[Any]], mutant: Mutant) -> Callable[[], None]:
    if mutant.edge is None:
        state = next(state for state in chart.states if state.id == mutant.state)
        grouper = state.enter if mutant.kind is MutantKind.ENTRY_DROPPED else state.exit
        return _without_specs(grouper.list, [spec for spec in grouper if spec.attr_name == mutant.callback])
    transition = _transition(chart, mutant.edge)
    beside = transition.source.transitions.transitions
    if mutant.kind in (MutantKind.EDGE_DROPPED, MutantKind.CANDIDATES_SWAPPED):
        order = list(beside)
        if mutant.other is None:
            beside.remove(transition)
        else:
            one, other = beside.index(transition), beside.index(_transition(chart, mutant.other))
            beside[one], beside[other] = beside[other], beside[one]
        return lambda: beside.__setitem__(slice(None), order)
    if mutant.kind is MutantKind.EDGE_REDIRECTED:
        return _redirected(chart, transition, mutant.target)
    if mutant.guard is not None:
        spec = list(transition.cond)[mutant.edge.guards.index(mutant.guard)]
        if mutant.kind is MutantKind.GUARD_DROPPED:
            return _without_specs(transition.cond.list, [spec])
        spec.expected_value = not spec.expected_value
        return lambda: setattr(spec, "expected_value", not spec.expected_value)
    groups = (transition.before, transition.on, transition.after)
    return _without_specs(
        transition.cond.list, [spec for group in groups for spec in group if spec.attr_name == mutant.callback]
    )


def _transition(chart: type[StateChart[Any]], edge: Any) -> Any:
    """The transition that an edge stands for; edges that differ only by their event share one."""
    reading = read_engine(chart)
    places = {one.id: place for place, one in reversed(list(enumerate(reading.model.definition.edges)))}
    return reading.transitions[reading.model.transitions[places[edge.id]]]


def _without_specs(specs: Any, dropped: list[CallbackSpec]) -> Callable[[], None]:
    items = specs.items
    before = list(items)
    items[:] = [spec for spec in before if not any(spec is one for one in dropped)]
    return lambda: items.__setitem__(slice(None), before)


def _redirected(chart: type[StateChart[Any]], transition: Any, target: str) -> Callable[[], None]:
    before = (list(transition.targets), transition.internal, transition.is_self)
    state = next(state for state in chart.states if state.id == target)
    transition.targets[:] = [state]
    transition.internal, transition.is_self = False, state is transition.source

    def undo() -> None:
        transition.targets[:] = before[0]
        transition.internal, transition.is_self = before[1:]

    return undo
