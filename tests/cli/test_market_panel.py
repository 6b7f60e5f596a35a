"""A market's panel answers at a glance at every size: no line is wider than the window, and no word is cut."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from mm_fsm.books.orders import OrderPurpose
from mm_fsm.cli.market_panel import EDGES, FEWEST_ROWS, PanelEvent, market_lines, market_panel, panel_lines
from mm_fsm.cli.wrapping import LABEL_WIDTH
from mm_fsm.core.messages import Side
from mm_fsm.report.status import SessionStatus
from mm_fsm.runtime.session import for_session, open_session
from mm_fsm.runtime.settings_file import read_preset
from tests.report.statuses import NOW, SECOND, entries, quoting_market

EDGE_SIGNS = "╭╮╰╯│─"
WIDTHS = (120, 80, 60)
VAST = 700
"""Columns in which nothing has to wrap."""


def shown(entry: dict[str, Any], width: int, rows: int) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(market_panel(entry, width, rows))
    return capture.get().splitlines()


def words(lines: Iterable[str]) -> set[str]:
    """What stands between spaces, without the panel's edges and without marks at the end of a clause."""
    text = " ".join(lines).translate(str.maketrans(dict.fromkeys(EDGE_SIGNS, " ")))
    return {word.strip(";:,()") for word in text.split()}


@given(entries(), st.sampled_from(WIDTHS), st.integers(FEWEST_ROWS, 40))
@settings(max_examples=60, phases=[Phase.reuse, Phase.generate])  # to shrink an entry takes minutes
def test_at_every_size_no_line_is_too_wide_and_no_word_is_cut(entry: dict[str, Any], width: int, rows: int) -> None:
    """A word is whole if it also stands where nothing has to wrap. Only one wider than a line goes on in the next."""
    lines, _ = panel_lines(entry, width - EDGES, rows)
    assert len(lines) <= rows
    assert all(line.cell_len <= width - EDGES for line in lines)
    whole = set().union(*(words(line.plain for line in panel_lines(entry, VAST, each)[0]) for each in (4, 7, 12, 60)))
    whole.add("limits")  # as a question: where nothing has to wrap each limit has a line with its own name
    longest = [word for word in whole if cell_len(word) > width - EDGES - LABEL_WIDTH]
    cut = words(line.plain for line in lines) - whole
    assert not [word for word in cut if not any(word in each for each in longest) and not set(word) <= set("#.|-")]


@given(entries(), st.sampled_from(WIDTHS), st.integers(FEWEST_ROWS, 40))
@settings(max_examples=15)
def test_a_panel_is_as_wide_and_as_high_as_it_is_told(entry: dict[str, Any], width: int, rows: int) -> None:
    lines = shown(entry, width, rows)
    assert len(lines) == rows
    assert {cell_len(line) for line in lines} == {width}
    assert not [sign for sign in "".join(lines) if sign == "\u2026"]


@given(entries(), st.integers(2, 130))
@settings(max_examples=60)
def test_a_market_in_a_line_or_two_keeps_every_word_too(entry: dict[str, Any], width: int) -> None:
    lines = market_lines(entry, width)
    assert all(line.cell_len <= width for line in lines)
    assert "".join("".join(line.plain.split()) for line in lines) == "".join(
        "".join(line.plain.split()) for line in market_lines(entry, VAST)
    )


@pytest.fixture(scope="module")
def quotes() -> dict[str, Any]:
    return quoting_market()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("rows", [12, 20, 36])
def test_a_glance_answers_the_first_questions(quotes: dict[str, Any], width: int, rows: int) -> None:
    """Both sides with their quotes, the market's prices, the nearest limits and the profit, at a dozen rows too."""
    text = " ".join(words(shown(quotes, width, rows)))
    for side in ("bid", "ask"):
        assert quotes["quotes"][side][0]["price"] in text
    for part in ("bid", "ask", "live", "position", "exposure", "profit", "ETH/USD"):
        assert part in text


def test_why_a_side_is_empty_what_is_done_and_a_fault_are_told_before_anything_else(quotes: dict[str, Any]) -> None:
    """In seven rows, edges included: three clauses, of which none is cut."""
    fault = {"code": "kill_switch", "reason": "lost 5 of 5", "since": NOW - 3 * SECOND, "is_transient": False}
    side = {
        "is_live": False, "reason": "fault", "why": "a fault stopped trading", "detail": "", "doing": "unused",
        "since": NOW - 3 * SECOND, "until": None, "last_live_at": NOW - 4 * SECOND,
    }  # fmt: skip
    entry = {
        **quotes, "time": NOW, "sides": {"bid": side, "ask": side}, "quotes": {"bid": [], "ask": []},
        "faults": {"now": fault, "doing": "all orders are cancelled; 2 still to be confirmed gone", "noted": 1},
    }  # fmt: skip
    text = " ".join(" ".join(shown(entry, 80, 7)).translate(str.maketrans(dict.fromkeys(EDGE_SIGNS, " "))).split())
    assert "sides held for 3.0 s: a fault stopped trading; last live 4.0 s ago" in text
    assert "fault kill switch, 3.0 s ago: lost 5 of 5" in text
    assert "doing all orders are cancelled; 2 still to be confirmed gone" in text


def test_what_finds_no_room_is_counted_in_the_edge(quotes: dict[str, Any]) -> None:
    assert "not shown: make the window taller, or see mm-fsm status" in shown(quotes, 80, 9)[-1]
    assert "not shown" not in shown(quotes, 80, 40)[-1]


@pytest.mark.parametrize("width", WIDTHS)
def test_limits_that_are_not_shown_are_counted_and_no_line_stays_empty_for_want_of_one(
    quotes: dict[str, Any], width: int
) -> None:
    """From the height of everything downwards: as soon as one of the limits is missing, the edge says how many."""
    every = [f"{limit['name']}: " for limit in quotes["limits"]]
    barred = [f"{limit['name']} " for limit in quotes["limits"]]
    for rows in range(36, 10, -1):
        lines = [line.strip(EDGE_SIGNS + " ") for line in shown(quotes, width, rows)]
        if "not shown" not in lines[-1] and " more" not in lines[-1]:
            text = " ".join(lines)
            assert all(name in text for name in every) or all(name in text for name in barred)
            continue
        assert sum(not line for line in lines[1:-1]) < 2, lines
        return
    pytest.fail("everything had room at every height")


def test_orders_that_wind_down_are_shown_beside_quotes_and_no_amount_has_an_exponent() -> None:
    """Through a session and the wind-down at its end; three orders a side have room."""
    configuration = for_session(read_preset("paper_btcusd"), duration_seconds=120, seed=7)
    session = open_session(configuration)
    status = SessionStatus(session)
    seen = set()
    for number, result in enumerate(session.runner.run()):
        status.follow(result)
        if number % 7:
            continue
        panel = "\n".join(shown(status.entry(), 80, 40))
        assert "e-" not in panel.split("inventory", 1)[1].splitlines()[0]
        for side in Side:
            orders = session.machine.context.orders.live(side)
            assert session.machine.is_final or panel.count(f"own {side}") == min(len(orders), 3)
            seen |= {order.purpose for order in orders}
    assert seen == {OrderPurpose.QUOTE, OrderPurpose.WIND_DOWN}


def test_what_happens_again_in_one_second_is_counted() -> None:
    second, shown = 1_000_000_000, []
    event, other = PanelEvent(5 * second, "placed", " > here"), PanelEvent(5 * second, "placed", " > there")
    last = None
    for each in (event, event._replace(time=6 * second - 1), event._replace(time=6 * second), other, other, other):
        last = each.after(last)
        shown.append(last.text().plain)
    first, then = "00:00:05 placed > here", "00:00:05 placed > there"
    assert shown == [first, f"{first} x 2", "00:00:06 placed > here", then, f"{then} x 2", f"{then} x 3"]
