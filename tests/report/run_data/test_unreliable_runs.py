"""What is gathered while messages are lost, late and repeated is what the exchange knows once all has been settled."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import pytest
from attrs import asdict

from mm_fsm.report.exact import as_json
from mm_fsm.report.figures import FillModel
from mm_fsm.report.run_data.fills_log import FillRow
from mm_fsm.report.run_data.market_figures import MarketFacts, market_figures
from mm_fsm.report.run_data.market_follower import MarketFollower, RowTaker
from mm_fsm.report.run_data.own_orders_log import OrderRow
from mm_fsm.venues.unreliable import Faults
from tests.machine.bench import CONTRACT, SPOT
from tests.machine.test_unreliable_venue import Session
from tests.runtime.journal.scenario import settings_with

FACTS = MarketFacts(
    outcome="completed",
    error=None,
    market_events=0,
    fill_model=FillModel(kind="paper", is_simulated=True, assumptions=()),
    settings={},
)


@pytest.mark.parametrize("seed", [0, 1, 4, 5, 6, 7])
def test_every_trade_and_every_order_of_the_exchange_is_there_once(seed: int) -> None:
    trouble = Faults(
        request_lost=0.1,
        request_late=0.1,
        answer_lost=0.1,
        query_lost=0.1,
        fill_lost=0.3,
        fact_duplicated=0.2,
        fact_delayed=0.2,
        market_delayed=0.1,
        timeout_seconds=0.5,
        longest_delay_seconds=2.0,
        seed=seed,
    )
    instrument = CONTRACT if seed % 2 else SPOT
    chosen = settings_with(symbol=instrument.symbol, base_order_size=50, session_seconds=40)
    session = Session(chosen, instrument, trouble, seed=seed, seconds=60)
    orders: list[OrderRow] = []
    fills: list[FillRow] = []
    rows = RowTaker(order=orders.append, fill=lambda row, _: fills.append(row))
    follower = MarketFollower(lambda: session.machine, rows=rows)
    session.machine.observe(follower)
    session.play()
    follower.end()
    assert follower.failure is None
    trades = {trade.trade_id: trade for trade in session.exchange._own_trades}
    assert len(trades) > 3
    assert Counter(row.trade_id for row in fills) == dict.fromkeys(trades, 1)
    for row in fills:
        trade = trades[row.trade_id]
        assert (row.client_order_id, row.price, row.quantity) == (trade.client_order_id, trade.price, trade.quantity)
    traded: Counter[str] = Counter()
    for trade in trades.values():
        traded[trade.client_order_id] += trade.quantity  # type: ignore[assignment]
    assert {row.client_order_id: row.filled_quantity for row in orders if row.fills} == traded
    assert len({row.client_order_id for row in orders}) == len(orders) == follower.orders.placed
    assert all(row.how in {"filled", "canceled", "rejected", "expired"} for row in orders)
    figures = market_figures(follower, session.machine, FACTS)
    assert figures.profit.net == session.machine.context.ledger.net_pnl
    assert sum((state.net for state in figures.machine.states), Decimal(0)) == figures.profit.net
    assert sum(figures.orders.ended.values()) == figures.orders.placed
    for side in ("bid", "ask"):
        spent = sum(each.seconds for each in figures.holds.totals if each.side == side)
        assert spent == pytest.approx(figures.seconds, abs=1e-6)
    assert json.dumps(as_json(asdict(figures)), allow_nan=False)
