"""One name, one meaning: what a state, an event, a guard or a callback may be called.

python-statemachine looks callbacks up by name, on the machine and on its own object, and binds some by convention
(``on_enter_<state>``). A name with two meanings is therefore a hang, a silent edge, or a guard that nobody declared.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from keyword import iskeyword
from types import FunctionType
from typing import Any, Final

import statemachine

from mm_fsm.chart.definition import CallbackDefinition, ChartDefinition
from mm_fsm.errors import ChartDefinitionError

GENERIC_HOOKS: Final = frozenset(
    {
        "on_enter_state",
        "on_exit_state",
        "before_transition",
        "on_transition",
        "after_transition",
        "prepare_event",
        "on_invoke_state",
    }
)
"""What python-statemachine binds on every transition of every machine."""

_STATE_HOOKS: Final = ("on_enter_", "on_exit_", "on_invoke_")
_EVENT_HOOKS: Final = ("before_", "on_", "after_")
_PREFIXES_WITH_MEANING: Final = ("done_", "error_")
_ABSENT: Final = object()


def check_word(chart: str, kind: str, name: str) -> None:
    """Check that a state's or an event's name can be written as an attribute and is public.

    Raises:
        ChartDefinitionError: it cannot, or is not.
    """
    if not name.isidentifier() or iskeyword(name) or name.startswith("_"):
        raise ChartDefinitionError(
            chart,
            f"{name!r} cannot be the name of {kind}.",
            "Use letters, digits and _, begin with a letter, and avoid Python's keywords.",
        )


def check_names(cls: type, definition: ChartDefinition, ancestors: Iterable[ChartDefinition]) -> None:
    """Check that every name of the chart means one thing.

    Raises:
        ChartDefinitionError: with the name, its two meanings, and what to do.
    """
    kinds = dict.fromkeys((state.id for state in definition.states), "a state")
    kinds |= dict.fromkeys(definition.events, "an event")
    for name, kind in kinds.items():
        if inspect.getattr_static(cls, name, _ABSENT) is not _ABSENT:
            raise ChartDefinitionError(
                definition.name,
                f"{name!r} is {kind} and also an attribute of the class.",
                "Give the method or attribute another name.",
            )
    kinds |= dict.fromkeys(definition.callback_names, "a callback")
    kinds |= dict.fromkeys(definition.guard_names, "a guard")
    for name, kind in kinds.items():
        _check_override(cls, definition.name, name, kind)
        if name in _engine_names():
            raise ChartDefinitionError(
                definition.name,
                f"{name!r} is {kind}, but python-statemachine has an attribute of that name.",
                "Choose another name for it.",
            )
    _check_prefixes(definition)
    hooks = hooks_of(definition)
    _check_hooks_mean_one_thing(definition, kinds, hooks)
    _check_methods_named_like_hooks(cls, definition, {hook for ancestor in ancestors for hook in hooks_of(ancestor)})


def _check_override(cls: type, chart: str, name: str, kind: str) -> None:
    """A guard or callback may override a method that takes only self; anything else of that name is used otherwise."""
    found = inspect.getattr_static(cls, name, _ABSENT)
    for base in cls.__mro__:
        member = vars(base).get(name, found)
        is_method = isinstance(member, FunctionType) and member.__code__.co_argcount == 1
        if member is not found and not is_method:
            raise ChartDefinitionError(
                chart,
                f"{name!r} is {kind}, but {base.__name__} uses the name for something else.",
                "Choose another name for it.",
            )


@cache
def _engine_names() -> frozenset[str]:
    """Every attribute of python-statemachine's machines and of their class."""

    class Probe(statemachine.StateChart[Any]):
        probed = statemachine.State(initial=True, final=True)

    return frozenset({*dir(Probe()), *dir(type(Probe))} - {"probed"})


def _check_prefixes(definition: ChartDefinition) -> None:
    for event in definition.events:
        if event.startswith(_PREFIXES_WITH_MEANING) and event != definition.fault_event:
            raise ChartDefinitionError(
                definition.name,
                f"event {event!r} begins with a prefix to which python-statemachine gives a meaning of its own.",
                "Choose a name that does not begin with 'done_' or 'error_'; only the chart_fault_event may.",
            )


def hooks_of(definition: ChartDefinition) -> dict[str, str]:
    """Every method name that python-statemachine binds by itself, with what it belongs to.

    Raises:
        ChartDefinitionError: one belongs to two things.
    """
    hooks = dict.fromkeys(GENERIC_HOOKS, "every transition")
    named = [(f"{prefix}{state.id}", f"state {state.id!r}") for state in definition.states for prefix in _STATE_HOOKS]
    named += [(f"{prefix}{event}", f"event {event!r}") for event in definition.events for prefix in _EVENT_HOOKS]
    for hook, owner in named:
        if hook in hooks:
            raise ChartDefinitionError(
                definition.name, f"a method {hook!r} would belong to {owner} and to {hooks[hook]}.", f"Rename {owner}."
            )
        hooks[hook] = owner
    return hooks


def _check_hooks_mean_one_thing(
    definition: ChartDefinition, kinds: Mapping[str, str], hooks: Mapping[str, str]
) -> None:
    for name in kinds:
        if name in hooks and kinds[name] != "a callback":
            raise ChartDefinitionError(
                definition.name,
                f"{name!r} is {kinds[name]}, but python-statemachine runs it as a hook of {hooks[name]} too.",
                "Choose another name for it.",
            )
    for place, hook, callbacks in _places(definition):
        for callback in callbacks:
            if callback.name in hooks and callback.name != hook:
                raise ChartDefinitionError(
                    definition.name,
                    f"{callback.name!r} is a callback of {place}, but python-statemachine runs it as a hook of "
                    f"{hooks[callback.name]} too.",
                    "Give the method another name, and declare it wherever it should run.",
                )


def _places(definition: ChartDefinition) -> Iterator[tuple[str, str, tuple[CallbackDefinition, ...]]]:
    """Where callbacks stand: what they belong to, the hook that belongs there too, and the callbacks."""
    for state in definition.states:
        yield f"state {state.id!r}", f"on_enter_{state.id}", state.enter
        yield f"state {state.id!r}", f"on_exit_{state.id}", state.exit
    for edge in definition.edges:
        yield f"event {edge.event!r}", f"before_{edge.event}", edge.before
        yield f"event {edge.event!r}", f"on_{edge.event}", edge.on
        yield f"event {edge.event!r}", f"after_{edge.event}", edge.after


def _check_methods_named_like_hooks(cls: type, definition: ChartDefinition, inherited: set[str]) -> None:
    """A method that looks like a hook must be one, or be named in the chart, or belong to what was removed."""
    used = {*definition.guard_names, *definition.callback_names}
    for name in dir(cls):
        if name in GENERIC_HOOKS:
            raise ChartDefinitionError(
                definition.name,
                f"{name!r} would run on every transition without being in the diagram.",
                "Watch transitions with an observer, or name a callback on the state or edge it belongs to.",
            )
        left_over = name in inherited and name not in vars(cls)
        if name.startswith(_EVENT_HOOKS) and name not in used and not left_over:
            raise ChartDefinitionError(
                definition.name,
                f"{name!r} is named like a hook, but is none of this chart.",
                "Correct the name to on_enter_ or on_exit_ and a state "
                f"({', '.join(state.id for state in definition.states)}) or to before_, on_ or after_ and an event "
                f"({', '.join(definition.events)}), or begin it with another word.",
            )
