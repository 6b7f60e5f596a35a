"""Without a fault: each intent answered once, each piece of news told once, nothing left open."""

from __future__ import annotations

from mm_fsm.books.facts import ConversionPriceReported, OrderAcknowledged, OrderCanceled, OrderFilled
from mm_fsm.core.messages import CancelOrder, PlaceOrder, RequestKind
from tests.venues.ccxt_venue.live_stage import live, play


def test_each_intent_has_one_answer_and_each_piece_of_news_is_told_once() -> None:
    """Answers and the stream bring the same news: each is told once, whichever comes first."""

    async def part() -> None:
        async with live() as stage:
            maker = stage.maker
            await stage.until(lambda: len(maker.of(OrderCanceled)) >= 20)
            await stage.stop()
            for kind in (OrderAcknowledged, OrderCanceled):
                told = [fact.client_order_id for fact in maker.of(kind)]
                assert len(told) == len({*told}), kind
            fills = [fact.trade_id for fact in maker.of(OrderFilled)]
            assert len(fills) == len({*fills})
            places = [each.client_order_id for each in maker.intents if isinstance(each, PlaceOrder)]
            assert len(places) == maker.answers(RequestKind.PLACE)
            cancels = [each for each in maker.intents if isinstance(each, CancelOrder)]
            assert len(cancels) == maker.answers(RequestKind.CANCEL)

    play(part)


def test_own_trades_are_listened_to_before_the_first_order() -> None:
    async def part() -> None:
        async with live() as stage:
            await stage.until(lambda: bool(stage.maker.of(OrderAcknowledged)))
            assert stage.exchange.log.first_order_unheard() is None
            assert stage.venue.sources["own trades"] == "stream"
            await stage.stop()

    play(part)


def test_fees_in_a_third_currency_are_priced_and_nothing_is_left_open() -> None:
    async def part() -> None:
        async with live(bnb_fees=True) as stage:
            maker = stage.maker
            await stage.until(lambda: len(maker.of(OrderFilled)) >= 2)
            await stage.until(lambda: bool(maker.of(ConversionPriceReported)))
            await stage.stop()
            assert {fact.fee_currency for fact in maker.of(OrderFilled)} == {"BNB"}
            context = maker.machine.context
            assert context.fill_count == len(stage.exchange.log.fills("ETH/USDT"))
            assert context.base_position == stage.exchange.log.balances()["ETH"]
            assert context.refused_facts == 0
            assert dict(context.incomplete_fills.unpriced_fees) == {}
            worth = maker.of(ConversionPriceReported)[-1].price
            charged = sum(fill.fee for fill in stage.exchange.log.fills("ETH/USDT"))
            assert context.fees_paid == charged * worth

    play(part)
