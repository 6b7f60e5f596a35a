"""The simulation table of Avellaneda and Stoikov (Quantitative Finance 8, 2008, p. 217-224), gamma = 0.1.

s = 100, T = 1 s, sigma = 2 per square-root second, dt = 0.005 s, k = 1.5, A = 140, order size 1. It is run through the
simulator and the paper exchange with what they add switched off: no latency, no queue, no fees, no impact.
"""

import math
from decimal import Decimal
from statistics import fmean, stdev

import pytest

from mm_fsm.books.facts import MarketBook, OrderRejected
from mm_fsm.core.instrument import Balances, Fees, Instrument, InstrumentKind
from mm_fsm.core.messages import CancelOrder, OrderPurpose, PlaceOrder, Side
from mm_fsm.venues.paper import PaperExchange, PaperSettings, QueueModel
from mm_fsm.venues.simulator import MarketSimulator, PriceProcess, SimulatorSettings, TakerArrivals

PATHS = 100
PUBLISHED_PATHS = 1000
GAMMA, SIGMA, K, HORIZON = 0.1, 2.0, 1.5, 1.0
CONSTANT_SPREAD = 2 / GAMMA * math.log(1 + GAMMA / K)

INSTRUMENT = Instrument(
    symbol="AS", base_currency="A", quote_currency="S", tick_size=Decimal("0.01"), lot_size=Decimal(1),
    kind=InstrumentKind.LINEAR,
)  # fmt: skip


def quotes(strategy: str, mid: float, position: int, left: float) -> tuple[float, float]:
    """Bid and ask; ``left`` is T - t in seconds."""
    if strategy == "inventory":
        reservation = mid - position * GAMMA * SIGMA**2 * left
        half = (GAMMA * SIGMA**2 * left + CONSTANT_SPREAD) / 2
        return reservation - half, reservation + half
    half = (CONSTANT_SPREAD + GAMMA * SIGMA**2 * HORIZON / 2) / 2
    return mid - half, mid + half


def market(seed: int) -> MarketSimulator:
    return MarketSimulator(
        SimulatorSettings(
            instrument=INSTRUMENT,
            seed=seed,
            start_price=Decimal(100),
            level_size=Decimal(1),
            taker_size=Decimal(1),
            duration_seconds=HORIZON,
            step_seconds=0.005,
            price_process=PriceProcess.ARITHMETIC,
            volatility_bps_per_sqrt_second=200.0,
            spread_bps=1000.0,
            levels=1,
            taker_arrivals=TakerArrivals.AT_MOST_ONE,
            takers_per_second=140.0,
            taker_depth_bps=100 / K,
            taker_size_dispersion=0.0,
            impact_bps=0.0,
            bursts_per_hour=0.0,
        )
    )


def run_path(strategy: str, seed: int) -> tuple[float, int]:
    """Profit in quote currency and final position of one path."""
    deposit = Decimal(1_000_000)
    exchange = PaperExchange(
        INSTRUMENT,
        Fees(maker_bps=Decimal(0), taker_bps=Decimal(0)),
        Balances(base=Decimal(0), quote=deposit),
        PaperSettings(
            order_latency_seconds=0, response_latency_seconds=0, market_data_latency_seconds=0, queue=QueueModel.FRONT
        ),
    )
    sent, mid = 0, Decimal(100)
    for event in market(seed):
        exchange.on_market(event)
        if not isinstance(event, MarketBook):
            continue
        now, mid = event.exchange_time, (event.bids[0].price + event.asks[0].price) / 2
        left = HORIZON - now / 1e9
        if left <= 0:
            break
        for order in exchange.open_orders:
            exchange.submit(CancelOrder(symbol="AS", client_order_id=order.client_order_id, venue_order_id=None), now)
        bid, ask = quotes(strategy, float(mid), int(exchange.balances.base_total), left)
        grid = (
            (Side.BID, INSTRUMENT.floor_price(Decimal(bid))),
            (Side.ASK, INSTRUMENT.ceil_price(Decimal(ask))),
        )
        for side, price in grid:
            sent += 1
            exchange.submit(
                PlaceOrder(
                    symbol="AS", client_order_id=str(sent), side=side, price=price, quantity=Decimal(1),
                    purpose=OrderPurpose.QUOTE, level=0,
                ),
                now,
            )  # fmt: skip
        assert not [fact for fact in exchange.advance(now) if isinstance(fact, OrderRejected)]
    return float(exchange.account_value(mid) - deposit), int(exchange.balances.base_total)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("strategy", "profit", "profit_deviation", "position_deviation"),
    [("inventory", 65.0, 6.6, 2.9), ("symmetric", 68.4, 12.7, 8.4)],
)
def test_the_published_profit_and_inventory_are_reproduced(
    strategy: str, profit: float, profit_deviation: float, position_deviation: float
) -> None:
    """Within three standard errors of the difference between their 1000 paths and ours."""
    results = [run_path(strategy, seed) for seed in range(PATHS)]
    profits = [result[0] for result in results]
    positions = [float(result[1]) for result in results]
    error_of_mean = math.sqrt(1 / PATHS + 1 / PUBLISHED_PATHS)
    error_of_deviation = error_of_mean / math.sqrt(2)
    assert fmean(profits) == pytest.approx(profit, abs=3 * profit_deviation * error_of_mean)
    assert stdev(profits) == pytest.approx(profit_deviation, rel=3 * error_of_deviation)
    assert fmean(positions) == pytest.approx(0, abs=3 * position_deviation / math.sqrt(PATHS))
    assert stdev(positions) == pytest.approx(position_deviation, rel=3 * error_of_deviation)
