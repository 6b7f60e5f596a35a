"""How far a market is from its limits, against hand calculations; and that looking at it changes nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve

from mm_fsm.books.request_rates import RequestRates
from mm_fsm.core.messages import Side
from mm_fsm.core.rate_rules import Allowance, DecayingCounter, OrdersPerFill
from mm_fsm.report.status import SessionStatus
from mm_fsm.report.status_limits import Limit, limits_of
from mm_fsm.runtime.account.account_state import AccountState
from mm_fsm.runtime.session import Session, for_session, open_session
from mm_fsm.runtime.settings_file import parse_settings, read_preset
from tests.runtime.settings_texts import with_line

SECOND = 1_000_000_000


def counted(text: str) -> Session:
    (market,) = parse_settings(text)
    return open_session(for_session(market, duration_seconds=200, seed=3))


def test_a_run_that_is_watched_at_every_step_is_the_same_run() -> None:
    """With every rule of requests there is, whose counts forget what is too old: books are equal after each step."""
    lines = "rate_counter_limit = 90\nmax_orders_per_fill = 400\norders_per_fill_window_seconds = 30\n"
    text = with_line("strategy", lines + "max_missing_equity_share = 0.5\norder_interval_seconds = 2")
    alone, watched = counted(text), counted(text)
    status = SessionStatus(watched)
    steps = 0
    for first, second in zip(alone.runner.run(), watched.runner.run(), strict=True):
        status.follow(second)
        status.entry()
        assert first == second
        if steps % 50 == 0:
            assert alone.machine.context.digest() == watched.machine.context.digest()
        steps += 1
    assert steps > 500
    assert alone.machine.context.digest() == watched.machine.context.digest()


def test_what_is_used_of_requests_by_hand() -> None:
    """Orders at 0, 4 and 9 s: at 12 s two lie within 10 s, and 3 points have lost 12 seconds at 0.1.

    Windows of 10 s: the second one, with the fill at 11 s, has no order.
    """
    rates = RequestRates(
        most_orders=5,
        interval=10 * SECOND,
        counter=DecayingCounter(limit=8, decay_per_second=0.1),
        per_fill=OrdersPerFill(most=2, window=10 * SECOND, free=1),
    )
    for at in (0, 4, 9):
        rates.note_placement(at * SECOND)
    rates.note_fill(11 * SECOND)
    before = rates.snapshot()
    orders, points, per_fill = rates.allowances(12 * SECOND)
    assert orders == Allowance(setting="max_orders_per_interval", rule="orders in 10 s", used=2, allowed=5)
    assert points.setting == "rate_counter_limit"
    assert points.used == pytest.approx(3 - 1.2)
    assert points.allowed == 8
    assert per_fill == Allowance(setting="max_orders_per_fill", rule="orders for 1 fill", used=0, allowed=2)
    none = rates.allowances(25 * SECOND)[2]
    assert none == Allowance(setting="max_orders_per_fill", rule="orders for 0 fills", used=0, allowed=1)
    assert rates.snapshot() == before


def named(session: Session) -> dict[str, Limit]:
    return {each.name: each for each in limits_of(session)}


def test_position_exposure_and_drawdown_are_those_of_the_books() -> None:
    """At every step; the worst case as if each live order of a side had filled, added up here."""
    session = open_session(for_session(read_preset("paper_ethusd"), duration_seconds=200, seed=11))
    seen_worst = 0.0
    for _ in session.runner.run():
        context, found = session.machine.context, named(session)
        position = found["position"]
        assert position.share == pytest.approx(context.assess_inventory().use)
        offset = context.inventory_offset
        worst = max(
            abs(offset),
            offset + sum((o.remaining for o in context.orders.live(Side.BID)), Decimal(0)),
            -offset + sum((o.remaining for o in context.orders.live(Side.ASK)), Decimal(0)),
        )
        assert position.worst == pytest.approx(worst)
        if context.mid_price is not None:
            assert found["exposure"].used == abs(offset) * context.mid_price
        assert found["drawdown"].used == context.ledger.peak_net_pnl - context.net_pnl
        seen_worst = max(seen_worst, position.worst_share or 0.0)
    assert 0 < seen_worst <= 1


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("max_inventory_pct = 0.01", "max_inventory_pct"),
        ("max_quote_exposure = 150", "max_quote_exposure"),
        ("max_position_size = 0.05", "max_position_size"),
    ],
)
def test_a_position_limit_names_the_setting_that_bounds_it(line: str, name: str) -> None:
    """Equity is 40,000 and the price 2000: by default 10 % are 2 ETH, 10,000 in quote currency are 5."""
    session = counted(with_line("strategy", line))
    for _ in session.runner.run():
        if session.machine.context.mid_price is not None:
            break
    assert named(session)["position"].setting == name


def test_shares_beyond_a_limit_or_without_one_are_told() -> None:
    limit = Limit(setting="x", name="x", used=Decimal(3), allowed=Decimal(2), unit="", then="")
    assert limit.share == 1.5
    assert evolve(limit, used=None).share is None
    assert evolve(limit, allowed=Decimal(0)).share == 1.0
    assert evolve(limit, allowed=Decimal(0), used=Decimal(0)).share == 0.0
    assert limit.worst_share is None


def test_limits_over_all_markets_of_an_account_are_told_where_there_are_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss of 30 of 120 is a quarter; a profit uses nothing; an exposure that nobody knows has no share."""
    session = counted(with_line("strategy", "max_drawdown = 500"))
    orders = Allowance(setting="account", rule="account: orders in 10 s", used=20, allowed=80)
    state = AccountState(
        allowances=(orders,), max_exposure=Decimal(1000), exposure=None, max_loss=Decimal(120), result=Decimal(-30)
    )
    monkeypatch.setattr(type(session), "account_state", property(lambda _: state))
    found = named(session)
    assert found["account exposure"].share is None
    assert found["account loss"].share == 0.25
    assert found["account: orders in 10 s"].share == 0.25
    state = evolve(state, result=Decimal(7), exposure=Decimal(1500))
    assert named(session)["account loss"].share == 0
    assert named(session)["account exposure"].share == 1.5


def test_a_contracts_margin_is_a_limit() -> None:
    """Equity over notional must stay above 0.1: with 1000 of equity at most 10000, of which 2 at 2000 are 4000."""
    text = with_line("instrument", 'kind = "linear"').replace("quote = 20000", "quote = 1000").replace(
        "base = 10", "base = 2"
    )  # fmt: skip
    session = counted(text)
    context = session.machine.context
    for _ in session.runner.run():
        if context.mid_price is not None:
            break
    margin = named(session)["margin"]
    assert context.mid_price is not None
    assert margin.used == 2 * context.mid_price
    assert margin.allowed == pytest.approx((context.limit_equity or 0) * 10)
    assert 0.38 < (margin.share or 0) < 0.42


def test_every_limit_says_what_happens_and_which_setting_sets_it() -> None:
    session = counted(with_line("strategy", "max_missing_equity_share = 0.5\nrate_counter_limit = 60"))
    (market,) = parse_settings(with_line("strategy", "max_drawdown = 500"))
    for each in limits_of(session):
        assert each.then
        assert each.setting.startswith("account") or hasattr(market.strategy, each.setting)
