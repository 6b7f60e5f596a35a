"""The live view: every market in a panel, redrawn a few times a second from the thread that runs the machines."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from time import perf_counter
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mm_fsm.cli.market_panel import FIXED_ROWS, market_line, market_panel
from mm_fsm.cli.run_view import RunView, fraction_done, is_interrupted
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND, seconds
from mm_fsm.machine.results import StepResult
from mm_fsm.report.status import SessionStatus
from mm_fsm.report.table import duration
from mm_fsm.runtime.session import Session

_REDRAW_SECONDS: Final = 0.2
_LARGEST_SHARE: Final = 0.1
"""Of the run's time that drawing may take."""
_STEPS_BETWEEN_LOOKS: Final = 16
_TRANSITIONS_KEPT: Final = 50
_NARROWEST_PANEL: Final = 40
_ROOM_FOR_CONTROL_CHARACTERS: Final = 4
"""A terminal echoes ^C where the cursor is: without room it would wrap, and the view would not be where it was."""
_OTHER_ROWS: Final = 3
"""Below the panels: the footer, the cursor, and one to spare, so that taking the view away does not scroll it."""


class LiveView(RunView):
    """Shows panels side by side where they fit, one line a market where they do not."""

    def __init__(self, sessions: Sequence[Session], console: Console) -> None:
        self._sessions = sessions
        self._statuses = {each.symbol: SessionStatus(each) for each in sessions}
        self._console = console
        self._recent: dict[str, deque[Text]] = {each.symbol: deque(maxlen=_TRANSITIONS_KEPT) for each in sessions}
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._steps = 0
        self._started = perf_counter()
        self._next_redraw = 0.0

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the view away: the result comes in its place."""
        self._live.stop()

    def take(self, session: Session, result: StepResult) -> None:
        """Remember transitions and faults; redraw now and then."""
        self._statuses[session.symbol].follow(result)
        recent = self._recent[session.symbol]
        for transition in result.transitions:
            recent.append(_event(result.time, transition.event, (f" > {transition.target}", "dim")))
        for fault in result.faults:
            recent.append(_event(result.time, (f"{fault.code}: {fault.reason}", "red")))
        self._steps += 1
        if self._steps % _STEPS_BETWEEN_LOOKS == 0:
            self.tick()

    def tick(self) -> None:
        """Redraw when it is time."""
        began = perf_counter()
        if began >= self._next_redraw:
            self._live.update(self._picture(), refresh=True)
            ended = perf_counter()
            self._next_redraw = ended + max(_REDRAW_SECONDS, (ended - began) / _LARGEST_SHARE)

    def _picture(self) -> RenderableType:
        columns = max(1, min(len(self._sessions), self._console.width // _NARROWEST_PANEL))
        panel_rows = (self._console.height - _OTHER_ROWS) // -(-len(self._sessions) // columns)
        picture = Table.grid(expand=True)
        if panel_rows < FIXED_ROWS or self._console.width < _NARROWEST_PANEL:
            for status in self._statuses.values():
                picture.add_row(market_line(status))
        else:
            picture.add_row(self._panels(columns, panel_rows))
        return Group(picture, self._footer())

    def _panels(self, columns: int, rows: int) -> Table:
        grid = Table.grid(expand=True)
        for _ in range(columns):
            grid.add_column(ratio=1)
        panels = [market_panel(each, self._recent[symbol], rows) for symbol, each in self._statuses.items()]
        for start in range(0, len(panels), columns):
            grid.add_row(*panels[start : start + columns])
        return grid

    def _footer(self) -> Table:
        fraction = fraction_done(self._sessions)
        elapsed = perf_counter() - self._started
        events = sum(session.runner.market_events for session in self._sessions)
        passed = max(_passed(session) for session in self._sessions)
        text = f"{fraction:.0%}  {duration(passed)} in {duration(elapsed)}  {events / elapsed:,.0f} events/s"
        if any(is_interrupted(session) for session in self._sessions):
            text = "stopping; Ctrl-C again cancels and leaves at once"
        footer = Table.grid(padding=(0, 1))
        footer.width = max(self._console.width - _ROOM_FOR_CONTROL_CHARACTERS, 1)
        footer.add_column(ratio=1)
        footer.add_column(justify="right", no_wrap=True)
        footer.add_row(ProgressBar(total=1.0, completed=fraction), Text(text, style="dim"))
        return footer


def _event(time: int, *parts: str | tuple[str, str]) -> Text:
    clock = datetime.fromtimestamp(time // NANOSECONDS_PER_SECOND, UTC).strftime("%H:%M:%S")
    return Text.assemble((f"{clock} ", "dim"), *parts, no_wrap=True, overflow="ellipsis")


def _passed(session: Session) -> float:
    began_at = session.machine.began_at
    return 0.0 if began_at is None else seconds(session.machine.now - began_at)
