"""What holds for every plan of quotes, whatever the settings, the market, the funds and the position."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.core.decisions import Quote, QuotePlan
from mm_fsm.core.instrument import Instrument, InstrumentKind
from mm_fsm.core.messages import Side
from mm_fsm.services.orders import DefaultOrderService
from mm_fsm.services.risk import DefaultRiskService
from mm_fsm.services.spreads import DefaultSpreadService
from tests.services.situation import Situation, rules

LIMIT = 10
TENTHS = st.integers(-120, 120)
"""Offsets from the target, a twelfth of which lie beyond the limit."""


@st.composite
def markets(draw: st.DrawFn) -> tuple[str, str]:
    """Best bid and ask around 100, on every grid below, 1 to 180 bps apart."""
    return (
        str(100 - draw(st.integers(1, 18)) * Decimal("0.05")),
        str(100 + draw(st.integers(1, 18)) * Decimal("0.05")),
    )


@st.composite
def instruments(draw: st.DrawFn) -> Instrument:
    kind = draw(st.sampled_from(InstrumentKind))
    return rules(
        kind,
        tick=draw(st.sampled_from(["0.001", "0.01", "0.05"])),
        lot=draw(st.sampled_from(["0.0001", "0.01", "0.3"])),
        minimum_notional=draw(st.sampled_from(["0", "25"])),
        minimum_quantity=draw(st.sampled_from(["0", "0.05"])),
        maximum_quantity=draw(st.sampled_from([None, "0.3", "0.75"])),
        maximum_notional=draw(st.sampled_from([None, "110"])),
        contract_size="1" if kind is InstrumentKind.SPOT else draw(st.sampled_from(["0.1", "1", "3"])),
    )


settings = st.fixed_dictionaries(
    {
        "sigma": st.floats(0, 0.01),
        "target_spread_bps": st.floats(1, 60),
        "min_spread_bps": st.floats(1, 20),
        "max_spread_bps": st.floats(20, 200),
        "min_edge_bps": st.floats(0, 5),
        "maker_bps": st.sampled_from(["-1", "0", "2.5", "7"]),
        "taker_bps": st.sampled_from(["0", "10"]),
        "market_spread_share": st.floats(0, 1),
        "inventory_adjustment_factor": st.floats(0, 2),
        "skew_price_factor": st.floats(0, 0.01),
        "num_price_levels": st.integers(1, 4),
        "level_size_decay": st.floats(0.2, 1),
        "level_spread_multiplier": st.floats(1, 2),
        "base_order_size": st.sampled_from([20, 100, 700]),
        "price_band_bps": st.just(5000),
        "max_position_size": st.just(LIMIT),
        "max_inventory_pct": st.just(1000),
        "max_quote_exposure": st.just(10_000_000),
        "min_liquidation_distance": st.just(0),
    }
)


def price(instrument: Instrument, market: tuple[str, str], tenths: int, changes: dict[str, Any]) -> Situation:
    return Situation(instrument, bid=market[0], ask=market[1], offset=str(Decimal(tenths) / 10), target="15", **changes)


def of_level(plan: QuotePlan, side: Side) -> dict[int, Quote]:
    return {quote.level: quote for quote in plan.quotes(side)}


@given(instruments(), markets(), st.tuples(TENTHS, TENTHS), settings)
def test_no_quote_rises_as_inventory_rises(
    instrument: Instrument, market: tuple[str, str], tenths: tuple[int, int], changes: dict[str, Any]
) -> None:
    """Level by level: more inventory never raises a bid or an ask."""
    less, more = (
        DefaultSpreadService().price_quotes(price(instrument, market, offset, changes).context)
        for offset in sorted(tenths)
    )
    for side in Side:
        before, after = of_level(less, side), of_level(more, side)
        for level in before.keys() & after.keys():
            assert after[level].price <= before[level].price


@given(instruments(), st.tuples(TENTHS, TENTHS), settings)
def test_bids_shrink_and_asks_grow_as_inventory_rises(
    instrument: Instrument, tenths: tuple[int, int], changes: dict[str, Any]
) -> None:
    """From the innermost level down to each one, all of the side together.

    An outer level alone may grow where the limit caps the side: by what rounding takes from the level inside it. A
    level that is too small for the venue is dropped, not raised: there a larger order is worth enough again, or an ask
    at a lower price too little, so levels behind a dropped one are not compared. Asked of moderate spreads: a bid
    further down buys more base for the same money, which for spreads of several per cent outweighs a small change of
    the money. The same holds for a bid that is the largest the venue takes.
    """
    instrument = evolve(instrument, maximum_quantity=None, maximum_notional=None)
    moderate = changes | {"max_spread_bps": 50, "min_spread_bps": 5, "maker_bps": "0", "skew_price_factor": 0.001}
    less, more = (
        DefaultSpreadService().price_quotes(price(instrument, ("99.95", "100.05"), offset, moderate).context)
        for offset in sorted(tenths)
    )
    for level in range(changes["num_price_levels"]):
        if has_all_levels(less, Side.BID, level):
            assert size_down_to(more, Side.BID, level) <= size_down_to(less, Side.BID, level)
        if has_all_levels(more, Side.ASK, level):
            assert size_down_to(more, Side.ASK, level) >= size_down_to(less, Side.ASK, level)


def has_all_levels(plan: QuotePlan, side: Side, level: int) -> bool:
    return all(each in of_level(plan, side) for each in range(level + 1))


def size_down_to(plan: QuotePlan, side: Side, level: int) -> Decimal:
    return sum((quote.quantity for quote in plan.quotes(side) if quote.level <= level), Decimal(0))


FUNDS = st.sampled_from(["150", "777.77", "1000000"])


@given(instruments(), markets(), TENTHS, settings, FUNDS)
def test_quotes_are_on_the_grid_passive_ordered_and_large_enough(
    instrument: Instrument, market: tuple[str, str], tenths: int, changes: dict[str, Any], funds: str
) -> None:
    plan = DefaultSpreadService().price_quotes(price(instrument, market, tenths, changes | {"quote": funds}).context)
    for quote in (*plan.bids, *plan.asks):
        assert quote.price % instrument.tick_size == 0
        assert quote.quantity % instrument.lot_size == 0
        assert quote.quantity >= instrument.minimum_quantity
        assert quote.quantity <= (instrument.maximum_quantity or quote.quantity)
        value = quote.quantity * quote.price * instrument.contract_size
        assert value <= (instrument.maximum_notional or value)
        assert quote.quantity * quote.price * instrument.contract_size >= instrument.minimum_notional
    for side, sign in ((Side.BID, 1), (Side.ASK, -1)):
        for inner, outer in pairwise(plan.quotes(side)):
            assert (inner.price - outer.price) * sign >= instrument.tick_size
    if plan.bids:
        assert plan.bids[0].price <= Decimal(market[1]) - instrument.tick_size
    if plan.asks:
        assert plan.asks[0].price >= Decimal(market[0]) + instrument.tick_size


@given(instruments(), markets(), TENTHS, settings)
def test_a_round_trip_at_the_innermost_level_earns_two_maker_fees_and_the_edge(
    instrument: Instrument, market: tuple[str, str], tenths: int, changes: dict[str, Any]
) -> None:
    """Whatever skew and rounding do: the ask lies above the bid by at least that share of the mid."""
    plan = DefaultSpreadService().price_quotes(price(instrument, market, tenths, changes).context)
    if plan.bids and plan.asks and plan.bids[0].level == plan.asks[0].level == 0:
        earned_bps = (plan.asks[0].price - plan.bids[0].price) / plan.reference_price * 10_000
        assert float(earned_bps) >= 2 * float(changes["maker_bps"]) + changes["min_edge_bps"] - 1e-9


@given(instruments(), markets(), TENTHS, settings, FUNDS)
def test_every_level_is_quoted_or_dropped_with_a_reason_and_an_empty_side_has_one(
    instrument: Instrument, market: tuple[str, str], tenths: int, changes: dict[str, Any], funds: str
) -> None:
    situation = price(instrument, market, tenths, changes | {"quote": funds})
    plan = DefaultSpreadService().price_quotes(situation.context)
    for side in Side:
        dropped = [level.level for level in plan.dropped if level.side is side]
        if plan.quotes(side):
            assert sorted([*of_level(plan, side), *dropped]) == list(range(changes["num_price_levels"]))
        assert (plan.hold(side) is None) == bool(plan.quotes(side))


@given(instruments(), markets(), TENTHS, settings, FUNDS)
def test_risk_approves_every_quote_that_the_spread_service_wants(
    instrument: Instrument, market: tuple[str, str], tenths: int, changes: dict[str, Any], funds: str
) -> None:
    """What was capped by funds and limits is within them to the last digit, all levels together."""
    situation = price(instrument, market, tenths, changes | {"quote": funds})
    context = situation.context
    plan = DefaultSpreadService().price_quotes(context)
    for wanted in DefaultOrderService().plan_changes(context, plan).placements:
        assert DefaultRiskService().review(context, wanted) is None
        situation.rest(wanted.side, str(wanted.price), str(wanted.quantity), level=wanted.level)


@given(instruments(), markets(), TENTHS, settings, FUNDS)
def test_quotes_that_were_just_placed_are_neither_stale_nor_changed(
    instrument: Instrument, market: tuple[str, str], tenths: int, changes: dict[str, Any], funds: str
) -> None:
    """Otherwise the machine would never come to rest."""
    situation = price(instrument, market, tenths, changes | {"quote": funds})
    context, spreads = situation.context, DefaultSpreadService()
    situation.adopt(spreads.price_quotes(context))
    assert not spreads.are_quotes_stale(context)
    again = spreads.price_quotes(context)
    assert again.bids == context.plan.bids  # type: ignore[union-attr]
    assert again.asks == context.plan.asks  # type: ignore[union-attr]
    changes_wanted = DefaultOrderService().plan_changes(context, again)
    assert changes_wanted.cancels == ()
    assert changes_wanted.placements == ()
