"""From a book on the wire to an order on the wire, in one market that is made live: how long, and where it goes.

A rehearsal exchange runs in a process of its own; this one makes its market through ccxt, account layer and journal,
as ``mm-fsm run --live`` does. It begins when the event loop hands a change of depth to ccxt, and ends when the head of
the first request that follows from it has been written. Processor time is of the thread that runs the loop; time by
the clock has everything else in it besides: other processes, and for placements the wait for the disk. While they wait
the loop does other work, such as sending cancels: that stage is no cost of the placement's own.
"""

from __future__ import annotations

import argparse
import contextvars
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
from attrs import define, field
from rehearsed_run import live_run, quantile, rehearsal, spread

from mm_fsm.books.facts import MarketBook
from mm_fsm.core.messages import CancelOrder, Fact, PlaceOrder
from mm_fsm.machine.results import StepResult
from mm_fsm.testing.rehearsal.client import binance_from_environment
from mm_fsm.venues.ccxt_venue import streams
from mm_fsm.venues.ccxt_venue.requests import OrderRequests

SECONDS = 60.0
SYMBOL = "ETH/USDT"
DEFAULTS = """
[defaults.strategy]
num_price_levels = 1
target_spread_bps = 4
min_spread_bps = 2
min_edge_bps = 0
refresh_interval_seconds = 300
volatility_sample_seconds = 0.1
warm_up_samples = 3
stale_move_share = 0.03
requote_tolerance_away_share = 0
requote_tolerance_towards_share = 0
max_drawdown = 1000000
"""
STAGES = (
    "received",
    "ccxt's book",
    "the fact",
    "the step",
    "the journal's record",
    "waiting, other work done",
    "ccxt's request and signature",
    "aiohttp's writing",
)
"""Each is what is done when it ends, the first one excepted, where all begin."""
_CURRENT: contextvars.ContextVar[Course | None] = contextvars.ContextVar("course", default=None)


@define
class Course:
    """One book's course through the program: at each stage's end, the thread's processor time and the clock's."""

    processor: dict[str, float] = field(factory=dict)
    clock: dict[str, float] = field(factory=dict)

    def reach(self, stage: str) -> None:
        """A stage has ended; only the first time counts."""
        self.processor.setdefault(stage, time.thread_time())
        self.clock.setdefault(stage, time.perf_counter())

    @property
    def is_complete(self) -> bool:
        """Whether a request left."""
        return STAGES[-1] in self.processor


@define
class Courses:
    """The courses of a run, and the hooks that follow them."""

    latest: Course = field(factory=Course)
    by_order: dict[tuple[str, str], Course] = field(factory=dict)
    """Those that led to a request, by its kind and its order."""
    placing: list[Course] = field(factory=list)
    cancelling: list[Course] = field(factory=list)
    quiet: list[Course] = field(factory=list)
    """Those after which nothing was to be sent."""

    def follow(self, session: Any) -> None:
        """Hook into one session, ccxt's reading and this program's requests."""
        client: Any = importlib.import_module("ccxt.async_support.base.ws.client").Client
        client.handle_message = self._before(client.handle_message, self._receive)
        streams.read_book = self._before(streams.read_book, lambda *_: self.latest.reach("ccxt's book"))
        machine, runner = session.machine, session.runner
        machine.step = self._stepping(machine.step)
        runner.machine.step = self._recording(runner.machine.step)
        OrderRequests._place = self._sending(OrderRequests._place, "PlaceOrder")  # type: ignore[method-assign]
        OrderRequests._cancel = self._sending(OrderRequests._cancel, "CancelOrder")  # type: ignore[method-assign]

    def _receive(self, _client: Any, message: Any) -> None:
        if b"depthUpdate" in (message.data if isinstance(message.data, bytes) else str(message.data).encode()):
            self.latest = Course()
            self.latest.reach("received")

    @staticmethod
    def _before(call: Callable[..., Any], note: Callable[..., None]) -> Callable[..., Any]:
        def noted(*given: Any) -> Any:
            note(*given)
            return call(*given)

        return noted

    def _stepping(self, step: Callable[[Fact], StepResult]) -> Callable[[Fact], StepResult]:
        def stepped(fact: Fact) -> StepResult:
            is_book = isinstance(fact, MarketBook)
            if is_book:
                self.latest.reach("the fact")
            result = step(fact)
            if is_book:
                self.latest.reach("the step")
            return result

        return stepped

    def _recording(self, step: Callable[[Fact], StepResult]) -> Callable[[Fact], StepResult]:
        def recorded(fact: Fact) -> StepResult:
            result = step(fact)
            if isinstance(fact, MarketBook):
                self.latest.reach("the journal's record")
                self._note(result)
            return result

        return recorded

    def _note(self, result: StepResult) -> None:
        kinds = {type(intent) for intent in result.intents}
        for kind, kept in ((PlaceOrder, self.placing), (CancelOrder, self.cancelling)):
            if kind in kinds:
                course = Course(dict(self.latest.processor), dict(self.latest.clock))
                kept.append(course)
                for each in result.intents:
                    if isinstance(each, kind):
                        self.by_order[kind.__name__, each.client_order_id] = course
        if not kinds:
            self.quiet.append(self.latest)

    def _sending(self, send: Callable[..., Any], kind: str) -> Callable[..., Any]:
        async def sent(requests: OrderRequests, intent: Any, *given: Any) -> None:
            course = self.by_order.pop((kind, intent.client_order_id), None)
            _CURRENT.set(course)
            if course is not None:
                course.reach("waiting, other work done")
            await send(requests, intent, *given)

        return sent


def traced_binance(configuration: Mapping[str, Any] | None = None) -> Any:
    """Makes the exchange objects: what aiohttp does with their requests is noted in the course that led to them."""
    exchange = binance_from_environment(configuration)
    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(_note_start)
    trace.on_request_headers_sent.append(_note_sent)
    trace.freeze()
    exchange.session.trace_configs.append(trace)
    return exchange


async def _note_start(*_: Any) -> None:
    course = _CURRENT.get()
    if course is not None:
        course.reach("ccxt's request and signature")


async def _note_sent(*_: Any) -> None:
    course = _CURRENT.get()
    if course is not None:
        course.reach("aiohttp's writing")


def figures(courses: list[Course]) -> dict[str, Any]:
    """Milliseconds of processor and clock, whole and by stage, of the courses that led to a request."""
    complete = [course for course in courses if course.is_complete]
    if not complete:
        return {"count": 0}
    whole = {
        name: spread([times(c)[STAGES[-1]] - times(c)[STAGES[0]] for c in complete])
        for name, times in (("processor_ms", lambda c: c.processor), ("clock_ms", lambda c: c.clock))
    }
    return {"count": len(complete), **whole, "processor_ms_by_stage": by_stage(complete)}


def by_stage(courses: list[Course]) -> dict[str, dict[str, float]]:
    """Median and 99th percentile of each stage that was reached."""
    found = {}
    for before, stage in pairwise(STAGES):
        spent = [c.processor[stage] - c.processor[before] for c in courses if stage in c.processor]
        if spent:
            found[stage] = {
                "median": round(quantile(spent, 0.5) * 1e3, 3),
                "p99": round(quantile(spent, 0.99) * 1e3, 3),
            }
    return found


def measure(place: Path, seconds: float) -> dict[str, Any]:
    """Make one market for so many seconds."""
    courses = Courses()
    sys.modules.setdefault("live_latency", sys.modules[__name__])
    with (
        rehearsal(place, [SYMBOL], "--seed", "7"),
        live_run(place, [SYMBOL], DEFAULTS, base=5, quote=20_000, factory="live_latency:traced_binance") as supervisor,
    ):
        courses.follow(supervisor.sessions[0])
        ends = time.monotonic() + seconds
        for _ in supervisor.run():
            if time.monotonic() > ends:
                supervisor.request_stop("measured")
    return {
        "cancels": figures(courses.cancelling),
        "placements": figures(courses.placing),
        "books_without_a_request": {
            "count": len(courses.quiet),
            "processor_ms_by_stage": by_stage([course for course in courses.quiet if "received" in course.processor]),
        },
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = measure(Path(directory), options.seconds)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    for name, figure in found.items():
        print(f"{name.replace('_', ' ')}: {figure['count']}")
        for kind in ("processor_ms", "clock_ms"):
            if kind in figure:
                shown = "  ".join(f"{key} {value}" for key, value in figure[kind].items() if key != "count")
                print(f"    {kind.replace('_', ' '):32} {shown}")
        for stage, spent in figure.get("processor_ms_by_stage", {}).items():
            print(f"        {stage:30} median {spent['median']:7.3f}  p99 {spent['p99']:7.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
