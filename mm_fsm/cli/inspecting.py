"""``check --venue``: the account as the venue sees it, before anything is traded on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from attrs import asdict
from rich.console import Console
from rich.table import Table

from mm_fsm.books.exact import EXACT
from mm_fsm.cli.consoles import print_message, result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.log_format import log_to_standard_error
from mm_fsm.core.instrument import Instrument
from mm_fsm.core.plurals import counted
from mm_fsm.errors import SettingsError, VenueError
from mm_fsm.runtime.account.shared_account import check_permissions
from mm_fsm.runtime.pushed_session import connections
from mm_fsm.runtime.settings_file import MarketConfiguration, read_settings
from mm_fsm.venues.inspection import AccountInspection, InspectedVenue

_WORST_CLOCK_SECONDS = 1.0
Inspected = tuple[AccountInspection, Sequence[MarketConfiguration]]


def run_inspection(settings: Path | None, *, as_json: bool) -> int:
    """Look at every account of the settings and print it; the exit status.

    Raises:
        SettingsError: the settings are refused, or name a kind of venue that cannot be looked at.
        VenueError: a venue cannot be reached.
    """
    if settings is None:
        raise SettingsError("SETTINGS", "a settings file", "nothing", "A preset is for paper; name your settings.")
    log_to_standard_error()
    found = asyncio.run(_inspected(read_settings(settings)))
    console = result_console()
    if as_json:
        entries = [{**asdict(each), "at_risk": _risks(each, markets)} for each, markets in found]
        console.out(json.dumps({"accounts": entries}, indent=2, default=str), highlight=False)
    else:
        for each, markets in found:
            _print(console, each, markets)
    problems = [problem for each, markets in found for problem in _problems(each, markets)]
    for problem in problems:
        print_message(f"mm-fsm: {problem}", style="red")
    return ExitCode.FAILURE if problems else ExitCode.SUCCESS


async def _inspected(configurations: Sequence[MarketConfiguration]) -> list[Inspected]:
    found: list[Inspected] = []
    for venue, markets in connections(configurations):
        try:
            await venue.open()
            if not isinstance(venue, InspectedVenue):
                raise VenueError(
                    f"venue.kind {markets[0].venue_kind!r}: expected one that can be looked at. Update it."
                )
            found.append((await venue.inspect(), markets))
        finally:
            await venue.close()
    return found


def _problems(found: AccountInspection, markets: Sequence[MarketConfiguration]) -> list[str]:
    """What a run would be refused for, or should be."""
    problems = []
    try:
        check_permissions(found.permissions, markets[0].account)
    except SettingsError as error:
        problems.append(str(error))
    offset = found.clock_offset_seconds
    if offset is not None and abs(offset) > _WORST_CLOCK_SECONDS:
        problems.append(
            f"clock: expected at most {_WORST_CLOCK_SECONDS:g} s apart, found {offset:+.1f} s. Set the clock."
        )
    for currency, wanted in _wanted(found, markets).items():
        total = found.balances[currency].total
        if wanted > total:
            problems.append(
                f"balances: expected {_text(wanted)} {currency} as the markets together may use, "
                f"found {_text(total)}. Write less below [balances]."
            )
    return problems


def _wanted(found: AccountInspection, markets: Sequence[MarketConfiguration]) -> dict[str, Decimal]:
    """What settings let all markets together use, by currency."""
    wanted: dict[str, Decimal] = {}
    for market in markets:
        instrument = found.markets[market.symbol].instrument
        for currency, part in (
            (instrument.base_currency, market.balances.base),
            (instrument.quote_currency, market.balances.quote),
        ):
            wanted[currency] = wanted.get(currency, Decimal(0)) + part
    return wanted


def _risks(found: AccountInspection, markets: Sequence[MarketConfiguration]) -> list[str]:
    """What these settings put at risk, in words."""
    risks = []
    for market in markets:
        strategy, quote = market.strategy, found.markets[market.symbol].instrument.quote_currency
        risks.append(
            f"{market.symbol}: quotes up to {_text(strategy.max_quote_exposure)} {quote} off target; "
            f"stops after losing {_text(strategy.max_drawdown)} {quote} from its peak"
        )
    account = markets[0].account
    for name, limit in (("exposure", account.max_exposure), ("loss", account.max_loss)):
        risks.append(
            f"all markets together: {name} {'without a limit' if limit is None else f'at most {_text(limit)}'}"
        )
    return risks


def _print(console: Console, found: AccountInspection, markets: Sequence[MarketConfiguration]) -> None:
    console.print(f"account {found.account}", style="bold")
    table = Table(show_header=False, box=None)
    table.add_row("may trade", _known(found.permissions.trade))
    table.add_row("may withdraw", _known(found.permissions.withdraw))
    offset = found.clock_offset_seconds
    table.add_row("venue's clock less ours", "not known" if offset is None else f"{offset:+.3f} s")
    for currency, balance in found.balances.items():
        table.add_row(currency, f"{_text(balance.total)}, {_text(balance.free)} of it free")
    for symbol, market in found.markets.items():
        rules, fees = market.instrument, market.fees
        table.add_row(
            symbol,
            f"tick {_text(rules.tick_size)}, lot {_text(rules.lot_size)}, at least {_text(rules.minimum_quantity)} and "
            f"{_text(rules.minimum_notional)} {rules.quote_currency}, {_most(rules)}; "
            f"maker {_text(fees.maker_bps)} bps, taker {_text(fees.taker_bps)} bps",
        )
        undescribed = f", {market.undescribed_orders} that it does not describe" if market.undescribed_orders else ""
        orders = f"{counted(len(market.own_orders), 'open order')} of ours, {len(market.foreign_orders):,} of others"
        table.add_row("", f"{orders}{undescribed}")
    for risk in _risks(found, markets):
        table.add_row("at risk", risk)
    console.print(table)


def _most(rules: Instrument) -> str:
    """The largest order that the venue takes, in words."""
    bounds = ((rules.maximum_quantity, ""), (rules.maximum_notional, f" {rules.quote_currency}"))
    known = [f"{_text(bound)}{unit}" for bound, unit in bounds if bound is not None]
    return f"at most {' and '.join(known)}" if known else "its largest order not known"


def _known(value: bool | None) -> str:  # noqa: FBT001 - what is shown
    return "not known" if value is None else "yes" if value else "no"


def _text(value: Decimal) -> str:
    return f"{EXACT.normalize(value):f}"
