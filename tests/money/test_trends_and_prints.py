"""Trends, stamps, prints and wide markets that must not cost more than is said."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.core.decisions import FaultCode, HoldReason
from mm_fsm.core.messages import OrderPurpose, PlaceOrder, Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.search.trading import trade as trade_on
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.recorded import open_recording
from tests.money.markets import SECOND, START, book, calm, configuration, play, trade


def trend(bps_per_second: str, seconds: int, *, takes: bool) -> Iterator[MarketEvent]:
    """Once a second the price is further on; takers trade with it every 20 s, 8 bps deep, where ``takes``."""
    yield from calm(0, 100, "2499.95", "2500.05")
    mid, factor = Decimal(2_500), 1 + Decimal(bps_per_second) / 10_000
    rises = factor > 1
    for second in range(100, 100 + seconds):
        mid *= factor
        bid = (mid - Decimal("0.05")).quantize(Decimal("0.01"))
        yield book(second, str(bid), str(bid + Decimal("0.10")))
        if takes and second % 20 == 0:
            price = mid * (1 + Decimal(8 if rises else -8) / 10_000)
            yield trade(second + 0.5, f"{price:.2f}", "0.3", Side.BID if rises else Side.ASK)


@pytest.mark.parametrize(
    ("bps_per_second", "target", "takes"), [("0.5", "4.75", True), ("0.5", "3.25", False), ("-0.5", "3.25", True)]
)
def test_in_an_hours_trend_the_side_that_adds_is_held_at_the_limit_and_the_loss_is_bounded(
    bps_per_second: str, target: str, *, takes: bool
) -> None:
    """18 % in an hour, against a position of 0.75 of at most 0.8, or with it.

    The loss is at most ``max_drawdown``, the slippage, and the 30 bps of trend while a wind-down is passive. Quotes
    follow the price by half a spread's quarter, some 0.6 bps: six orders every 1.25 s if all were replaced, 4.8 a
    second. What stays within its tolerance stays.
    """
    settings = configuration(target_base=Decimal(target))
    outcome = play(trend(bps_per_second, 3_600, takes=takes), settings)
    strategy, context = settings.strategy, outcome.machine.context
    bound = strategy.max_drawdown + (Decimal(str(strategy.max_slippage_bps)) + 30) / 10_000 * Decimal("0.8") * 3_000
    assert outcome.net >= -bound
    assert context.latched.keys() <= {FaultCode.KILL_SWITCH}
    lasted = (outcome.results[-1].time - START) / SECOND
    assert len(outcome.placed(0, 4_000)) <= 2.5 * lasted
    for result in outcome.results:
        for intent in result.intents:
            if isinstance(intent, PlaceOrder) and intent.purpose is OrderPurpose.QUOTE:
                assert intent.quantity <= Decimal("1.6")  # the whole way from one limit to the other


def test_at_its_limit_a_trend_finds_no_quote_that_adds() -> None:
    """Short beyond the limit when the trend sets in, and takers buy: no ask is quoted until a reduction has bought."""
    at_limit = 0

    def watch(result: StepResult, machine: MarketMakingStateMachine) -> None:
        nonlocal at_limit
        context = machine.context
        if context.mid_price is None or -context.inventory_offset < context.position_limit:
            return
        at_limit += 1
        assert context.live_quotes(Side.ASK) == ()
        assert not [i for i in result.intents if isinstance(i, PlaceOrder) and i.side is Side.ASK]

    outcome = play(trend("0.5", 600, takes=True), configuration(target_base=Decimal("4.9")), watch)
    assert at_limit > 600
    assert -outcome.machine.context.inventory_offset <= Decimal("0.9")


def test_one_book_stamped_far_ahead_does_not_blind_the_machine() -> None:
    """50 s ahead: the next five books had been passed over, and the own bid lay 70 bps above the market meanwhile.

    The market falls by 12 bps a second: a bid may be so far above it for as long as a cancel takes, and no further.
    """
    above = [Decimal(-1)]

    def watch(_result: StepResult, machine: MarketMakingStateMachine) -> None:
        context, ask = machine.context, machine.context.ask_price
        if ask is not None and START + 60 * SECOND < context.now < START + 68 * SECOND:
            above.extend(order.price - ask for order in context.active_bid_orders if order.is_resting)

    falls = [book(60 + n, f"{2499.95 - n * 3:.2f}", f"{2500.05 - n * 3:.2f}") for n in range(1, 8)]
    odd = book(60, "2499.95", "2500.05", stamp=110)
    after = calm(68, 80, "2478.95", "2479.05")
    outcome = play([*calm(-60, 60, "2499.95", "2500.05"), odd, *falls, *after], watch=watch)
    context = outcome.machine.context
    assert context.late_books == 0
    assert context.market.feed_delay.behind < SECOND
    assert context.mid_price == pytest.approx(Decimal("2479.00"), abs=Decimal("0.02"))
    assert max(above) / 2_500 * 10_000 < 15


COLUMNS = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n"
TRADES = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"


def recorded(directory: Path, *, odd_print: bool) -> Any:
    """A calm quarter of an hour near 2000, in which takers reach our quotes, as files of the Tardis format."""
    directory.mkdir()
    quotes, trades = [COLUMNS], [TRADES]
    for second in range(900):
        stamp = (START // SECOND + second) * 1_000_000
        shift = Decimal(second % 2) / 100
        quotes.append(f"gemini,ETHUSD,{stamp},{stamp},5,{2000 + shift},{Decimal('1999.9') + shift},5\n")
        if second > 200 and second % 30 == 0:
            side, price = ("sell", "1997.20") if second % 60 else ("buy", "2002.80")
            trades.append(f"gemini,ETHUSD,{stamp + 500_000},{stamp + 500_000},{second},{side},{price},0.1\n")
        if odd_print and second == 500:
            trades.append(f"gemini,ETHUSD,{stamp + 500_000},{stamp + 500_000},odd,sell,1000,1\n")
    (directory / "quotes.csv").write_text("".join(quotes))
    (directory / "trades.csv").write_text("".join(trades))
    return open_recording([directory / "quotes.csv", directory / "trades.csv"], symbol="ETH/USD")


def test_a_print_at_half_the_price_fills_nothing_and_is_counted(tmp_path: Path) -> None:
    """Size 1 at 1000 in a market at 2000 had filled three resting bids: -0.79 instead of -5.17.

    The rule of recordings: a print further outside the last believed book than ``max_print_distance`` is passed over.
    """
    settings = configuration("gemini_ethusd")
    clean = recorded(tmp_path / "clean", odd_print=False)
    odd = recorded(tmp_path / "odd", odd_print=True)
    expected, found = trade_on(settings, iter(clean)), trade_on(settings, iter(odd))
    assert (found.net, found.fills, found.orders) == (expected.net, expected.fills, expected.orders)
    assert expected.fills > 0
    assert sum(clean.skipped.values()) == 0
    assert sum(odd.skipped.values()) == 1


def test_a_print_at_half_the_price_says_nothing_to_the_machine_either() -> None:
    """Not even a doubt: the next book tells. What is traded, trades at our own prices."""
    events = [*calm(0, 120, "1999.95", "2000.05"), trade(120.5, "1000", "1", Side.ASK)]
    outcome = play([*events, *calm(121, 180, "1999.95", "2000.05")], configuration("gemini_ethusd"))
    assert outcome.machine.context.reference.doubted == 0
    assert all(mid is None or mid > 1_999 for mid in outcome.references)


def test_a_wind_down_in_a_market_wider_than_its_slippage_says_so_and_waits_passively() -> None:
    """Half of 60 bps is more than 20: orders within 20 could not trade, and the deadline was all that ended them.

    It rests at the best price of its own side, where a buyer takes it; nothing is sent that cannot trade.
    """
    wide = [book(100 + second, "2492.50", "2507.50") for second in range(300)]
    settings = configuration(target_base=Decimal("3.4"), session_seconds=120.0, touch_size_share=0.0)
    events = [*calm(0, 100, "2492.50", "2507.50"), *wide, trade(300.5, "2507.50", "20", Side.BID)]
    details: set[str] = set()
    winding: list[PlaceOrder] = []

    def watch(result: StepResult, machine: MarketMakingStateMachine) -> None:
        status = machine.context.sides[Side.ASK].status
        if status is not None and status.reason is HoldReason.STOPPING:
            details.add(status.detail)
        winding.extend(i for i in result.intents if isinstance(i, PlaceOrder) and i.purpose is OrderPurpose.WIND_DOWN)

    context = play(events, settings, watch).machine.context
    assert any("30.0 bps, max_slippage_bps is 20" in detail for detail in details)
    assert all(order.post_only for order in winding)
    assert len(winding) <= 3
    assert context.inventory_offset == 0
    assert not context.is_late
