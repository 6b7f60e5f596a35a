"""Every fact and every intent is written and read back to an equal one, exact to the last digit."""

from __future__ import annotations

import json
import zlib
from decimal import Decimal
from inspect import isclass
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books import facts
from mm_fsm.books.facts.registry import FACTS
from mm_fsm.core import messages
from mm_fsm.core.instrument import Instrument
from mm_fsm.core.messages import BookLevel, Fact, Intent, Side
from mm_fsm.runtime.journal.messages import MessageCodec, UnreadableMessageError, encode
from mm_fsm.runtime.journal.snapshots import read_snapshot, write_snapshot

SYMBOL = "ETH/USD"
CODEC = MessageCodec(SYMBOL)
ABSTRACT = {"Fact", "VenueFact", "OrderFact", "Intent"}

amounts = st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**12), max_value=10**12)
times = st.integers(0, 2**63 - 1)
texts = st.text(st.characters(exclude_categories=()), max_size=20)  # half surrogate pairs too
instruments = st.builds(
    Instrument,
    symbol=st.just(SYMBOL),
    base_currency=st.just("ETH"),
    quote_currency=st.just("USD"),
    tick_size=st.decimals("0.000001", "100", places=6).filter(bool),
    lot_size=st.decimals("0.000001", "100", places=6).filter(bool),
    maximum_quantity=st.none() | st.decimals("1000", "90000", places=3),
    maximum_notional=st.none() | st.decimals("1000", "9000000", places=2),
)


PLAIN = {Decimal: amounts, int: times, float: st.floats(0.0, 1e9), str: texts}


def _classes() -> list[type]:
    return [
        value
        for name, value in {**vars(messages), **FACTS}.items()
        if isclass(value) and issubclass(value, (Fact, Intent)) and name not in ABSTRACT
    ]


def _strategy(cls: Any) -> st.SearchStrategy[Any]:
    hints = attrs.resolve_types(cls).__attrs_attrs__
    return st.builds(cls, **{each.name: _values(each.name, each.type) for each in hints})


def _values(name: str, kind: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one line for each kind
    if name == "symbol":
        return st.sampled_from([SYMBOL, "BTC/USD"])
    if kind in PLAIN:
        return PLAIN[kind]
    if kind is BookLevel:
        return st.builds(BookLevel, amounts, amounts)
    if kind is Instrument:
        return instruments
    if attrs.has(kind):
        return _strategy(kind)
    arguments = getattr(kind, "__args__", ())
    if arguments and arguments[-1] is Ellipsis:
        return st.lists(_values("", arguments[0]), max_size=3).map(tuple)
    if arguments:
        return st.one_of(*(_values(name, each) for each in arguments))
    return st.none() if kind is type(None) else st.from_type(kind)


@pytest.mark.parametrize("cls", _classes(), ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_a_message_reads_back_as_it_was_written(cls: type, data: st.DataObject) -> None:
    message = data.draw(_strategy(cls))
    if isinstance(message, messages.VenueFact) and isinstance(message, (facts.MarketBook, facts.MarketTrade)):
        message = attrs.evolve(message, symbol=SYMBOL)  # the stream is one market's
    if isinstance(message, facts.Heartbeat):
        message = attrs.evolve(message, symbol=SYMBOL)
    if isinstance(message, Fact):
        found: Any = CODEC.fact_from(json.loads(CODEC.write_fact(message)))
    else:
        (found,) = CODEC.read_intents(CODEC.write_intents([message]))
    assert found == message
    assert type(found) is type(message)
    assert str(found) == str(message)  # 1.0 and 1.00 are equal, and not the same


@pytest.mark.parametrize(
    "plain",
    [
        ["Z", 1],
        ["B", 1],
        ["P", 1, 2, "x", "1", "bid", "t"],
        {"": "NoSuchFact"},
        {"": "OrderFilled", "received_at": 1},
        {"": "Timer", "received_at": 1, "more": 2},
        {"": "QueryBalances"},
        {},
        None,
        "text",
    ],
)
def test_what_is_no_fact_of_this_version_is_refused(plain: Any) -> None:
    with pytest.raises(UnreadableMessageError):
        CODEC.fact_from(plain)


def test_rules_of_a_time_that_knew_no_largest_order_are_read() -> None:
    """Journals of then go on: in facts and in snapshots the largest order is not known."""
    rules = Instrument(
        symbol=SYMBOL,
        base_currency="ETH",
        quote_currency="USD",
        tick_size=Decimal("0.05"),
        lot_size=Decimal("0.001"),
        maximum_quantity=Decimal(9000),
        maximum_notional=Decimal(9_000_000),
    )
    unknown = attrs.evolve(rules, maximum_quantity=None, maximum_notional=None)
    written = CODEC.write_fact(facts.InstrumentUpdated(received_at=1, symbol=SYMBOL, instrument=rules))
    assert CODEC.fact_from(without_maximums(json.loads(written))).instrument == unknown
    snapshot = json.loads(zlib.decompress(write_snapshot({"rules": rules})))
    assert read_snapshot(zlib.compress(json.dumps(without_maximums(snapshot)).encode())) == {"rules": unknown}


def without_maximums(plain: Any) -> Any:
    """The same as a version wrote it that did not know of them."""
    if isinstance(plain, dict):
        return {name: without_maximums(value) for name, value in plain.items() if not name.startswith("maximum_")}
    return [without_maximums(each) for each in plain] if isinstance(plain, list) else plain


def test_what_streams_is_short() -> None:
    """One book of one level a side, written by hand."""
    book = facts.MarketBook(
        received_at=5,
        symbol=SYMBOL,
        bids=(BookLevel(Decimal("1.10"), Decimal(2)),),
        asks=(),
        exchange_time=4,
        includes_own_orders=False,
    )
    assert encode(CODEC.plain_fact(book)) == '["B",5,4,0,["1.10","2"],[]]'
    assert Side.BID.value == "bid"
