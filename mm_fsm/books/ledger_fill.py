"""A fill as the ledger books it, valid by construction."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from attrs import frozen

from mm_fsm.books.exact import AMOUNT_EXPECTED, EXACT, is_amount
from mm_fsm.core.messages import Side
from mm_fsm.errors import FactRefusedError


class FeeCurrency(StrEnum):
    """Which currency a fee was charged in."""

    QUOTE = "quote"
    BASE = "base"
    THIRD = "third"


def refuse_unless_amount(fact: str, name: str, value: Decimal) -> None:
    """Check an amount.

    Raises:
        FactRefusedError: it is not finite, or has too many digits.
    """
    if not is_amount(value):
        raise FactRefusedError(fact, name, f"a {AMOUNT_EXPECTED}", value)


def refuse_unless_positive(fact: str, name: str, value: Decimal) -> None:
    """Check a positive amount.

    Raises:
        FactRefusedError: it is not finite, not positive, or has too many digits.
    """
    if not is_amount(value) or value <= 0:
        raise FactRefusedError(fact, name, f"a positive {AMOUNT_EXPECTED}", value)


@frozen(kw_only=True)
class LedgerFill:
    """A fill as the ledger books it, valid by construction: make one to check a fill before anything changes.

    Args:
        trade_id: the venue's id of the trade.
        side: side of the own order; BID bought.
        price: quote per base.
        quantity: contracts, positive.
        fee: in ``fee_currency`` (base units for BASE); positive when paid, negative for a rebate.
        fee_currency: what the fee was charged in.
        conversion_price: quote currency per unit of a third currency; needed for a THIRD fee that is not zero.
        exchange_time: the venue's stamp, nanoseconds; -1 when there is none, and then its id is never missed.
        client_order_id: the own order that traded; with price and quantity it tells one trade from another.

    Raises:
        FactRefusedError: an amount is not finite, too long, or not positive where it must be, or a conversion price is
            missing.
    """

    trade_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: FeeCurrency
    conversion_price: Decimal | None = None
    exchange_time: int = -1
    client_order_id: str = ""

    @property
    def terms(self) -> str:
        """What every report of this trade must agree in."""
        return f"{self.client_order_id} {EXACT.normalize(self.quantity)} {EXACT.normalize(self.price)}"

    def __attrs_post_init__(self) -> None:
        refuse_unless_positive("OrderFilled", "price", self.price)
        refuse_unless_positive("OrderFilled", "quantity", self.quantity)
        refuse_unless_amount("OrderFilled", "fee", self.fee)
        if self.conversion_price is not None:
            refuse_unless_positive("ConversionPriceReported", "price", self.conversion_price)
        elif self.fee_currency is FeeCurrency.THIRD and self.fee:
            raise FactRefusedError(
                "OrderFilled",
                "fee_currency",
                "the base or quote currency, or one whose conversion price is known",
                self.fee_currency.value,
                "Report the price of the fee's currency in quote currency, then this fill again.",
            )
