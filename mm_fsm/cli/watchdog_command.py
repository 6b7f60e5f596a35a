"""``watchdog``: watch a run from a second process, and take its orders out of the market when it falls silent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from time import sleep
from typing import Final

from mm_fsm.cli.consoles import print_message
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.log_format import log_to_standard_error
from mm_fsm.core.clock import seconds as seconds_of
from mm_fsm.errors import OptionError, OwnershipError, SettingsError
from mm_fsm.runtime.operations import OperationsDirectory, RunDescription
from mm_fsm.runtime.ownership import Ownership
from mm_fsm.runtime.pushed_session import connections
from mm_fsm.runtime.settings_file import MarketConfiguration, read_settings
from mm_fsm.runtime.watchdog import MarketRescue, OrdersOfRun, journals_of, reach, rescue, silence_of
from mm_fsm.venues.port import PushedVenue

Connection = tuple[PushedVenue, Sequence[MarketConfiguration]]
"""A venue, not open yet, and the run's markets on it."""
_LOOK_SECONDS: Final = 0.5
_RUN: Final = "watchdog"


def run_watchdog(directory: Path, *, silence_seconds: float, most_seconds: float | None) -> int:
    """Watch a run until it ends in order, or rescue what it left; the exit status.

    Raises:
        SettingsError: no run has written to the directory, or its settings are no longer there.
    """
    log_to_standard_error()
    operations = OperationsDirectory(directory)
    facts = operations.read()
    venues = connections(_configurations(facts))  # now: keys that are not there must not be found missing later
    names = ", ".join(each.symbol for each in facts.markets)
    print_message(f"watching {names} (process {facts.process}), silent at most {silence_seconds:g} s", style="dim")
    while (silence := silence_of(operations, silence_seconds)) is None:
        if operations.silent_seconds() is None:
            print_message(f"the run of {names} has ended in order: nothing to do")
            return ExitCode.SUCCESS
        sleep(_LOOK_SECONDS)
    print_message(f"{silence.reason}: cancelling what its journals say is ours", style="yellow")
    return _rescue(facts, venues, most_seconds)


def _configurations(facts: RunDescription) -> Sequence[MarketConfiguration]:
    """The settings of the run, read at once: they may be gone when they are needed.

    Raises:
        SettingsError: they are not there, or name other markets than the run.
    """
    if facts.settings is None:
        raise OptionError("DIR", "a run with settings of its own", "shipped presets", "On paper nothing is left.")
    configurations = read_settings(Path(facts.settings))
    wanted = {market.symbol for market in facts.markets}
    if {each.symbol for each in configurations} != wanted:
        found = ", ".join(each.symbol for each in configurations)
        raise SettingsError(facts.settings, ", ".join(sorted(wanted)), found, "Put the run's settings back.")
    return configurations


def _rescue(facts: RunDescription, venues: Sequence[Connection], most_seconds: float | None) -> int:
    orders, problems = journals_of([market.journal for market in facts.markets if market.journal])
    for problem in problems:
        print_message(f"mm-fsm: {problem}", style="red")
    with ExitStack() as stack:
        for market in facts.markets:
            _own(Path(market.journal).parent, market.account, market.symbol, stack)
        rescued = asyncio.run(_rescued(venues, orders, most_seconds))
    for each in rescued:
        book = "book confirmed empty" if each.is_confirmed else "BOOK NOT CONFIRMED EMPTY"
        print_message(f"{each.orders.symbol}: {book}, {each.cancels} cancels sent")
    if problems or not all(each.is_confirmed for each in rescued):
        return ExitCode.BOOK_NOT_CONFIRMED
    return ExitCode.FAILURE


def _own(directory: Path, account: str, symbol: str, stack: ExitStack) -> None:
    """Keep a restarted run away meanwhile. A process that hangs still has the market: its orders go all the same."""
    try:
        stack.enter_context(Ownership(directory, account, symbol, _RUN))
    except OwnershipError as error:
        print_message(f"{error} Its orders are cancelled all the same; end that process.", style="yellow")


async def _rescued(
    venues: Sequence[Connection], orders: Sequence[OrdersOfRun], most_seconds: float | None
) -> list[MarketRescue]:
    """Every connection at once: an exchange that is down keeps no other's orders in the market."""
    rescues = (_rescued_at(venue, markets, orders, most_seconds) for venue, markets in venues)
    found = await asyncio.gather(*rescues, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException):
            raise each
    return [rescue for each in found if not isinstance(each, BaseException) for rescue in each]


async def _rescued_at(
    venue: PushedVenue,
    markets: Sequence[MarketConfiguration],
    orders: Sequence[OrdersOfRun],
    most_seconds: float | None,
) -> list[MarketRescue]:
    symbols = {market.symbol for market in markets}
    mine = [each for each in orders if each.symbol in symbols]
    validity = max(market.strategy.validity_window_seconds for market in markets)
    began = venue.now()
    try:
        if not await reach(venue, on_failure=_say_unreachable, most_seconds=most_seconds):
            return [MarketRescue(each, venue, began) for each in mine]
        left = None if most_seconds is None else most_seconds - seconds_of(venue.now() - began)
        rescued = await rescue(venue, mine, validity_seconds=validity, most_seconds=left)
        await venue.drain(_LOOK_SECONDS)
        return rescued
    finally:
        await venue.close()


def _say_unreachable(problem: str, pause: float) -> None:
    print_message(f"the venue cannot be reached: {problem} Trying again in {pause:g} s", style="red")
