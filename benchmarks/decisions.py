"""What the machine decides, written down so that two versions of the project can be compared.

``dump FILE`` runs both recordings and twenty simulated sessions without a journal, and writes every step that took a
transition, sent an intent or booked a fill, and the books at the end: one JSON object a line, numbers as plain
decimals, no texts for people. ``compare BEFORE AFTER`` says for each run whether the decisions are the same, and else
shows the first that differ; its exit status is 1 then. A dump of a part (``--first-events``) is compared with the same
part of the other.

    python benchmarks/decisions.py dump before.jsonl
    python benchmarks/decisions.py dump after.jsonl --first-events 20000
    python benchmarks/decisions.py compare before.jsonl after.jsonl

Another version's source tree is dumped with ``PYTHONPATH=/path/to/it`` and this file or its own.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from enum import Enum
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

import attrs

import mm_fsm
from mm_fsm.runtime.session import Session, for_session, open_session
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.venues.paper import PaperAccount
from mm_fsm.venues.recorded import open_recording

DATA = Path(os.environ.get("MM_FSM_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
RECORDINGS = {
    "gemini": ("gemini_ethusd", "gemini_ethusd", "*.csv.gz"),
    "binance": ("binance_usdm_btcusdt", "binance_usdm_btcusdt", "*.gz"),
}
"""Preset, directory below the data, files."""
SIMULATED_PRESETS = ("paper_ethusd", "paper_btcusd")
SEEDS = 20
SIMULATED_SECONDS = 600.0
FOR_PEOPLE = frozenset({"reason", "reasons", "error", "received_at", "symbol"})
"""Fields that decide nothing: texts, and what stands beside them anyway."""
BOOKS = [
    "mid_price",
    "bid_price",
    "ask_price",
    "volatility",
    "base_position",
    "quote_position",
    "inventory_value",
    "total_volume",
    "total_trades",
    "realized_pnl",
    "unrealized_pnl",
    "fees_paid",
    "last_fill_time",
    "last_spread_calculation",
    "fill_count",
    "adjustment_count",
    "current_inventory_pct",
    "inventory_skew",
    "net_pnl",
    "average_spread_captured",
]
ORDER = ["client_order_id", "side", "price", "quantity", "filled_quantity", "status"]
SHOWN = 5
"""Differences shown of each run."""

Entry = dict[str, Any]


def plain(value: Any) -> Any:
    """A value as JSON; equal numbers are one text, whatever their types and trailing zeros."""
    match value:
        case Enum():
            found: Any = plain(value.value)
        case None | bool() | str():
            found = value
        case Decimal() | int():
            text = format(Decimal(value), "f")
            found = text.rstrip("0").rstrip(".") if "." in text else text
        case float():
            found = repr(value)
        case dict():
            found = {str(key): plain(each) for key, each in value.items()}
        case list() | tuple():
            found = [plain(each) for each in value]
        case _:
            names = (field.name for field in attrs.fields(type(value)))
            found = {name: plain(getattr(value, name)) for name in names if name not in FOR_PEOPLE and name[0] != "_"}
    return found


def named(value: Any) -> Entry:
    """A message with its kind."""
    return {"kind": type(value).__name__, **plain(value)}


def fills_of(fact: Any) -> list[Entry]:
    """The fills that a fact carries, by the shape of the facts."""
    found = [fact] if hasattr(fact, "trade_id") and hasattr(fact, "fee") else getattr(fact, "fills", ())
    return [named(fill) for fill in found]


def decision(result: Any) -> Entry | None:
    """What one step did; None when it only looked."""
    fills = fills_of(result.fact)
    if not (result.transitions or result.intents or result.faults or fills):
        return None
    return {
        "time": plain(result.time),
        "fact": type(result.fact).__name__,
        "transitions": [[each.source, each.event, each.target] for each in result.transitions],
        "intents": [named(intent) for intent in result.intents],
        "fills": fills,
        "faults": [plain(fault.code) for fault in result.faults],
    }


def books_of(session: Session) -> Entry:
    """The context and the orders at the end, and the session's result."""
    context = session.machine.context
    orders = [*context.active_bid_orders, *context.active_ask_orders]
    return {
        "state": session.machine.chart_state,
        "books": {name: plain(getattr(context, name)) for name in BOOKS},
        "orders": [{name: plain(getattr(order, name)) for name in ORDER} for order in orders],
        "result": plain(session.machine.result()),
    }


class Cut:
    """The first events of a market, and whether they have all been taken."""

    def __init__(self, market: Iterable[Any], count: int | None) -> None:
        self.is_cut = False
        self._market = iter(market)
        self._count = count

    def __iter__(self) -> Iterator[Any]:
        yield from islice(self._market, self._count)
        self.is_cut = next(self._market, None) is not None


def decisions(session: Session, market: Cut | None) -> Iterator[Entry]:
    """Every decision of a session, then how it ended: with books, or at the time where its market was cut off."""
    runner = session.runner
    while not session.machine.is_final:
        if market is not None and market.is_cut:
            yield {"until": plain(runner.now)}
            return
        yield from filter(None, map(decision, runner.advance()))
    yield books_of(session)


def recorded(name: str, first_events: int | None) -> Iterator[Entry]:
    """The decisions over one recording."""
    preset, directory, files = RECORDINGS[name]
    configuration = read_preset(preset)
    recording = open_recording(sorted((DATA / directory).glob(files)), symbol=configuration.symbol)
    market = Cut(recording, first_events)
    account = configuration.venue
    assert isinstance(account, PaperAccount)
    return decisions(open_session(configuration, account.on(market)), market)


def simulated(seed: int, seconds: float) -> Iterator[Entry]:
    """The decisions of one simulated session."""
    preset = read_preset(SIMULATED_PRESETS[seed % len(SIMULATED_PRESETS)])
    return decisions(open_session(for_session(preset, duration_seconds=seconds, seed=seed)), None)


def runs_of(options: argparse.Namespace) -> Iterator[tuple[str, Iterator[Entry]]]:
    """Every run that is asked for, by name."""
    for name in RECORDINGS:
        if name in options.only:
            yield name, recorded(name, options.first_events)
    if "simulated" in options.only:
        for seed in range(1, options.seeds + 1):
            yield f"seed {seed}, {options.seconds:g} s", simulated(seed, options.seconds)


def dump(options: argparse.Namespace) -> int:
    """Write the decisions of every run, and print the digest of each."""
    print(f"decisions of {Path(mm_fsm.__file__).parents[1]}", file=sys.stderr)
    with options.file.open("w", encoding="utf-8") as file:
        for name, entries in runs_of(options):
            digest, count = hashlib.sha256(), 0
            for entry in entries:
                line = json.dumps({"run": name, **entry}, separators=(",", ":"))
                file.write(f"{line}\n")
                digest.update(line.encode())
                count += 1
            print(f"{name}: {count - 1} decisions, {digest.hexdigest()[:16]}", flush=True)
    return 0


def read(path: Path) -> dict[str, list[Entry]]:
    """A dump's entries by run."""
    runs: dict[str, list[Entry]] = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            entry = json.loads(line)
            runs.setdefault(entry.pop("run"), []).append(entry)
    return runs


def differences(before: Any, after: Any, place: str = "") -> Iterator[str]:
    """Where two JSON values differ; a name that only one of them knows is a new field, not another decision."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before:
            if name in after:
                yield from differences(before[name], after[name], f"{place}.{name}" if place else name)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{place}[{number}]")
    elif before != after:
        yield f"{place}: {json.dumps(before)} -> {json.dumps(after)}"


def compare_run(name: str, before: list[Entry], after: list[Entry], say: Callable[[str], None]) -> bool:
    """Whether one run's decisions are the same, as far as both dumps go."""
    untils = [int(entries[-1]["until"]) for entries in (before, after) if "until" in entries[-1]]
    if untils:
        before, after = (
            [entry for entry in entries if int(entry.get("time", min(untils))) < min(untils)]
            for entries in (before, after)
        )
    found = 0
    for number, (one, other) in enumerate(zip_longest(before, after)):
        if one is None or other is None:
            found += 1
            say(f"  {name}: {len(before)} entries, then {len(after)}; the first without a counterpart:")
            say(f"    {json.dumps(one or other)}")
            break
        texts = list(differences(one, other))
        if texts:
            found += 1
            if found <= SHOWN:
                say(f"  {name}, decision {number}, time {one.get('time', 'end')}:")
                say("\n".join(f"    {text}" for text in texts[:SHOWN]))
    part = f" until {min(untils)}" if untils else ", final books too"
    say(f"{name}: {'SAME' if not found else f'{found} DIFFER'}, {len(before)} entries{part}")
    return not found


def compare(options: argparse.Namespace) -> int:
    """Print what differs; 1 if anything does, or if nothing could be compared."""
    before, after = read(options.before), read(options.after)
    shared = [name for name in before if name in after]
    for name in sorted(before.keys() ^ after.keys()):
        print(f"{name}: only in {options.before if name in before else options.after}")
    return int(not all([*(compare_run(name, before[name], after[name], print) for name in shared), shared]))


def main() -> int:
    """Dump or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    writing = commands.add_parser("dump", help="run, and write the decisions down")
    writing.add_argument("file", type=Path)
    writing.add_argument("--first-events", type=int, metavar="N", help="of each recording; all otherwise")
    writing.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help="simulated sessions")
    writing.add_argument("--seconds", type=float, default=SIMULATED_SECONDS, help="event time of each of them")
    kinds = (*RECORDINGS, "simulated")
    writing.add_argument("--only", action="append", choices=kinds, help="of these; again for more, else all")
    writing.set_defaults(command=dump)
    reading = commands.add_parser("compare", help="compare two dumps")
    reading.add_argument("before", type=Path)
    reading.add_argument("after", type=Path)
    reading.set_defaults(command=compare)
    options = parser.parse_args()
    if options.command is dump:
        options.only = options.only or kinds
    return int(options.command(options))


if __name__ == "__main__":
    sys.exit(main())
