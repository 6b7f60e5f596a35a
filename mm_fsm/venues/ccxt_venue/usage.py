"""Reads what exchanges tell of their request counters in the headers of each answer.

Sources: Binance spot REST API, "Limits" (used weight and order count by interval, and ``rateLimits`` of exchangeInfo,
counted in intervals of the exchange's clock); Bybit API v5, "Rate Limit Rules"; Gate API v4, "Rate Limit"; KuCoin REST
API, "Rate Limit". The headers of Bybit and Gate are about the address that was asked, KuCoin's about the whole pool.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import define, field, frozen
from loguru import logger

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND
from mm_fsm.venues.ccxt_venue.amounts import amount, entry
from mm_fsm.venues.ccxt_venue.by_exchange import ByExchange, ExchangeNames
from mm_fsm.venues.port import Counted, Usage

_UNIT_SECONDS: Final = {"S": 1, "M": 60, "H": 3_600, "D": 86_400}
_BINANCE: Final = re.compile(r"x-mbx-(used-weight|order-count)-(\d+)([smhd])")
_BINANCE_QUESTION_WEIGHT: Final = 20
"""Of own trades or balances; other questions cost less."""

_ASKED_AT: Final[ContextVar[int | None]] = ContextVar("asked_at", default=None)
"""When the request left that the running task awaits, nanoseconds of host time; None where it awaits none."""

HearUsage = Callable[[Usage], None]


@define(kw_only=True, eq=False)
class UsageReader:
    """Reads the headers of one exchange.

    Args:
        exchange: as ccxt names it.
        now: host time, nanoseconds.
    """

    exchange: str
    now: Callable[[], int]
    limits: dict[str, int] = field(init=False)
    """Of counters whose headers do not hold them, by type and interval such as ``ORDERS 10S``."""

    def __attrs_post_init__(self) -> None:
        self.limits = dict(self._counters.limits)

    @property
    def _counters(self) -> Counters:
        return _COUNTERS.get(self.exchange, _SAYS_NOTHING)

    def read(self, method: str, url: str, headers: Mapping[str, str], venue_time: int) -> Iterator[Usage]:
        """The counters that an answer tells. ``venue_time``: of the exchange, milliseconds."""
        lowered = {str(name).lower(): str(value) for name, value in headers.items()}
        yield from self._counters.read(self, method, urlsplit(url).path, lowered, venue_time)

    def unused(self, venue_time: int) -> Iterator[Usage]:
        """Counters of orders before any answer has told one: nothing used, as far as is known."""
        headers = self._counters.unused_headers(self)
        return self._counters.read(self, "", "", headers, venue_time)

    async def ask_limits(self, exchange: Any, symbol: str) -> None:
        """Ask an exchange for its limits. Where it does not say, those of its page stand."""
        await self._counters.ask_limits(self, exchange, symbol)

    def take_limits(self, rate_limits: Any) -> None:
        """Take the limits that exchangeInfo's ``rateLimits`` say."""
        for each in rate_limits or ():
            interval = f"{entry(each, 'intervalNum')}{str(entry(each, 'interval'))[:1]}"
            limit = amount(entry(each, "limit"))
            if limit is not None and limit >= 1:
                self.limits[f"{entry(each, 'rateLimitType')} {interval}"] = int(limit)

    def usage(self, name: str, used: int, limit: int, milliseconds_left: int, **more: Any) -> Usage:
        """A counter that begins anew in so many milliseconds."""
        now = self.now()
        until = now + max(milliseconds_left, 0) * NANOSECONDS_PER_MILLISECOND
        asked_at = _ASKED_AT.get()
        more["asked_at"] = now if asked_at is None else asked_at
        return Usage(name=name, used=used, limit=limit, read_at=now, until=until, **more)


Read = Callable[[UsageReader, str, str, Mapping[str, str], int], Iterator[Usage]]
"""Reads the headers, their names in small letters, of an answer to a method and path at a venue's time."""


def _has_no_headers(_reader: UsageReader) -> Mapping[str, str]:
    return {}


async def _has_nothing_to_ask(_reader: UsageReader, _exchange: Any, _symbol: str) -> None:
    """The headers hold the limits."""


@frozen(kw_only=True)
class Counters:
    """What one exchange tells of its counters, and where."""

    read: Read
    limits: Mapping[str, int] = field(factory=dict)
    """Where the headers do not hold them, and until the exchange has said them."""
    ask_limits: Callable[[UsageReader, Any, str], Awaitable[None]] = _has_nothing_to_ask
    """Ask for them, given an exchange object and a symbol."""
    unused_headers: Callable[[UsageReader], Mapping[str, str]] = _has_no_headers
    """What an answer would tell if no order had been sent yet."""


def _binance(reader: UsageReader, _method: str, _path: str, headers: Mapping[str, str], time: int) -> Iterator[Usage]:
    for header, value in headers.items():
        found = _BINANCE.fullmatch(header)
        used = _whole(value)
        if found is None or used is None:
            continue
        is_orders, interval = found[1] == "order-count", f"{found[2]}{found[3].upper()}"
        limit = reader.limits.get(f"{'ORDERS' if is_orders else 'REQUEST_WEIGHT'} {interval}")
        if limit is not None:
            length = int(found[2]) * _UNIT_SECONDS[found[3].upper()] * 1_000
            yield reader.usage(
                header.upper(),
                used,
                limit,
                length - time % length,
                interval=length * NANOSECONDS_PER_MILLISECOND,
                counts=Counted.ORDERS if is_orders else Counted.ALL,
                question_cost=_BINANCE_QUESTION_WEIGHT,
            )


def _by_address(limit_name: str, left_name: str, reset_name: str, milliseconds_a_unit: int, orders: str) -> Read:
    """Headers about the address that was asked: questions elsewhere hold no order back, and cancels nothing at all."""

    def read(reader: UsageReader, method: str, path: str, headers: Mapping[str, str], time: int) -> Iterator[Usage]:
        limit, left, begins = (_whole(headers.get(name)) for name in (limit_name, left_name, reset_name))
        is_cancel = method == "DELETE" or "cancel" in path
        if limit is None or left is None or begins is None or is_cancel:
            return
        is_order = method == "POST" and path.endswith(orders)
        counts = Counted.ORDERS if is_order else Counted.QUESTIONS
        name = f"{reader.exchange} {method} {path}"
        yield reader.usage(name, limit - left, limit, begins * milliseconds_a_unit - time, counts=counts)

    return read


def _kucoin(reader: UsageReader, _method: str, _path: str, headers: Mapping[str, str], _time: int) -> Iterator[Usage]:
    names = ("gw-ratelimit-limit", "gw-ratelimit-remaining", "gw-ratelimit-reset")
    limit, left, begins = (_whole(headers.get(name)) for name in names)
    if limit is not None and left is not None and begins is not None:
        yield reader.usage(f"gw-ratelimit of {limit}", limit - left, limit, begins, question_cost=3)


async def _ask_binance(reader: UsageReader, exchange: Any, symbol: str) -> None:
    said = await exchange.public_get_exchangeinfo({"symbol": exchange.market_id(symbol)})
    reader.take_limits(entry(said, "rateLimits"))


def _unused_at_binance(reader: UsageReader) -> Mapping[str, str]:
    kinds = [name.partition(" ") for name in reader.limits]
    return {f"x-mbx-order-count-{interval.lower()}": "0" for kind, _, interval in kinds if kind == "ORDERS"}


async def learn_limits(exchange: Any, reader: UsageReader, symbol: str, hear: HearUsage) -> None:
    """Ask an exchange for the limits of the counters that it tells, so that the very first orders keep them as well."""
    try:
        await reader.ask_limits(exchange, symbol)
    except Exception as error:  # noqa: BLE001 - whatever ccxt raises
        logger.bind(exchange=reader.exchange, error=type(error).__name__).warning("venue.limits_unknown")
    for usage in reader.unused(venue_time_of(exchange)):
        hear(usage)


def _whole(value: object) -> int | None:
    exact = amount(value)
    return None if exact is None or exact < 0 else int(exact)


_COUNTERS: Final = ByExchange(
    {
        "binance": Counters(
            read=_binance,
            limits={"REQUEST_WEIGHT 1M": 6_000, "ORDERS 10S": 100, "ORDERS 1D": 200_000},
            ask_limits=_ask_binance,
            unused_headers=_unused_at_binance,
        ),
        "binanceus": Counters(
            read=_binance,
            limits={"REQUEST_WEIGHT 1M": 1_200, "ORDERS 10S": 100, "ORDERS 1D": 200_000},
            ask_limits=_ask_binance,
            unused_headers=_unused_at_binance,
        ),
        "bybit": Counters(
            read=_by_address("x-bapi-limit", "x-bapi-limit-status", "x-bapi-limit-reset-timestamp", 1, "/order/create")
        ),
        "gate": Counters(
            read=_by_address(
                "x-gate-ratelimit-limit",
                "x-gate-ratelimit-requests-remain",
                "x-gate-ratelimit-reset-timestamp",
                1_000,
                "/spot/orders",
            )
        ),
        "kucoin": Counters(read=_kucoin),
    }
)
"""By exchange: everything that is known of its counters."""
_SAYS_NOTHING: Final = Counters(read=lambda *_: iter(()))
COUNTED: Final = ExchangeNames(_COUNTERS)
"""Exchanges that tell their request counters with each answer."""


def venue_time_of(exchange: Any) -> int:
    """The exchange's time, milliseconds, from below."""
    return int(exchange.milliseconds()) - int(entry(exchange.options, "timeDifference") or 0)


def listen_to_usage(exchange: Any, reader: UsageReader, hear: HearUsage) -> None:
    """Have every answer to an exchange object's requests read for counters, errors included."""
    fetch_as_ccxt, answered_as_ccxt = exchange.fetch, exchange.on_rest_response

    async def fetch(*request: Any, **named: Any) -> Any:
        before = _ASKED_AT.set(reader.now())
        try:
            return await fetch_as_ccxt(*request, **named)
        finally:
            _ASKED_AT.reset(before)

    def answered(code: Any, reason: Any, url: str, method: str, headers: Mapping[str, str], *rest: Any) -> Any:
        for usage in reader.read(method, url, headers, venue_time_of(exchange)):
            hear(usage)
        return answered_as_ccxt(code, reason, url, method, headers, *rest)

    exchange.fetch, exchange.on_rest_response = fetch, answered
