"""An account whose limits are tight never passes them: the exchange's own log has no request that was one too many."""

from __future__ import annotations

from mm_fsm.books.facts import OrderRejected, Timer
from mm_fsm.core.messages import RejectionCode
from mm_fsm.runtime.account.books import AccountBooks
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.account.shared_account import SharedAccount
from mm_fsm.testing.rehearsal.judge import OrderAccepted, RequestAnswered
from mm_fsm.testing.rehearsal.server import RehearsalExchange
from mm_fsm.testing.rehearsal.terms import RequestLimits
from tests.venues.ccxt_venue.live_stage import _maker, play, rehearsal_terms, until, venue_on

SYMBOL = "ETH/USDT"
ORDERS = 4
EAGER = {"refresh_interval_seconds": 0.2, "max_orders_per_interval": 1_000, "num_price_levels": 3}
"""Quotes are renewed five times a second: far more orders than four in ten seconds, the very first among them."""


def test_the_exchanges_own_counter_of_orders_is_never_passed() -> None:
    async def part() -> None:
        limits = RequestLimits(orders_per_ten_seconds=ORDERS)
        async with RehearsalExchange(rehearsal_terms([SYMBOL], 1, limits=limits)) as exchange:
            account = SharedAccount(venue_on(exchange, [SYMBOL]), AccountSettings(longest_wait_seconds=0.5))
            maker = None
            try:
                terms = await account.open()
                maker = _maker(account, terms[SYMBOL], EAGER)
                account.read_books(SYMBOL, AccountBooks(maker.machine.context))
                account.attach(SYMBOL, maker.take, {})
                maker.take(Timer(received_at=account.now()))
                await until(lambda: len([*exchange.log.of(OrderAccepted)]) >= 2 * ORDERS)
                maker.runner.request_stop(flatten=False, reason="the test ends")
                await until(lambda: maker is not None and maker.machine.is_final)
            finally:
                if maker is not None:
                    maker.runner.close()
                await account.close()
            withheld = [fact for fact in maker.of(OrderRejected) if fact.code is RejectionCode.RATE_LIMIT]
            assert any("X-MBX-ORDER-COUNT-10S" in fact.reason for fact in withheld)
            assert not [each for each in exchange.log.of(RequestAnswered) if each.status in {418, 429}]
            assert exchange.log.open_orders() == ()

    play(part)
