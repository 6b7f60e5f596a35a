"""What the example of a second strategy does with the money, on an exchange that works and on one that does not."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from attrs import define, evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.books.facts import (
    JournalFailed,
    OperatorPaused,
    OperatorResumed,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    StopRequested,
    TradingStatusChanged,
)
from mm_fsm.core.messages import Fact, Liquidity, PlaceOrder, RejectionCode, Side, TimeInForce
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.journal import JournaledMachine, JournalSettings, begin_journal, verify_run
from mm_fsm.runtime.paper_run import PAPER_BALANCES, PAPER_FEES, PAPER_INSTRUMENT
from mm_fsm.testing import fsm_paths, sneak_tests
from mm_fsm.testing.driving.machines import MachineDriver
from mm_fsm.venues.base import MarketEvent
from mm_fsm.venues.paper import PaperExchange
from mm_fsm.venues.paper.orders import PaperOrder
from mm_fsm.venues.simulator import MarketSimulator, SimulatorSettings
from mm_fsm.venues.unreliable import Faults
from tests.examples.execution_bench import (
    BEST_ASK,
    BEST_BID,
    EXAMPLES,
    SECOND,
    SYMBOL,
    Played,
    TimeWeightedExecution,
    book,
    machine_of,
    parent_order,
    play,
    still_market,
    trade,
)

ON_RECORD = JournalSettings(record_market_data=True, synchronise=False)


# -- the chart, by its structure: every edge, every pair of edges, and nothing else ----------------------------------


@fsm_paths(MachineDriver(TimeWeightedExecution, machine_of), criterion="pairs")
def test_every_pair_of_edges_is_taken(path: object) -> None:
    path.run()  # type: ignore[attr-defined]


test_nothing_sneaks = sneak_tests(MachineDriver(TimeWeightedExecution, machine_of))


def test_its_own_tests_cover_every_edge() -> None:
    """Measured in a process of its own, as a user would."""
    command = (
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "-k", "every_pair", Path(__file__),
        "--fsm-cov=time_weighted_execution:TimeWeightedExecution", "--fsm-cov-criteria=states,transitions,pairs",
        "--fsm-cov-fail-under=states:100,transitions:100,pairs:100",
    )  # fmt: skip
    finished = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, cwd=EXAMPLES.parent,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES)},
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-3000:]


# -- what it does, scene by scene ------------------------------------------------------------------------------------


def test_a_still_market_is_waited_for_passively_then_taken_slice_by_slice() -> None:
    """Nobody sells to the four children of 0.25; each is cancelled after ten seconds and its part taken at the ask.

    By hand: four takes of 0.25 at 2000.10, with 5 bps of 500.025 each.
    """
    played = play(still_market(90))
    assert played.path[:6] == ["waiting", "slicing", "waiting", "catching_up", "waiting", "slicing"]
    assert played.path[-1] == "done"
    taken = [each for each in played.promises.placed.values() if each.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL]
    rested = [each for each in played.promises.placed.values() if each not in taken]
    assert [(each.price, each.quantity) for each in taken] == [(BEST_ASK, Decimal("0.25"))] * 4
    assert [(each.price, each.quantity, each.post_only) for each in rested] == [(BEST_BID, Decimal("0.25"), True)] * 4
    assert played.base_bought == played.machine.executed == 1
    cost = 4 * Decimal("0.25") * BEST_ASK
    assert played.machine.context.ledger.cash_change == -cost - cost * 5 / 10_000


def test_children_that_sellers_hit_are_filled_at_the_bid() -> None:
    """Every slice's child is filled where it rests, in two parts; nothing is taken.

    The queue before it is the 5 that the book shows: a seller of 8 passes it.
    """
    market: list[MarketEvent] = []
    for second in range(1, 90):
        market.append(book(second))
        if second % 10 in {4, 6}:
            market.append(trade(second + 0.5, BEST_BID, Decimal("5.125"), Side.ASK))
    played = play(market)
    assert set(played.path) == {"waiting", "slicing", "done"}
    assert played.base_bought == played.machine.executed == 1
    assert played.machine.context.total_volume == BEST_BID
    assert played.promises.cancels == 0


def test_a_seller_rests_at_the_ask_and_takes_the_bid() -> None:
    played = play(still_market(90), parent_order(side=Side.ASK, limit_price=Decimal(1990)))
    assert {each.price for each in played.promises.placed.values()} == {BEST_ASK, BEST_BID}
    assert played.base_bought == -1


def test_what_the_limit_price_does_not_allow_stays() -> None:
    """The market is above the limit all the while: children rest at the limit, and after the grace it ends."""
    limit = Decimal("1995.005")
    played = play(still_market(90), parent_order(limit_price=limit))
    assert played.path[-2:] == ["closing", "done"]
    assert {each.price for each in played.promises.placed.values()} == {Decimal("1995.00")}
    assert played.base_bought == played.machine.executed == 0
    assert played.exchange.open_orders == ()
    ended_at = played.results[-1].time / SECOND
    assert 60 < ended_at < 66  # four slices and two of grace, from the first reconciled book on


def test_what_is_lacking_after_a_pause_is_caught_up_with() -> None:
    """An operator's pause takes the child out; after it what it cost is taken a slice at a time, no faster."""
    told = {4.0: OperatorPaused(received_at=4 * SECOND), 25.0: OperatorResumed(received_at=25 * SECOND)}
    played = play(still_market(90), told=told)
    cancelled_at = next(each.time for each in played.results if "withdrawn" in [t.event for t in each.transitions])
    assert cancelled_at == 4 * SECOND
    placed = list(played.promises.placed.values())
    taken = [each for each in placed if each.time_in_force is TimeInForce.IMMEDIATE_OR_CANCEL]
    assert [each.quantity for each in taken] == [Decimal("0.25")] * 4
    times = [second for second, each in zip(placed_at(played), placed, strict=True) if each in taken]
    assert all(later - earlier >= 10 for earlier, later in pairwise(times)), "a slice in a slice's time"
    assert played.base_bought == 1


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("odd", [("1.00", "2000.10"), ("0.01", "0.03"), ("1999.90", "90000.00")])
def test_one_odd_book_ends_nothing(side: Side, odd: tuple[str, str]) -> None:
    """For one second the bid, the ask or both make no sense: what is left is judged by the limit price."""
    market: list[MarketEvent] = [*still_market(11), book(12, *map(Decimal, odd)), *still_market(120)[12:]]
    limit = Decimal(2010) if side is Side.BID else Decimal(1990)
    played = play(market, parent_order(side=side, limit_price=limit))
    assert (played.machine.chart_state, played.machine.executed) == ("done", 1)


def test_an_ask_beyond_the_limit_is_not_tried_again_and_again() -> None:
    """Limit 2000.00 between bid and ask: nothing can be taken, so children rest, and sellers of 20 fill all of them."""
    market: list[MarketEvent] = []
    for second in range(1, 90):
        market.append(book(second))
        if second > 12 and second % 2 == 0:
            market.append(trade(second + 0.5, BEST_BID, Decimal(20), Side.ASK))
    played = play(market, parent_order(limit_price=Decimal("2000.00")))
    assert {each.post_only for each in played.promises.placed.values()} == {True}
    assert played.machine.executed == 1


def test_a_child_is_placed_anew_with_each_slice() -> None:
    """The bid falls by 5 every slice, below the limit, and the ask stays beyond it: the child follows, and grows."""
    market: list[MarketEvent] = [
        book(second, Decimal(1990 - 5 * ((second - 1) // 10)), Decimal("2000.10")) for second in range(1, 90)
    ]
    played = play(market, parent_order(limit_price=Decimal("2000.00")))
    sizes = [each.quantity for each in played.promises.placed.values()]
    assert sizes[:4] == [Decimal("0.25"), Decimal("0.50"), Decimal("0.75"), Decimal("1.00")]
    prices = [each.price for each in played.promises.placed.values()]
    assert prices == sorted(prices, reverse=True)
    assert len(set(prices)) >= 4
    assert "executed 0 of 1" in played.results[-1].reasons


def test_no_order_leaves_in_a_halted_or_silent_market() -> None:
    """A halt from second 4 on, or no book from 11 to 30: the child goes, and another comes only with a market."""
    halt = TradingStatusChanged(received_at=4 * SECOND, symbol=SYMBOL, trading=False)
    halted = play(still_market(40), told={4.0: halt})
    assert placed_at(halted) == [pytest.approx(1.35, abs=0.1)]
    assert halted.promises.cancels >= 1
    silent = play([book(second) for second in (*range(1, 12), *range(30, 99))])
    assert not [second for second in placed_at(silent) if 16 < second < 30]
    assert silent.base_bought == 1


def placed_at(played: Played) -> list[float]:
    """Seconds at which orders left."""
    return [each.time / SECOND for each in played.results if any(isinstance(one, PlaceOrder) for one in each.intents)]


@pytest.mark.parametrize("second", [0.01, 3.0, 11.1, 12.0, 30.0])
def test_a_stop_ends_it_with_nothing_in_the_book(second: float) -> None:
    told = {second: StopRequested(received_at=int(second * SECOND), flatten=False)}
    played = play(still_market(90), told=told)
    assert played.path[-2:] == ["closing", "done"]
    assert played.exchange.open_orders == ()
    assert played.base_bought == played.machine.executed < 1


def test_a_failed_journal_ends_it_with_the_reason() -> None:
    told = {13.0: JournalFailed(received_at=13 * SECOND, reason="the disk is full")}
    played = play(still_market(90), told=told)
    assert played.path[-2:] == ["error", "done"]
    assert played.machine.context.fault is not None
    assert "the disk is full" in played.machine.context.fault.reason
    assert played.exchange.open_orders == ()


def test_children_that_are_refused_hold_their_side_and_the_order_ends_in_its_time() -> None:
    """The venue's tick is larger than the rules that the machine was given say: it refuses each, 5 s after the last."""
    fine = evolve(PAPER_INSTRUMENT, tick_size=Decimal("0.001"))
    machine = TimeWeightedExecution(
        parent_order(limit_price=Decimal("1999.001")), fine, PAPER_FEES, PAPER_BALANCES, run="1"
    )
    played = play(still_market(200), machine=machine)
    assert played.path[-2:] == ["closing", "done"]
    times = placed_at(played)
    assert len(times) > 5
    assert all(later - earlier >= 5 for earlier, later in pairwise(times))
    assert played.machine.context.fault is None
    assert played.base_bought == 0


@define
class Refusing:
    """The machine behind a venue that calls an order that met nobody a rejection."""

    machine: TimeWeightedExecution
    refused: int = 0

    @property
    def is_final(self) -> bool:
        return self.machine.is_final

    def step(self, fact: Fact) -> StepResult:
        if isinstance(fact, OrderExpired) and not fact.filled_quantity:
            self.refused += 1
            fact = OrderRejected(
                received_at=fact.received_at, symbol=SYMBOL, client_order_id=fact.client_order_id,
                code=RejectionCode.NOT_FILLED, reason="it could not immediately match",
            )  # fmt: skip
        return self.machine.step(fact)


def test_a_venue_that_calls_an_order_that_met_nobody_a_rejection_executes_as_much_as_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Takes meet nobody until second 35. Orders leave at the same times, whichever word the venue has for it."""
    take = PaperExchange._take

    def late(exchange: PaperExchange, order: PaperOrder) -> None:
        (exchange._rest if exchange._now < 35 * SECOND else partial(take, exchange))(order)

    monkeypatch.setattr(PaperExchange, "_take", late)
    machine = machine_of()
    refusing = Refusing(machine)
    refused, usual = play(still_market(90), machine=machine, stepped=refusing), play(still_market(90))
    assert refusing.refused >= 2
    assert refused.machine.context.fault is None
    assert refused.machine.context.rejections_in_a_row == 0
    assert placed_at(refused) == placed_at(usual)
    assert refused.base_bought == usual.base_bought > 0


def test_a_fill_that_comes_after_everything_is_counted_once() -> None:
    """Late and twice, in the final state: the count, the books and the money have it once."""
    played = play(still_market(90), parent_order(limit_price=Decimal(1995)))
    assert played.machine.is_final
    order = next(iter(played.promises.placed))
    late = OrderFilled(
        received_at=99 * SECOND, symbol=SYMBOL, client_order_id=order, trade_id="late", price=Decimal(1995),
        quantity=Decimal("0.1"), fee=Decimal(0), fee_currency="USD", liquidity=Liquidity.MAKER,
        exchange_time=98 * SECOND,
    )  # fmt: skip
    for _ in range(2):
        played.machine.step(late)
    assert played.machine.executed == Decimal("0.1")
    assert played.machine.context.ledger.cash_change == Decimal("-199.5")


# -- whatever the exchange does --------------------------------------------------------------------------------------

_shares = st.floats(0, 0.3)


@st.composite
def _faults(draw: st.DrawFn) -> Faults:
    return Faults(
        request_lost=draw(_shares), request_late=draw(_shares), answer_lost=draw(_shares), query_lost=draw(_shares),
        fill_lost=draw(_shares), fact_duplicated=draw(_shares), fact_delayed=draw(_shares),
        market_delayed=draw(_shares), seed=draw(st.integers(0, 1000)),
    )  # fmt: skip


def moving_market(seed: int, seconds: float) -> MarketSimulator:
    return MarketSimulator(
        SimulatorSettings(
            instrument=PAPER_INSTRUMENT, seed=seed, start_price=Decimal(2000), level_size=Decimal(1),
            taker_size=Decimal("0.3"), duration_seconds=seconds,
        )
    )  # fmt: skip


@settings(max_examples=15)
@given(_faults(), st.integers(0, 1000), st.sampled_from(Side), st.integers(1, 6), st.decimals(1990, 2010, places=2))
def test_it_keeps_its_promises_on_any_exchange_and_replays(
    faults: Faults, seed: int, side: Side, slices: int, limit: Decimal
) -> None:
    """After every step see ``Promises``; at the end the exchange's account agrees, and its book is empty.

    The journal of all that replays bit for bit.
    """
    machine = machine_of(parent_order(side=side, slices=slices, limit_price=limit))
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "run.journal"
        with begin_journal(path, machine, symbol=SYMBOL, strategy_id="twap", run="1", settings=ON_RECORD) as journal:
            stepped = JournaledMachine(machine, journal)
            played = play(moving_market(seed, 150), machine=machine, stepped=stepped, faults=faults)
        report = verify_run(path)
    assert report.is_clean, str(report)
    assert report.machine == "time_weighted_execution:TimeWeightedExecution"
    assert played.exchange.open_orders == ()
    assert played.base_bought == machine.executed * side.sign
    assert machine.executed <= machine.parent.quantity


def test_a_slice_above_the_venues_largest_order_is_sent_in_parts_that_the_venue_takes() -> None:
    """1 ETH in four slices, at most 0.1 an order: each order takes what it may, and what is left comes later."""
    rules = evolve(PAPER_INSTRUMENT, maximum_quantity=Decimal("0.1"))
    machine = TimeWeightedExecution(parent_order(), rules, PAPER_FEES, PAPER_BALANCES, run="1")
    played = play(still_market(60), machine=machine)
    sent = [intent.quantity for result in played.results for intent in result.intents if isinstance(intent, PlaceOrder)]
    assert sent
    assert max(sent) == Decimal("0.1")
