"""Shared hypothesis strategies, one for each domain value. Ranges are small, so that values meet each other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mm_fsm.core.instrument import Balances, Fees, Instrument, InstrumentKind
from mm_fsm.core.messages import RejectionCode, ReportedStatus, RequestKind, Side
from mm_fsm.core.settings import AdjustmentPolicy, MarketMakingSettings

SYMBOL = "BTC/USD"

sides: SearchStrategy[Side] = st.sampled_from(Side)
rejection_codes: SearchStrategy[RejectionCode] = st.sampled_from(RejectionCode)
request_kinds: SearchStrategy[RequestKind] = st.sampled_from(RequestKind)
reported_statuses: SearchStrategy[ReportedStatus] = st.sampled_from(ReportedStatus)


def decimals(low: str, high: str, places: int) -> SearchStrategy[Decimal]:
    """Finite decimals of at most ``places`` decimal places."""
    return st.decimals(low, high, places=places, allow_nan=False, allow_infinity=False)


@st.composite
def instruments(draw: st.DrawFn, kind: InstrumentKind | None = None) -> Instrument:
    """Spot pairs and linear contracts with a price near 100: coarse and fine grids, with and without bounds of size."""
    chosen = draw(st.sampled_from(InstrumentKind)) if kind is None else kind
    size = "1" if chosen is InstrumentKind.SPOT else draw(st.sampled_from(["1", "0.1", "10"]))
    lot = draw(st.sampled_from(["0.001", "0.01", "0.1"] if size != "10" else ["0.001", "0.01"]))
    return Instrument(
        symbol=SYMBOL,
        base_currency="BTC",
        quote_currency="USD",
        tick_size=Decimal(draw(st.sampled_from(["0.001", "0.01", "0.05"]))),
        lot_size=Decimal(lot),
        minimum_quantity=Decimal(draw(st.sampled_from(["0", "0.1"]))),
        minimum_notional=Decimal(draw(st.sampled_from(["0", "5"]))),
        maximum_quantity=draw(st.sampled_from([None, None, Decimal("0.55"), Decimal(7)])),
        maximum_notional=draw(st.sampled_from([None, None, Decimal(900)])),
        contract_size=Decimal(size),
        kind=chosen,
    )


fees: SearchStrategy[Fees] = st.builds(
    Fees, maker_bps=decimals("-2", "4", 1), taker_bps=st.sampled_from([Decimal(4), Decimal("7.5")])
)


@st.composite
def balances(draw: st.DrawFn, instrument: Instrument) -> Balances:
    """What a session starts with: rich or poor, long or short where the instrument allows it."""
    lowest = "-20" if instrument.may_be_short else "0"
    leverage = Decimal(draw(st.sampled_from(["1", "3"]))) if instrument.may_be_short else Decimal(1)
    return Balances(
        base=draw(decimals(lowest, "20", 1)),
        quote=draw(st.sampled_from([Decimal(300), Decimal(5000)])),
        leverage=leverage,
    )


EXACT_QUOTES: dict[str, Any] = {"requote_tolerance_away_share": 0.0, "requote_tolerance_towards_share": 0.0}
"""Settings under which no order stays where another price is wanted."""
ANY_BOOK_IS_SOUND: dict[str, Any] = {
    "max_jump_bps": 5_000.0,
    "touch_size_share": 0.0,
    "trade_beyond_book_bps": 5_000.0,
}
"""Settings for tests of something else, whose markets move as they please."""


@st.composite
def market_making_settings(draw: st.DrawFn, **fixed: Any) -> MarketMakingSettings:
    """Settings under which a few orders reach every limit within a minute of fact time."""
    values: dict[str, Any] = {
        "symbol": SYMBOL,
        "num_price_levels": draw(st.integers(1, 3)),
        "max_inventory_pct": draw(st.sampled_from([0.02, 0.1, 0.5])),
        "max_position_size": draw(st.none() | decimals("0.5", "5", 1)),
        "max_quote_exposure": draw(st.sampled_from([Decimal(150), Decimal(10_000)])),
        "adjustment_policy": draw(st.sampled_from(AdjustmentPolicy)),
        "adjustment_goal_share": draw(st.sampled_from([0.0, 0.5])),
        "requote_tolerance_away_share": draw(st.sampled_from([0.0, 0.06])),
        "requote_tolerance_towards_share": draw(st.sampled_from([0.0, 0.6])),
        "max_jump_bps": draw(st.sampled_from([100.0, 5_000.0])),
        "unsound_book_seconds": draw(st.sampled_from([2.0, 10.0])),
        "touch_size_share": draw(st.sampled_from([0.0, 0.05, 10.0])),
        "trade_beyond_book_bps": draw(st.sampled_from([10.0, 5_000.0])),
        "max_drawdown": draw(st.sampled_from([Decimal(3), Decimal(500)])),
        "max_orders_per_interval": draw(st.sampled_from([4, 60])),
        "wind_down_on_fault": draw(st.booleans()),
        "session_seconds": draw(st.sampled_from([None, None, 40.0])),
        "wind_down_passive_seconds": draw(st.sampled_from([0.0, 20.0])),
        "wind_down_deadline_seconds": draw(st.sampled_from([20.0, 120.0])),
        "wind_down_slice": draw(st.sampled_from([Decimal(50), Decimal(1000)])),
        "max_recovery_attempts": draw(st.integers(0, 3)),
        "recovery_reset_seconds": 30.0,
        "volatility_sample_seconds": 1.0,
        "warm_up_samples": 2,
        "stale_data_seconds": 5.0,
        "long_stale_data_seconds": 30.0,
        "request_timeout_seconds": 3.0,
        "validity_window_seconds": 8.0,
    }
    return MarketMakingSettings(**(values | fixed))


def spread_settings() -> SearchStrategy[MarketMakingSettings]:
    """Settings that vary everything the default spread arithmetic reads."""
    spans = st.tuples(st.floats(1, 40), st.floats(0, 160)).map(lambda span: (span[0], span[0] + span[1] + 6))
    return spans.flatmap(
        lambda span: st.builds(
            MarketMakingSettings,
            symbol=st.just(SYMBOL),
            min_spread_bps=st.just(span[0]),
            max_spread_bps=st.just(max(span[1], 12.0)),
            target_spread_bps=st.floats(1, 80),
            volatility_multiplier=st.floats(0, 5),
            market_spread_share=st.floats(0, 2),
            inventory_adjustment_factor=st.floats(0, 3),
            skew_price_factor=st.floats(0, 0.05),
            fill_rate_widening_bps=st.floats(0, 10),
            num_price_levels=st.integers(1, 5),
            level_size_decay=st.floats(0.1, 1),
            level_spread_multiplier=st.floats(1, 3),
            max_position_size=st.just(Decimal(10)),
            max_inventory_pct=st.just(100.0),
            max_quote_exposure=st.just(Decimal(1_000_000)),
            volatility_sample_seconds=st.just(1.0),
            warm_up_samples=st.just(2),
        )
    )
