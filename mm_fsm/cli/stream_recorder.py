"""``record``: an exchange's public streams to files that ``backtest`` reads."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from attrs import define, field, frozen

from mm_fsm.books.facts import MarketBook, MarketTrade
from mm_fsm.cli.consoles import print_message
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.log_format import log_to_standard_error
from mm_fsm.cli.unblocked_output import unblocked
from mm_fsm.venues.ccxt_venue.library import maker_of
from mm_fsm.venues.ccxt_venue.market_data import MarketData
from mm_fsm.venues.recorded.layout import RecordingInfo
from mm_fsm.venues.recorded.writing import check_form, stamp_of, write_recording
from mm_fsm.venues.wall_clock import WallClock

LEVELS: Final = 25
_LOOK_SECONDS: Final = 0.2

Event = MarketBook | MarketTrade


@frozen(kw_only=True)
class RecordOptions:
    """What to record, and where to."""

    exchange: str
    symbols: Sequence[str]
    factory: str | None
    form: str
    out: Path
    seconds: float | None
    file_seconds: float
    """After which new files are begun: a computer that dies loses one stretch at most."""


@define(eq=False)
class Stretch:
    """The files of one stretch of time, each market's written by a thread."""

    options: RecordOptions
    threads: ThreadPoolExecutor
    directory: Path
    queues: dict[str, SimpleQueue[Event | None]] = field(factory=dict, init=False)
    files: dict[str, Future[list[Path]]] = field(factory=dict, init=False)
    events: int = field(default=0, init=False)

    def take(self, event: Event) -> None:
        """Write one event; the market's first one begins its file."""
        queue = self.queues.get(event.symbol)
        if queue is None:
            queue = self.queues[event.symbol] = SimpleQueue()
            name = "".join(each for each in event.symbol if each.isalnum())
            info = RecordingInfo(exchange=self.options.exchange, symbol=name, first_time=stamp_of(event))
            self.files[event.symbol] = self.threads.submit(
                write_recording, iter(queue.get, None), info, self.options.form, self.directory
            )
        queue.put(event)
        self.events += 1

    def check(self) -> None:
        """Notice a file that cannot be written.

        Raises:
            SettingsError: a library or the directory is missing.
        """
        for each in self.files.values():
            if each.done():
                each.result()

    def end(self) -> None:
        """No event follows: no thread waits for one any longer."""
        for queue in self.queues.values():
            queue.put(None)

    def finish(self) -> list[Path]:
        """Give every file its name.

        Raises:
            SettingsError: one could not be written.
        """
        self.end()
        return [path for each in self.files.values() for path in each.result()]


def run_record(options: RecordOptions) -> int:
    """Record until the time is over or a signal comes; the exit status.

    Raises:
        SettingsError: the exchange, a market, a place to write to or a library for the format is not there.
        VenueError: the exchange cannot be reached.
    """
    check_form(options.form)  # not after the first minute, which would be lost
    log_to_standard_error()
    with unblocked("stderr"), ThreadPoolExecutor(max(len(options.symbols), 1)) as threads:
        written = asyncio.run(_record(options, threads))
    for path, count in written.items():
        print_message(f"{path}: {count}")
    return ExitCode.SUCCESS if written else ExitCode.FAILURE


async def _record(options: RecordOptions, threads: ThreadPoolExecutor) -> Mapping[str, str]:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    make = maker_of(options.exchange, options.factory, "EXCHANGE", "--factory")
    data = MarketData(options.exchange, make, dict.fromkeys(options.symbols, LEVELS), WallClock())
    written: dict[str, str] = {}
    end = float("inf") if options.seconds is None else loop.time() + options.seconds
    current = [_begun(options, threads)]

    def take(event: Event) -> None:
        current[-1].take(event)

    try:
        await data.open(take)
        print_message(f"recording {', '.join(options.symbols)} of {options.exchange}; Ctrl-C ends it", style="dim")
        is_over = False
        while not is_over:
            await _until(ended, current[-1], min(options.file_seconds, end - loop.time()))
            is_over = ended.is_set() or loop.time() >= end
            if is_over:
                await data.close()
            current.append(_begun(options, threads))
            written.update(await asyncio.to_thread(_kept, current.pop(0)))
    finally:
        for stretch in current:  # also where one file could not be written: the others' threads must end
            stretch.end()
        await data.close()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    return written


def _begun(options: RecordOptions, threads: ThreadPoolExecutor) -> Stretch:
    """Files of a stretch that begins now, in a directory of its own."""
    name = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    return Stretch(options, threads, options.out / name)


async def _until(ended: asyncio.Event, stretch: Stretch, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not ended.is_set() and loop.time() < until:
        stretch.check()
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), min(_LOOK_SECONDS, max(until - loop.time(), 0)))


def _kept(stretch: Stretch) -> dict[str, str]:
    return {str(path): f"of {stretch.events} events" for path in stretch.finish()}
