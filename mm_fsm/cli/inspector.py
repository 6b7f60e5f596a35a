"""``inspect``: a page that steps through a run, written to a file, or served where it would be large."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any, Final

from attrs import frozen

from mm_fsm.cli.asked_for import port_asked_for
from mm_fsm.cli.consoles import result_console
from mm_fsm.cli.exit_codes import ExitCode
from mm_fsm.cli.late_files import require_writable
from mm_fsm.cli.library_output import library_output_hidden
from mm_fsm.cli.long_work import long_work
from mm_fsm.cli.run_journals import journals_by_symbol, say_whose_steps, strategy_of
from mm_fsm.cli.user_code import find_modules_here, load_strategy
from mm_fsm.core.plurals import counted
from mm_fsm.errors import FileError, JournalError, OptionError
from mm_fsm.report.inspection.comparison import first_differences
from mm_fsm.report.inspection.page import MOST_BYTES, InspectedMarket, inspection_page, size_of
from mm_fsm.report.inspection.served import inspection_routes
from mm_fsm.report.inspection.steps import Version
from mm_fsm.report.inspection.track import Track, read_track
from mm_fsm.report.run_places import STEPS_PAGE
from mm_fsm.runtime.journal import JournalReader
from mm_fsm.runtime.loopback_server import LoopbackServer

"""The page's name in a run's directory."""
_MEGABYTE: Final = 1_000_000


@frozen(kw_only=True)
class InspectOptions:
    """What the command line says."""

    symbol: str | None = None
    against: Path | None = None
    machine: str | None = None
    settings: Path | None = None
    out: Path | None = None
    serves: bool = False
    port: int = 0
    as_json: bool = False
    quiet: bool = False


def run_inspector(run: Path, options: InspectOptions, *, until: Callable[[], object] = lambda: Event().wait()) -> int:
    """Write or serve the page of a run; the exit status.

    Args:
        run: its directory, or a journal.
        options: what the command line says.
        until: returns, or raises ``KeyboardInterrupt``, when the page is to be served no more.

    Raises:
        JournalError: a file is no sound journal, or there is nothing to show.
        OptionError: options contradict each other, or name what is not there.
        FileError: the page cannot be written.
    """
    find_modules_here()  # a machine that wrote a journal may be one of them
    if options.against is not None and (options.machine is not None or options.settings is not None):
        found = "--machine or --settings beside it"
        raise OptionError("--against", "two journals, or one under two versions", found, "Leave out one of them.")
    if options.out is not None and not options.serves:
        require_writable("--out", options.out)
    markets = _inspected(run, options)
    title = f"Inspector: {run.resolve().name if run.is_dir() else run.name}"
    if options.serves or (options.out is None and size_of(markets) > MOST_BYTES):
        return _serve(markets, title, options, until)
    place = options.out or (run if run.is_dir() else run.parent) / STEPS_PAGE
    with library_output_hidden():
        page = inspection_page(markets, title=title)
    try:
        place.write_text(page, encoding="utf-8")
    except OSError as error:
        remedy = "Name another file with --out."
        raise FileError(str(place), "a file to write", error.strerror or str(error), remedy) from error
    _print(markets, {"page": str(place), "bytes": len(page.encode())}, as_json=options.as_json)
    return ExitCode.SUCCESS


def _serve(markets: Sequence[InspectedMarket], title: str, options: InspectOptions, until: Callable[[], object]) -> int:
    with library_output_hidden():
        page = inspection_page(markets, title=title, is_served=True)
    with port_asked_for("--port"), LoopbackServer(inspection_routes(page, markets), options.port) as server:
        _print(markets, {"address": server.address}, as_json=options.as_json)
        with suppress(KeyboardInterrupt):  # what ends it
            until()
    return ExitCode.SUCCESS


def _inspected(run: Path, options: InspectOptions) -> list[InspectedMarket]:
    by_symbol = journals_by_symbol(run, options.symbol)
    say_whose_steps(run, by_symbol)
    others = {} if options.against is None else journals_by_symbol(options.against, options.symbol)
    missing = [symbol for symbol in by_symbol if options.against is not None and symbol not in others]
    if missing:
        raise OptionError(
            "--against", f"a run with {missing[0]}", ", ".join(others) or "none", "Name one with --symbol."
        )
    markets = []
    for symbol, path in by_symbol.items():
        track = _track(path, Version(), options)
        if not track.windows:
            continue
        if options.against is not None:
            other, is_one = _track(others[symbol], Version(), options), False
        elif options.machine is not None or options.settings is not None:
            other, is_one = _track(path, _version(symbol, options), options), True
        else:
            markets.append(InspectedMarket((track,)))
            continue
        differences = first_differences(track, other, is_one_journal=is_one)
        markets.append(InspectedMarket((track, other), differences, is_one))
    if not markets:
        raise JournalError(str(run), "expected at least one step on record, found none.", "Name a run that has begun.")
    return markets


def _version(symbol: str, options: InspectOptions) -> Version:
    return Version(
        machine_class=None if options.machine is None else load_strategy(options.machine),
        settings=None if options.settings is None else strategy_of(symbol, options.settings),
    )


def _track(path: Path, version: Version, options: InspectOptions) -> Track:
    with JournalReader(path) as reader, long_work("inspect", str(path), quiet=options.quiet) as tell:
        last = max(reader.last_sequence, 1)
        return read_track(reader, version, on_progress=lambda sequence: tell(sequence / last))


def _print(markets: Sequence[InspectedMarket], where: dict[str, Any], *, as_json: bool) -> None:
    console = result_console()
    if as_json:
        console.out(json.dumps({**where, "markets": [_entry(market) for market in markets]}, indent=2), highlight=False)
        return
    lines = [_sentence(market) for market in markets]
    if "address" in where:
        lines.append(f"open {where['address']} in a browser on this machine; Ctrl-C ends it")
    else:
        lines.append(f"{where['page']}: {where['bytes'] / _MEGABYTE:.1f} MB, everything is in it")
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


def _entry(market: InspectedMarket) -> dict[str, Any]:
    track = market.tracks[0]
    return {
        "symbol": track.symbol,
        "steps": len(track.decisions),
        "not_known": [segment.note for segment in track.segments if segment.note],
        "compared": len(market.tracks) > 1,
        "segments_not_compared": list(market.segments_not_compared),
        "first_differences": [
            {"segment": difference.segment, "step": difference.sequence} for difference in market.differences
        ],
    }


def _sentence(market: InspectedMarket) -> str:
    track = market.tracks[0]
    text = f"{track.symbol}: {counted(len(track.decisions), 'step')}"
    if len(market.tracks) > 1:
        steps = ", ".join(str(difference.sequence) for difference in market.differences)
        left_out = market.segments_not_compared
        found = f"first difference at step {steps}" if steps else "no difference"
        text += f"; {found}" if market.tracks[1].windows else ""
        text += f"; {counted(len(left_out), 'segment')} cannot be replayed, nor compared" if left_out else ""
    unknown = sum(1 for segment in track.segments if segment.note)
    return text + (f"; {unknown} of {len(track.segments)} segments not whole, as the page says" if unknown else "")
