"""Three markets that share an account, end to end and without a fault: every figure is the exchange's own.

A minute runs here; ``MM_FSM_END_TO_END_SECONDS=600`` runs so long.
"""

from __future__ import annotations

import asyncio
import os
from decimal import Decimal

import pytest

from mm_fsm.books.facts import AccountFeedLost, OrderFilled
from mm_fsm.core.messages import Liquidity
from tests.patience import PATIENCE
from tests.venues.ccxt_venue.judging import assert_books_equal, assert_nothing_forbidden
from tests.venues.ccxt_venue.live_stage import LiveMarketMaker, Stage, live, play, until

SECONDS = float(os.environ.get("MM_FSM_END_TO_END_SECONDS", "60"))
LONGEST_SECONDS = SECONDS + 90
ETH, BTC, SOL, BNB = "ETH/USDT", "BTC/USDT", "SOL/USDT", "BNB/USDT"


async def trades_for(stage: Stage, seconds: float) -> None:
    """Let every market trade, for so long at least."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds
    makers = stage.makers.values()
    await until(
        lambda: loop.time() >= ends and all(maker.of(OrderFilled) for maker in makers), patience=LONGEST_SECONDS
    )


def doubts(maker: LiveMarketMaker) -> list[str]:
    """What the machine said of a difference between the account and its books."""
    return [reason for result in maker.results for reason in result.reasons if "of that at the venue" in reason]


def assert_never_in_doubt(stage: Stage) -> None:
    """Nothing was lost or refused, and no market took another's trades for a difference."""
    for maker in stage.makers.values():
        context = maker.machine.context
        assert maker.of(AccountFeedLost) == []
        assert doubts(maker) == []
        assert context.reconciliation.differing_rounds == 0
        assert (context.missing_base, context.missing_quote) == (0, 0)
        assert context.refused_facts == 0


@pytest.mark.timeout(3 * LONGEST_SECONDS)
@pytest.mark.parametrize(
    ("symbols", "bnb_fees", "seconds"),
    [
        pytest.param((ETH, BTC, SOL), False, SECONDS, id="fees-in-what-is-received"),
        pytest.param((ETH, SOL, BNB), True, SECONDS / 2, id="fees-in-bnb-which-is-traded-too"),
    ],
)
def test_three_markets_that_share_an_account_end_with_the_exchanges_own_figures(
    symbols: tuple[str, ...], bnb_fees: bool, seconds: float
) -> None:
    async def part() -> None:
        async with live(symbols=symbols, bnb_fees=bnb_fees) as stage:
            await trades_for(stage, seconds)
            await stage.stop()
            assert_nothing_forbidden(stage)
            assert_books_equal(stage)
            assert_never_in_doubt(stage)
            fills = stage.exchange.log.fills()
            assert {fill.liquidity for fill in fills} == {Liquidity.MAKER}
            assert all(fill.fee > Decimal(0) for fill in fills)
            if bnb_fees:
                assert {fill.fee_currency for fill in fills} == {"BNB"}

    play(part, max(PATIENCE, 2 * LONGEST_SECONDS))
