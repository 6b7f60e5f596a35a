"""Who asks is proved, and what is asked is read: against Binance's published example, and by properties."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.core.messages import Side
from mm_fsm.testing.rehearsal.filters import check_filters
from mm_fsm.testing.rehearsal.parameters import Key, Parameters, check_window, signed_payload
from mm_fsm.testing.rehearsal.refusals import RefusedError
from mm_fsm.testing.rehearsal.venue_orders import InForce, OrderType
from tests.testing.rehearsal.hall import MARKET, Hall, request
from tests.testing.rehearsal.stage import book

# From Binance's documentation of signed endpoints.
KEY = Key("vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A",
          "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j")  # fmt: skip
PAYLOAD = (
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
)
SIGNATURE = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"


def test_the_published_example_is_accepted_in_a_query_and_in_a_form() -> None:
    whole = f"{PAYLOAD}&signature={SIGNATURE}"
    for query, body in ((whole, ""), ("", whole)):
        payload, signature = signed_payload(query, body)
        assert (payload, signature) == (PAYLOAD, SIGNATURE)
        KEY.check(KEY.api_key, payload, signature)


@given(st.integers(0, len(PAYLOAD) - 1), st.characters(codec="ascii"))
def test_any_change_of_what_was_signed_is_refused(place: int, character: str) -> None:
    changed = PAYLOAD[:place] + character + PAYLOAD[place + 1 :]
    if changed != PAYLOAD:
        with pytest.raises(RefusedError, match="Signature"):
            KEY.check(KEY.api_key, changed, SIGNATURE)


def test_a_secret_is_in_no_text_of_the_key() -> None:
    assert KEY.secret not in repr(KEY)
    assert KEY.secret not in str(KEY)


@pytest.mark.parametrize(
    ("age", "window", "code"),
    [
        (0, None, None),
        (5000, None, None),
        (5001, None, -1021),
        (100, "99", -1021),
        (-1000, None, None),
        (-1001, None, -1021),
        (0, "60001", -1131),
        (0, "x", -1102),
    ],
)
def test_a_window_is_kept_to_the_millisecond(age: int, window: str | None, code: int | None) -> None:
    values = {"timestamp": str(1_700_000_000_000 - age), **({} if window is None else {"recvWindow": window})}
    if code is None:
        check_window(Parameters(values), 1_700_000_000_000)
    else:
        with pytest.raises(RefusedError) as refused:
            check_window(Parameters(values), 1_700_000_000_000)
        assert refused.value.code == code


ORDER = {"symbol": MARKET, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "2000"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"side": "LONG"}, -1117),
        ({"type": "STOP_LOSS"}, -1116),
        ({"timeInForce": "GTX"}, -1115),
        ({"quantity": "0"}, -1100),
        ({"quantity": "1e-400x"}, -1100),
        ({"quantity": ""}, -1100),
        ({"price": "Infinity"}, -1100),
        ({"newClientOrderId": "a b"}, -1100),
        ({"newClientOrderId": "a" * 37}, -1100),
        ({"newClientOrderId": ""}, -1102),
        ({"symbol": ""}, -1102),
    ],
)
def test_a_placement_that_cannot_be_read_is_refused(changes: dict[str, str], code: int) -> None:
    with pytest.raises(RefusedError) as refused:
        Parameters({**ORDER, **changes}).order("generated")
    assert refused.value.code == code


@pytest.mark.parametrize("missing", ["side", "type", "timeInForce", "quantity", "price", "symbol"])
def test_a_placement_that_lacks_something_is_refused(missing: str) -> None:
    values = {name: value for name, value in ORDER.items() if name != missing}
    with pytest.raises(RefusedError, match=missing):
        Parameters(values).order("generated")


def test_a_placement_is_read() -> None:
    order = Parameters(ORDER).order("generated")
    assert (order.side, order.type, order.in_force) == (Side.BID, OrderType.LIMIT, InForce.GTC)
    assert (order.price, order.quantity, order.client_order_id) == (2000, 1, "generated")


@given(
    price=st.integers(1, 400_000_000).map(lambda units: Decimal(units).scaleb(-5)),
    size=st.integers(1, 10_000_000).map(lambda units: Decimal(units).scaleb(-6)),
)
def test_the_filters_pass_what_is_on_the_grid_and_large_enough(price: Decimal, size: Decimal) -> None:
    """Tick 0.01, lot 0.0001, at least 0.0002 and 5 of quote currency, counted in whole units here."""
    price_units, size_units = int(price.scaleb(5)), int(size.scaleb(6))
    is_price_right = price_units % 1000 == 0
    is_size_right = size_units % 100 == 0 and size_units >= 200
    is_large = price_units * size_units >= 5 * 10**11
    expected = (
        "PRICE_FILTER" if not is_price_right else "LOT_SIZE" if not is_size_right else None if is_large else "NOTIONAL"
    )
    hall = Hall()
    hall.engine.on_market(book())
    try:
        check_filters(hall.engine.market(MARKET), request(Side.BID, str(size), str(price)))
        found = None
    except RefusedError as refused:
        found = refused.message.removeprefix("Filter failure: ")
    assert found == expected


@pytest.mark.parametrize(
    ("quantity", "price", "kind", "filter_name"),
    [
        ("7000", "1000", OrderType.LIMIT, None),
        ("7000.0001", "1000", OrderType.LIMIT, "LOT_SIZE"),
        ("7000.0001", None, OrderType.MARKET, "MARKET_LOT_SIZE"),
        ("4500", "2000", OrderType.LIMIT, None),
        ("4500", "2000.01", OrderType.LIMIT, "NOTIONAL"),
        ("4500.0001", None, OrderType.MARKET, "NOTIONAL"),  # at the middle, 2000
    ],
)
def test_the_filters_refuse_what_is_larger_than_the_market_takes(
    quantity: str, price: str | None, kind: OrderType, filter_name: str | None
) -> None:
    """At most 7000, worth 9,000,000."""
    hall = Hall()
    hall.engine.on_market(book())
    market = hall.engine.market(MARKET)
    if filter_name is None:
        check_filters(market, request(Side.BID, quantity, price, kind))
        return
    with pytest.raises(RefusedError, match=f": {filter_name}$"):
        check_filters(market, request(Side.BID, quantity, price, kind))
