"""What follows a run besides the view for people: figures for Prometheus, and alerts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from attrs import frozen
from loguru import logger

from mm_fsm.cli.run_view import RunView
from mm_fsm.errors import SettingsError
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.session import Session
from mm_fsm.runtime.settings_file import MarketConfiguration


class Watcher(Protocol):
    """Follows a run, and tells others."""

    def take(self, session: Session, result: StepResult) -> None:
        """One step of one session."""
        ...

    def tick(self) -> None:
        """Time has passed on the wall."""
        ...

    def abandon(self, failure: Exception) -> None:
        """It has failed with this, and the run goes on without it: tell whoever relies on it. Returns at once."""
        ...

    def close(self, error: BaseException | None) -> None:
        """The run is over; ``error`` has ended it, if any. Comes after ``abandon``, too."""
        ...


Watch = Callable[[Sequence[Session], Path], Watcher]
"""Makes a watcher of sessions that have been opened, whose files go to a directory."""


class WatchedRun(RunView):
    """A view for people, and watchers beside it.

    A watcher that fails is told no more, and the log says so: what watches a run never ends it.
    """

    def __init__(self, view: RunView, watchers: Sequence[Watcher]) -> None:
        self._view = view
        self._watchers = [*watchers]
        self._abandoned: list[Watcher] = []

    def __enter__(self) -> Self:
        """Begin to show."""
        self._view.__enter__()
        return self

    def take(self, session: Session, result: StepResult) -> None:
        """One step of one session."""
        self._tell_all(lambda watcher: watcher.take(session, result))
        self._view.take(session, result)

    def tick(self) -> None:
        """Time has passed on the wall."""
        self._tell_all(lambda watcher: watcher.tick())
        self._view.tick()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the terminal as it was, and let watchers end."""
        try:
            self._view.__exit__(kind, error, traceback)
        finally:
            for watcher in (*self._watchers, *self._abandoned):
                _failure_of(watcher, partial(watcher.close, error))

    def _tell_all(self, tell: Callable[[Watcher], None]) -> None:
        for watcher in tuple(self._watchers):
            failure = _failure_of(watcher, partial(tell, watcher))
            if failure is not None:
                self._watchers.remove(watcher)
                self._abandoned.append(watcher)
                _failure_of(watcher, partial(watcher.abandon, failure))


def _failure_of(watcher: Watcher, tell: Callable[[], None]) -> Exception | None:
    """What a watcher raises when it is told, which the log says; a run goes on without whoever watches it."""
    try:
        tell()
    except Exception as failure:  # noqa: BLE001 - whatever it is
        logger.bind(watcher=type(watcher).__name__, error=repr(failure)).error("watcher.failed")
        return failure
    return None


@frozen
class Watching:
    """Everything that the settings want to follow a run, ready before anything is opened."""

    _watches: tuple[Watch, ...]

    def of(self, view: RunView, sessions: Sequence[Session], directory: Path) -> RunView:
        """The view, with the watchers beside it; the run's files go to ``directory``.

        Raises:
            SettingsError: the port for figures is taken.
        """
        if not self._watches:
            return view
        return WatchedRun(view, [watch(sessions, directory) for watch in self._watches])


def prepare_watching(configurations: Sequence[MarketConfiguration]) -> Watching:
    """What is to follow a run. Nothing is sent, nothing listens, nothing is written.

    Raises:
        SettingsError: a package that is needed is not installed, or an alert's target is none.
    """
    metrics, alerts = configurations[0].metrics, configurations[0].alerts
    watches: list[Watch] = []
    if metrics.is_on:
        watches.append(_metrics(metrics.port))
    if alerts.is_on:
        from mm_fsm.watching.alert_targets import read_targets  # noqa: PLC0415 - needed only where alerts are on
        from mm_fsm.watching.run_alerts import RunAlerts  # noqa: PLC0415 - the same

        targets = read_targets(alerts)
        watches.append(lambda sessions, _: RunAlerts(sessions, alerts, targets))
    return Watching(tuple(watches))


def _metrics(port: int | None) -> Watch:
    try:
        from mm_fsm.watching.run_metrics import RunMetrics, ServedMetrics  # noqa: PLC0415 - only where metrics are on
    except ModuleNotFoundError:
        remedy = "Install mm-fsm[metrics], or leave the table out."
        raise SettingsError("metrics", "the package prometheus_client", "none", remedy) from None
    if port is None:
        return lambda sessions, directory: RunMetrics(directory, sessions)
    return lambda sessions, directory: ServedMetrics(directory, sessions, port)
