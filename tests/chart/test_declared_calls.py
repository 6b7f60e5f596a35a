"""Which services an action calls is declared beside it, and an override keeps its parent's declaration."""

from __future__ import annotations

from mm_fsm.chart import Chart, State, calls_services, definition_of


class Lamp(Chart):
    """One declared entry action, one declared hook, one action that declares nothing."""

    dark = State(initial=True, exit="note_exit")
    bright = State(enter="light")
    turn_on = dark.to(bright)
    turn_off = bright.to(dark)

    @calls_services("spreads.price_quotes", "orders.plan_changes")
    def light(self) -> None: ...

    @calls_services("inventory.assess")
    def on_enter_bright(self) -> None: ...

    def note_exit(self) -> None: ...


def calls_on_entry(chart: type[Chart]) -> dict[str, tuple[str, ...]]:
    """What each entry action of ``bright`` declares."""
    return {action.name: action.calls for action in definition_of(chart).state("bright").enter}


def test_definition_shows_what_actions_and_hooks_declare() -> None:
    assert calls_on_entry(Lamp) == {
        "light": ("spreads.price_quotes", "orders.plan_changes"),
        "on_enter_bright": ("inventory.assess",),
    }
    assert definition_of(Lamp).state("dark").exit[0].calls == ()


def test_an_override_without_a_declaration_keeps_its_parents() -> None:
    class Dimmer(Lamp):
        def light(self) -> None: ...

    assert calls_on_entry(Dimmer) == calls_on_entry(Lamp)


def test_an_override_declares_other_calls_or_none() -> None:
    class Other(Lamp):
        @calls_services("risk.review")
        def light(self) -> None: ...

        @calls_services()
        def on_enter_bright(self) -> None: ...

    class Further(Other):
        def light(self) -> None: ...

    assert calls_on_entry(Other) == {"light": ("risk.review",), "on_enter_bright": ()}
    assert calls_on_entry(Further) == calls_on_entry(Other)
    assert calls_on_entry(Lamp)["light"] == ("spreads.price_quotes", "orders.plan_changes")
