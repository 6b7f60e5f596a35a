"""What must be true after something has raised: of our machines, and of charts that an engine runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen
from statemachine.callbacks import CallbackGroup

from mm_fsm.core.messages import PlaceOrder
from mm_fsm.coverage.model import ChartModel
from mm_fsm.machine.results import StepResult
from mm_fsm.testing.driving.driver import Driven
from mm_fsm.testing.driving.engines import ERROR_EVENTS
from mm_fsm.testing.driving.machines import MachineDriven, timer
from mm_fsm.testing.faults.places import Place
from mm_fsm.testing.faults.sabotage import SabotageError
from mm_fsm.testing.problems import require
from mm_fsm.testing.subjects.subject import Subject


@frozen(kw_only=True)
class Before:
    """A machine of ours just before something raises in it."""

    steps: int
    books: Mapping[str, object]
    """Ledger, position, and what each order has traded; empty for machines without."""
    live: frozenset[str] = frozenset()
    """Orders that are, or may be, at the venue."""

    @classmethod
    def of(cls, driven: MachineDriven, subject: Subject) -> Before:
        """The machine as it is."""
        live = subject.live_orders(driven.machine)
        return cls(steps=len(driven.results), books=subject.books(driven.machine, live), live=live)


# -- our machines ----------------------------------------------------------------------------------------------------


def judge_machine(driven: MachineDriven, before: Before, place: Place, subject: Subject) -> None:
    """Hold a machine of ours against its promises, in the step in which something raised and in the one after.

    Raises:
        BrokenPromiseError: one is broken.
    """
    require(len(driven.results) == before.steps + 1, "the step returns", "that it raised")
    result = driven.results[-1]
    _judge_step(driven, result, may_end=place.group is CallbackGroup.AFTER)
    named = [text for text in (*result.reasons, *(fault.reason for fault in result.faults)) if _is_named(text)]
    require(named, "the result names what raised", (result.faults, result.reasons))
    _judge_books(driven, before, subject)
    following = driven.step(timer(driven.machine))
    if following.state == result.state:  # a command that has failed, such as stop, is carried out now
        require(not _placements(following), "nothing is placed after the failure", _placements(following))


def _is_named(text: str) -> bool:
    return SabotageError.__name__ in text


def _judge_step(driven: MachineDriven, result: StepResult, *, may_end: bool) -> None:
    machine = driven.machine
    fault_states = {edge.target for edge in machine.definition.edges if edge.event == machine.definition.fault_event}
    is_in_place = result.state in fault_states or (may_end and machine.is_final)
    require(is_in_place, f"the step ends in {' or '.join(sorted(fault_states))}", result.state)
    require(machine.chart_state == result.state, "the result names the machine's state", machine.chart_state)
    require(result.faults, "the result has the fault", "none")
    require(not _placements(result), "nothing is placed after the failure", _placements(result))


def _placements(result: StepResult) -> list[PlaceOrder]:
    return [intent for intent in result.intents if isinstance(intent, PlaceOrder)]


def _judge_books(driven: MachineDriven, before: Before, subject: Subject) -> None:
    after = subject.books(driven.machine, before.live)
    changed = [
        f"{name} {after.get(name)} instead of {was}" for name, was in before.books.items() if after.get(name) != was
    ]
    require(not changed, "the books are as they were", ", ".join(changed))
    subject.judge_books(driven.machine, before.live, driven.results)


# -- charts that an engine runs --------------------------------------------------------------------------------------


def judge_engine(driven: Driven, place: Place, error: BaseException | None, *, catches: bool) -> None:
    """Hold a chart that an engine runs against its promises.

    Args:
        driven: the machine.
        place: what raised.
        error: what reached the sender of the event.
        catches: whether the engine turns errors into events.

    Raises:
        BrokenPromiseError: one is broken.
    """
    edge = driven.model.definition.edges[place.edge]
    is_entered = place.group is CallbackGroup.AFTER
    allowed = {edge.target if is_entered else edge.source}
    if catches:
        allowed |= {edge.source, *error_states(driven.model)}
    else:
        require(_comes_from_sabotage(error), "the error reaches the sender", repr(error))
    (state,) = driven.active
    require(state in allowed, f"the machine is in {' or '.join(sorted(allowed))}", state)


def _comes_from_sabotage(error: BaseException | None) -> bool:
    """Whether what raised is the error or its cause, as where the gate says which guard has failed."""
    return error is not None and (isinstance(error, SabotageError) or _comes_from_sabotage(error.__cause__))


def error_states(model: ChartModel) -> set[str]:
    """Where the events lead that python-statemachine sends for an error."""
    return {edge.target for edge in model.definition.edges if edge.event in ERROR_EVENTS}


def judge_by(check: Any, driven: Driven) -> None:
    """Ask the user's own check; what it raises fails the test, and so does False."""
    if check is not None:
        require(check(driven.machine) is not False, f"{getattr(check, '__name__', check)} holds", "False")
