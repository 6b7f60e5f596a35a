"""Has exchanges refuse a placement that reaches them too late, where they have a word for it.

Binance, Bybit, MEXC and BingX have a receive window, which the exchange object is configured with. The others are told
a time, and the request is told it as it is signed: ccxt may let it wait before.

Sources: OKX API v5, "Transaction Timeouts" (header ``expTime``); Gate API v4, spot orders (header ``x-gate-exptime``);
Kraken REST API, AddOrder (parameter ``deadline``, 2 to 60 seconds ahead).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from attrs import frozen

from mm_fsm.venues.ccxt_venue.by_exchange import ByExchange


@frozen(kw_only=True)
class Deadline:
    """Where a request says until when it may be carried out."""

    paths: frozenset[str]
    """Of requests that place orders, as ccxt names them."""
    header: str | None = None
    """Milliseconds since 1970."""
    parameter: str | None = None
    """RFC 3339."""


DEADLINES: Final = ByExchange(
    {
        "okx": Deadline(paths=frozenset({"trade/order", "trade/batch-orders"}), header="expTime"),
        "gate": Deadline(paths=frozenset({"orders", "batch_orders"}), header="x-gate-exptime"),
        "kraken": Deadline(paths=frozenset({"AddOrder"}), parameter="deadline"),
    }
)


def refuse_late_orders(exchange: Any, milliseconds: int) -> None:
    """Let each placement of an exchange object bear the time ``milliseconds`` after its signing.

    The time is that of the exchange's clock. Changes nothing where the exchange knows no such time.
    """
    deadline = DEADLINES.get(exchange.id)
    if deadline is None:
        return
    sign_as_ccxt = exchange.sign

    def sign(path: str, api: Any = "public", method: str = "GET", params: Any = None, *rest: Any) -> Any:
        params = {} if params is None else params
        if method != "POST" or path not in deadline.paths:
            return sign_as_ccxt(path, api, method, params, *rest)
        until = exchange.milliseconds() - (exchange.options.get("timeDifference") or 0) + milliseconds
        if deadline.parameter is not None:
            params = {**params, deadline.parameter: _rfc_3339(until)}
        signed = sign_as_ccxt(path, api, method, params, *rest)
        if deadline.header is not None:
            signed["headers"] = {**(signed["headers"] or {}), deadline.header: str(until)}
        return signed

    exchange.sign = sign


def _rfc_3339(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
