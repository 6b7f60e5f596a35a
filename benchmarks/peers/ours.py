"""mm-fsm on a recording: read and run as ``mm-fsm backtest`` does, without a journal and without files of results."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

from job import Stages, answer, job

from mm_fsm import CancelOrder, MarketBook, MarketTrade, OrderFilled, PlaceOrder
from mm_fsm.runtime.session import open_session
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.venues.recorded import open_recording


def main() -> None:
    """Run, and print what it took and what came of it."""
    stages = Stages()
    task = job()
    configuration = read_preset(task.policy["preset"])
    recording = open_recording(task.files, symbol=configuration.symbol)
    counts: Counter[str] = Counter()
    until = None
    for event in islice(recording, task.events):  # reading alone, to tell it from the run, which reads again
        until = event.exchange_time
        counts["events"] += 1
    stages.end("reading_apart")
    market: Any = islice(recording, task.events)
    session = open_session(configuration, configuration.venue.on(market))
    for result in session.runner.run():
        if isinstance(result.fact, (MarketBook, MarketTrade)):
            counts["seen"] += 1
        elif isinstance(result.fact, OrderFilled):
            counts["fills"] += 1
        for intent in result.intents:
            counts["placed"] += isinstance(intent, PlaceOrder)
            counts["canceled"] += isinstance(intent, CancelOrder)
    stages.end("run")
    reading = stages.seconds.pop("reading_apart")
    stages.seconds["read"] = reading
    stages.seconds["run"] -= reading
    answer(
        stages,
        events=counts["events"],
        seen=counts["seen"],
        placed=counts["placed"],
        canceled=counts["canceled"],
        fills=counts["fills"],
        pnl=float(session.machine.context.net_pnl),
        until=until,
    )


if __name__ == "__main__":
    main()
