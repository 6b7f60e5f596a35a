"""What decides whether an order fills, in words: what a reader must believe before believing the profit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mm_fsm.report.figures import Assumption, FillModel
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.venues.paper import PaperAccount, PaperPlan, PaperSettings, QueueModel
from mm_fsm.venues.simulator import SimulatorSettings

_QUEUES: Final = {
    QueueModel.PESSIMISTIC: "everything displayed at the price is ahead of the order when it arrives; only trades there"
    " use it up, and cancellations only as far as less is displayed than was ahead",
    QueueModel.FRONT: "nothing is ahead of the order: every trade at its price fills it first. It flatters",
}


def fill_model_of(configuration: MarketConfiguration, *, is_recorded: bool, has_trades: bool = True) -> FillModel:
    """The fill model of one market's venue.

    Args:
        configuration: the market.
        is_recorded: whether a recording is played.
        has_trades: whether the recording has trades.
    """
    venue: Any = configuration.venue
    if not isinstance(venue, PaperAccount):
        words = "the venue's own matching: fills, fees and queue are what it reported"
        real = Assumption(name="fills", value="real" if venue.is_live else "the venue's", meaning=words)
        return FillModel(kind=configuration.venue_kind, is_simulated=not venue.is_live, assumptions=(real,))
    assumptions = [*_of_exchange(venue.exchange)]
    if is_recorded:
        assumptions += _of_recording(has_trades=has_trades)
    elif isinstance(venue, PaperPlan):
        assumptions += _of_simulator(venue.simulator)
    kind = "recorded" if is_recorded else configuration.venue_kind
    return FillModel(kind=kind, is_simulated=True, assumptions=tuple(assumptions))


def _of_exchange(exchange: PaperSettings) -> Iterator[Assumption]:
    yield Assumption(name="queue", value=exchange.queue.value, meaning=_QUEUES[exchange.queue])
    yield Assumption(
        name="fill rule",
        value="trade through, or at the price once the queue is used up",
        meaning="a resting order fills when a trade prints beyond its price, when the other side's best price reaches "
        "it, or when trades at its price have used up the queue ahead",
    )
    yield Assumption(
        name="volume",
        value="once",
        meaning="the volume of one trade fills one queue once; no order fills on the book that caused it",
    )
    for name, what in (
        ("order_latency_seconds", "from the host to the exchange"),
        ("response_latency_seconds", "from the exchange to the host, for answers and fills"),
        ("market_data_latency_seconds", "from the exchange to the host, for books and trades"),
        ("latency_jitter_seconds", "each message takes up to this much longer"),
    ):
        yield Assumption(name=name.replace("_seconds", ""), value=f"{getattr(exchange, name):g} s", meaning=what)
    yield Assumption(name="own impact", value="none", meaning="the market does not react to own orders or fills")


def _of_recording(*, has_trades: bool) -> Iterator[Assumption]:
    if has_trades:
        yield Assumption(name="market", value="recorded quotes and trades", meaning="shown as they were recorded")
    else:
        meaning = "an order is filled only when the other side's quotes reach its price"
        yield Assumption(name="market", value="recorded quotes, no trades", meaning=meaning)


def _of_simulator(simulator: SimulatorSettings) -> Iterator[Assumption]:
    meaning = "takers arrive at random and reach an exponential distance; each moves the middle of the market for good"
    yield Assumption(name="market", value=f"simulated, seed {simulator.seed}", meaning=meaning)
    yield Assumption(
        name="taker impact", value=f"{simulator.impact_bps:g} bps", meaning="permanent, in the taker's direction"
    )
