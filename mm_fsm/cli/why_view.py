"""The answer to "why?" in the live view: asked for by a key, worked out elsewhere, read page by page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

from mm_fsm.cli.explaining import Explanation
from mm_fsm.cli.wrapping import wrapped
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.report.status_words import printable
from mm_fsm.report.table import duration
from mm_fsm.report.why.last_steps import LastSteps
from mm_fsm.report.why.printed import answer_text
from mm_fsm.runtime.session import Session

MORE: Final = " "
CLOSE: Final = "w"


class WhyView:
    """Follows the machines of a run, and asks about one of them when it is wanted."""

    def __init__(self) -> None:
        self._steps: dict[str, tuple[QuotingMachine, LastSteps]] = {}
        self._problem = ""
        self._explanation: Explanation | None = None
        self._page = 0

    @property
    def is_open(self) -> bool:
        """Whether there is an answer to show, or one is awaited."""
        return self._explanation is not None or bool(self._problem)

    def begin(self, sessions: Iterable[Session]) -> None:
        """Follow these sessions, which have made no step yet."""
        for session in sessions:
            self._follow(session)

    def take(self, session: Session, result: StepResult) -> None:
        """One step has been made. Never raises: what cannot be followed has no answer, and the run goes on."""
        machine, steps = self._steps.get(session.symbol, (None, None))
        if machine is not session.machine:
            if machine is not None:  # a restart has put another machine in its place, which has made the step
                self._follow(session)
            return
        try:
            if steps is not None:
                steps.take(result)
        except Exception:  # noqa: BLE001 - it is a view
            del self._steps[session.symbol]

    def ask(self, symbol: str) -> None:
        """Begin to work out why the market's sides are as they are now."""
        self.close()
        _, steps = self._steps.get(symbol, (None, None))
        if steps is None:
            self._problem = f"{symbol}: its machine cannot be followed"
            return
        try:
            self._explanation = Explanation(symbol, steps.captured())
        except Exception as error:  # noqa: BLE001 - it is a view
            self._problem = f"{symbol}: {printable(repr(error))}"

    def press(self, key: str) -> None:
        """A key while it is open."""
        if key == MORE:
            self._page += 1
        elif key == CLOSE:
            self.close()

    def close(self) -> None:
        """Show it no more, and work on it no more."""
        if self._explanation is not None:
            self._explanation.close()
        self._explanation, self._problem, self._page = None, "", 0

    def picture(self, console: Console, width: int, rows: int) -> RenderableType:
        """As much of the answer as there is room for."""
        lines = console.render_lines(self._content(width), console.options.update(width=width, height=None), pad=False)
        pages = max(-(-len(lines) // rows), 1)
        first = self._page % pages * rows
        return _Lines(lines[first : first + rows])

    def _content(self, width: int) -> RenderableType:
        explanation = self._explanation
        if explanation is None or explanation.problem:
            symbol, problem = ("", self._problem) if explanation is None else (explanation.symbol, explanation.problem)
            text = f"why {symbol}: there is no answer: {printable(problem)}"
            return Group(*wrapped(Text(text, style="red"), width))
        if explanation.answers is None:
            asked = f"a copy of its machine was asked {duration(explanation.elapsed)} ago; trading goes on"
            text = f"why {explanation.symbol}: {asked}"
            return Group(*wrapped(Text(text, style="yellow"), width))
        return Group(
            Text(f"why {explanation.symbol}, as it was when the key was pressed", style="bold"),
            *map(answer_text, explanation.answers),
        )

    def _follow(self, session: Session) -> None:
        try:
            self._steps[session.symbol] = (session.machine, LastSteps(session.machine))
        except Exception:  # noqa: BLE001 - a machine that cannot be written down has no answer, and trades all the same
            self._steps.pop(session.symbol, None)


class _Lines:
    """Lines that have been rendered already."""

    def __init__(self, lines: list[list[Segment]]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._lines:
            yield from line
            yield Segment.line()
