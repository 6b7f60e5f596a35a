"""A market's rules, the account's fee tier and its name, as the exchange says them. What settings say must agree."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from attrs import evolve

from mm_fsm.core.instrument import BASIS_POINTS, Fees, Instrument
from mm_fsm.errors import SettingsError
from mm_fsm.venues.ccxt_venue.amounts import amount, entry, positive, text

DECIMAL_PLACES: Final = 2
TICK_SIZE: Final = 4
"""ccxt's precision modes; the third, significant digits, is no grid."""

LACKING_FOR_CONTRACTS: Final = (
    "the position that the exchange holds",
    "its margin and the distance to liquidation",
    "leverage and position mode",
    "funding payments",
    "orders that may only reduce",
)
"""What the live venue would have to bring, keep or send before it trades linear contracts."""
_UNSAID: Final = "Write another market, or ask the exchange for its rules."


def read_instrument(exchange: Any, symbol: str, *, must_trade: bool = True) -> Instrument:
    """The rules of a spot market; one that is closed is refused unless its orders are only to be taken out of it.

    Raises:
        SettingsError: there is no such market, it is no spot market, or it lacks a rule that orders need.
    """
    market = entry(getattr(exchange, "markets", None), symbol)
    if market is None:
        raise SettingsError(
            "strategy.symbol", f"a market of {exchange.id}", symbol, "Name it as ccxt does: BASE/QUOTE."
        )
    if not entry(market, "spot"):
        raise _contract_refused(symbol, market)
    if must_trade and entry(market, "active") is False:
        raise SettingsError("strategy.symbol", "a market that trades", symbol, "The exchange says that it is closed.")
    precision, limits = entry(market, "precision"), entry(market, "limits")
    return Instrument(
        symbol=symbol,
        base_currency=str(entry(market, "base")),
        quote_currency=str(entry(market, "quote")),
        tick_size=_step(exchange, entry(precision, "price"), symbol, "price"),
        lot_size=_step(exchange, entry(precision, "amount"), symbol, "amount"),
        minimum_quantity=_minimum(entry(limits, "amount")),
        minimum_notional=_minimum(entry(limits, "cost")),
        maximum_quantity=positive(entry(entry(limits, "amount"), "max")),
        maximum_notional=positive(entry(entry(limits, "cost"), "max")),
    )


def _contract_refused(symbol: str, market: Any) -> SettingsError:
    """Why a contract is not traded live: what of it would have no fact, and so could be lost without a word."""
    kind = text(entry(market, "type")) or "of no type that it names"
    if entry(market, "linear"):
        kind, remedy = f"linear {kind}", f"Live, {'; '.join(LACKING_FOR_CONTRACTS)} are not known yet. Use paper."
    else:
        remedy = "Inverse contracts, options and whatever settles in another currency are traded nowhere here."
    return SettingsError("strategy.symbol", "a spot market", f"{symbol} ({kind})", remedy)


def _step(exchange: Any, value: object, symbol: str, name: str) -> Decimal:
    mode = getattr(exchange, "precisionMode", None)
    if mode == TICK_SIZE:
        step = positive(value)
    elif mode == DECIMAL_PLACES:
        places = amount(value)
        step = None if places is None or places % 1 else Decimal(1).scaleb(-int(places))
    else:
        expected = "a fixed smallest step of prices and quantities"
        remedy = f"{exchange.id} counts significant digits instead, which is not supported: choose another exchange."
        raise SettingsError("venue.exchange", expected, f"precision mode {mode}", remedy)
    if step is None:
        raise SettingsError(f"{symbol} precision.{name}", "a positive step", value, _UNSAID)
    return step.normalize()


def _minimum(limit: Any) -> Decimal:
    """A minimum; 0 where the exchange has no such rule."""
    return positive(entry(limit, "min")) or Decimal(0)


async def read_fees(exchange: Any, symbol: str, written: Fees | None) -> Fees:
    """The account's fee tier in a market. ``market['maker']`` is a guess of ccxt's, and is not asked.

    Raises:
        SettingsError: the exchange does not say, or says something else than the settings.
    """
    has = exchange.has
    if has.get("fetchTradingFee"):
        said = await exchange.fetch_trading_fee(symbol)
    elif has.get("fetchTradingFees"):
        said = entry(await exchange.fetch_trading_fees(), symbol)
    elif written is not None:
        return written
    else:
        remedy = f"{exchange.id} has no such question: write [fees] with maker_bps and taker_bps of your tier."
        raise SettingsError("fees", "the account's fee tier", "nothing", remedy)
    maker, taker = amount(entry(said, "maker")), amount(entry(said, "taker"))
    if maker is None or taker is None:
        found = {"maker": entry(said, "maker"), "taker": entry(said, "taker")}
        raise SettingsError(
            f"{symbol} fees", "maker and taker fee of the account", found, "A missing fee is never zero."
        )
    fees = Fees(maker_bps=maker * BASIS_POINTS, taker_bps=taker * BASIS_POINTS)
    if written is not None and written != fees:
        _refuse("fees", symbol, _shown(written), _shown(fees), exchange.id)
    return fees


def agreed(exchange: Any, said: Instrument, written: Instrument | None) -> Instrument:
    """The rules, once it is sure that the settings do not say something else. A maximum may be known to one alone.

    Raises:
        SettingsError: they do; it names both.
    """
    names = ("base_currency", "quote_currency", "tick_size", "lot_size", "minimum_quantity", "minimum_notional", "kind")
    for name in names if written is not None else ():
        if getattr(written, name) != getattr(said, name):
            _refuse(f"instrument.{name}", said.symbol, getattr(written, name), getattr(said, name), exchange.id)
    for name in ("maximum_quantity", "maximum_notional") if written is not None else ():
        mine, theirs = getattr(written, name), getattr(said, name)
        if mine is not None and theirs is None:
            said = evolve(said, **{name: mine})
        elif mine not in {None, theirs}:
            _refuse(f"instrument.{name}", said.symbol, mine, theirs, exchange.id)
    return said


def _refuse(field: str, symbol: str, written: object, said: object, exchange: str) -> None:
    expected = f"{said}, which {exchange} says of {symbol}"
    raise SettingsError(field, expected, str(written), "Correct it, or leave it out: the exchange's word is taken.")


def _shown(fees: Fees) -> str:
    return f"maker {fees.maker_bps.normalize():f} and taker {fees.taker_bps.normalize():f} bps"


def account_name(exchange: Any, balance: Any, written: str | None) -> str:
    """Identity of the account: as written, or the exchange's own number for it; another one in a test environment.

    Journals and locks are found by it. Play money and real money may bear the same number, or the same written name.

    Raises:
        SettingsError: neither is there.
    """
    number = written or text(entry(entry(balance, "info"), "uid"))
    if number is None:
        remedy = f"{exchange.id} does not say it: write account = ... below [venue], the same for every key of it."
        raise SettingsError("venue.account", "a name for the account", "nothing", remedy)
    return f"{exchange.id}-{'sandbox-' if is_test_environment(exchange) else ''}{number}"


def is_test_environment(exchange: Any) -> bool:
    """Whether an exchange object talks to a sandbox or a demonstration account, whoever has switched it there."""
    options = getattr(exchange, "options", None)
    return bool(
        getattr(exchange, "isSandboxModeEnabled", False)
        or entry(options, "sandboxMode")
        or entry(options, "enableDemoTrading")
    )
