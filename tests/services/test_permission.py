"""Whether the machine may quote is decided in one place, and every reason has a name of its own."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

import mm_fsm
from mm_fsm.books.context import MarketMakingContext, Reduction
from mm_fsm.core.decisions import Fault, FaultCode, Hold, HoldReason, Refusal, RefusalCode
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import OrderPurpose
from mm_fsm.services import permission
from tests.services.situation import Situation

FAULT = Fault(code=FaultCode.CUSTOM, reason="a test said so", transient=True)


def stop(context: MarketMakingContext) -> None:
    context.is_stopping, context.stop_reason = True, "the day is over"


def fail(context: MarketMakingContext) -> None:
    context.fault = FAULT


def reduce(context: MarketMakingContext) -> None:
    context.reduction = Reduction(goal=ZERO, started_at=context.now)


def lose_connection(context: MarketMakingContext) -> None:
    context.reconciliation.is_complete, context.reconciliation.detail = False, "the connection was lost"


def lose_account_feed(context: MarketMakingContext) -> None:
    context.account_feed_loss = "the stream is silent"


def suspend_requests(context: MarketMakingContext) -> None:
    context.requests_suspended_until, context.requests_suspended_reason = context.now + 1, "banned"


def pause(context: MarketMakingContext) -> None:
    context.operator_pause = "lunch"


def forget_market(context: MarketMakingContext) -> None:
    context.market.forget()
    context.market.mid_price = None


def halt(context: MarketMakingContext) -> None:
    context.market.is_trading = False


def cool_down(context: MarketMakingContext) -> None:
    context.volatility_estimator = type(context.volatility_estimator)()


@pytest.mark.parametrize(
    ("happens", "reason", "nothing_is_priced", "quotes_are_withdrawn", "no_order_leaves"),
    [
        (stop, HoldReason.STOPPING, False, False, False),
        (fail, HoldReason.FAULT, False, False, False),
        (reduce, HoldReason.ADJUSTING_INVENTORY, True, False, False),
        (lose_connection, HoldReason.RECONCILING, True, True, True),
        (lose_account_feed, HoldReason.ACCOUNT_FEED_LOST, True, True, True),
        (suspend_requests, HoldReason.REQUESTS_SUSPENDED, True, True, True),
        (pause, HoldReason.OPERATOR_PAUSED, True, False, False),
        (forget_market, HoldReason.NO_MARKET_DATA, True, True, False),
        (halt, HoldReason.TRADING_HALTED, False, False, False),
        (cool_down, HoldReason.WARMING_UP, True, False, False),
    ],
)
def test_each_reason_is_named_and_has_its_consequences(
    happens: Callable[[MarketMakingContext], None],
    reason: HoldReason,
    nothing_is_priced: bool,
    quotes_are_withdrawn: bool,
    no_order_leaves: bool,
) -> None:
    """The table by hand: what keeps the machine in IDLE, what takes quotes out, what lets no order leave."""
    context = Situation().context
    context.reconciliation.is_complete = True
    assert permission.first_hold((*permission.MACHINE, *permission.MARKET), context) is None
    happens(context)
    hold = permission.first_hold((*permission.MACHINE, *permission.MARKET), context)
    assert hold is not None
    assert hold.reason is reason
    assert hold.detail
    for conditions, expected in (
        (permission.NOTHING_IS_PRICED, nothing_is_priced),
        (permission.QUOTES_ARE_WITHDRAWN, quotes_are_withdrawn),
        (permission.NO_ORDER_LEAVES, no_order_leaves),
    ):
        assert (permission.first_hold(conditions, context) is not None) is expected
    assert (permission.order_refusal(context, OrderPurpose.WIND_DOWN) is not None) is no_order_leaves
    is_paused = reason is HoldReason.OPERATOR_PAUSED
    assert (permission.order_refusal(context, OrderPurpose.QUOTE) is not None) is (no_order_leaves or is_paused)


def test_no_reason_stands_twice() -> None:
    reasons = [condition.reason for condition in (*permission.MACHINE, *permission.MARKET)]
    assert len(reasons) == len(set(reasons))


REASONS_WITH_A_NAME = {
    RefusalCode.BELOW_MINIMUM: HoldReason.BELOW_MINIMUM,
    RefusalCode.NO_MARKET_DATA: HoldReason.NO_MARKET_DATA,
    RefusalCode.STALE_DATA: HoldReason.STALE_DATA,
    RefusalCode.TRADING_HALTED: HoldReason.TRADING_HALTED,
    RefusalCode.UNKNOWN_ORDER: HoldReason.UNKNOWN_ORDER,
    RefusalCode.NOT_RECONCILED: HoldReason.RECONCILING,
    RefusalCode.ACCOUNT_FEED_LOST: HoldReason.ACCOUNT_FEED_LOST,
    RefusalCode.REQUESTS_SUSPENDED: HoldReason.REQUESTS_SUSPENDED,
    RefusalCode.OPERATOR_PAUSED: HoldReason.OPERATOR_PAUSED,
    RefusalCode.FUNDS: HoldReason.FUNDS,
    RefusalCode.REQUEST_UNANSWERED: HoldReason.ORDERS_IN_FLIGHT,
}
"""By hand; every other refusal is a limit of the risk service."""


@pytest.mark.parametrize("code", RefusalCode)
def test_every_refusal_holds_its_side_for_the_reason_that_it_names(code: RefusalCode) -> None:
    hold = permission.refused_hold(Situation().context, Refusal(code, "a test said so"))
    assert hold.reason is REASONS_WITH_A_NAME.get(code, HoldReason.RISK)
    assert hold.detail == f"{code.value}: a test said so"
    assert permission.refusal_code(hold) is code


@pytest.mark.parametrize("detail", ["", "about to be quoted", "custom", "own: order"])
def test_a_hold_that_comes_from_no_refusal_names_none(detail: str) -> None:
    assert permission.refusal_code(Hold(HoldReason.CUSTOM, detail)) is None


@pytest.mark.parametrize("condition", dict.fromkeys((*permission.NO_QUOTE_LEAVES, *permission.CLOSED_MARKET)))
def test_a_reason_for_which_no_order_leaves_is_told_from_its_refusal(condition: permission.HoldCondition) -> None:
    """There and back: how an order is refused for it, and how that holds its side."""
    always = evolve(condition, holds=lambda _: True)
    context = Situation().context
    refusal = permission.first_refusal((always,), context)
    assert refusal == Refusal(condition.refusal, condition.detail(context))
    assert permission.refused_hold(context, refusal).reason is condition.reason


def test_a_reason_without_a_refusal_of_its_own_refuses_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Added to those for which no quote leaves, and to nothing else: it is no error, and no order leaves."""
    added = permission.HoldCondition(HoldReason.CUSTOM, lambda _: True, lambda _: "a test said so")
    monkeypatch.setattr(permission, "NO_QUOTE_LEAVES", (added,))
    refusal = permission.order_refusal(Situation().context, OrderPurpose.QUOTE)
    assert refusal == Refusal(RefusalCode.CUSTOM, "a test said so")


def test_nobody_else_decides() -> None:
    """No other module of machine and services reads what the reasons are made of."""
    root = Path(mm_fsm.__file__).parent
    modules = [path for folder in ("machine", "services") for path in sorted((root / folder).rglob("*.py"))]
    assert [path.name for path in modules if _attributes_read(path) & _ASKED] == ["permission.py"]


_ASKED = {"is_data_stale", "is_warm", "is_trading", "is_one_sided", "is_crossed"}


def _attributes_read(path: Path) -> set[str]:
    nodes = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute))
    return {node.attr for node in nodes if isinstance(node.ctx, ast.Load)}
