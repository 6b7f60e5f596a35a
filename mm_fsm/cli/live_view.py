"""The live view: every market in a panel, redrawn a few times a second from the thread that runs the machines.

A key is looked for when the view is redrawn, never waited for; what takes long is worked out elsewhere. While the
terminal has not taken the last picture there is no other: the next one shows how things are then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mm_fsm.cli.keys import Keys
from mm_fsm.cli.market_panel import FEWEST_ROWS, PanelEvent, market_lines, market_panel
from mm_fsm.cli.run_view import RunView, fraction_done, is_interrupted
from mm_fsm.cli.unblocked_output import drain, is_behind
from mm_fsm.cli.why_view import WhyView
from mm_fsm.cli.wrapping import wrapped
from mm_fsm.core.clock import seconds
from mm_fsm.machine.results import StepResult
from mm_fsm.report.status import SessionStatus
from mm_fsm.report.status_words import Tone, glance_tone, printable
from mm_fsm.report.table import duration
from mm_fsm.runtime.session import Session

_REDRAW_SECONDS: Final = 0.2
_LARGEST_SHARE: Final = 0.05
"""Of the run's time that drawing may take."""
_STEPS_BETWEEN_LOOKS: Final = 16
_EVENTS_KEPT: Final = 50
_COMFORTABLE_PANEL: Final = 56
_NARROWEST_PANEL: Final = 36
_COMFORTABLE_ROWS: Final = 14
_ROOM_FOR_CONTROL_CHARACTERS: Final = 4
"""A terminal echoes ^C where the cursor is: without room it would wrap, and the view would not be where it was."""
_SPARE_ROWS: Final = 2
"""Below everything: the cursor, and one to spare, so that taking the view away does not scroll it."""
_FEWEST_ROWS_WITH_HELP: Final = 12
_FEWEST_ROWS_WITH_HEADING: Final = 20
_SHORTEST_BAR: Final = 10
_URGENCY: Final = (Tone.BAD, Tone.WARNING, Tone.PLAIN, Tone.GOOD)


class LiveView(RunView):
    """Shows panels side by side where they fit, below each other, or a line or two for each market.

    Args:
        sessions: what is shown.
        console: where.
        keys: what the reader presses; those of standard input by default.
        heading: what is shown, in one line above it where there is room; what was printed before has scrolled away.
    """

    def __init__(
        self, sessions: Sequence[Session], console: Console, keys: Keys | None = None, *, heading: str | None = None
    ) -> None:
        self._sessions = sessions
        self._heading = heading
        self._statuses = {each.symbol: SessionStatus(each) for each in sessions}
        self._console = console
        self._recent: dict[str, deque[PanelEvent]] = {each.symbol: deque(maxlen=_EVENTS_KEPT) for each in sessions}
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._keys = Keys(on_leaving=self._show_cursor) if keys is None else keys
        self._why = WhyView()
        self._chosen: int | None = None
        """Which market is shown alone; None shows all."""
        self._steps = 0
        self._started = perf_counter()
        self._next_redraw = 0.0

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._keys.__enter__()
        try:
            self._live.start()
        except BaseException:
            self._keys.__exit__(None, None, None)
            raise
        if self._keys.are_read:
            self._why.begin(self._sessions)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the view away: the result comes in its place."""
        self._why.close()
        try:
            self._live.stop()
        finally:
            self._keys.__exit__(kind, error, traceback)

    def take(self, session: Session, result: StepResult) -> None:
        """Remember transitions and faults; redraw now and then."""
        symbol = session.symbol
        self._statuses[symbol].follow(result)
        self._why.take(session, result)
        recent = self._recent[symbol]
        for transition in result.transitions:
            self._remember(recent, PanelEvent(result.time, transition.event, f" > {transition.target}"))
        for fault in result.faults:
            self._remember(recent, PanelEvent(result.time, printable(f"{fault.code}: {fault.reason}"), style="red"))
        self._steps += 1
        if self._steps % _STEPS_BETWEEN_LOOKS == 0:
            self.tick()

    @staticmethod
    def _remember(recent: deque[PanelEvent], event: PanelEvent) -> None:
        counted_on = event.after(recent[-1] if recent else None)
        if counted_on.times > 1:
            recent.pop()
        recent.append(counted_on)

    def tick(self) -> None:
        """Redraw when it is time."""
        began = perf_counter()
        if began >= self._next_redraw:
            for key in self._keys.pressed():
                self._press(key)
            if not is_behind(self._console.file):
                self._live.update(self.picture(), refresh=True)
            ended = perf_counter()
            self._next_redraw = ended + max(_REDRAW_SECONDS, (ended - began) / _LARGEST_SHARE)

    def picture(self) -> RenderableType:
        """Everything, as wide and as high as the console at most. Never raises: a view ends no run."""
        width, height = self._console.size
        try:
            entries = {symbol: status.entry() for symbol, status in self._statuses.items()}
            head, foot = self._head(width, height), self._foot(width, height)
            rows = max(height - _SPARE_ROWS - len(head) - len(foot), 1)
            shown = self._why.picture(self._console, width, rows) if self._why.is_open else None
            return Group(*head, shown or self._markets(entries, width, rows), *foot)
        except Exception as error:  # noqa: BLE001 - a bug may have damaged the books, and trading goes on without a view
            text = Text(f"the view cannot be drawn, the run goes on: {printable(repr(error))}", style="red")
            return Group(*wrapped(text, width)[: max(height - _SPARE_ROWS, 1)])

    def _show_cursor(self) -> None:
        """Before a signal ends or suspends the program."""
        self._console.show_cursor(show=True)
        drain(self._console.file)

    def _press(self, key: str) -> None:
        count = len(self._sessions)
        if self._why.is_open:
            self._why.press(key)
        elif key == "w":
            self._why.ask(self._in_question())
        elif key == "n" and count > 1:
            self._chosen = 0 if self._chosen is None else self._chosen + 1
            if self._chosen == count:
                self._chosen = None
        elif key == "a":
            self._chosen = None

    def _in_question(self) -> str:
        """The market that is shown alone, else the first one with a silent side, else the first."""
        if self._chosen is not None:
            return self._sessions[self._chosen].symbol
        silent = (each for each in self._sessions if any(s.status for s in each.machine.context.sides.values()))
        return next(silent, self._sessions[0]).symbol

    def _markets(self, entries: Mapping[str, Mapping[str, Any]], width: int, rows: int) -> RenderableType:
        shown = [*entries.values()]
        if self._chosen is not None:
            shown = [shown[self._chosen]]
        columns = _columns(len(shown), width, rows)
        panel_rows = rows // -(-len(shown) // columns)
        if panel_rows < FEWEST_ROWS or width < _NARROWEST_PANEL:
            return Group(*_lines(shown, width, rows))
        grid = Table.grid()
        panels = [market_panel(each, width // columns, panel_rows, self._recent[each["symbol"]]) for each in shown]
        for start in range(0, len(panels), columns):
            grid.add_row(*panels[start : start + columns])
        return grid

    def _head(self, width: int, height: int) -> list[Text]:
        if self._heading is None or height < _FEWEST_ROWS_WITH_HEADING or len(self._heading) > width:
            return []
        return [Text(self._heading, style="dim")]

    def _foot(self, width: int, height: int) -> list[RenderableType]:
        """How far the run is, and which keys there are."""
        room = max(width - _ROOM_FOR_CONTROL_CHARACTERS, 1)
        fraction, elapsed = fraction_done(self._sessions), perf_counter() - self._started
        events = sum(session.runner.market_events for session in self._sessions)
        passed = max(_passed(session) for session in self._sessions)
        text = f"{fraction:.0%}  {duration(passed)} in {duration(elapsed)}  {events / elapsed:,.0f} events/s"
        if any(is_interrupted(session) for session in self._sessions):
            text = "stopping; Ctrl-C again cancels and leaves at once"
        lines: list[RenderableType] = [*wrapped(Text(text, style="dim"), room)]
        if len(lines) == 1 and room - len(text) > _SHORTEST_BAR:
            bar = Table.grid(padding=(0, 1))
            bar.width = room
            bar.add_column(ratio=1)
            bar.add_column(no_wrap=True)
            bar.add_row(ProgressBar(total=1.0, completed=fraction), Text(text, style="dim"))
            lines = [bar]
        if height >= _FEWEST_ROWS_WITH_HELP:
            lines += (Text(line, style="dim") for line in _in_whole_parts(self._keys_now(), room))
        return lines

    def _keys_now(self) -> list[str]:
        """What keys do at present, what matters most first."""
        ends = "Ctrl-C: cancel and end"
        if not self._keys.are_read:
            return [ends]
        if self._why.is_open:
            return ["space: read on", "w: back to the markets", ends]
        several = ["n: next market"] if len(self._sessions) > 1 else []
        chosen = [] if self._chosen is None else ["a: all markets"]
        return ["w: why?", *chosen, *several, ends]


def _in_whole_parts(parts: Sequence[str], width: int) -> Iterator[str]:
    """Lines that break between parts, and within one only if a line is too narrow for it."""
    line = ""
    for part in parts:
        longer = f"{line}   {part}" if line else part
        if line and len(longer) > width:
            yield from (each.plain for each in wrapped(Text(line), width))
            line = part
        else:
            line = longer
    yield from (each.plain for each in wrapped(Text(line), width))


def _columns(markets: int, width: int, rows: int) -> int:
    """How many panels stand beside each other: as few as leave each enough rows, as long as they are wide enough."""
    columns = max(1, min(markets, width // _COMFORTABLE_PANEL))
    while columns < min(markets, width // _NARROWEST_PANEL) and rows // -(-markets // columns) < _COMFORTABLE_ROWS:
        columns += 1
    return columns


def _lines(entries: Sequence[Mapping[str, Any]], width: int, rows: int) -> list[Text]:
    """A line or two for each market; where not all find room, those with something wrong first."""
    every = [market_lines(entry, width) for entry in entries]
    if sum(map(len, every)) <= rows:
        return [line for lines in every for line in lines]
    by_urgency = sorted(entries, key=lambda entry: _URGENCY.index(glance_tone(entry)))
    shown: list[Text] = []
    for number, entry in enumerate(by_urgency):
        left = len(entries) - number
        quoted = sum(glance_tone(each) is Tone.GOOD for each in by_urgency[number:])
        rest = wrapped(Text(f"and {left} more; {quoted} of them quote both sides", style="dim"), width)
        further = market_lines(entry, width)
        if len(shown) + len(further) + len(rest) > rows:
            return [*shown, *rest][:rows] if shown or len(rest) <= rows else further[:rows]
        shown += further
    return shown


def _passed(session: Session) -> float:
    began_at = session.machine.began_at
    return 0.0 if began_at is None else seconds(session.machine.now - began_at)
