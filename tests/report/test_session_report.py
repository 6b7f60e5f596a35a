"""The report of a session: complete, exact, the same in every run, and honest about how it ended."""

from __future__ import annotations

import csv
import json
from collections import Counter
from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest

from mm_fsm.core.messages import CancelOrder, PlaceOrder
from mm_fsm.machine.results import StepResult, StrategyResult
from mm_fsm.report.files import read_result, symbol_directory, write_result
from mm_fsm.report.recorder import SessionRecorder
from mm_fsm.report.session_report import make_report
from mm_fsm.runtime.session import for_session, open_session
from mm_fsm.runtime.settings_file import parse_settings
from tests.report.ended import run_session
from tests.runtime.settings_texts import MARKET, with_line

MEASURED = ("wall_seconds", "events_per_second", "computing_seconds")
"""What a clock measures, and so differs from run to run."""


def entry_of(text: str = MARKET, **keywords: Any) -> dict[str, Any]:
    return make_report(run_session(text, **keywords), 2.0).entry()


def test_an_entry_has_every_figure_that_is_asked_for() -> None:
    """Every field of StrategyResult, and what else a script may want, at the entry's top level."""
    entry = entry_of()
    assert {field.name for field in attrs.fields(StrategyResult)} <= entry.keys()
    assert {
        "symbol", "events", "wall_seconds", "pnl_identity_gap", "state_seconds", "transition_counts", "hold_seconds",
        "spread_clamped_share", "budget_breaches", "net_pnl", "holding_pnl", "markouts", "both_sides_live_share",
        "fills", "maker_fills", "max_drawdown", "orders", "order_to_trade_ratio", "preset",
    } <= entry.keys()  # fmt: skip
    assert {
        "total_volume", "total_trades", "average_spread_captured", "inventory_pct", "adjustment_count", "fill_rate",
        "base_position", "quote_position",
    } <= entry["additional_data"].keys()  # fmt: skip
    assert json.loads(json.dumps(entry, allow_nan=False)) == entry


def test_the_profit_splits_without_residual() -> None:
    """To the last digit, in decimals read back from the texts."""
    entry = entry_of()
    assert entry["fills"] > 0
    assert entry["pnl_identity_gap"] == "0"
    exact = {name: Decimal(entry[name]) for name in entry if isinstance(entry[name], str) and "pnl" in name}
    fees, funding = Decimal(entry["total_fees"]), Decimal(entry["funding"])
    net = exact["net_pnl"]
    assert Decimal(entry["spread_capture"]) + exact["inventory_pnl"] - fees + funding == net
    assert exact["realized_pnl"] + exact["unrealized_pnl"] - fees + funding == net


def test_durations_add_up() -> None:
    """Time in states is the session's, and each side is either live or held for a reason at every moment."""
    entry = entry_of()
    total = entry["execution_time_ms"] / 1000
    assert sum(entry["state_seconds"].values()) == pytest.approx(total, abs=0.01)
    for side in ("bid", "ask"):
        assert entry["live_seconds"][side] + sum(entry["hold_seconds"][side].values()) == pytest.approx(total, abs=0.01)
    assert 0 < entry["both_sides_live_share"] <= min(entry["live_seconds"].values()) / total + 1e-9


def test_the_same_session_has_the_same_report() -> None:
    """Everything but what a clock measures; computing budgets are held against the clock too."""
    first, second = entry_of(), entry_of()
    for entry in (first, second):
        for name in MEASURED:
            del entry[name]
        del entry["budget_breaches"]["computing"]
    assert first == second


def test_orders_are_counted_as_they_are_sent() -> None:
    counts: Counter[type] = Counter()

    def watch(result: StepResult) -> None:
        counts.update(type(intent) for intent in result.intents)

    entry = entry_of(watch=watch)
    assert entry["orders"]["placed"] == counts[PlaceOrder] > 0
    assert entry["orders"]["cancels"] == counts[CancelOrder] > 0
    assert entry["order_to_trade_ratio"] == counts[PlaceOrder] / entry["fills"]


def test_a_session_without_fills_has_no_ratios() -> None:
    """A maker a hundred times further from the mid than any taker reaches trades nothing."""
    far = with_line("strategy", "target_spread_bps = 600").replace(
        "min_spread_bps = 3", "min_spread_bps = 600\nmax_spread_bps = 600\nprice_band_bps = 2000"
    )
    entry = entry_of(far, seconds=30)
    assert entry["fills"] == 0
    assert entry["order_to_trade_ratio"] is None
    assert entry["net_pnl_bps_of_volume"] is None
    nothing = entry["markouts"]["1"]["all"]
    assert nothing.pop("count") == 0
    assert set(nothing.values()) == {None}
    assert entry["quote_edge"]["net_bps"] is None
    assert entry["outcome"] == "completed"


def test_a_fault_is_told() -> None:
    """A loss of a hundredth of a cent ends trading: the kill switch."""
    entry = entry_of(with_line("strategy", "max_drawdown = 0.0001"))
    assert entry["outcome"] == "fault"
    assert not entry["success"]
    assert "kill_switch" in entry["error"]
    assert entry["faults"]["kill_switch"] == 1
    assert Decimal(entry["max_drawdown"]) >= Decimal("0.0001")


def test_a_late_wind_down_is_told() -> None:
    """A passive order at the best price has a tenth of a second to bring home what is left: it cannot."""
    hasty = "wind_down_deadline_seconds = 0.1\nwind_down_passive_seconds = 0.1"
    entry = entry_of(with_line("strategy", hasty))
    assert entry["outcome"] == "late"
    assert not entry["success"]
    assert "deadline" in entry["error"]
    assert Decimal(entry["additional_data"]["inventory_offset"]) != 0


def test_a_session_that_was_left_is_told() -> None:
    """The figures are those until then."""
    (market,) = parse_settings(MARKET)
    session = open_session(for_session(market))
    recorder = SessionRecorder(session)
    for result in islice(session.runner.run(), 200):
        recorder.take(result)
    entry = make_report(recorder, 1.0).entry()
    assert (entry["outcome"], entry["success"], entry["steps"]) == ("unfinished", False, 200)


def test_fills_on_disk_add_up_to_the_books(tmp_path: Path) -> None:
    """Cash and position, added up from the file by hand, are the report's; the last line's profit is one on the way."""
    entry = make_report(run_session(MARKET, tmp_path), 1.0).entry()
    with (tmp_path / "fills.csv").open(encoding="utf-8", newline="") as file:
        fills = list(csv.DictReader(file))
    assert len(fills) == entry["fills"]
    assert len({fill["trade_id"] for fill in fills}) == len(fills)
    cash = position = Decimal(0)
    for fill in fills:
        sign = 1 if fill["side"] == "bid" else -1
        quantity = Decimal(fill["quantity"])
        cash -= sign * quantity * Decimal(fill["price"]) + Decimal(fill["fee"])
        position += sign * quantity
        assert Decimal(fill["inventory_offset"]) == position
    assert cash == Decimal(entry["additional_data"]["quote_position"])
    assert position == Decimal(entry["additional_data"]["base_position"]) - 10
    fees = sum(Decimal(fill["fee"]) for fill in fills)
    assert fees == Decimal(entry["total_fees"])


def test_transitions_on_disk_are_those_that_are_counted(tmp_path: Path) -> None:
    entry = make_report(run_session(MARKET, tmp_path), 1.0).entry()
    with (tmp_path / "transitions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter(f"{row['source']}.{row['event']}" for row in rows) == entry["transition_counts"]
    assert len(rows) == entry["state_transition_count"]
    times = [int(row["time"]) for row in rows]
    assert times == sorted(times)
    for earlier, later in pairwise(rows):
        assert earlier["target"] == later["source"]


def test_a_result_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    entries = [entry_of()]
    write_result(tmp_path / "new" / "directory", entries)
    assert read_result(tmp_path / "new" / "directory") == entries


@pytest.mark.parametrize(
    ("symbol", "name"),
    [("ETH/USD", "ETH-USD"), ("BTC/USDT:USDT", "BTC-USDT-USDT"), ("../..", "symbol"), ("a b", "a-b")],
)
def test_a_symbol_names_a_directory_below(symbol: str, name: str, tmp_path: Path) -> None:
    assert symbol_directory(tmp_path, symbol) == tmp_path / name
