"""Books that say what is not so: one of them must not cost money, end a session, or price a quote.

Each test is one way in which a market maker loses money needlessly; the figures are those of the case as it was found.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import chain

import pytest
from attrs import evolve

from mm_fsm.books.facts import MarketBook
from mm_fsm.core.decisions import FaultCode
from mm_fsm.core.messages import Side
from tests.money.markets import SECOND, START, Outcome, book, calm, configuration, play, trade
from tests.services.situation import Situation

BID, ASK = "2499.95", "2500.05"
LONG = {
    "base_order_size": Decimal(800),
    "max_quote_exposure": Decimal(8_000),
    "max_inventory_pct": 0.9,
    "max_drawdown": Decimal(200),
    "target_base": Decimal("3.4"),
}
"""About two levels long: 0.6 of 4 more than the target."""


def first_placement_after(outcome: Outcome, second: float) -> float:
    """When the next quote left, in seconds."""
    at = START + round(second * SECOND)
    times = [result.time for result in outcome.results if result.time > at and outcome_places(result.intents)]
    return (min(times) - START) / SECOND


def outcome_places(intents: tuple[object, ...]) -> bool:
    return any(type(intent).__name__ == "PlaceOrder" for intent in intents)


def test_one_wide_book_holds_quoting_and_ends_nothing() -> None:
    """One book of 50.00 to 100.01: the kill switch had latched at a net profit of +0.33."""
    events = [*calm(0, 120, "99.99", "100.01"), book(120, "50.00", "100.01"), *calm(121, 180, "99.99", "100.01")]
    outcome = play(events, configuration(max_drawdown=Decimal(100), target_base=Decimal(3)))
    assert outcome.latched == set()
    assert outcome.placed(120, 121) == []
    assert first_placement_after(outcome, 120.5) < 122
    assert outcome.machine.context.reference.doubted == 1


@pytest.mark.parametrize("thin", [("2450.00", "2500.05"), (BID, "2550.00")])
def test_a_book_that_is_thin_on_one_side_leaves_no_trace_in_the_volatility(thin: tuple[str, str]) -> None:
    """2 % off for a second: the spread had been at its maximum for a minute, and nearly doubled for 20."""
    quiet = play(calm(0, 400, BID, ASK))
    disturbed = play([*calm(0, 200, BID, ASK), book(200, *thin), *calm(201, 400, BID, ASK)])
    sigma = [outcome.machine.context.volatility for outcome in (quiet, disturbed)]
    assert sigma[1] == pytest.approx(sigma[0], rel=0.05)


def crash(depth: str, length: float, *, returns: bool) -> list[MarketBook]:
    """A market that falls at 100 s, and is back after ``length`` seconds or never."""
    low = Decimal(2500) * (1 - Decimal(depth))
    fallen = (str(low), str(low + Decimal("0.10")))
    below = [book(100 + number / 2, *fallen) for number in range(max(round(length * 2), 1))]
    after = calm(100 + length, 1_000, BID, ASK) if returns else calm(100 + length, 1_000, *fallen)
    return [*calm(0, 100, BID, ASK), *below, *after]


@pytest.mark.parametrize("length", [0.5, 1.0, 5.0])
def test_a_crash_that_returns_costs_at_most_the_drawdown_and_the_slippage(length: float) -> None:
    """30 % for some seconds: the passive wind-down had sold into the hole, -993."""
    outcome = play(crash("0.30", length, returns=True), configuration(**LONG))
    settings = outcome.machine.context.settings
    slippage = Decimal(str(settings.max_slippage_bps)) / 10_000 * Decimal("0.6") * 2_500
    assert outcome.net >= -(settings.max_drawdown + slippage)
    assert outcome.placed(100, 100 + length) == []


@pytest.mark.parametrize(("length", "returns"), [(30.0, True), (90.0, True), (30.0, False)])
def test_a_crash_that_stays_is_wound_down_at_the_prices_that_there_are(length: float, returns: bool) -> None:
    """After 10 s the fall is the market: the kill switch acts, and what is sold goes at the market's prices."""
    outcome = play(crash("0.30", length, returns=returns), configuration(**LONG))
    assert outcome.latched == {FaultCode.KILL_SWITCH}
    assert outcome.placed(100, 110) == []
    assert abs(outcome.machine.context.inventory_offset) < Decimal("0.01")
    sold = [result for result in outcome.results if type(result.fact).__name__ == "OrderFilled"]
    assert all(getattr(result.fact, "price", 0) >= 1_745 for result in sold)


@pytest.mark.parametrize("length", [0.5, 1.0, 5.0])
def test_nothing_is_quoted_from_a_jump_before_it_has_lasted(length: float) -> None:
    """12 % with no kill switch in the way: fresh asks at 2200 had been lifted, -91."""
    outcome = play(crash("0.12", length, returns=True), configuration(**{**LONG, "max_drawdown": Decimal(5_000)}))
    assert outcome.placed(100, 100 + length) == []
    assert outcome.net > -5


@pytest.mark.parametrize("length", [0.5, 5.0])
def test_a_bid_side_that_thins_out_moves_nothing(length: float) -> None:
    """The bids fall to half, the asks stay: the mid had fallen by 25 %."""
    thin = [book(100 + number / 2, "1250.00", ASK) for number in range(max(round(length * 2), 1))]
    outcome = play([*calm(0, 100, BID, ASK), *thin, *calm(100 + length, 300, BID, ASK)], configuration(**LONG))
    assert outcome.latched == set()
    assert outcome.placed(100, 100 + length) == []
    assert abs(outcome.net) < 1


def test_trades_that_run_away_from_the_book_pull_the_quotes() -> None:
    """80 bps in 20 trades without a new book: bids had been placed again all the way, 12 fills at -65 bps."""
    falling = (Decimal(2500) * (1 - Decimal(4 * number) / 10_000) for number in range(1, 21))
    prints = [trade(100.5 + n, f"{price:.2f}", "0.15", Side.ASK) for n, price in enumerate(falling)]
    events = chain(calm(0, 100, BID, ASK), prints, calm(121, 200, "2479.95", "2480.05"))
    outcome = play(events, configuration(stale_data_seconds=45.0))
    assert outcome.placed(103.5, 121) == []
    assert outcome.machine.context.fill_count <= 4


def test_one_row_of_the_wrong_scale_prices_nothing_and_ends_nothing() -> None:
    """20000 for 2000: three levels had been bought near 19,950, and the kill switch ended the day at -766."""
    calm_hour = [*calm(0, 1_800, "2000.00", "2000.10"), *calm(1_801, 3_600, "2000.00", "2000.10")]
    outcome = play([*calm_hour, book(1_800, "20000", "20001")], configuration("gemini_ethusd"))
    assert outcome.latched == set()
    assert outcome.placed(1_800, 1_801) == []
    assert all(1_900 < intent.price < 2_100 for intent in outcome.placed(0, 3_600))


def test_dust_in_front_of_a_wide_market_does_not_move_the_quotes() -> None:
    """A thousandth of a coin one tick inside alternates sides every 6 s; 8 to 14 bps of volume had been paid away."""
    events: list[MarketBook] = []
    for second in range(600):
        side = (second // 6) % 2
        bid, ask = ("2495.01", "2504.00") if side else ("2495.00", "2503.99")
        size = {"size": "0.001", "ask_size": "5"} if side else {"size": "5", "ask_size": "0.001"}
        events.append(book(second, bid, ask, **size))
    moved = play(events, configuration(target_spread_bps=45.0, max_spread_bps=100.0)).references - {None}
    assert max(moved) - min(moved) <= Decimal("0.01")


@pytest.mark.parametrize("gap", [{"bid": "2500.05", "ask": "2500.05"}, {"bid": "2501.00", "ask": "2500.00"}])
def test_after_a_second_without_a_sound_book_quotes_are_back_at_once(gap: dict[str, str]) -> None:
    """A locked or crossed book for a second: quotes had come back after 4 s."""
    events = [*calm(0, 120, BID, ASK), book(120, gap["bid"], gap["ask"]), *calm(121, 180, BID, ASK)]
    outcome = play(events)
    assert first_placement_after(outcome, 120.5) < 122


def test_a_doubted_book_that_loses_a_side_ends_nothing() -> None:
    """The market falls, and then nobody bids for a minute: the time for believing passes while there is no book."""
    fallen = [book(100 + n, "2300.00", "2300.10") for n in range(3)]
    empty = [evolve(book(103 + n, "2300.00", "2300.10"), bids=()) for n in range(60)]
    outcome = play([*calm(0, 100, BID, ASK), *fallen, *empty, *calm(163, 400, "2300.00", "2300.10")])
    assert FaultCode.LEDGER not in outcome.latched
    assert outcome.machine.context.mid_price == pytest.approx(Decimal("2300.05"), abs=Decimal("0.02"))


def test_a_level_that_never_stood_is_not_believed_for_another_one() -> None:
    """5 % down for almost ten seconds, then half price: the half has not lasted, and trades above say nothing of it."""
    fallen = [book(100 + n / 2, "2375.00", "2375.10") for n in range(19)]
    prints = [trade(109 + n / 10, "2375.00", "1", Side.ASK) for n in range(4)]
    half = [book(109.6 + n / 2, "1250.00", "1250.10") for n in range(8)]
    events = [*calm(0, 100, BID, ASK), *fallen, *prints, *half, *calm(113.6, 300, BID, ASK)]
    outcome = play(events, configuration(max_drawdown=Decimal(5_000)))
    assert all(mid is None or mid > 2_300 for mid in outcome.references)


def test_trades_at_the_old_price_confirm_no_new_one() -> None:
    prints = [trade(100.2 + n / 10, "2499.00", "1", Side.ASK) for n in range(5)]
    events = [*calm(0, 100, BID, ASK), book(100, "2474.00", "2474.10"), *prints, *calm(101, 160, BID, ASK)]
    outcome = play(events)
    assert all(mid is None or mid > 2_490 for mid in outcome.references)


def depth(size: str, seconds: float, *, gap: float | None = None) -> Outcome:
    """A fall of 5 % that stays, whose books show this size on both sides; at ``gap`` seconds one shows hardly any."""
    fallen = [book(100 + n / 2, "2375.00", "2375.10", size=size) for n in range(round(seconds * 2))]
    if gap is not None:
        fallen[round(gap * 2)] = book(100 + gap, "2375.00", "2375.10", size="0.5")
    return play([*calm(0, 100, BID, ASK), *fallen], configuration(max_drawdown=Decimal(5_000)))


def quoted_after(outcome: Outcome) -> float:
    return first_placement_after(outcome, 100)


def test_depth_that_stands_confirms_a_jump_before_time_does() -> None:
    """20 times 250 are 5,000 on a side, some 2.1 coins; six seconds of it are enough, and ten without it."""
    assert 106 <= quoted_after(depth("2.2", 20)) < 108
    assert 110 <= quoted_after(depth("2.0", 20)) < 112


def test_depth_that_goes_and_comes_back_begins_anew() -> None:
    assert 110 <= quoted_after(depth("5", 20, gap=5.0)) < 112


def judged(fallen: list[MarketBook]) -> Outcome:
    """A fall of 10 % whose books are far apart; data count as fresh for 45 s."""
    settings = configuration(max_drawdown=Decimal(5_000), stale_data_seconds=45.0)
    return play([*calm(0, 100, BID, ASK), *fallen], settings)


FALLEN = ("2250.00", "2250.10")


@pytest.mark.parametrize(("last", "is_confirmed"), [("50", True), ("0.2", False)])
def test_the_book_at_hand_has_to_be_as_deep_as_those_before(last: str, *, is_confirmed: bool) -> None:
    """20 times 250 are some 2.2 coins a side: a deep book, and 6.5 s later one of 0.2 coins, which is dust beside."""
    outcome = judged([book(100, *FALLEN, size="50"), book(106.5, *FALLEN, size=last)])
    assert (outcome.machine.context.mid_price == Decimal("2250.05")) is is_confirmed


@pytest.mark.parametrize("broken", ["one-sided", "crossed"])
def test_a_book_without_two_sides_breaks_the_depth_of_a_level(broken: str) -> None:
    """Deep at 100 s, 104 s and 107 s, nothing to sell at 103 s: since 104 s are three seconds."""
    deep = [book(second, *FALLEN, size="50") for second in (100, 104, 107, 109)]
    crossed = book(103, FALLEN[1], FALLEN[0], size="50")
    between = evolve(deep[0], received_at=crossed.received_at, exchange_time=crossed.exchange_time, asks=())
    outcome = judged([*deep, between if broken == "one-sided" else crossed])
    assert outcome.placed(100, 110) == []
    assert all(mid is None or mid > 2_490 for mid in outcome.references)


@pytest.mark.parametrize(("own_size", "is_confirmed"), [("9", True), ("45", False)])
def test_own_size_is_no_depth_that_others_show(own_size: str, *, is_confirmed: bool) -> None:
    """3 % up to where an own ask rests: of 60 asked for, 51 or 15 are others', and 5,000 are 48.5 at that price."""
    situation = Situation(base_order_size=Decimal(250), max_jump_bps=150.0)
    situation.rest(Side.ASK, "103.10", own_size)
    for second in range(1, 9):
        situation.at(second).book("103.00x60", "103.10x60", includes_own_orders=True)
    assert (situation.context.mid_price == Decimal("103.05")) is is_confirmed


def test_depth_confirms_no_book_whose_spread_is_too_wide() -> None:
    """A bid side at half price with much behind it: the book is wide, and ten seconds are ten seconds."""
    wide = [book(100 + n / 2, "1250.00", ASK, size="50") for n in range(18)]
    outcome = play([*calm(0, 100, BID, ASK), *wide], configuration(max_drawdown=Decimal(5_000)))
    assert all(mid is None or mid > 2_490 for mid in outcome.references)


def test_depth_does_not_move_the_bound_of_endings() -> None:
    """Seven seconds down by 5 %, deep: it marks, and a stop in it sells no lower than 20 bps below the slow price."""
    settings = configuration(**{**LONG, "max_drawdown": Decimal(5_000), "session_seconds": 107.0})
    settings = evolve(settings, strategy=evolve(settings.strategy, base_order_size=Decimal(250)))
    fallen = [book(100 + n / 2, "2375.00", "2375.10", size="5") for n in range(19)]
    outcome = play([*calm(0, 100, BID, ASK), *fallen], settings)
    assert outcome.machine.context.mid_price == pytest.approx(Decimal("2375.05"))
    sold = [intent for intent in outcome.placed(107, 110) if intent.side is Side.ASK]
    assert all(intent.price >= 2_495 for intent in sold)
