"""The live view fits every window, with one market and with many; keys choose, and nothing ends a run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from mm_fsm.cli.keys import Keys
from mm_fsm.cli.live_view import LiveView
from mm_fsm.cli.running import DEMONSTRATION
from tests.report.statuses import entries, quoting_market


class PressedKeys(Keys):
    """Keys that a test presses."""

    def __init__(self) -> None:
        super().__init__(descriptor=None)
        self.waiting = ""

    @property
    def are_read(self) -> bool:
        return True

    def pressed(self) -> str:
        pressed, self.waiting = self.waiting, ""
        return pressed


def view_of(
    shown: list[dict[str, Any]], width: int, height: int, heading: str = ""
) -> tuple[LiveView, PressedKeys, Console]:
    """A view whose sessions say what they are given."""
    console = Console(width=width, height=height, color_system=None, force_terminal=True, legacy_windows=False)
    context = SimpleNamespace(is_stopping=False, stop_reason="")
    machine = SimpleNamespace(began_at=0, now=10**9, is_final=False, context=context)
    sessions: list[Any] = [
        SimpleNamespace(
            symbol=each["symbol"], machine=machine, runner=SimpleNamespace(market_events=5), progress=0.5
        )
        for each in shown
    ]  # fmt: skip
    keys = PressedKeys()
    view = LiveView(sessions, console, keys, heading=heading)
    view._statuses = {each["symbol"]: SimpleNamespace(entry=lambda each=each: each) for each in shown}  # type: ignore[misc]
    return view, keys, console


def drawn(view: LiveView, console: Console) -> list[str]:
    with console.capture() as capture:
        console.print(view.picture())
    return capture.get().splitlines()


@st.composite
def markets(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One to nine markets; more of them are like the first ones."""
    some = draw(st.lists(entries(), min_size=1, max_size=2))
    count = draw(st.integers(1, 9))
    return [{**some[number % len(some)], "symbol": f"M{number}/USD"} for number in range(count)]


@given(
    markets(),
    st.sampled_from([120, 80, 60, 30]),
    st.sampled_from([6, 10, 24, 40]),
    st.sampled_from(["", DEMONSTRATION]),
)
@settings(max_examples=40)
def test_the_view_fits_its_window(shown: list[dict[str, Any]], width: int, height: int, heading: str) -> None:
    """With a row to spare for the cursor; every market is there, or the view says how many more there are.

    The heading is 76 characters long.
    """
    view, _, console = view_of(shown, width, height, heading)
    lines = drawn(view, console)
    assert (lines[0] == DEMONSTRATION) == (heading == DEMONSTRATION and width >= 80 and height >= 24)
    assert len(lines) < height
    assert all(cell_len(line) <= width for line in lines)
    text = "\n".join(lines)
    assert "cannot be drawn" not in text
    if height >= 24:
        missing = [each["symbol"] for each in shown if each["symbol"] not in text]
        assert not missing or f"and {len(missing)} more;" in " ".join(text.split())


@pytest.fixture(scope="module")
def quotes() -> dict[str, Any]:
    return quoting_market()


def test_a_key_shows_the_next_market_alone_and_another_all_of_them(quotes: dict[str, Any]) -> None:
    view, keys, console = view_of([{**quotes, "symbol": name} for name in ("A/USD", "B/USD")], 120, 30)

    def shown_after(pressed: str) -> set[str]:
        keys.waiting = pressed
        for key in keys.pressed():
            view._press(key)
        text = "\n".join(drawn(view, console))
        return {name for name in ("A/USD", "B/USD") if name in text}

    assert shown_after("") == {"A/USD", "B/USD"}
    assert shown_after("n") == {"A/USD"}
    assert shown_after("n") == {"B/USD"}
    assert shown_after("n") == {"A/USD", "B/USD"}
    assert shown_after("nxa") == {"A/USD", "B/USD"}


@pytest.mark.parametrize("width", [120, 80, 60, 44, 30])
def test_every_key_is_named_and_stands_whole_in_a_line(quotes: dict[str, Any], width: int) -> None:
    view, _, console = view_of([{**quotes, "symbol": name} for name in ("A/USD", "B/USD")], width, 24)
    view._press("n")
    every = {"w: why?", "a: all markets", "n: next market", "Ctrl-C: cancel and end"}
    parts = [part for line in drawn(view, console) for part in line.strip().split("   ")]
    assert every <= set(parts)


def test_of_too_many_markets_those_with_trouble_come_first(quotes: dict[str, Any]) -> None:
    """Twenty markets in eight rows: the one that is down is among the first, and the rest is counted."""
    shown = [{**quotes, "symbol": f"M{number}/USD"} for number in range(20)]
    shown[17]["why_down"] = "a bug"
    view, _, console = view_of(shown, 100, 10)
    lines = drawn(view, console)
    assert lines[0].startswith("M17/USD")
    assert "down: nobody quotes it" in lines[0]
    assert "of them quote both sides" in "\n".join(lines)


def test_damaged_books_end_no_run(quotes: dict[str, Any]) -> None:
    view, _, console = view_of([quotes], 80, 24)
    view._statuses = {"ETH/USD": SimpleNamespace(entry=lambda: {"sides": None})}  # type: ignore[dict-item]
    assert "the view cannot be drawn, the run goes on: KeyError" in " ".join(drawn(view, console))
