"""What follows a run besides the view for people: figures for Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from loguru import logger

from mm_fsm.cli.run_view import RunView
from mm_fsm.errors import OptionError, SettingsError
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.loopback_server import LoopbackServer
from mm_fsm.runtime.session import Session


class Watcher(Protocol):
    """Follows a run, and tells others."""

    def take(self, session: Session, result: StepResult) -> None:
        """One step of one session."""
        ...

    def tick(self) -> None:
        """Time has passed on the wall."""
        ...


class WatchedRun(RunView):
    """A view for people, and watchers beside it.

    A watcher that fails is told no more, and the log says so: what watches a run never ends it.
    """

    def __init__(self, view: RunView, watchers: Sequence[Watcher], stack: ExitStack) -> None:
        self._view = view
        self._watchers = [*watchers]
        self._stack = stack

    def __enter__(self) -> Self:
        """Begin to show."""
        self._view.__enter__()
        return self

    def take(self, session: Session, result: StepResult) -> None:
        """One step of one session."""
        for watcher in tuple(self._watchers):
            try:
                watcher.take(session, result)
            except Exception as error:  # noqa: BLE001 - a run goes on without whoever watches it
                self._drop(watcher, error)
        self._view.take(session, result)

    def tick(self) -> None:
        """Time has passed on the wall."""
        for watcher in tuple(self._watchers):
            try:
                watcher.tick()
            except Exception as error:  # noqa: BLE001 - as above
                self._drop(watcher, error)
        self._view.tick()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Leave the terminal as it was, and let watchers end."""
        try:
            self._view.__exit__(kind, error, traceback)
        finally:
            self._stack.close()

    def _drop(self, watcher: Watcher, error: Exception) -> None:
        self._watchers.remove(watcher)
        logger.bind(watcher=type(watcher).__name__, error=repr(error)).error("watcher.failed")


def watched(view: RunView, sessions: Sequence[Session], directory: Path) -> RunView:
    """The view, with whatever else the settings want to follow the run.

    Raises:
        SettingsError: a package that is needed for it is not installed, or its port is taken.
    """
    settings = sessions[0].configuration.metrics
    if not settings.is_on:
        return view
    with ExitStack() as stack:
        metrics = _metrics(sessions, directory, settings.port, stack)
        return WatchedRun(view, [metrics], stack.pop_all())


def _metrics(sessions: Sequence[Session], directory: Path, port: int | None, stack: ExitStack) -> Watcher:
    from mm_fsm.watching.exposition import metrics_response  # noqa: PLC0415 - needed only where metrics are on
    from mm_fsm.watching.run_metrics import RunMetrics  # noqa: PLC0415 - the same

    metrics = RunMetrics(directory, sessions)
    metrics.write()
    stack.callback(metrics.write)
    if port is not None:
        server: AbstractContextManager[LoopbackServer]
        server = LoopbackServer({"GET /metrics": lambda _: metrics_response(metrics.text)}, port)
        try:
            stack.enter_context(server)
        except OptionError as error:
            raise SettingsError("metrics.port", error.expected, error.found, "Write another port.") from None
    return metrics
