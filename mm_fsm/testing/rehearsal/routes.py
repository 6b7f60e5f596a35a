"""The requests the exchange takes: method and path, what they cost, and who answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from attrs import frozen

from mm_fsm.testing.rehearsal.account_endpoints import AccountEndpoints
from mm_fsm.testing.rehearsal.fault_menu import Where
from mm_fsm.testing.rehearsal.order_endpoints import OrderEndpoints
from mm_fsm.testing.rehearsal.parameters import Parameters
from mm_fsm.testing.rehearsal.public_endpoints import PublicEndpoints

Weight = Callable[[Parameters], int]


@frozen(kw_only=True)
class Route:
    """One kind of request."""

    where: Where
    weight: Weight
    answer: Callable[[Parameters], Any]
    is_signed: bool
    orders: int = 0
    """New orders it counts for."""


def _fixed(weight: int) -> Weight:
    return lambda _: weight


def _by_symbol(one: int, every: int) -> Weight:
    return lambda parameters: one if "symbol" in parameters.values else every


_DEPTH_WEIGHTS: Final = ((100, 5), (500, 25), (1000, 50))
_DEEP: Final = 250


def _depth_weight(parameters: Parameters) -> int:
    limit = parameters.integer("limit") or 100
    return next((weight for most, weight in _DEPTH_WEIGHTS if limit <= most), _DEEP)


def routes(
    public: PublicEndpoints, orders: OrderEndpoints, account: AccountEndpoints
) -> Mapping[tuple[str, str], Route]:
    """Every request, by method and path."""
    return {**_public_routes(public), **_order_routes(orders), **_account_routes(account)}


def _public_routes(public: PublicEndpoints) -> dict[tuple[str, str], Route]:
    table: tuple[tuple[str, Weight, Callable[[Parameters], Any]], ...] = (
        ("/api/v3/ping", _fixed(1), public.ping),
        ("/api/v3/time", _fixed(1), public.time),
        ("/api/v3/exchangeInfo", _fixed(20), public.exchange_info),
        ("/api/v3/depth", _depth_weight, public.depth),
        ("/api/v3/trades", _fixed(25), public.trades),
        ("/api/v3/aggTrades", _fixed(4), public.aggregate_trades),
        ("/api/v3/ticker/24hr", _by_symbol(2, 80), public.day_ticker),
        ("/api/v3/ticker/bookTicker", _by_symbol(2, 4), public.book_ticker),
        ("/api/v3/ticker/price", _by_symbol(2, 4), public.price_ticker),
        ("/sapi/v1/system/status", _fixed(0), lambda _: {"status": 0, "msg": "normal"}),
        ("/fapi/v1/exchangeInfo", _fixed(0), public.no_markets),
        ("/dapi/v1/exchangeInfo", _fixed(0), public.no_markets),
    )
    return {
        ("GET", path): Route(where=Where.MARKET, weight=weight, answer=answer, is_signed=False)
        for path, weight, answer in table
    }


def _order_routes(orders: OrderEndpoints) -> dict[tuple[str, str], Route]:
    order, replace, opened = "/api/v3/order", "/api/v3/order/cancelReplace", "/api/v3/openOrders"
    by_order: Weight = lambda parameters: 5 if "orderId" in parameters.values else 20  # noqa: E731 - a row of the table
    table: tuple[tuple[str, str, Where, Weight, Callable[[Parameters], Any]], ...] = (
        ("POST", order, Where.PLACE, _fixed(1), orders.place),
        ("DELETE", order, Where.CANCEL, _fixed(1), orders.cancel),
        ("DELETE", opened, Where.CANCEL, _fixed(1), orders.cancel_all),
        ("POST", replace, Where.REPLACE, _fixed(1), orders.replace),
        ("GET", order, Where.QUERY, _fixed(4), orders.order),
        ("GET", opened, Where.QUERY, _by_symbol(6, 80), orders.open_orders),
        ("GET", "/api/v3/allOrders", Where.QUERY, _fixed(20), orders.all_orders),
        ("GET", "/api/v3/myTrades", Where.QUERY, by_order, orders.own_trades),
    )
    return {
        (method, path): Route(
            where=where,
            weight=weight,
            answer=answer,
            is_signed=True,
            orders=int(where in {Where.PLACE, Where.REPLACE}),
        )
        for method, path, where, weight, answer in table
    }


def _account_routes(account: AccountEndpoints) -> dict[tuple[str, str], Route]:
    table: tuple[tuple[str, int, Callable[[Parameters], Any]], ...] = (
        ("/api/v3/account", 20, account.account),
        ("/api/v3/account/commission", 20, account.commission),
        ("/sapi/v1/asset/tradeFee", 0, account.trade_fee),
        ("/sapi/v1/account/apiRestrictions", 0, account.restrictions),
        ("/sapi/v1/bnbBurn", 0, account.bnb_burn),
        ("/sapi/v1/capital/config/getall", 0, account.currencies),
        ("/sapi/v1/margin/allPairs", 0, account.no_margin),
        ("/sapi/v1/margin/isolated/allPairs", 0, account.no_margin),
    )
    return {
        ("GET", path): Route(where=Where.ACCOUNT, weight=_fixed(weight), answer=answer, is_signed=True)
        for path, weight, answer in table
    }
