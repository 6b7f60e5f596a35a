"""Every benchmark runs, on little, and prints what it is asked for. No time is judged: machines differ."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"

PRINTED = {
    # Each script with what makes it short, and what it then prints.
    "avellaneda_stoikov": (("--paths=2",), r"inventory_deviation +[\d.]+"),
    "executors": (("--rounds=1",), r"a bare transition +[\d.]+ us on the engine +[\d.]+ us on the table"),
    "engine_unit": ((), r"engine: one self transition [\d.]+ us"),
    "step_cost": (("--rounds=1", "--quiet-steps=20", "--fills=2"), r"fill to new intents, one step +[\d.]+"),
    "journal_cost": (("--rounds=1", "--round-seconds=20"), r"a step with intents +[\d.]+"),
    "report_cost": (("--rounds=1", "--round-seconds=20"), r"the report costs \d+% of what the journal costs"),
    "watching_cost": (("--rounds=1", "--round-seconds=10"), r"alerts, a step more +-?[\d.]+"),
    "group_commit": (("--rounds=1",), r"100 records at once; ms until durable"),
    "journal_soak": (("--facts=3000",), r"bytes a fact"),
    "live_latency": (("--seconds=4",), r"aiohttp's writing +median +[\d.]+"),
    "live_symbols": (("--symbols=3", "--seconds=2"), r"slowest to quickest +[\d.]+"),
}
LONG = {
    "coverage_overhead": ((), r"limit \+\d+%: \w+"),
    "import_time": ((), r"ms  import mm_fsm"),
}
JUDGES = {"coverage_overhead"}
"""Its exit status is a verdict on times, which no test asks for."""
TESTED_ELSEWHERE = {"decisions", "page_load", "peers", "policies", "thresholds", "where_time_goes"}
SHARED = {"rehearsed_run"}
"""Imported by others, and nothing by itself."""


def run(name: str, *arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, str(BENCHMARKS / f"{name}.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert finished.stderr == ""
    assert finished.returncode in {0, 1 if name in JUDGES else 0}
    return finished.stdout


def test_every_benchmark_is_expected_here() -> None:
    found = {path.stem for path in BENCHMARKS.glob("*.py")}
    assert found == {*PRINTED, *LONG, *TESTED_ELSEWHERE, *SHARED}


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        *((name, *case) for name, case in PRINTED.items()),
        *(pytest.param(name, *case, marks=pytest.mark.slow) for name, case in LONG.items()),
    ],
)
def test_a_benchmark_runs_and_prints_its_figures(name: str, arguments: tuple[str, ...], said: str) -> None:
    assert re.search(said, run(name, *arguments))


def test_the_cost_of_a_step_comes_as_json() -> None:
    found = json.loads(run("step_cost", *PRINTED["step_cost"][0], "--json"))
    ratios = ("quiet_step_ratio", "quiet_step_and_its_book_ratio", "fill_to_intents_ratio")
    for name in (*ratios, "engine_self_transition_us"):
        assert math.isfinite(found[name]), name
        assert found[name] > 0, name
    assert found["quiet_step_ratio"] < found["quiet_step_and_its_book_ratio"]
    # ORDER_FILLED, INVENTORY_MANAGEMENT, IDLE, CALCULATING_SPREADS, PLACING_ORDERS, and MONITORING_ORDERS again.
    assert found["transitions_of_a_fill"] == 6
    assert found["rounds"] == 1


def test_the_cost_of_the_journal_comes_as_json_without_and_with_market_data() -> None:
    found = json.loads(run("journal_cost", *PRINTED["journal_cost"][0], "--json"))
    decisions, market_data = found, found.pop("market_data")
    for figures in (decisions, market_data):
        for name in ("record_ratio", "step_with_intents_ratio", "wait_with_intents_us", "bytes_of_a_step", "records"):
            assert math.isfinite(figures[name]), name
            assert figures[name] > 0, name
    assert decisions["records"] == market_data["records"]


def test_many_live_markets_come_as_json() -> None:
    """Two markets at a rehearsal exchange: every figure is there, and every session ended with an empty book."""
    found = json.loads(run("live_symbols", "--symbols=2", "--seconds=2", "--json"))
    assert (found["symbols"], found["made"], found["sessions_ended"]) == (2, 2, 2)
    assert found["open_orders_at_the_end"] == 0
    assert found["requests_refused"] == 0
    assert 0 < max(found["weight_by_minute"]) < found["weight_limit_a_minute"] == 6000
    assert found["slowest_to_quickest"] >= 1
    for name in ("wait_ms", "step_ms", "loop_lag_ms"):
        assert found[name]["count"] > 0
        assert found[name]["median"] <= found[name]["p99"] <= found[name]["largest"]


def test_the_latency_of_a_quote_comes_as_json_by_stages_that_add_up() -> None:
    found = json.loads(run("live_latency", "--seconds=6", "--json"))
    for figures in (found["cancels"], found["placements"]):
        assert figures["count"] > 0
        stages = figures["processor_ms_by_stage"]
        assert len(stages) == 7
        assert max(stage["median"] for stage in stages.values()) < figures["processor_ms"]["largest"]
    assert found["books_without_a_request"]["count"] > 0
