"""The figures of a run as Prometheus reads them, in a file beside the run's status.

``metrics.prom`` is replaced as a whole every few seconds, so that neither a scrape nor a slow reader ever reaches the
thread that trades. ``mm-fsm serve`` answers with it, and node_exporter's textfile collector can read it as it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from time import time as wall_time
from typing import Final

from loguru import logger
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from mm_fsm.errors import PortError, SettingsError
from mm_fsm.machine.results import StepResult
from mm_fsm.report.recorder import SessionRecorder
from mm_fsm.runtime.loopback_server import LoopbackServer
from mm_fsm.runtime.session import Session
from mm_fsm.watching.chart_metrics import CHART_FAMILIES
from mm_fsm.watching.exposition import METRICS_FILE, metrics_response
from mm_fsm.watching.guard_counts import GuardCounts
from mm_fsm.watching.market_metrics import MARKET_FAMILIES
from mm_fsm.watching.metric_families import MARKET, MetricFamily, MetricKind, WatchedMarket

WRITE_SECONDS: Final = 5.0
"""Wall time between two writes, at least."""
READ_AT: Final = "mm_fsm_written_timestamp_seconds"
"""The one metric of the run as a whole."""
FAMILIES: Final = (*CHART_FAMILIES, *MARKET_FAMILIES)
"""Every metric of a market, in the order in which they are written."""
_STEPS_BETWEEN_LOOKS: Final = 64


class RunMetrics(Collector):
    """Counts what the books do not, and writes every figure; ``failure`` says why it could not.

    Args:
        directory: where the run's files go.
        sessions: the run's markets.
        clock: of the wall, seconds.
    """

    def __init__(self, directory: Path, sessions: Sequence[Session], *, clock: Callable[[], float] = monotonic) -> None:
        self.path: Final = directory / METRICS_FILE
        self.failure: str | None = None
        self.text = b""
        """As last written."""
        self._markets = {each.symbol: _watched(each) for each in sessions}
        self._clock = clock
        self._next_write = 0.0
        self._steps = 0
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self.write()

    def take(self, session: Session, result: StepResult) -> None:
        """One step of one session has been taken."""
        self._markets[session.symbol].recorder.take(result)
        self._steps += 1
        if self._steps % _STEPS_BETWEEN_LOOKS == 0:
            self.tick()

    def tick(self) -> None:
        """Write when it is time."""
        if self._clock() >= self._next_write:
            self.write()

    def write(self) -> None:
        """Read every figure and replace the file. Never raises for the file's sake."""
        self.text = generate_latest(self._registry)
        fresh = self.path.with_name(f".{METRICS_FILE}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(self.text)
            fresh.replace(self.path)
            self.failure = None
        except OSError as failure:
            if self.failure is None:
                logger.bind(file=str(self.path), reason=failure.strerror).warning("metrics.not_written")
            self.failure = failure.strerror or str(failure)
        self._next_write = self._clock() + WRITE_SECONDS

    def close(self, error: BaseException | None = None) -> None:
        """Write how the run was left."""
        self.write()

    def abandon(self, failure: Exception) -> None:
        """Writing has failed with this: a file whose time stands still says so."""

    def collect(self) -> Iterator[Metric]:
        """Every metric with its samples, as prometheus_client writes them."""
        yield GaugeMetricFamily(READ_AT, "When these figures were read, seconds since 1970.", value=wall_time())
        for family in FAMILIES:
            yield self._metric(family)

    def _metric(self, family: MetricFamily) -> Metric:
        kind = CounterMetricFamily if family.kind is MetricKind.COUNTER else GaugeMetricFamily
        metric = kind(family.name, family.meaning, labels=[MARKET, *family.labels])
        for symbol, market in self._markets.items():
            for labels, value in family.read(market):
                metric.add_metric([symbol, *labels], value)
        return metric


class ServedMetrics(RunMetrics):
    """Serves the figures on loopback, too, as they were written last.

    Args:
        directory: where the run's files go.
        sessions: the run's markets.
        port: on 127.0.0.1.

    Raises:
        SettingsError: the port cannot be opened.
    """

    def __init__(self, directory: Path, sessions: Sequence[Session], port: int) -> None:
        super().__init__(directory, sessions)
        self._server = LoopbackServer({"GET /metrics": lambda _: metrics_response(self.text)}, port)
        try:
            self._server.__enter__()
        except PortError as error:
            found = f"{error.port}: {error.problem}"
            raise SettingsError("metrics.port", error.expected, found, "Write another port.") from None

    def close(self, error: BaseException | None = None) -> None:
        """Write how the run was left, and listen no more."""
        try:
            super().close(error)
        finally:
            self._server.__exit__(None, None, None)

    def abandon(self, failure: Exception) -> None:
        """Listen no more: a scrape that fails says that there are no figures."""
        self._server.__exit__(None, None, None)


def _watched(session: Session) -> WatchedMarket:
    guards = GuardCounts()
    session.watch(guards)
    return WatchedMarket(session=session, recorder=SessionRecorder(session), guards=guards)
