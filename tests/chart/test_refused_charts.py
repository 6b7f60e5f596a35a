"""Charts that cannot work are refused when the class is built."""

from __future__ import annotations

from typing import Any

import pytest
from statemachine.exceptions import InvalidDefinition
from statemachine.factory import StateMachineMetaclass

from mm_fsm.chart import Chart, Gate, State, definition_of
from tests.chart.refused import Door, refusal

ADD_GUARD = "Add a guard to an earlier edge, or declare the later event with ahead_of=."


@pytest.mark.parametrize(("initial", "found"), [((False, False), "[]"), ((True, True), "['one', 'two']")])
def test_chart_needs_exactly_one_initial_state(initial: tuple[bool, bool], found: str) -> None:
    one, two = State(initial=initial[0]), State(initial=initial[1])
    body = {"one": one, "two": two, "go": one.to(two), "back": two.to(one)}
    assert refusal(lambda: type(Chart)("Wrong", (Chart,), body)) == (
        f"expected one initial state, found {found}.",
        "Mark exactly one: State(initial=True). A state that is declared again must say so again.",
    )


def test_initial_state_declared_again_without_saying_so_is_refused() -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"closed": State()}))[0] == (
        "expected one initial state, found []."
    )


def test_edge_out_of_a_final_state_is_refused() -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"opened": State(final=True)})) == (
        "event 'shut' leaves the final state 'opened'.",
        "Remove the edge, or the state's final=True.",
    )


def test_event_that_is_a_command_on_some_edges_only_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            go = Door.opened.to.itself(command=True) | Door.closed.to.itself(cond="is_locked")

    assert refusal(declare) == (
        "event 'go' is a command on some of its edges only.",
        "Give command=True to all of them or to none, or use two events.",
    )


def test_edge_behind_one_with_the_same_guards_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            wedge = Door.opened.to.itself(internal=True, unless=("is_locked", "is_pushed"))

    problem, remedy = refusal(declare)
    assert remedy == ADD_GUARD
    assert problem == (
        "in state 'opened' event 'wedge' to 'opened' can never be taken: whenever its guards hold, so do those of an "
        "edge before it: 'shut' to 'closed'."
    )


def test_edge_behind_two_that_together_leave_it_nothing_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            knock = Door.opened.to.itself(cond="is_locked")
            wedge = Door.opened.to.itself(cond="is_pushed")
            give_up = Door.opened.to(Door.closed)

    problem, remedy = refusal(declare)
    assert remedy == ADD_GUARD
    assert problem == (
        "in state 'opened' event 'give_up' to 'closed' can never be taken: whenever its guards hold, so do those of an "
        "edge before it: 'shut' to 'closed', 'wedge' to 'opened'."
    )


def test_second_edge_of_one_event_behind_an_unguarded_one_is_refused_for_commands_too() -> None:
    def declare() -> None:
        class Wrong(Door):
            kick = Door.closed.to(Door.opened, command=True) | Door.closed.to.itself(command=True, cond="is_locked")

    problem, remedy = refusal(declare)
    assert problem == (
        "in state 'closed' event 'kick' to 'closed' can never be taken: whenever its guards hold, so do those of an "
        "edge before it: 'kick' to 'opened'."
    )
    assert remedy == ADD_GUARD


def test_commands_neither_hide_nor_are_hidden_by_other_events() -> None:
    class Kicked(Door):
        kick = Door.closed.to(Door.opened, command=True, ahead_of="open_up")
        knock = Door.closed.to.itself(command=True, cond="is_pushed")

    assert definition_of(Kicked).events == ("kick", "open_up", "shut", "knock")


def test_where_the_host_sends_events_only_edges_of_one_event_hide_each_other() -> None:
    class Sent(Chart):
        chart_is_automatic = False
        one = State(initial=True)
        two = State()
        go = one.to(two)
        stay = one.to.itself()
        back = two.to(one)

    def declare() -> None:
        class Wrong(Sent):
            go = Sent.one.to(Sent.two) | Sent.one.to.itself()

    assert definition_of(Sent).events == ("go", "stay", "back")
    assert refusal(declare)[0] == (
        "in state 'one' event 'go' to 'one' can never be taken: whenever its guards hold, so do those of an edge "
        "before it: 'go' to 'two'."
    )


def test_state_without_an_edge_for_the_fault_event_is_refused() -> None:
    class Failing(Door):
        chart_fault_event = "fail"
        fail = Door.closed.from_(Door.closed, Door.opened, command=True)

    def declare() -> None:
        class Wrong(Failing):
            ajar = State()
            push = Failing.closed.to(ajar, command=True)
            pull = ajar.to(Failing.closed)

    assert refusal(declare) == (
        "state 'ajar' has no edge for the fault event 'fail'.",
        "Declare it for every state: fail = error.from_.any(command=True).",
    )


def test_fault_event_that_no_edge_has_is_refused() -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"chart_fault_event": "fial"}))[0] == (
        "state 'closed' has no edge for the fault event 'fial'."
    )


@pytest.mark.parametrize("keywords", [{"command": True, "cond": "is_locked"}, {}])
def test_fault_event_with_a_guard_or_without_being_a_command_is_refused(keywords: dict[str, Any]) -> None:
    def declare() -> None:
        class Wrong(Door):
            chart_fault_event = "fail"
            open_up = Door.closed.to(Door.opened, command=True)
            fail = Door.opened.from_(Door.closed, **keywords)

    assert refusal(declare) == (
        "the fault event 'fail' has guards or is no command in state 'closed'.",
        "A fault must be accepted whatever the guards would say: use command=True and no guards.",
    )


def test_unreachable_states_are_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            ajar = State()
            hidden = State()
            push = ajar.to(hidden)
            pull = hidden.to(Door.closed)

    assert refusal(declare) == (
        "no edge leads to ['ajar', 'hidden'].",
        "Add an edge to each, or remove the state with None.",
    )


def test_removal_that_cuts_a_state_off_is_refused() -> None:
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"open_up": None}))[0] == "no edge leads to ['opened']."


def test_state_without_a_way_out_is_refused() -> None:
    def declare() -> None:
        class Wrong(Door):
            stuck = State()
            jam = Door.opened.to(stuck, command=True)

    assert refusal(declare) == ("no edge leaves state 'stuck'.", "Add one, or mark the state final=True.")


def test_state_that_cannot_reach_what_the_machine_requires_is_refused() -> None:
    class Alarmed(Door):
        chart_must_reach = ("alarm",)
        alarm = State()
        trip = Door.opened.to(alarm, command=True)
        reset = alarm.to(Door.closed)

    def declare(required: tuple[str, ...]) -> None:
        class Wrong(Alarmed):
            chart_must_reach = required
            stuck = State()
            jam = Alarmed.opened.to(stuck, command=True)
            rattle = stuck.to.itself()

    led_on = "Add an edge that leads on: a machine that cannot fail or end safely is refused."
    assert refusal(lambda: declare(())) == ("state 'stuck' cannot reach ['alarm'].", led_on)
    assert refusal(lambda: declare(("opened",))) == ("state 'stuck' cannot reach ['alarm', 'opened'].", led_on)
    assert refusal(lambda: type(Door)("Wrong", (Door,), {"chart_must_reach": ("alram",)}))[0] == (
        "state 'closed' cannot reach ['alram']."
    )


def test_state_that_cannot_reach_an_end_is_refused_where_the_chart_has_one() -> None:
    def declare() -> None:
        class Wrong(Door):
            removed = State(final=True)
            stuck = State()
            remove = Door.opened.to(removed, command=True)
            jam = Door.opened.to(stuck, command=True)
            rattle = stuck.to.itself()

    assert refusal(declare)[0] == "state 'stuck' cannot reach ['a final state']."


def test_setting_that_is_one_string_is_refused() -> None:
    setting = "chart_must_reach"
    assert refusal(lambda: type(Door)("Wrong", (Door,), {setting: "opened"})) == (
        f"{setting} is 'opened'.",
        "Write several names, or one with a comma: ('opened',).",
    )


def test_two_charts_as_parents_are_refused() -> None:
    class Window(Chart):
        pass

    def declare() -> None:
        class Wrong(Door, Window):
            pass

    assert refusal(declare) == (
        "it has 2 parents that are charts: ['Door', 'Window'].",
        "Inherit from one chart; share methods through plain mix-in classes.",
    )


def test_what_only_the_library_refuses_is_told_with_the_name_of_the_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise InvalidDefinition("Door handles are not allowed.")

    monkeypatch.setattr(StateMachineMetaclass, "_check", refuse)
    assert refusal(lambda: type(Door)("Wrong", (Door,), {})) == (
        "python-statemachine refuses it: Door handles are not allowed.",
        "Change the declaration that it names.",
    )


SET_ON_THE_MACHINE = (
    "Give the attribute that was set on the machine another name, or set a plain function: a coroutine would never be "
    "awaited."
)


@pytest.mark.parametrize("name", ["is_pushed", "ring_bell"])
def test_attribute_of_a_machine_that_hides_a_guard_or_callback_is_refused_by_its_gate(name: str) -> None:
    class Bell(Door):
        shut = Door.opened.to(Door.closed, unless="is_pushed", on="ring_bell")

        def ring_bell(self) -> None:
            pass

    machine = Bell()
    setattr(machine, name, False)
    assert refusal(lambda: Gate(definition_of(Bell), machine), chart="Bell") == (
        f"{name!r} is a guard or callback, but on this machine it is False.",
        SET_ON_THE_MACHINE,
    )

    async def later() -> bool:
        return True

    setattr(machine, name, later)
    assert refusal(lambda: Gate(definition_of(Bell), machine), chart="Bell") == (
        f"{name!r} is a guard or callback, but on this machine it is {later!r}.",
        SET_ON_THE_MACHINE,
    )


def test_attribute_of_a_machine_that_would_be_bound_as_a_hook_is_refused_by_its_gate() -> None:
    machine: Any = Door()
    machine.on_shut = print
    assert refusal(lambda: Gate(definition_of(Door), machine), chart="Door") == (
        "'on_shut' was set on this machine, so it would run as a hook of event 'shut' without being in the diagram.",
        "Give the attribute another name.",
    )
