"""Kills a market maker again and again, with SIGKILL, and looks after each restart whether anything was lost.

The exchange is a process of its own and survives. Every life of the bot is a process too: it opens the run's journal,
reconciles, has its books audited by the exchange, quotes, and is killed, at a point that it reaches itself (before or
after a write, a send, an answer) or from outside at any instruction. Then time passes, and the next life begins.

With ``--group-commit`` the bot writes as a live one does: a thread makes records durable, cancels and questions leave
before theirs are, placements wait. Then the venue's own log is compared with the journal after each death: whatever was
placed must be on record.

    python -m tests.runtime.journal.crash_harness --kills 1000 --seed 7
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from attrs import asdict, define, field

from mm_fsm.books.facts import StopRequested, Timer
from mm_fsm.core.messages import Intent, PlaceOrder
from mm_fsm.core.settings import MarketMakingSettings, StrayOrderPolicy
from mm_fsm.runtime.journal import JournalSettings, verify_run
from mm_fsm.runtime.journal.database import QuietRow
from mm_fsm.runtime.journal.group_commit import GroupCommit
from mm_fsm.runtime.journal.journal_file import JournalFile
from mm_fsm.runtime.journal.messages import MessageCodec
from mm_fsm.runtime.journal.reader import JournalReader
from mm_fsm.runtime.pushed import PushedRunner
from mm_fsm.runtime.recovery import OpenRun, RunPlan, open_run
from mm_fsm.runtime.releasing import PlacementsWait
from tests.runtime.journal.crash_exchange import BALANCES, FEES, INSTRUMENT, SYMBOL, ExchangeServer

PROCESSES = multiprocessing.get_context("fork")
MOST_POINTS = 500
"""A life ends at the latest at this many points."""
SHARE_FROM_OUTSIDE = 0.25


@define
class Fuse:
    """Kills its own process at the n-th point."""

    points_left: int | None
    places: Connection

    def reach(self, place: str) -> None:
        if self.points_left is None:
            return
        self.points_left -= 1
        if self.points_left < 0:
            self.places.send(place)
            os.kill(os.getpid(), signal.SIGKILL)


class Line:
    """The bot's connection to the exchange."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._lines = self._socket.makefile("rw", encoding="utf-8")

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        self._lines.write(json.dumps({"do": do, **fields}) + "\n")
        self._lines.flush()
        answer: dict[str, Any] = json.loads(self._lines.readline())
        return answer

    def end(self) -> None:
        self._lines.write('{"do":"end"}\n')
        self._lines.flush()
        self.close()

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


@define
class Bot:
    """One life: from opening the journal to the fuse's end."""

    plan: RunPlan
    port: int
    fuse: Fuse
    reports: Connection
    codec: MessageCodec = field(factory=lambda: MessageCodec(SYMBOL))
    is_audited: bool = False

    def live(self, *, until_audited: bool) -> None:
        self._wire_journal()
        began = time.perf_counter()
        self.fuse.reach("before opening")
        run = open_run(self.plan)
        opened = time.perf_counter() - began
        line = Line(self.port)
        now = line.ask("hello")["now"]
        wake_at = self._step(run, line, Timer(received_at=now))
        while not run.machine.is_final:
            facts = line.ask("next", wake_at=wake_at)["facts"]
            self.fuse.reach("after an answer")
            for plain in facts:
                wake_at = self._step(run, line, self.codec.fact_from(plain))
            if self._note_audit(run, line, opened, now) and until_audited:
                wake_at = self._step(run, line, _ending(run))
        run.close()
        line.close()

    def _wire_journal(self) -> None:
        write, fuse = JournalFile.write, self.fuse

        def write_between_points(file: JournalFile, rows: Any) -> None:
            fuse.reach("before a write")
            write(file, rows)
            fuse.reach("after a write")

        JournalFile.write = write_between_points  # type: ignore[method-assign]

    def _step(self, run: OpenRun, line: Line, fact: Any) -> int | None:
        result = run.machine.step(fact)
        for intent in result.intents:
            self._send(line, intent)
        return result.wake_at

    def _note_audit(self, run: OpenRun, line: Line, opened: float, began: int) -> bool:
        """Audit the books once they are reconciled; whether that was now."""
        context = run.machine.machine.context
        if not context.reconciliation.is_complete or self.is_audited:
            return False
        self._audit(run, line, opened, (context.now - began) / 1e9)
        return True

    def _send(self, line: Line, intent: Intent) -> None:
        self.fuse.reach("before a send")
        line.ask("submit", intent=self.codec.write_intents([intent]))
        self.fuse.reach("after a send")

    def _audit(self, run: OpenRun, line: Line, opened: float, reconciled: float) -> None:
        self.is_audited = True
        context = run.machine.machine.context
        answer = line.ask(
            "audit",
            position=str(context.base_position),
            cash=str(context.ledger.cash),
            trades=[trade_id for _, trade_id in context.ledger._trades],
        )
        self.reports.send({**answer, "opened": opened, "reconciled": reconciled, "fills": context.fill_count})


def _ending(run: OpenRun) -> StopRequested:
    now = run.machine.machine.context.now
    return StopRequested(received_at=now, flatten=False, reason="the harness has ended")


MOST_STEPS_HELD = 3
"""Facts that a group-committing bot takes while a placement of it waits: event time runs much faster than a disk."""


@define
class LineVenue:
    """The exchange at the line's other end, pushed: event time is the time of the last fact."""

    bot: Bot
    line: Line
    time: int

    def now(self) -> int:
        return self.time

    def call_at(self, time: int, call: Any) -> Any:
        return lambda: (time, call)

    def submit(self, intents: Any, now: int) -> None:
        del now
        for intent in intents:
            self.bot._send(self.line, intent)


@define
class GroupCommittingBot(Bot):
    """One life as a live bot leads it: in an asyncio loop, its records made durable by a thread."""

    def live(self, *, until_audited: bool) -> None:
        self._wire_journal()
        asyncio.run(self._live(until_audited=until_audited))

    async def _live(self, *, until_audited: bool) -> None:
        began = time.perf_counter()
        self.fuse.reach("before opening")
        run = open_run(self.plan)
        opened = time.perf_counter() - began
        line = Line(self.port)
        venue = LineVenue(self, line, line.ask("hello")["now"])
        now = venue.time
        with GroupCommit(asyncio.get_running_loop()) as commits:
            release = PlacementsWait(commits.join(run.journal))
            runner = PushedRunner(run.machine, venue, release=release)
            runner.take(Timer(received_at=now))
            while not run.machine.is_final:
                for _ in range(MOST_STEPS_HELD):
                    await asyncio.sleep(0)
                    self._hear(runner, line.ask("next", wake_at=runner.wake_at)["facts"])
                    if self._note_audit(run, line, opened, now) and until_audited:  # before anything new is placed
                        runner.take(_ending(run))
                await release.settle()
            run.close()
        line.close()

    def _hear(self, runner: PushedRunner, facts: Any) -> None:
        self.fuse.reach("after an answer")
        for fact in map(self.codec.fact_from, facts):
            assert isinstance(runner.venue, LineVenue)
            runner.venue.time = max(runner.venue.time, fact.received_at)
            runner.take(fact)


def placed_but_not_on_record(path: Path, placed: list[str], symbol: str = SYMBOL) -> set[str]:
    """Placements of the venue's log that the journal does not have."""
    recorded: set[str] = set()
    codec = MessageCodec(symbol)
    with JournalReader(path) as reader:
        for segment in reader.segments:
            for row in reader.rows(segment):
                if not isinstance(row, QuietRow) and row.intents:
                    recorded |= {
                        each.client_order_id for each in codec.read_intents(row.intents) if isinstance(each, PlaceOrder)
                    }
    return set(placed) - recorded


@define
class Outcome:
    """What many lives came to."""

    seed: int
    kills: int = 0
    audits: int = 0
    problems: list[str] = field(factory=list)
    places: Counter[str] = field(factory=Counter)
    slowest_opening: float = 0.0
    """Seconds of the processor's time to rebuild the books."""
    slowest_reconciliation: float = 0.0
    """Seconds of event time until the venue had confirmed everything."""
    trades: int = 0
    placed: int = 0
    """Placements in the venue's own log."""
    facts_verified: int = 0
    verified_segment: int = 0


def run_harness(kills: int, seed: int, directory: Path, *, quiet: bool = True, bot: type[Bot] = Bot) -> Outcome:
    """Kill a bot ``kills`` times and look after each restart; one seed gives one sequence of planned deaths."""
    random, outcome = Random(seed), Outcome(seed)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    exchange = PROCESSES.Process(target=ExchangeServer(seed).serve, args=(listener,))
    exchange.start()
    listener.close()
    plan = RunPlan(
        path=directory / f"crashes-{seed}.journal",
        settings=MarketMakingSettings(
            symbol=SYMBOL,
            strategy_id="crash",
            target_spread_bps=6.0,
            base_order_size=200,
            warm_up_samples=3,
            volatility_sample_seconds=1.0,
            refresh_interval_seconds=2.0,
            requote_tolerance_away_share=0.2,
            requote_tolerance_towards_share=0.1,
            validity_window_seconds=3.0,
            request_timeout_seconds=1.0,
            query_interval_seconds=0.5,
            reconcile_interval_seconds=5.0,
            max_drawdown=1_000_000,
            max_orders_per_interval=1000,
            max_live_orders=50,
            stray_order_policy=StrayOrderPolicy.CANCEL if seed % 2 else StrayOrderPolicy.ADOPT,
        ),
        instrument=INSTRUMENT,
        fees=FEES,
        balances=BALANCES,
        journal_settings=JournalSettings(
            record_market_data=True, segment_records=200, max_megabytes=10 if bot is Bot else 1_000
        ),
    )
    try:
        while outcome.kills < kills:
            _one_life(plan, port, random, outcome, bot)
            if not quiet and outcome.kills % 50 == 0:
                _say(f"{outcome.kills} kills, {outcome.audits} audits, {outcome.trades} trades")
        _last_life(plan, port, outcome, bot)
        _note_verification(plan.path, outcome, since=0)
    finally:
        line = Line(port)
        line.end()
        exchange.join()
    return outcome


def _one_life(plan: RunPlan, port: int, random: Random, outcome: Outcome, bot: type[Bot]) -> None:
    from_outside = random.random() < SHARE_FROM_OUTSIDE
    points = None if from_outside else int(random.random() ** 2 * MOST_POINTS)
    delay = random.random() ** 2 * 0.6
    away = random.choice((0.0, 0.0, random.random(), random.random() * 60))
    child, reports, places = _start(bot, plan, port, points, until_audited=False)
    if from_outside:
        child.join(delay)
        child.kill()
    child.join()
    outcome.kills += child.exitcode == -signal.SIGKILL
    if child.exitcode != -signal.SIGKILL:
        outcome.problems.append(f"life {outcome.kills} ended by itself with {child.exitcode}")
    _hear(reports, outcome)
    outcome.places["from outside" if from_outside else _place_of_death(places)] += 1
    if plan.path.exists():
        _note_verification(plan.path, outcome, since=outcome.verified_segment)
    line = Line(port)
    line.ask("pass", seconds=away)
    placed = line.ask("placed")["placed"]
    line.close()
    outcome.placed = len(placed)
    if bot is not Bot and plan.path.exists() and (missing := placed_but_not_on_record(plan.path, placed)):
        outcome.problems.append(f"after {outcome.kills} kills: placed and not on record: {sorted(missing)[:5]}")


def _last_life(plan: RunPlan, port: int, outcome: Outcome, bot: type[Bot]) -> None:
    child, reports, _ = _start(bot, plan, port, None, until_audited=True)
    child.join()
    if child.exitcode != 0:
        outcome.problems.append(f"the last life ended with {child.exitcode}")
    _hear(reports, outcome)


def _start(
    kind: type[Bot], plan: RunPlan, port: int, points: int | None, *, until_audited: bool
) -> tuple[Any, Connection, Connection]:
    reports, report_end = PROCESSES.Pipe(duplex=False)
    places, place_end = PROCESSES.Pipe(duplex=False)
    bot = kind(plan, port, Fuse(points, place_end), report_end)
    child = PROCESSES.Process(target=bot.live, kwargs={"until_audited": until_audited})
    child.start()
    report_end.close()
    place_end.close()
    return child, reports, places


def _place_of_death(places: Connection) -> str:
    try:
        place: str = places.recv()
    except EOFError:
        return "by itself"
    return place


def _hear(reports: Connection, outcome: Outcome) -> None:
    try:
        while reports.poll():
            report = reports.recv()
            outcome.audits += 1
            outcome.trades = report["trades"]
            outcome.slowest_opening = max(outcome.slowest_opening, report["opened"])
            outcome.slowest_reconciliation = max(outcome.slowest_reconciliation, report["reconciled"])
            outcome.problems += [f"after {outcome.kills} kills: {found}" for found in report["found"]]
    except EOFError:
        pass


def _note_verification(path: Path, outcome: Outcome, since: int) -> None:
    report = verify_run(path, since_segment=since)
    outcome.facts_verified += report.facts
    outcome.verified_segment = report.last_segment
    if not report.is_clean:
        outcome.problems.append(f"after {outcome.kills} kills: {report}")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--group-commit", action="store_true", help="write in a thread, as a live bot does")
    parser.add_argument("--json", action="store_true", help="one line of JSON at the end, nothing else")
    arguments = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        bot = GroupCommittingBot if arguments.group_commit else Bot
        outcome = run_harness(arguments.kills, arguments.seed, Path(directory), quiet=arguments.json, bot=bot)
    if arguments.json:
        _say(json.dumps(asdict(outcome)))
        return 1 if outcome.problems else 0
    _say(
        f"seed {outcome.seed}: {outcome.kills} kills survived, {outcome.audits} audits by the exchange, "
        f"{outcome.trades} trades, {outcome.facts_verified} facts replayed, {time.perf_counter() - began:.0f} s"
    )
    _say(f"killed: {dict(outcome.places)}")
    _say(
        f"slowest opening of the journal {outcome.slowest_opening * 1e3:.0f} ms; "
        f"slowest reconciliation {outcome.slowest_reconciliation:.2f} s of event time"
    )
    _say("\n".join(outcome.problems) or "no problem")
    return 1 if outcome.problems else 0


if __name__ == "__main__":
    sys.exit(main())
