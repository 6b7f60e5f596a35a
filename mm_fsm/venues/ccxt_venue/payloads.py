"""ccxt's unified orders, trades and books as values of ours. Unknown stays None: never 0, never "open".

Payloads may lack fields, hold nulls, contradict themselves, or leak an exchange's raw statuses. Whatever they hold,
reading one never raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from attrs import frozen

from mm_fsm.core.messages import BookLevel, Liquidity, ReportedStatus, Side
from mm_fsm.venues.ccxt_venue.amounts import amount, entry, positive, stamp, text

_SIDES: Final[Mapping[object, Side]] = MappingProxyType({"buy": Side.BID, "sell": Side.ASK})
_LIQUIDITY: Final[Mapping[object, Liquidity]] = MappingProxyType({"maker": Liquidity.MAKER, "taker": Liquidity.TAKER})
_ENDED: Final[Mapping[object, ReportedStatus]] = MappingProxyType(
    {
        "canceled": ReportedStatus.CANCELED,
        "expired": ReportedStatus.EXPIRED,
        "rejected": ReportedStatus.REJECTED,
    }
)


@frozen(kw_only=True)
class SeenOrder:
    """An order as the exchange shows it. None: it does not say."""

    venue_order_id: str
    client_text: str | None
    """The client's own id as the exchange has it, encoded."""
    symbol: str | None
    side: Side | None
    price: Decimal | None
    quantity: Decimal | None
    filled: Decimal | None
    status: ReportedStatus | None
    exchange_time: int | None

    @property
    def has_ended(self) -> bool:
        """Whether it says that the order is out of the book."""
        return self.status in {
            ReportedStatus.CANCELED,
            ReportedStatus.EXPIRED,
            ReportedStatus.REJECTED,
            ReportedStatus.FILLED,
        }


@frozen(kw_only=True)
class SeenTrade:
    """An own trade as the exchange shows it. None: it does not say."""

    trade_id: str
    """``ORDER/TRADE``, both as the exchange numbers them. Some begin anew in each market, or with each order, and a
    trade with oneself has one number on both sides."""
    venue_order_id: str
    symbol: str
    side: Side | None
    price: Decimal
    quantity: Decimal
    fee: Decimal | None
    fee_currency: str | None
    liquidity: Liquidity | None
    exchange_time: int

    @property
    def is_complete(self) -> bool:
        """Whether everything is known that the ledger books."""
        return self.fee is not None and self.fee_currency is not None and self.liquidity is not None


@frozen(kw_only=True)
class SeenBook:
    """Visible levels of a book, best first."""

    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    exchange_time: int | None


def read_order(payload: Any) -> SeenOrder | None:
    """One of ccxt's orders; None when not even its id is there."""
    identity = text(entry(payload, "id"))
    if identity is None:
        return None
    quantity = positive(entry(payload, "amount"))
    filled = amount(entry(payload, "filled"))
    if filled is not None and not 0 <= filled <= (filled if quantity is None else quantity):
        filled = None
    return SeenOrder(
        venue_order_id=identity,
        client_text=text(entry(payload, "clientOrderId")),
        symbol=text(entry(payload, "symbol")),
        side=_side(entry(payload, "side")),
        price=positive(entry(payload, "price")),
        quantity=quantity,
        filled=filled,
        status=_status(entry(payload, "status"), quantity, filled),
        exchange_time=stamp(entry(payload, "lastUpdateTimestamp")) or stamp(entry(payload, "timestamp")),
    )


def read_trade(payload: Any) -> SeenTrade | None:
    """One of ccxt's own trades; None when it cannot be told which trade it is, of what, and when."""
    found = (
        text(entry(payload, "id")),
        text(entry(payload, "order")),
        text(entry(payload, "symbol")),
        positive(entry(payload, "price")),
        positive(entry(payload, "amount")),
        stamp(entry(payload, "timestamp")),
    )
    trade_id, order_id, symbol, price, quantity, time = found
    if not (trade_id and order_id and symbol) or price is None or quantity is None or time is None:
        return None
    fee, currency = _fee(payload)
    return SeenTrade(
        trade_id=f"{order_id}/{trade_id}",
        venue_order_id=order_id,
        symbol=symbol,
        side=_side(entry(payload, "side")),
        price=price,
        quantity=quantity,
        fee=fee,
        fee_currency=currency,
        liquidity=_named(_LIQUIDITY, entry(payload, "takerOrMaker")),
        exchange_time=time,
    )


def read_price(payload: Any) -> Decimal | None:
    """What was paid last by one of ccxt's tickers; None when it does not say."""
    return positive(entry(payload, "last")) or positive(entry(payload, "close"))


def read_book(payload: Any, depth: int) -> SeenBook | None:
    """The best ``depth`` levels a side of one of ccxt's books; None when they make no sense.

    The payload may be a cache that changes under the reader: it is copied here, at once.
    """
    bids = _levels(entry(payload, "bids"), depth, sign=-1)
    asks = _levels(entry(payload, "asks"), depth, sign=1)
    if bids is None or asks is None:
        return None
    return SeenBook(bids=bids, asks=asks, exchange_time=stamp(entry(payload, "timestamp")))


def read_orders(payload: Any) -> list[SeenOrder]:
    """Those of a list of orders that can be read."""
    return [order for each in _copied(payload) if (order := read_order(each)) is not None]


def read_trades(payload: Any) -> list[SeenTrade]:
    """Those of a list of own trades that can be read."""
    return [trade for each in _copied(payload) if (trade := read_trade(each)) is not None]


def is_wholly_read(payload: Any, read: list[Any]) -> bool:
    """Whether a list could be read to its last element: a list with gaps proves the absence of nothing."""
    return isinstance(payload, list) and len(read) == len(payload)


def _copied(payload: Any) -> list[Any]:
    return list(payload) if isinstance(payload, (list, tuple)) else []


def _side(value: object) -> Side | None:
    side: Side | None = _named(_SIDES, value)
    return side


def _named(names: Mapping[object, Any], value: object) -> Any:
    return names.get(value) if isinstance(value, str) else None


def _status(raw: object, quantity: Decimal | None, filled: Decimal | None) -> ReportedStatus | None:
    """The status that the exchange says. "closed" is filled only where the figures say so too."""
    if raw == "open":
        if filled is not None and filled == quantity:
            return None
        return ReportedStatus.PARTIALLY_FILLED if filled else ReportedStatus.OPEN
    if raw == "closed":
        return ReportedStatus.FILLED if filled is not None and filled == quantity else None
    status: ReportedStatus | None = _named(_ENDED, raw)
    if status is ReportedStatus.REJECTED and filled:
        return None
    return status


def _fee(payload: Any) -> tuple[Decimal | None, str | None]:
    """The trade's fee and its currency. Several in one currency are one; in several they are not known.

    What is zero says no currency beside another one: some exchanges list each currency that a fee could be taken in.
    """
    listed = entry(payload, "fees")
    charged = listed if isinstance(listed, list) and listed else [entry(payload, "fee")]
    total, currency = Decimal(0), None
    for each in charged:
        cost, name = amount(entry(each, "cost")), text(entry(each, "currency"))
        if cost is None or name is None or (cost and total and currency != name):
            return None, None
        currency = name if cost or currency is None else currency
        total += cost
    return total, currency


def _levels(raw: Any, depth: int, sign: int) -> tuple[BookLevel, ...] | None:
    if not isinstance(raw, (list, tuple)):
        return None
    levels: list[BookLevel] = []
    for each in list(raw[:depth]):
        pair = each[:2] if isinstance(each, (list, tuple)) else ()
        price, size = (positive(value) for value in pair) if len(pair) == 2 else (None, None)  # noqa: PLR2004
        if price is None or size is None or (levels and (price - levels[-1].price) * sign <= 0):
            return None
        levels.append(BookLevel(price, size))
    return tuple(levels)


def latest(times: Iterable[int | None], otherwise: int = 0) -> int:
    """The latest of the times that are known."""
    return max((time for time in times if time is not None), default=otherwise)
