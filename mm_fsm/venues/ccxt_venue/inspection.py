"""Looks at an account through ccxt: permissions, balances, clock, open orders. Nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from mm_fsm.core.clock import NANOSECONDS_PER_MILLISECOND, seconds
from mm_fsm.core.instrument import Fees
from mm_fsm.core.messages import ReportedOrder
from mm_fsm.errors import VenueError
from mm_fsm.venues.ccxt_venue.account import Account
from mm_fsm.venues.ccxt_venue.amounts import amount, entry
from mm_fsm.venues.ccxt_venue.by_exchange import ByExchange
from mm_fsm.venues.ccxt_venue.looks import held
from mm_fsm.venues.ccxt_venue.own_orders import FOREIGN
from mm_fsm.venues.ccxt_venue.own_trade_lists import UnansweredError
from mm_fsm.venues.ccxt_venue.pages import page_of_open_orders
from mm_fsm.venues.ccxt_venue.payloads import is_wholly_read, read_orders
from mm_fsm.venues.inspection import AccountInspection, CurrencyBalance, InspectedMarket, Permissions


def _binance(answer: Any) -> Permissions:
    return Permissions(
        trade=_yes(entry(answer, "enableSpotAndMarginTrading")), withdraw=_yes(entry(answer, "enableWithdrawals"))
    )


def _okx(answer: Any) -> Permissions:
    data = entry(answer, "data")
    words = str(entry(data[0], "perm") or "") if isinstance(data, list) and data else ""
    if not words:
        return Permissions()
    return Permissions(trade="trade" in words.split(","), withdraw="withdraw" in words.split(","))


def _bybit(answer: Any) -> Permissions:
    groups = entry(entry(answer, "result"), "permissions")
    if not isinstance(groups, dict):
        return Permissions()
    spot, wallet = groups.get("Spot"), groups.get("Wallet")
    return Permissions(
        trade=bool(spot) if isinstance(spot, list) else None,
        withdraw="Withdraw" in wallet if isinstance(wallet, list) else None,
    )


def _yes(value: object) -> bool | None:
    """A truth value as exchanges write it; None when it is none."""
    words = {"true": True, "false": False}
    return value if isinstance(value, bool) else words.get(str(value).lower())


PERMISSION_ENDPOINTS: Final[ByExchange[tuple[str, Callable[[Any], Permissions]]]] = ByExchange(
    {
        "binance": ("sapi_get_account_apirestrictions", _binance),
        "okx": ("private_get_account_config", _okx),
        "bybit": ("private_get_v5_user_query_api", _bybit),
    }
)
"""Where an exchange says what a key may do, and how its answer is read. ccxt has no word for it of its own."""


async def permissions_of(account: Account) -> Permissions:
    """What the keys may do; not known where the exchange does not say, or not now."""
    if account.name not in PERMISSION_ENDPOINTS:
        return Permissions()
    method, read = PERMISSION_ENDPOINTS[account.name]
    try:
        return read(await getattr(account.exchange, method)())
    except Exception as error:  # noqa: BLE001 - whatever ccxt raises: then it is not known
        account.judge(error)
        return Permissions()


async def foreign_order_of(account: Account) -> str | None:
    """In which market an order rests that our markets did not send; None where none rests in the whole account.

    Raises:
        VenueError: the exchange does not answer, or its list may not be the whole one.
    """
    account.check_not_suspended()
    page = page_of_open_orders(account.exchange)
    unknown = f"{account.name}: its open orders are not known"
    try:
        answer = await account.exchange.fetch_open_orders(None, None, page.limit)
    except Exception as error:  # noqa: BLE001 - whatever ccxt raises
        account.judge(error)
        raise VenueError(f"{unknown}: {account.reason(error)}") from None
    found = read_orders(answer)
    if not is_wholly_read(answer, found) or page.may_go_on(answer):
        raise VenueError(f"{unknown}: the list may not be all of them")
    for seen in found:
        market = account.markets.get(seen.symbol or "")
        if market is None or account.orders.learn(market, seen) == FOREIGN:
            return seen.symbol or "a market that it does not name"
    return None


async def inspection_of(
    account: Account, name: str, fees: Mapping[str, Fees], strategies: Mapping[str, str]
) -> AccountInspection:
    """The account as it is now.

    Args:
        account: open.
        name: its identity.
        fees: what each market costs.
        strategies: the strategy's name of each market, with which our client order ids begin.

    Raises:
        VenueError: the exchange does not answer, or what it answers does not say it.
    """
    try:
        balance = await account.exchange.fetch_balance()
        orders = {symbol: await _open_orders(account, symbol) for symbol in account.markets}
        clock = await _clock_offset(account)
        currencies = {
            currency
            for market in account.markets.values()
            for currency in (market.instrument.base_currency, market.instrument.quote_currency)
        }
        balances = {
            currency: CurrencyBalance(total=held(balance, currency, "total"), free=held(balance, currency, "free"))
            for currency in sorted(currencies)
        }
    except Exception as error:  # noqa: BLE001 - whatever ccxt raises
        account.judge(error)
        problem = f"{account.name}: expected an account that can be looked at, found {account.reason(error)}."
        raise VenueError(f"{problem} Check the connection and what the keys may do.") from None
    return AccountInspection(
        account=name,
        permissions=await permissions_of(account),
        balances=balances,
        clock_offset_seconds=clock,
        markets={
            symbol: InspectedMarket(
                instrument=market.instrument,
                fees=fees[symbol],
                own_orders=tuple(each for each in orders[symbol][0] if each.is_of(strategies[symbol])),
                foreign_orders=tuple(each for each in orders[symbol][0] if not each.is_of(strategies[symbol])),
                undescribed_orders=orders[symbol][1],
            )
            for symbol, market in account.markets.items()
        },
    )


async def _open_orders(account: Account, symbol: str) -> tuple[list[ReportedOrder], int]:
    """A market's open orders that the exchange describes, and how many it does not.

    Raises:
        UnansweredError: one has no id, so that the list may be anything; or it may lack some.
    """
    page = page_of_open_orders(account.exchange)
    answer = await account.exchange.fetch_open_orders(symbol, None, page.limit)
    found = read_orders(answer)
    if not is_wholly_read(answer, found):
        raise UnansweredError("an open order without an id")
    if page.may_go_on(answer):
        raise UnansweredError(f"{len(found)} open orders of {symbol}, and there may be more")
    shown = [seen for seen in found if not seen.has_ended]
    described = [
        ReportedOrder(
            client_order_id=account.orders.learn(account.markets[symbol], seen),
            venue_order_id=seen.venue_order_id,
            side=seen.side,
            price=seen.price,
            quantity=seen.quantity,
            filled_quantity=seen.filled or Decimal(0),
        )
        for seen in shown
        if seen.side is not None and seen.price is not None and seen.quantity is not None
    ]
    return described, len(shown) - len(described)


async def _clock_offset(account: Account) -> float | None:
    """The exchange's clock less ours, halfway between question and answer; None where it has no such question."""
    if not entry(account.exchange.has, "fetchTime"):
        return None
    asked = account.clock.now()
    told = amount(await account.exchange.fetch_time())
    if told is None:
        return None
    return seconds(int(told * NANOSECONDS_PER_MILLISECOND) - (asked + account.clock.now()) // 2)
