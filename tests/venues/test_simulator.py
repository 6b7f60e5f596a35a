"""What the simulator promises, measured on what it yields. Statistical bounds are three standard errors."""

import hashlib
import math
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from mm_fsm.books.facts import MarketBook, MarketTrade, OrderFilled
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.core.instrument import Balances, Fees, Instrument, InstrumentKind
from mm_fsm.core.messages import Fact, OrderPurpose, PlaceOrder, Side
from mm_fsm.errors import SettingsError
from mm_fsm.venues.paper import PaperExchange, PaperSettings, QueueModel
from mm_fsm.venues.simulator import MarketSimulator, PriceProcess, SimulatorSettings, TakerArrivals

INSTRUMENT = Instrument(
    symbol="SIM/USD",
    base_currency="SIM",
    quote_currency="USD",
    tick_size=Decimal("0.001"),
    lot_size=Decimal("0.01"),
    kind=InstrumentKind.LINEAR,
)
CALM: dict[str, Any] = {"impact_bps": 0.0, "bursts_per_hour": 0.0}


def settings(seed: int = 1, *, instrument: Instrument = INSTRUMENT, **options: object) -> SimulatorSettings:
    return SimulatorSettings(
        instrument=instrument,
        seed=seed,
        start_price=Decimal(100),
        level_size=Decimal(2),
        taker_size=Decimal(1),
        **options,  # type: ignore[arg-type]
    )


def books_and_trades(wanted: SimulatorSettings) -> tuple[list[MarketBook], list[MarketTrade]]:
    events = list(MarketSimulator(wanted))
    books = [event for event in events if isinstance(event, MarketBook)]
    return books, [event for event in events if isinstance(event, MarketTrade)]


def mid(book: MarketBook) -> float:
    return float(book.bids[0].price + book.asks[0].price) / 2


def deviation(values: Sequence[float]) -> float:
    """Root mean square: the mean is known to be 0."""
    return math.sqrt(sum(value * value for value in values) / len(values))


@pytest.mark.parametrize(("side", "depth_bps"), [(Side.BID, 0.0), (Side.BID, 5.0), (Side.ASK, 5.0), (Side.ASK, 10.0)])
def test_an_order_in_front_of_its_queue_fills_at_the_rate_a_exp_minus_k_d(side: Side, depth_bps: float) -> None:
    """A = 2 a second, 1/k = 3 bps, T = 2000 s, all trades of size 1: the count is Poisson of mean A exp(-k d) T.

    One tick is 5 bps: whoever does not reach the order's price must not print at it.
    """
    seed, duration = 11, 2000.0
    coarse = attrs.evolve(INSTRUMENT, tick_size=Decimal("0.05"))
    source = MarketSimulator(
        settings(
            seed,
            instrument=coarse,
            duration_seconds=duration,
            step_seconds=1.0,
            spread_bps=50.0,
            volatility_bps_per_sqrt_second=0.0,
            takers_per_second=2.0,
            taker_depth_bps=3.0,
            taker_size_dispersion=0.0,
            **CALM,
        )
    )
    exchange = PaperExchange(
        coarse,
        Fees(maker_bps=Decimal(0), taker_bps=Decimal(0)),
        Balances(base=Decimal(0), quote=Decimal(10**9)),
        PaperSettings(order_latency_seconds=0, queue=QueueModel.FRONT),
    )
    price = Decimal(100) - side.sign * Decimal(str(depth_bps)) / 100
    order = PlaceOrder(
        symbol="SIM/USD", client_order_id="order", side=side, price=price, quantity=Decimal(100_000),
        purpose=OrderPurpose.QUOTE, level=0,
    )  # fmt: skip
    facts: list[Fact] = []
    for event in source:
        exchange.on_market(event)
        if isinstance(event, MarketBook):
            if event.exchange_time == 0:
                exchange.submit(order, 0)
            facts.extend(exchange.advance(event.exchange_time))
    fills = [fact.quantity for fact in facts if isinstance(fact, OrderFilled)]
    assert set(fills) == {1}
    expected = 2.0 * math.exp(-depth_bps / 3.0) * duration
    assert abs(len(fills) - expected) < 3 * math.sqrt(expected), f"seed {seed}"


def test_prints_recover_a_and_k_by_the_usual_regression() -> None:
    """The logarithm of lambda(d) over d from 0 to 8 bps is a line through ln A of slope -k."""
    seed, duration = 5, 6000.0
    wanted = settings(
        seed, duration_seconds=duration, step_seconds=1.0, volatility_bps_per_sqrt_second=2.0, takers_per_second=1.5,
        taker_depth_bps=4.0, spread_bps=0.0, **CALM,
    )  # fmt: skip
    reaches = []
    before = 0.0
    for event in MarketSimulator(wanted):
        if isinstance(event, MarketBook):
            before = mid(event)
        elif isinstance(event, MarketTrade):
            reaches.append(event.taker_side.sign * (float(event.price) / before - 1) * 1e4)
    depths = [0.2 + 0.5 * i for i in range(16)]
    rates = [math.log(sum(reach >= depth for reach in reaches) / 2 / duration) for depth in depths]
    middle = sum(depths) / len(depths)
    slope = sum((d - middle) * r for d, r in zip(depths, rates, strict=True)) / sum((d - middle) ** 2 for d in depths)
    intercept = sum(rates) / len(rates) - slope * middle
    # Some 18000 prints of mean reach 4: the standard error of a mean would be 0.03, of a slope over part of the range a
    # few times that.
    assert slope == pytest.approx(-1 / 4, abs=0.01), f"seed {seed}"
    assert math.exp(intercept) == pytest.approx(1.5, abs=3 * math.sqrt(1.5 / 2 / duration) + 0.02), f"seed {seed}"


@pytest.mark.parametrize("process", list(PriceProcess))
def test_the_mid_has_the_volatility_that_was_asked_for(process: PriceProcess) -> None:
    seed, steps = 7, 20_000
    wanted = settings(
        seed, price_process=process, duration_seconds=steps * 0.25, step_seconds=0.25, takers_per_second=0.0,
        volatility_bps_per_sqrt_second=3.0, spread_bps=0.0, **CALM,
    )  # fmt: skip
    books, trades = books_and_trades(wanted)
    assert trades == []
    mids = [mid(book) for book in books]
    pairs = list(pairwise(mids))
    if process is PriceProcess.GEOMETRIC:
        moves = [math.log(after / before) * 1e4 for before, after in pairs]
    else:
        moves = [(after - before) / 100 * 1e4 for before, after in pairs]
    # 3 bps per square-root second are 1.5 bps per step; the displayed mid is rounded to half a tick of 0.1 bps.
    assert deviation(moves) == pytest.approx(1.5, rel=3 / math.sqrt(2 * steps) + 0.001), f"seed {seed}"
    assert abs(sum(moves)) < 3 * 1.5 * math.sqrt(steps), f"seed {seed}"


def test_takers_move_the_mid_for_good_by_the_impact() -> None:
    """Without volatility of its own, the mid is the start times exp(impact * (buys - sells)), after every step."""
    wanted = settings(
        2, duration_seconds=600.0, takers_per_second=0.5, volatility_bps_per_sqrt_second=0.0, spread_bps=0.0,
        impact_bps=3.0, bursts_per_hour=0.0,
    )  # fmt: skip
    net = 0
    for event in MarketSimulator(wanted):
        if isinstance(event, MarketTrade):
            net += event.taker_side.sign
        elif isinstance(event, MarketBook):
            assert mid(event) == pytest.approx(100 * math.exp(net * 3e-4), abs=0.001)
    assert net != 0


def test_impact_adds_to_the_volatility() -> None:
    """Each side's takers add their rate times the impact squared: sqrt(1 + 2 * 0.13 * 9) = 1.828 bps."""
    seed, steps = 3, 20_000
    books, _ = books_and_trades(settings(seed, duration_seconds=float(steps), step_seconds=1.0, bursts_per_hour=0.0))
    mids = [mid(book) for book in books]
    moves = [math.log(after / before) * 1e4 for before, after in pairwise(mids)]
    # Jumps make squares scatter more than a normal distribution does: the variance of a squared move is
    # 2 * 3.34^2 + 2 * 0.13 * 3^4 = 43.4, so that of the deviation is sqrt(43.4 / 20000) / (2 * 1.828) = 0.0127.
    assert deviation(moves) == pytest.approx(1.828, abs=3 * 0.0127 + 0.005), f"seed {seed}"


def test_a_burst_is_livelier_and_lopsided() -> None:
    quiet = settings(4, duration_seconds=3600.0, bursts_per_hour=0.0, impact_bps=0.0)
    stormy = settings(
        4, duration_seconds=3600.0, bursts_per_hour=3600.0, burst_seconds=1e6, impact_bps=0.0,
        burst_flow_multiplier=4.0, burst_volatility_multiplier=3.0,
    )  # fmt: skip
    (calm_books, calm_trades), (books, trades) = books_and_trades(quiet), books_and_trades(stormy)
    calm_mids, mids = [mid(book) for book in calm_books], [mid(book) for book in books]
    # The streams are apart, so both have the same normal draws and the ratio of their moves is 3 from the first burst.
    calm_moves = [math.log(b / a) for a, b in pairwise(calm_mids[10:])]
    moves = [math.log(b / a) for a, b in pairwise(mids[10:])]
    assert deviation(moves) / deviation(calm_moves) == pytest.approx(3, abs=0.05)
    buys = sum(trade.taker_side is Side.BID for trade in trades)
    busier, other = max(buys, len(trades) - buys), min(buys, len(trades) - buys)
    # 0.13 * 4 * 3600 = 1872 and 0.13 * 3600 = 468 arrivals.
    assert abs(busier - 1872) < 3 * math.sqrt(1872) + 5
    assert abs(other - 468) < 3 * math.sqrt(468)
    assert abs(len(calm_trades) - 936) < 3 * math.sqrt(936)


def test_a_maker_closer_than_the_impact_loses_on_every_fill_by_default() -> None:
    """Markout after the trade, by print: reached distance d less 3 bps of impact; prints at 1 bp or less lose."""
    reached, markouts = [], []
    last: MarketTrade | None = None
    before = 100.0
    for event in MarketSimulator(settings(6, duration_seconds=20_000.0, step_seconds=1.0, spread_bps=0.0)):
        if isinstance(event, MarketTrade):
            last = event
        elif isinstance(event, MarketBook):
            if last is not None:
                reached.append(last.taker_side.sign * (float(last.price) - before) / before * 1e4)
                markouts.append(last.taker_side.sign * (float(last.price) - mid(event)) / before * 1e4)
            last, before = None, mid(event)
    narrow = [markout for distance, markout in zip(reached, markouts, strict=True) if 0 <= distance <= 1]
    assert len(narrow) > 500
    # Between 0 and 1 bps reached less 3 bps of impact, within a standard error of 2 / sqrt(500).
    assert -3.3 < sum(narrow) / len(narrow) < -1.7


@given(
    seed=st.integers(0, 10_000),
    tick=st.sampled_from(["0.001", "0.01", "1", "7"]),
    spread=st.floats(0, 500),
    gap=st.floats(0, 300),
    level_count=st.integers(1, 6),
    process=st.sampled_from(PriceProcess),
    arrivals=st.sampled_from(TakerArrivals),
    volatility=st.sampled_from([0.0, 2.0, 3000.0]),
)
@hypothesis_settings(max_examples=60)
def test_every_event_is_on_the_grid_in_order_and_never_crossed(
    *,
    seed: int,
    tick: str,
    spread: float,
    gap: float,
    level_count: int,
    process: PriceProcess,
    arrivals: TakerArrivals,
    volatility: float,
) -> None:
    instrument = Instrument(
        symbol="X", base_currency="B", quote_currency="Q", tick_size=Decimal(tick), lot_size=Decimal("0.05")
    )
    wanted = settings(
        seed, instrument=instrument, duration_seconds=20.0, step_seconds=0.5, spread_bps=spread, level_gap_bps=gap,
        levels=level_count, price_process=process, taker_arrivals=arrivals, takers_per_second=0.6,
        volatility_bps_per_sqrt_second=volatility, start_time=10**18, bursts_per_hour=600.0, burst_seconds=5.0,
    )  # fmt: skip
    time = 10**18
    book_times: list[int] = []
    for event in MarketSimulator(wanted):
        assert not hasattr(event, "trading")
        assert event.exchange_time >= time
        assert event.received_at == event.exchange_time
        time = event.exchange_time
        if isinstance(event, MarketTrade):
            assert event.price > 0
            assert event.price % instrument.tick_size == event.size % instrument.lot_size == 0 < event.size
            assert book_times[-1] < time < book_times[-1] + NANOSECONDS_PER_SECOND // 2
        elif isinstance(event, MarketBook):
            book_times.append(time)
            bids, asks = [level.price for level in event.bids], [level.price for level in event.asks]
            assert bids == sorted(set(bids), reverse=True)
            assert asks == sorted(set(asks))
            assert len(asks) == level_count >= len(bids)
            assert not bids or 0 < bids[-1] <= bids[0] < asks[0]
            for level in event.bids + event.asks:
                assert level.price % instrument.tick_size == level.size % instrument.lot_size == 0 < level.size
    assert book_times == [10**18 + number * NANOSECONDS_PER_SECOND // 2 for number in range(41)]


def test_takers_arrive_between_two_books_however_short_the_step() -> None:
    """One taker a nanosecond in steps of a microsecond: rounding never puts one at the time of a book."""
    wanted = settings(
        3, duration_seconds=1e-4, step_seconds=1e-6, takers_per_second=5e8, volatility_bps_per_sqrt_second=0.0, **CALM
    )
    _, trades = books_and_trades(wanted)
    assert len(trades) > 10_000
    assert all(trade.exchange_time % 1000 for trade in trades)


def test_the_displayed_spread_is_at_least_the_one_asked_for() -> None:
    books, _ = books_and_trades(settings(8, spread_bps=5.0))
    for book in books:
        assert 5.0 - 1e-6 <= float(book.asks[0].price - book.bids[0].price) / mid(book) * 1e4 <= 5.0 + 0.2


def test_mean_sizes_are_those_asked_for() -> None:
    books, trades = books_and_trades(settings(9, duration_seconds=5000.0, takers_per_second=1.0))
    sizes = [float(level.size) for book in books for level in book.bids + book.asks]
    assert (min(sizes), max(sizes)) == pytest.approx((1.0, 3.0), abs=0.02)
    assert sum(sizes) / len(sizes) == pytest.approx(2.0, abs=0.02)
    traded = [float(trade.size) for trade in trades]
    assert sum(traded) / len(traded) == pytest.approx(1.0, abs=3 / math.sqrt(len(traded)) + 0.005)
    assert deviation([size - 1 for size in traded]) == pytest.approx(1.0, abs=0.1)


def fingerprint(seed: int) -> str:
    digest = hashlib.sha256()
    for event in MarketSimulator(settings(seed, duration_seconds=300.0)):
        digest.update(repr(event).encode())
    return digest.hexdigest()


def test_one_seed_gives_one_market_in_every_process() -> None:
    simulator = MarketSimulator(settings(12, duration_seconds=30.0))
    assert list(simulator) == list(simulator)
    assert fingerprint(12) != fingerprint(13)
    code = f"import sys; sys.path.insert(0, '.'); from {__name__} import fingerprint; print(fingerprint(12))"
    for hash_seed in ("1", "2"):
        printed = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
            env={"PYTHONHASHSEED": hash_seed},
        )
        assert printed.stdout.strip() == fingerprint(12)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("volatility_bps_per_sqrt_second", -1.0),
        ("spread_bps", float("nan")),
        ("takers_per_second", float("inf")),
        ("duration_seconds", "long"),
        ("step_seconds", 0.0),
        ("levels", 0),
        ("taker_size_dispersion", 1.5),
        ("start_price", Decimal(0)),
        ("level_size", Decimal("NaN")),
        ("taker_size", 1.0),
    ],
)
def test_a_wrong_setting_is_refused_by_name(name: str, value: object) -> None:
    good = {"start_price": Decimal(100), "level_size": Decimal(1), "taker_size": Decimal(1)}
    with pytest.raises(SettingsError, match=rf"'simulator\.{name}'"):
        SimulatorSettings(instrument=INSTRUMENT, seed=1, **{**good, name: value})  # type: ignore[arg-type]


def test_more_than_one_taker_a_step_is_refused_where_only_one_may_come() -> None:
    with pytest.raises(SettingsError, match="takers_per_second"):
        settings(1, taker_arrivals=TakerArrivals.AT_MOST_ONE, takers_per_second=3.0, step_seconds=0.5, **CALM)
