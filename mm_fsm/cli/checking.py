"""``check``: settings are sound, and this is what they would quote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from attrs import frozen
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import MarketBook
from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.fitting_requests import why_ladder_does_not_fit
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import DroppedLevel, Hold, HoldReason, Quote, QuotePlan
from mm_fsm.core.instrument import BASIS_POINTS, Instrument
from mm_fsm.core.messages import BookLevel, Side
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import OptionError, SettingsError
from mm_fsm.report.exact import as_json
from mm_fsm.runtime.session import open_session
from mm_fsm.runtime.settings_file import MarketConfiguration, read_preset, read_settings
from mm_fsm.venues.paper import PaperAccount
from mm_fsm.venues.paper.kind import SIMULATED_EPOCH

_BOOKS_AFTER_WARM_UP: Final = 20
_LOTS_DISPLAYED: Final = 1_000_000


@frozen(kw_only=True)
class CheckedMarket:
    """What one market's settings come to at a reference price; without a plan, ``problem`` says why."""

    configuration: MarketConfiguration
    account: PaperAccount
    price: Decimal
    context: MarketMakingContext
    plan: QuotePlan | None
    problem: str

    @property
    def break_even_spread_bps(self) -> float:
        """Two maker fees and the minimum edge."""
        return self.configuration.strategy.spread_floor_bps(self.account.fees)

    @property
    def holds(self) -> dict[Side, Hold]:
        """Sides that would not be quoted at all, and why."""
        if self.plan is None:
            return {}
        return {side: hold for side in Side if (hold := self.plan.hold(side)) is not None}

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """Every level that survives, highest price first."""
        return () if self.plan is None else (*reversed(self.plan.asks), *self.plan.bids)

    @property
    def dropped(self) -> tuple[DroppedLevel, ...]:
        """Every level that does not survive, and why."""
        return () if self.plan is None else self.plan.dropped

    def distance_bps(self, quote: Quote) -> float:
        """From the reference price, negative below it."""
        return float((quote.price - self.price) / self.price * BASIS_POINTS)

    def notional(self, quote: Quote) -> Decimal:
        """Quote currency."""
        return self.account.instrument.notional(quote.price, quote.quantity)


def run_check(settings: Path | None, *, preset: str | None, price: str | None, as_json: bool) -> int:
    """Check every market and print what it would quote; the exit status.

    Raises:
        MarketMakerError: the settings are refused.
    """
    if (settings is None) is (preset is None):
        found = "neither" if settings is None else "both"
        raise OptionError("SETTINGS", "a settings file or --preset NAME", found, "Give one of the two.")
    markets = read_settings(settings) if settings is not None else (read_preset(preset or ""),)
    checked = [_check(market, _reference_price(market, price)) for market in markets]
    console = result_console()
    if as_json:
        console.out(json.dumps({"symbols": [_entry(market) for market in checked]}, indent=2), highlight=False)
    else:
        for market in checked:
            _print(console, market)
    silent = [market for market in checked if not market.quotes]
    for market in silent:
        why = ": as above" if market.dropped and not as_json else f": {market.problem}"
        print_message(f"mm-fsm: {market.configuration.symbol} would quote nothing{why}", style="red")
    return ExitCode.FAILURE if silent else ExitCode.SUCCESS


def _reference_price(market: MarketConfiguration, price: str | None) -> Decimal:
    if price is not None:
        try:
            value = Decimal(price)
        except InvalidOperation:
            value = Decimal("nan")
        if value.is_finite() and value > 0:
            return value
        raise OptionError("--price", "a positive number", price, "Write it in digits, such as 2500.")
    known = market.venue.reference_price
    if known is None:
        remedy = "Give --price PRICE; on paper, simulator.start_price is taken without it."
        raise OptionError("--price", "a reference price", "none", remedy)
    return known


def _check(configuration: MarketConfiguration, price: Decimal) -> CheckedMarket:
    """Let the machine itself price its quotes, in a market that stands still one tick on each side of the price."""
    account = _account(configuration)
    session = open_session(configuration, account.on(_calm_market(account.instrument, configuration.strategy, price)))
    machine = session.machine
    problem = ""
    for result in session.runner.run():
        problem = "; ".join(fault.reason for fault in result.faults) or problem
        if machine.context.plan is not None or machine.context.is_stopping:
            break
    plan, context = machine.context.plan, machine.context
    if not problem:
        held = {side: plan.hold(side) if plan is not None else context.sides[side].status for side in Side}
        problem = "; ".join(f"{side} {hold.reason}, {hold.detail}" for side, hold in held.items() if hold is not None)
    return CheckedMarket(
        configuration=configuration, account=account, price=price, context=context, plan=plan, problem=problem
    )


def _account(configuration: MarketConfiguration) -> PaperAccount:
    """Rules and fees as the settings have them: whatever the venue is, nobody asks it here."""
    if isinstance(configuration.venue, PaperAccount):
        return configuration.venue
    instrument, fees = configuration.instrument, configuration.fees
    if instrument is None or fees is None:
        missing = "instrument" if instrument is None else "fees"
        remedy = "Write it as the venue has it, to see quotes without a connection."
        raise SettingsError(missing, f"a table [{missing}]", "nothing", remedy)
    return PaperAccount(instrument=instrument, fees=fees, balances=configuration.balances)


def _calm_market(instrument: Instrument, strategy: MarketMakingSettings, price: Decimal) -> Iterator[MarketBook]:
    step = min(strategy.volatility_sample_seconds, strategy.stale_data_seconds / 2)
    warm_up = strategy.warm_up_samples * strategy.volatility_sample_seconds
    bid, ask = _best_prices(instrument, price)
    size = instrument.lot_size * _LOTS_DISPLAYED
    for number in range(int(warm_up / step) + _BOOKS_AFTER_WARM_UP):
        time = SIMULATED_EPOCH + nanoseconds(number * step)
        yield MarketBook(
            received_at=time,
            symbol=instrument.symbol,
            bids=(BookLevel(bid, size),),
            asks=(BookLevel(ask, size),),
            exchange_time=time,
        )


def _best_prices(instrument: Instrument, price: Decimal) -> tuple[Decimal, Decimal]:
    bid, ask = instrument.floor_price(price), instrument.ceil_price(price)
    if bid == ask:
        bid, ask = bid - instrument.tick_size, ask + instrument.tick_size
    if bid <= 0:
        raise OptionError("--price", f"more than a tick of {instrument.tick_size}", str(price), "Correct the price.")
    return bid, ask


def _entry(market: CheckedMarket) -> dict[str, Any]:
    configuration, plan = market.configuration, market.plan
    entry: dict[str, Any] = as_json(
        {
            "symbol": configuration.symbol,
            "preset": configuration.preset,
            "reference_price": market.price,
            "break_even_spread_bps": market.break_even_spread_bps,
            "spread_bps": {"bid": plan.bid_spread_bps, "ask": plan.ask_spread_bps} if plan is not None else None,
            "position_limit": market.context.position_limit,
            "levels": [
                {
                    "side": quote.side,
                    "level": quote.level,
                    "price": quote.price,
                    "quantity": quote.quantity,
                    "notional": market.notional(quote),
                    "distance_bps": market.distance_bps(quote),
                }
                for quote in market.quotes
            ],
            "dropped": [
                {"side": lost.side, "level": lost.level, "reason": lost.hold.reason, "detail": lost.hold.detail}
                for lost in market.dropped
            ],
            "held": [
                {"side": side, "reason": hold.reason, "detail": hold.detail} for side, hold in market.holds.items()
            ],
            "requests": why_ladder_does_not_fit(configuration.strategy),
            "problem": market.problem,
        }
    )
    return entry


def _print(console: Console, market: CheckedMarket) -> None:
    configuration, plan, instrument = market.configuration, market.plan, market.account.instrument
    title = Text(configuration.symbol, style="bold")
    console.print(title.append(f" at {market.price:f}, market still and a tick wide on each side", style="default"))
    fees, edge = market.account.fees, configuration.strategy.min_edge_bps
    console.print(
        f"break-even spread  {market.break_even_spread_bps:g} bps = 2 x {fees.maker_bps:f} maker fee + {edge:g} edge"
    )
    if plan is not None:
        spreads = f"{plan.bid_spread_bps:g} bps for bids, {plan.ask_spread_bps:g} bps for asks"
        console.print(f"quoted spread      {spreads}{_raised_from(market, plan)}")
    limit, value = market.context.position_limit, market.context.position_limit * market.price
    console.print(
        f"position limit     {limit:.6g} {instrument.base_currency} either way from the target, "
        f"{value:,.2f} {instrument.quote_currency}"
    )
    console.print(_level_table(market))
    for side, hold in market.holds.items():
        if any(lost.side is side and lost.hold == hold for lost in market.dropped):
            continue  # each level says it
        detail = f": {hold.detail}" if hold.detail else ""
        console.print(Text(f"held: {side}, {hold.reason}{detail}", style="yellow"))
    warning = why_ladder_does_not_fit(configuration.strategy)
    if warning:
        console.print(Text(f"requests: {warning}", style="yellow"))
    for lost in market.dropped:
        detail = lost.hold.detail.removeprefix(f"level {lost.level}: ")
        detail += _needed(market, lost)
        console.print(Text(f"dropped: {lost.side} level {lost.level}, {lost.hold.reason}: {detail}", style="yellow"))
    console.print()


def _needed(market: CheckedMarket, lost: DroppedLevel) -> str:
    """Of a level that is too small, the smallest order that the venue takes; empty of any other."""
    if lost.hold.reason is not HoldReason.BELOW_MINIMUM:
        return ""
    instrument, price = market.account.instrument, market.price
    smallest = instrument.smallest_quantity(price)
    base, quote = instrument.base_currency, instrument.quote_currency
    size, worth = market.configuration.strategy.base_order_size, instrument.notional(price, smallest)
    wanted = f" {size:f} {quote} is {float(size / price):.2g} {base};" if not lost.level else ""
    least = f"{float(instrument.base_quantity(smallest)):g} {base}, about {float(worth):,.4g} {quote}"
    return f":{wanted} the smallest order is {least}"


def _raised_from(market: CheckedMarket, plan: QuotePlan) -> str:
    """From which ``target_spread_bps`` the narrower side was raised; empty where it was not."""
    strategy = market.configuration.strategy
    lowest = max(strategy.min_spread_bps, market.break_even_spread_bps)
    is_at_lowest = min(plan.bid_spread_bps, plan.ask_spread_bps) == lowest
    is_raised = is_at_lowest and (plan.bid_was_clamped or plan.ask_was_clamped) and strategy.target_spread_bps < lowest
    return f", raised from {strategy.target_spread_bps:g}" if is_raised else ""


def _level_table(market: CheckedMarket) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for header in ("side", "level"):
        table.add_column(header)
    for header in ("price", "quantity", "notional", "bps from mid"):
        table.add_column(header, justify="right")
    for quote in market.quotes:
        table.add_row(
            Text(quote.side.value, style="red" if quote.side is Side.ASK else "green"),
            str(quote.level),
            f"{quote.price:f}",
            f"{quote.quantity:f}",
            f"{market.notional(quote):,.2f}",
            f"{market.distance_bps(quote):+.2f}",
        )
    return table
