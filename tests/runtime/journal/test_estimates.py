"""A run whose quotes rest on live estimates replays bit for bit, segment by segment; snapshots hold them."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from mm_fsm.books.signals import Signal
from mm_fsm.core.settings import ServiceNames
from mm_fsm.runtime.journal import JournalReader, JournalSettings, verify_run
from mm_fsm.runtime.journal.snapshots import read_snapshot, write_snapshot
from mm_fsm.runtime.journaled_session import open_journaled_session
from mm_fsm.runtime.session import for_session
from mm_fsm.runtime.settings_file import MarketConfiguration, read_preset

SECONDS = 900


def configuration() -> MarketConfiguration:
    """Fair price, volatility and intensity all estimated."""
    market = for_session(read_preset("paper_ethusd"), duration_seconds=SECONDS, seed=11)
    options = {"risk_aversion": 1e-4, "decay_per_bps": "estimated", "intensity_per_second": "estimated"}
    strategy = evolve(
        market.strategy,
        min_spread_bps=1.0,
        fair_price="weighted_mid",
        volatility_kind="two_scale",
        volatility_sample_seconds=1.0,
        adjustment_policy="least_cost",
        services=ServiceNames(spreads="glft"),
        service_options={"glft": options},
    )
    journal = JournalSettings(record_market_data=True, synchronise=False, segment_records=150)
    return evolve(market, strategy=strategy, journal=journal)


def test_quotes_from_estimates_replay_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "run.journal"
    session, run = open_journaled_session(configuration(), path)
    for _ in session.runner.run():
        pass
    context = session.machine.context
    assert {*context.signals.running} == {Signal.INTENSITY, Signal.TOUCH, Signal.VOLUME}
    assert context.signals.required == (Signal.INTENSITY, Signal.TOUCH)
    assert context.signals.cold is None
    assert context.acknowledged_maker_quantity > 0

    run.close()
    report = verify_run(path)
    assert report.is_clean, str(report)
    assert report.replayed_segments == report.segments >= 3
    with JournalReader(path) as reader:
        assert len(reader.segments) == report.segments
    copied = read_snapshot(write_snapshot({"context": context}))["context"]
    assert copied.signals.snapshot() == context.signals.snapshot()
    assert copied.signals.intensity == context.signals.intensity
    assert copied.digest() == context.digest()
