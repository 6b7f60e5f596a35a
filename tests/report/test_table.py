"""The result as tables for people."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from mm_fsm.report.session_report import make_report
from mm_fsm.report.table import duration, money, result_tables
from tests.report.ended import run_session
from tests.runtime.settings_texts import MARKET


def rendered(entries: list[dict[str, Any]], width: int, *, in_full: bool = True) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(result_tables(entries, width, in_full=in_full))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


@pytest.fixture(scope="module")
def entry() -> dict[str, Any]:
    return make_report(run_session(MARKET), 2.0).entry()


def test_the_table_shows_what_matters(entry: dict[str, Any]) -> None:
    text = rendered([entry], 80)
    for part in (
        "ETH/USD",
        "completed",
        "net PnL",
        "identity gap",
        "after 300 s",
        "both sides live",
        "monitoring_orders",
    ):
        assert part in text
    assert money(entry["net_pnl"]) in text
    assert f"{entry['fills']} ({entry['maker_fills']})" in text


def test_a_result_opens_with_ten_figures(entry: dict[str, Any]) -> None:
    """The name of the market, then ten lines: what a trader looks at first, with its profit split."""
    lines = [line.split("  ")[0].strip() for line in rendered([entry], 80, in_full=False).splitlines()[1:]]
    assert len(lines) == 10
    assert lines[:5] == ["outcome", "net PnL, quote currency", "= spread capture", "+ inventory", "- fees"]
    assert lines[-1].startswith("held: ")


@pytest.mark.parametrize("in_full", [True, False])
def test_fees_that_no_figure_has_yet_stand_beside_those_that_are_booked(entry: dict[str, Any], in_full: bool) -> None:
    """A fee in a third currency without a price, and a fill whose fee was not told."""
    more = {**entry["additional_data"], "unpriced_fees": {"BNB": "0.001200"}, "fills_without_fee": 2}
    waiting = rendered([{**entry, "total_fees": "8.25", "additional_data": more}], 80, in_full=in_full)
    assert "8.25 + 0.0012 BNB + 2 not told" in waiting
    assert "not told" not in rendered([entry], 80, in_full=in_full)


@pytest.mark.parametrize("in_full", [True, False])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(entry: dict[str, Any], width: int, in_full: bool) -> None:
    """Symbols that do not fit side by side come below one another."""
    other = {**entry, "symbol": "BTC/USD"}
    lines = rendered([entry, other], width, in_full=in_full).splitlines()
    assert max(len(line) for line in lines) <= width
    side_by_side = any("ETH/USD" in line and "BTC/USD" in line for line in lines)
    assert side_by_side is (width >= 80)


def test_an_error_is_shown_with_the_outcome(entry: dict[str, Any]) -> None:
    text = rendered([{**entry, "outcome": "fault", "error": "kill_switch: lost too much"}], 100)
    assert "fault: kill_switch: lost too much" in text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (61, "1:01"), (3599.6, "1:00:00"), (86_399, "23:59:59")]
)
def test_a_duration_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("amount", "text"), [("-0.001", "0.00"), ("1234.565", "1,234.57"), (-2.5, "-2.50")])
def test_money_for_people(amount: object, text: str) -> None:
    assert money(amount) == text
