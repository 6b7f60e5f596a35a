"""Neither quote ever rises with the inventory, whatever the settings: every level, long or short."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import MarketBook
from mm_fsm.books.ledger import Ledger
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import SettingsError
from mm_fsm.services.spreads import DefaultSpreadService
from tests.strategies import SYMBOL, decimals, fees, instruments, spread_settings

SECOND = 1_000_000_000
TARGET = Decimal(50)

offsets = st.lists(decimals("-15", "15", 2), min_size=2, max_size=4, unique=True).map(sorted)
mids = st.lists(decimals("90", "110", 2), min_size=4, max_size=6)


def context_with(
    settings: MarketMakingSettings,
    instrument: Instrument,
    fee: Fees,
    offset: Decimal,
    prices: list[Decimal],
    spread: int,
) -> MarketMakingContext:
    """A context that has seen ``prices`` a second apart and holds ``offset`` more than its target."""
    funds = Balances(base=TARGET + offset, quote=Decimal(1_000_000))
    context = MarketMakingContext(settings=settings, instrument=instrument, fees=fee, balances=funds)
    context.target_base = TARGET
    context.ledger = Ledger(base=offset, cash=funds.quote)
    for number, price in enumerate(prices):
        half = instrument.tick_size * spread
        bid = instrument.floor_price(price - half)
        book = MarketBook(
            received_at=number * SECOND,
            symbol=SYMBOL,
            bids=(BookLevel(bid, Decimal(5)),),
            asks=(BookLevel(bid + 2 * half, Decimal(5)),),
            exchange_time=number * SECOND,
        )
        context.now = book.received_at
        assert context.market.take(book, (), (), context.touch_rule)
        context.ledger.mark(context.market.believe())
        assert context.mid_price is not None
        context.first_mid_price = context.first_mid_price or context.mid_price
        context.volatility_estimator.observe(context.now, float(context.mid_price))
    assert context.volatility_estimator.is_warm
    return context


@settings(max_examples=120)
@given(
    chosen=spread_settings(),
    instrument=instruments(),
    fee=fees,
    prices=mids,
    spread=st.integers(1, 40),
    held=offsets,
    fill_rate=st.floats(0, 1),
)
def test_no_level_of_either_side_rises_with_the_inventory(
    chosen: MarketMakingSettings,
    instrument: Instrument,
    fee: Fees,
    prices: list[Decimal],
    spread: int,
    held: list[Decimal],
    fill_rate: float,
) -> None:
    try:
        chosen.spread_floor_bps(fee)
    except SettingsError:
        assume(False)
    service = DefaultSpreadService()
    seen: dict[tuple[Side, int], tuple[Decimal, Decimal]] = {}
    seen_in_plans: dict[tuple[Side, int], tuple[Decimal, Decimal]] = {}
    for offset in held:
        context = context_with(chosen, instrument, fee, offset, prices, spread)
        context.recent_fill_rate = fill_rate
        assert context.inventory_offset == offset
        plan = service.price_quotes(context)
        for side in Side:
            bps = plan.bid_spread_bps if side is Side.BID else plan.ask_spread_bps
            inventory = context.assess_inventory()
            shift = inventory.skew * chosen.skew_price_factor
            for quote in service.levels(context, inventory, bps, side, shift):
                _never_rises(seen, offset, side, quote.level, quote.price)
            for quote in plan.quotes(side):
                _never_rises(seen_in_plans, offset, side, quote.level, quote.price)


def _never_rises(
    seen: dict[tuple[Side, int], tuple[Decimal, Decimal]], offset: Decimal, side: Side, level: int, price: Decimal
) -> None:
    before = seen.get((side, level))
    if before is not None:
        assert price <= before[1], f"{side} level {level} rose from {before} to {(offset, price)}"
    seen[side, level] = (offset, price)


@settings(max_examples=60)
@given(
    chosen=spread_settings(),
    instrument=instruments(),
    prices=mids,
    spread=st.integers(1, 40),
    offset=decimals("-9", "9", 1),
)
def test_levels_keep_their_order_stay_on_the_grid_and_never_reach_the_market(
    chosen: MarketMakingSettings, instrument: Instrument, prices: list[Decimal], spread: int, offset: Decimal
) -> None:
    free = Fees(maker_bps=Decimal(0), taker_bps=Decimal(0))
    context = context_with(chosen, instrument, free, offset, prices, spread)
    plan = DefaultSpreadService().price_quotes(context)
    for side in Side:
        best = context.ask_price if side is Side.BID else context.bid_price
        assert best is not None
        previous: Decimal | None = None
        for quote in plan.quotes(side):
            assert quote.price % instrument.tick_size == 0
            assert (best - quote.price) * side.sign >= instrument.tick_size
            assert previous is None or (previous - quote.price) * side.sign >= instrument.tick_size
            previous = quote.price
