"""What a fill's report leaves open, and what follows once it is told: the fee, its price, who was the maker.

Nothing is asked for it: whatever brings the trade again, such as a look at own trades, completes it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from attrs import evolve

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.incomplete_fills import IncompleteFill
from mm_fsm.books.ledger import FeeCurrency
from mm_fsm.books.markouts import MakerFill
from mm_fsm.core.decisions import Fault, FaultCode
from mm_fsm.core.instrument import BASIS_POINTS, ZERO
from mm_fsm.core.messages import Liquidity, OrderPurpose, Side

if TYPE_CHECKING:
    from mm_fsm.books.facts.order_filled import OrderFilled


def fee_currency_of(context: MarketMakingContext, fact: OrderFilled) -> FeeCurrency:
    """Which of the ledger's currencies the fee was charged in; a currency that was not told is none of its own."""
    if fact.fee_currency == context.instrument.quote_currency:
        return FeeCurrency.QUOTE
    return FeeCurrency.BASE if fact.fee_currency == context.instrument.base_currency else FeeCurrency.THIRD


def conversion_price_of(context: MarketMakingContext, fact: OrderFilled) -> Decimal | None:
    """Quote currency per unit of the fee's currency; None when it is not known, or not needed."""
    return None if fact.fee_currency is None else context.conversion_prices.get(fact.fee_currency)


def fee_to_book(context: MarketMakingContext, fact: OrderFilled) -> Decimal:
    """What of the fee can be booked with the fill: all of it, or nothing yet."""
    if fact.fee is None or fee_currency_of(context, fact) is not FeeCurrency.THIRD:
        return fact.fee or ZERO
    return fact.fee if conversion_price_of(context, fact) is not None else ZERO


def note_what_is_told(context: MarketMakingContext, fact: OrderFilled, side: Side, mid_price: Decimal) -> None:
    """After a fill was booked: count it where the maker is known, and keep what its report left open."""
    fill = IncompleteFill(
        side=side,
        price=fact.price,
        quantity=fact.quantity,
        booked_at=context.now,
        mid_price=mid_price,
        lacks_fee=_lacks_fee(fact),
        lacks_liquidity=fact.liquidity is None,
    )
    if fact.liquidity is Liquidity.MAKER:
        _count_maker_fill(context, fact, fill)
    if not fill.lacks_fee:
        _note_third_currency(context, fact)
    if fill.lacks_fee or fill.lacks_liquidity:
        context.incomplete_fills.add(fact.trade_id, fill)


def complete_fill(context: MarketMakingContext, fact: OrderFilled, side: Side) -> None:
    """A trade that is booked was reported again: take what was left open."""
    known = context.incomplete_fills.get(fact.trade_id, side)
    if known is None:
        return
    tells_fee = known.lacks_fee and not _lacks_fee(fact)
    tells_liquidity = known.lacks_liquidity and fact.liquidity is not None
    if tells_fee:
        fee = fee_to_book(context, fact)
        context.ledger.book_fee(fee, fee_currency_of(context, fact), conversion_price_of(context, fact))
        _note_third_currency(context, fact)
        check_identity(context, f"the fee of trade {fact.trade_id}")
    if tells_liquidity and fact.liquidity is Liquidity.MAKER:
        _count_maker_fill(context, fact, known)
    now_known = evolve(
        known,
        lacks_fee=known.lacks_fee and not tells_fee,
        lacks_liquidity=known.lacks_liquidity and not tells_liquidity,
    )
    context.incomplete_fills.replace(fact.trade_id, known, now_known)


def value_unpriced_fees(context: MarketMakingContext, currency: str, price: Decimal) -> None:
    """A currency has a price: book the fees that waited for it."""
    fees = context.incomplete_fills.unpriced_fees.pop(currency, ZERO)
    if fees:
        context.ledger.book_fee(fees, FeeCurrency.THIRD, price)
        context.remarks.append(f"fees of {fees} {currency} are booked at {price}")
        check_identity(context, f"fees in {currency}")


def check_identity(context: MarketMakingContext, after: str) -> None:
    """After a booking: books that do not add up are a fault."""
    gap = context.ledger.identity_gap()
    if gap != 0:
        reason = f"the ledger's identity misses {gap} after {after}"
        context.pending_fault = Fault(code=FaultCode.LEDGER, reason=reason, transient=False)


def _count_maker_fill(context: MarketMakingContext, fact: OrderFilled, fill: IncompleteFill) -> None:
    context.maker_fill_count += 1
    context.filled_maker_quantity += fill.quantity
    order = context.orders.get(fact.client_order_id)
    quote = order if order is not None and order.purpose is OrderPurpose.QUOTE else None
    maker_fill = MakerFill(
        time=fill.booked_at,
        side=fill.side,
        price=float(fill.price),
        quantity=float(fill.quantity),
        mid=float(fill.mid_price),
        fee_bps=float(_paid_bps(context, fact)),
        level=None if quote is None else quote.level,
        widened_bps=0.0 if quote is None else quote.widened_bps,
    )
    context.markouts.record_fill(maker_fill)


def _paid_bps(context: MarketMakingContext, fact: OrderFilled) -> Decimal:
    """What the fill paid, bps of its notional; by the venue's schedule where that, or its worth, is not known."""
    currency = fee_currency_of(context, fact)
    price = conversion_price_of(context, fact)
    if _lacks_fee(fact) or fact.fee is None or (currency is FeeCurrency.THIRD and price is None and fact.fee):
        return context.fees.maker_bps
    if currency is FeeCurrency.THIRD:
        paid = fact.fee * (price or ZERO)
    else:
        paid = fact.fee * fact.price if currency is FeeCurrency.BASE else fact.fee
    return paid / context.instrument.notional(fact.price, fact.quantity) * BASIS_POINTS


def _lacks_fee(fact: OrderFilled) -> bool:
    return fact.fee is None or bool(fact.fee and fact.fee_currency is None)


def _note_third_currency(context: MarketMakingContext, fact: OrderFilled) -> None:
    """Count a fee in a currency of neither side; where that has no price yet, keep it until one is reported."""
    fee, currency = fact.fee, fact.fee_currency
    if not fee or currency is None or fee_currency_of(context, fact) is not FeeCurrency.THIRD:
        return
    _add(context.third_currency_fees, currency, fee)
    if currency not in context.conversion_prices:
        _add(context.incomplete_fills.unpriced_fees, currency, fee)


def _add(amounts: dict[str, Decimal], currency: str, amount: Decimal) -> None:
    amounts[currency] = amounts.get(currency, ZERO) + amount
    if not amounts[currency]:
        del amounts[currency]
