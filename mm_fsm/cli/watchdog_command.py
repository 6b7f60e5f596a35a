"""``watchdog``: watch a run from a second process, and take its orders out of the market when it falls silent."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from time import sleep, time
from typing import Final

from attrs import define, field

from mm_fsm.cli.consoles import print_message
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.log_format import log_to_standard_error
from mm_fsm.cli.unblocked_output import unblocked
from mm_fsm.core.clock import seconds as seconds_of
from mm_fsm.core.plurals import counted
from mm_fsm.errors import OptionError, OwnershipError, SettingsError
from mm_fsm.runtime.operations import OperationsDirectory, RescuedMarket, RunDescription, RunningMarket, is_alive
from mm_fsm.runtime.ownership import Holder, Ownership, last_holder
from mm_fsm.runtime.pushed_session import connections
from mm_fsm.runtime.settings_file import MarketConfiguration, read_settings
from mm_fsm.runtime.watchdog import MarketRescue, OrdersOfRun, Silence, SilenceWatch, journals_of, reach, rescue
from mm_fsm.runtime.watching_settings import AlertKind, AlertSettings
from mm_fsm.venues.port import PushedVenue
from mm_fsm.watching.bulletins import Bulletins

Connection = tuple[PushedVenue, Sequence[MarketConfiguration]]
"""A venue, not open yet, and the run's markets on it."""
_LOOK_SECONDS: Final = 0.5
_RUN: Final = "watchdog"
_UNCONFIRMED: Final = "ORDERS MAY STILL BE OPEN: look at the venue"


def run_watchdog(directory: Path, *, silence_seconds: float, most_seconds: float | None) -> int:
    """Watch a run until it ends in order, or rescue what it left; the exit status.

    A market that another live process makes is not touched: it is watched on, until that process is gone as well.

    Raises:
        SettingsError: no run has written to the directory, or its settings are no longer there.
    """
    with unblocked("stderr"):
        return _watch(directory, silence_seconds, most_seconds)


def _watch(directory: Path, silence_seconds: float, most_seconds: float | None) -> int:
    log_to_standard_error()
    operations = OperationsDirectory(directory)
    facts = operations.read()
    configurations = _configurations(facts)
    venues = connections(configurations)  # now: keys that are not there must not be found missing later
    names = ", ".join(each.symbol for each in facts.markets)
    print_message(f"watching {names} (process {facts.process}), silent at most {silence_seconds:g} s", style="dim")
    owning = _Owning(operations, facts.process, silence_seconds)
    watch = SilenceWatch(operations, silence_seconds)
    left, status = list(facts.markets), ExitCode.SUCCESS
    with ExitStack() as whole:
        bulletins = whole.enter_context(_bulletins(configurations[0].alerts))
        while left:
            if (silence := _silence(watch)) is None:
                print_message(f"the run of {names} has ended in order: nothing to do")
                break
            with ExitStack() as stack:
                owned = [market for market in left if owning.own(market, stack)]
                if not owned:
                    sleep(_LOOK_SECONDS)
                    continue
                words = f"{silence.reason}: cancelling what its journals say is ours"
                print_message(words, style="yellow")
                bulletins.tell(AlertKind.FAULT, f"mm-fsm: the run of {names} is gone", words)
                status = max(status, _rescue(operations, owned, venues, most_seconds, bulletins))
            left = [market for market in left if market not in owned]
            venues = connections(configurations) if left else []
    return status


def _bulletins(settings: AlertSettings) -> Bulletins:
    """Who is told; a watchdog whose alerts cannot be sent watches all the same."""
    try:
        return Bulletins.of(settings)
    except SettingsError as error:
        print_message(f"mm-fsm: {error} Nobody is told; the run is watched all the same.", style="red")
        return Bulletins(settings, ())


def _silence(watch: SilenceWatch) -> Silence | None:
    """Wait until the run falls silent, and say why it is taken for dead; None once it has ended in order."""
    while (silence := watch.look()) is None:
        if watch.operations.has_ended():
            return None
        sleep(_LOOK_SECONDS)
    return silence


@define
class _Owning:
    """Takes the locks of markets before their orders are cancelled, which keeps a restarted run away meanwhile.

    A process of the run that hangs still has its market, as has a watchdog that hangs: the orders go all the same. Any
    other live process that has it makes the market: its orders stay.
    """

    operations: OperationsDirectory
    process: int
    """The one that it set out to watch."""
    silence_seconds: float
    _told: set[tuple[str, int]] = field(factory=set, init=False)

    def own(self, market: RunningMarket, stack: ExitStack) -> bool:
        """Whether the market's orders may be cancelled; a free lock is held until ``stack`` ends."""
        directory = Path(market.journal).parent
        try:
            stack.enter_context(Ownership(directory, market.account, market.symbol, _RUN))
        except OwnershipError as error:
            holder = last_holder(directory, market.account, market.symbol)
            if holder is not None and self._is_made_by(holder):
                self._tell(market.symbol, holder.process)
                return False
            print_message(f"{error} Its orders are cancelled all the same; end that process.", style="yellow")
        return True

    def _is_made_by(self, holder: Holder) -> bool:
        is_here = holder.host == socket.gethostname()
        if holder.run == _RUN or (is_here and not is_alive(holder.process)):
            return False
        if is_here and holder.process in self._processes():
            silent = self.operations.silent_seconds()
            return silent is None or silent <= self.silence_seconds
        return True

    def _processes(self) -> set[int]:
        """Of the run that is watched, and of the one that is there now."""
        with suppress(SettingsError):  # somebody has removed the files
            return {self.process, self.operations.read().process}
        return {self.process}

    def _tell(self, symbol: str, process: int) -> None:
        if (symbol, process) not in self._told:
            self._told.add((symbol, process))
            print_message(f"{symbol}: process {process} makes it, and its orders stay; watching on", style="yellow")


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


def _rescue(
    operations: OperationsDirectory,
    markets: Sequence[RunningMarket],
    venues: Sequence[Connection],
    most_seconds: float | None,
    bulletins: Bulletins,
) -> ExitCode:
    """Cancel the orders of these markets, and say what became of each, also in the directory; the exit status."""
    orders, problems = journals_of([market.journal for market in markets if market.journal])
    for problem in problems:
        print_message(f"mm-fsm: {problem}", style="red")
    rescued = asyncio.run(_rescued(venues, orders, most_seconds))
    lines = [f"{each.orders.symbol}: {_book(each)}, {counted(each.cancels, 'cancel')} sent" for each in rescued]
    for line in lines:
        print_message(line)
    _keep(operations, rescued)
    is_empty = not problems and all(each.is_confirmed for each in rescued)
    kind, found = (AlertKind.FAULT, "every book is empty") if is_empty else (AlertKind.UNCONFIRMED_ORDERS, _UNCONFIRMED)
    bulletins.tell(kind, f"mm-fsm: after a run that is gone {found}", "\n".join([*problems, *lines]))
    return ExitCode.FAILURE if is_empty else ExitCode.BOOK_NOT_CONFIRMED


def _book(rescued: MarketRescue) -> str:
    return "book confirmed empty" if rescued.is_confirmed else "BOOK NOT CONFIRMED EMPTY"


def _keep(operations: OperationsDirectory, rescued: Sequence[MarketRescue]) -> None:
    now = time()
    try:
        run = operations.read().run
        operations.note_rescue(
            {
                each.orders.symbol: RescuedMarket(
                    run=run, at=now, is_confirmed_empty=each.is_confirmed, cancels=each.cancels
                )
                for each in rescued
            }
        )
    except (OSError, SettingsError) as error:
        print_message(f"{operations.directory}: what was found cannot be kept: {error}", style="yellow")


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
