"""The plain quoter quotes alike on both sides whatever it holds, on the very data of the run."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from attrs import evolve

from mm_fsm.core.decisions import QuotePlan
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.report.run_data.baseline import SymmetricQuotes, mean_spread_bps, plain_settings, run_baseline
from mm_fsm.runtime.runner import SessionRunner
from mm_fsm.runtime.session import open_venue
from mm_fsm.services.registry import load_services
from tests.report.run_data.followed import configured, follow


def test_spread_and_sizes_do_not_know_the_position() -> None:
    """Every plan of a session: both sides whole, as far from the middle and as large, and the same spread always."""
    configuration = configured(240)
    venue, settings = configuration.venue, plain_settings(configuration.strategy, 13.0)
    base = load_services(settings.services, {})
    services = type(base)(spreads=SymmetricQuotes(), orders=base.orders, inventory=base.inventory, risk=base.risk)
    machine = MarketMakingStateMachine(settings, venue.instrument, venue.fees, venue.balances, services)  # type: ignore[attr-defined]
    plans: dict[int, tuple[QuotePlan, Decimal]] = {}
    for _ in SessionRunner(machine, open_venue(configuration)).run():
        plan = machine.context.plan
        if plan is not None and plan.bids and plan.asks:
            plans.setdefault(plan.priced_at, (plan, machine.context.inventory_offset))
    tick = venue.instrument.tick_size  # type: ignore[attr-defined]
    held = {offset for _, offset in plans.values()}
    assert len(held) > 3
    for plan, _ in plans.values():
        assert plan.bid_spread_bps == plan.ask_spread_bps == 13.0
        assert plan.bid_widening_bps == plan.ask_widening_bps == 0.0
        for bid, ask in zip(plan.bids, plan.asks, strict=True):
            middle = plan.reference_price
            half = middle * Decimal("0.00065") * Decimal("1.5") ** bid.level
            assert half <= middle - bid.price < half + 2 * tick
            assert half <= ask.price - middle < half + 2 * tick
            assert bid.quantity == pytest.approx(ask.quantity, rel=Decimal("0.01"))


def test_it_is_as_wide_as_the_run_was_whatever_width_the_run_aimed_at(tmp_path: Path) -> None:
    """A market spread's share of 4 makes the run much wider than its target of 5 bps; the plain quoter follows."""
    configuration = configured(240, market_spread_share=4.0)
    run = follow(configuration, tmp_path)
    found = run_baseline(configuration, run.figures)
    own = found.run_spread_bps
    assert own == mean_spread_bps(run.figures.series)
    assert own is not None
    assert own > 1.5 * configuration.strategy.target_spread_bps
    assert found.spread_bps == own
    assert f"{own:.4g} bps apart" in found.policy
    assert "followed to where the run ended" in found.policy


def test_a_runs_spread_is_that_of_the_time_with_both_quotes(tmp_path: Path) -> None:
    """By hand: 99 to 101 is 200 bps of 100, 198 to 202 is 200 bps of 200, 99.5 to 100.5 is 100 of 100."""
    series = follow(configured(30), tmp_path).figures.series
    shown = evolve(series, bid=(99.0, None, 198.0, 99.5, 99.0), ask=(101.0, 101.0, 202.0, 100.5, None))
    assert mean_spread_bps(shown) == pytest.approx(500 / 3)
    assert mean_spread_bps(evolve(series, bid=(None,), ask=(101.0,))) is None


def test_it_sees_every_event_of_the_run_and_keeps_its_books(tmp_path: Path) -> None:
    configuration = configured(240)
    run = follow(configuration, tmp_path)
    found = run_baseline(configuration, run.figures)
    assert found.figures.market_events == run.session.runner.market_events > 500
    assert found.figures.profit.identity_gap == 0
    assert found.figures.fill_model == run.figures.fill_model
    assert found.figures.profit.fees > 0
    again = run_baseline(configuration, run.figures)
    assert again == found


def test_it_ends_where_an_interrupted_run_ended(tmp_path: Path) -> None:
    """Half of a session is compared with the same half, not with the plain quoter's whole session."""
    configuration = configured(240)
    figures = follow(configuration, tmp_path).figures
    whole = run_baseline(configuration, figures)
    assert figures.begin_ms is not None
    interrupted = evolve(figures, end_ms=figures.begin_ms + 120_000)
    shares: list[float] = []
    found = run_baseline(configuration, interrupted, shares.append)
    assert found.figures.end_ms is not None
    assert 119_000 <= found.figures.end_ms - figures.begin_ms <= 120_000
    assert found.figures.seconds <= 120.001
    assert found.figures.market_events < 0.6 * whole.figures.market_events
    assert shares == sorted(shares)
    assert 0.99 < shares[-1] <= 1.0


def test_of_a_run_without_a_step_it_makes_none(tmp_path: Path) -> None:
    configuration = configured(240)
    figures = follow(configuration, tmp_path).figures
    found = run_baseline(configuration, evolve(figures, begin_ms=None, end_ms=None))
    assert found.figures.market_events == 0
    assert found.figures.profit.net == 0
