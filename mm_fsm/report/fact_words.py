"""What happened, in a few words: one fact, as people read it beside a hold or a step."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from attrs import fields, has

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import Heartbeat, MarketBook, MarketTrade, OrderFilled, Timer
from mm_fsm.core.messages import Fact, OrderFact

_LEFT_OUT: Final = frozenset(
    {
        "received_at", "exchange_time", "symbol", "client_order_id", "venue_order_id", "trade_id", "question_id",
        "since", "until",
    }
)  # fmt: skip
"""Fields that say nothing to people, or too much for one line."""
_STREAMING: Final = {Timer: "time alone", Heartbeat: "heartbeat of the feed"}
_BETWEEN_WORDS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def fact_words(fact: Fact, context: MarketMakingContext) -> str:
    """One clause without an end: what happened, with its figures, and of which order of ours.

    Args:
        fact: what happened.
        context: the books it was booked in, which know the orders that it names.
    """
    match fact:
        case MarketBook():
            return f"market book {_touch(fact)}"
        case MarketTrade():
            verb = "bought" if fact.taker_side.sign > 0 else "sold"
            return f"market trade: a taker {verb} {_text(fact.size)} at {_text(fact.price)}"
        case Timer() | Heartbeat():
            return _STREAMING[type(fact)]
        case OrderFilled():
            return f"fill of {_text(fact.quantity)} at {_text(fact.price)}: {_order(fact, context)}"
        case _:
            return _named(fact, context)


def _named(fact: Fact, context: MarketMakingContext) -> str:
    """The name of a kind of fact, and whatever it says."""
    order = [_order(fact, context)] if isinstance(fact, OrderFact) else []
    rest = ", ".join([*order, *_fields(fact)])
    return _name(fact) + (f": {rest}" if rest else "")


def _touch(fact: MarketBook) -> str:
    bid, ask = (_text(levels[0].price) if levels else "nothing" for levels in (fact.bids, fact.asks))
    return f"{bid} / {ask}"


def _order(fact: OrderFact | OrderFilled, context: MarketMakingContext) -> str:
    order = context.orders.get(fact.client_order_id)
    if order is None:
        return f"order {fact.client_order_id}"
    return f"{order.purpose} {order.side} {_text(order.quantity)} at {_text(order.price)}"


def _name(fact: Fact) -> str:
    return _BETWEEN_WORDS.sub(" ", type(fact).__name__).lower()


def _fields(said_of: Any) -> list[str]:
    """Each field with its value; those of a value that has fields of its own stand in brackets."""
    said = []
    for attribute in fields(type(said_of)):
        value: Any = getattr(said_of, attribute.name)
        if attribute.name in _LEFT_OUT or value is None or value in ("", (), False):
            continue
        said.append(f"{attribute.name.replace('_', ' ')} {_text(value)}")
    return said


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Enum):
        return str(value.value).replace("_", " ")
    if isinstance(value, (tuple, frozenset, list, Mapping)):
        return f"of {len(value)}"
    if has(type(value)):
        return f"({', '.join(_fields(value))})"
    return str(value)
