"""Every second of both sides is explained: the demo, both recordings, and venues that lose, repeat and delay."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.core.messages import SIDES
from mm_fsm.report.stretches import Stretch, StretchRecorder
from mm_fsm.venues.unreliable import Faults
from tests.cli.command_line import run
from tests.machine.bench import CONTRACT, SPOT, settings_with
from tests.machine.test_unreliable_venue import Session

RecordedData = Callable[[str], Path]

QUOTES = "gemini_ethusd/gemini_quotes_2021-07-01_ETHUSD.csv.gz"
TRADES = "gemini_ethusd/gemini_trades_2021-07-01_ETHUSD.csv.gz"
CAPTURES = ("binance_usdm_btcusdt/btcusdt_20240718.gz", "binance_usdm_btcusdt/btcusdt_20240719.gz")
SECOND = 1_000_000_000


def explained(directory: Path) -> Any:
    """What ``why`` says of a run, once it has been summed up here."""
    finished = run("why", directory, "--json", "-q")
    assert finished.status == 0, finished.messages
    found = finished.json()
    assert found["unexplained_seconds"] == 0
    for market in found["markets"]:
        length = market["end"] - market["begin"]
        assert length > 0
        for side in SIDES:
            own = [each for each in found["stretches"] if (each["symbol"], each["side"]) == (market["symbol"], side)]
            assert sum(each["end"] - each["begin"] for each in own) == length
            assert "unexplained" not in {each["reason"] for each in own}
    return found


def head(source: Path, lines: int, place: Path) -> Path:
    """The first lines of a recording."""
    path = place / source.name
    with gzip.open(source, "rt") as found, gzip.open(path, "wt") as kept:
        kept.writelines(islice(found, lines))
    return path


def test_the_demo_is_explained(tmp_path: Path) -> None:
    assert run("run", "--duration", "4m", "--seed", 11, "--out", tmp_path / "demo", "-q").status == 0
    assert len(explained(tmp_path / "demo")["markets"]) == 2


@pytest.mark.slow
def test_an_hour_of_the_demo_is_explained(tmp_path: Path) -> None:
    assert run("run", "--duration", "1h", "--seed", 7, "--out", tmp_path / "demo", "-q").status == 0
    explained(tmp_path / "demo")


def test_the_beginning_of_the_day_on_gemini_is_explained(recorded_data: RecordedData, tmp_path: Path) -> None:
    """Some fifty minutes, then trades without quotes: a fault ends the run, and is a reason like others."""
    quotes = head(recorded_data(QUOTES), 2_500, tmp_path)
    trades = head(recorded_data(TRADES), 800, tmp_path)
    out = tmp_path / "run"
    words = ("--quotes", quotes, "--trades", trades, "--preset", "gemini_ethusd", "--no-cache", "-q", "--out", out)
    assert run("backtest", *words).status == 1
    found = explained(out)
    wanted = {"live", "orders_in_flight", "warming_up", "stale_data"}
    assert {each["reason"] for each in found["stretches"]} >= wanted


@pytest.mark.slow
def test_the_day_on_gemini_is_explained(recorded_data: RecordedData, tmp_path: Path) -> None:
    out = tmp_path / "run"
    files = ("--quotes", recorded_data(QUOTES), "--trades", recorded_data(TRADES))
    assert run("backtest", *files, "--preset", "gemini_ethusd", "--no-cache", "-q", "--out", out).status == 0
    found = explained(out)
    assert found["markets"][0]["end"] - found["markets"][0]["begin"] > 23 * 3_600 * SECOND


def test_the_beginning_of_the_capture_is_explained(recorded_data: RecordedData, tmp_path: Path) -> None:
    capture = head(recorded_data(CAPTURES[0]), 8_000, tmp_path)
    out = tmp_path / "run"
    words = ("--capture", capture, "--preset", "binance_usdm_btcusdt", "--no-cache", "-q", "--out", out)
    assert run("backtest", *words).status == 0
    explained(out)


@pytest.mark.slow
def test_both_days_of_the_capture_are_explained(recorded_data: RecordedData, tmp_path: Path) -> None:
    out = tmp_path / "run"
    captures = [recorded_data(name) for name in CAPTURES]
    assert run("backtest", "--capture", *captures, "--no-cache", "-q", "--out", out).status == 0
    explained(out)


@pytest.mark.parametrize("seed", range(20))
def test_an_unreliable_venue_leaves_nothing_unexplained(seed: int) -> None:
    """Requests, answers, fills and news are lost, late and doubled: a wait is believed only while something is owed."""
    trouble = Faults(
        request_lost=0.1,
        request_late=0.1,
        answer_lost=0.1,
        query_lost=0.1,
        fill_lost=0.2,
        fact_duplicated=0.1,
        fact_delayed=0.2,
        market_delayed=0.1,
        timeout_seconds=1.0,
        longest_delay_seconds=1.0,
        seed=seed,
    )
    chosen = settings_with(
        validity_window_seconds=5.0, num_price_levels=2, max_orders_per_interval=30, max_inventory_pct=0.05
    )
    session = Session(chosen, SPOT if seed % 2 else CONTRACT, trouble, seed=seed, seconds=120)
    found: list[Stretch] = []
    recorder = StretchRecorder(found.append)
    for result in session.runner.run():
        recorder.take(result, session.machine)
    recorder.end()
    assert recorder.unexplained.total() == 0, [each for each in found if not each.is_explained]
    uptime = session.machine.uptime
    for side in SIDES:
        held = {reason: length for reason, length in uptime.held[side].items() if length}
        assert dict(recorder.totals[side]) == {**held, **({"live": uptime.live[side]} if uptime.live[side] else {})}
