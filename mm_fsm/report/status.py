"""What each market is doing now, and why a side is silent: for the live view, and for other processes in a file.

``status.json`` stands in the directory of a run while it runs, and stays as the run left it. It is replaced as a whole,
so that whoever reads it never finds half of it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from socket import gethostname
from time import monotonic
from time import time as wall_time
from types import TracebackType
from typing import Any, Final, Self

import attrs
from attrs import define, field

from mm_fsm.core.decisions import Hold
from mm_fsm.core.messages import SIDES, Side
from mm_fsm.errors import FileError, MarketMakerError
from mm_fsm.machine.results import StepResult
from mm_fsm.report.exact import as_json, exact_text
from mm_fsm.report.fact_words import fact_words
from mm_fsm.report.files import missing_run
from mm_fsm.report.plain_words import SELF_EVIDENT, ends_when, what_is_done, why_held
from mm_fsm.report.session_report import outcome_of, quote_edge
from mm_fsm.report.status_figures import News, figures_of
from mm_fsm.report.status_shape import shape_fault
from mm_fsm.report.stretches import decision_of
from mm_fsm.runtime.operations import is_dead, this_run
from mm_fsm.runtime.session import Session
from mm_fsm.runtime.shutdown import ending_of

STATUS_FILE: Final = "status.json"
FORMAT: Final = 4
"""Of the file; another number is another version's."""
WRITE_SECONDS: Final = 1.0
"""Wall time between two writes, at least."""
_STEPS_BETWEEN_LOOKS: Final = 16
_LIVE: Final = "live"


@define
class SideHistory:
    """How long one side has been as it is: live, or held for one reason."""

    reason: str = ""
    """A hold reason, or ``live``; empty before the first step."""
    since: int | None = None
    """Fact time, nanoseconds."""
    last_live_at: int | None = None
    """When a quote was last live; None while none ever was."""
    began_with: Mapping[str, Any] | None = None
    """The step that made it so, and its fact; None where it is quoted, or nobody saw the step."""
    decided_by: Mapping[str, Any] | None = None
    """Who decided that in this step: services and guards answer otherwise later."""


@define(eq=False)
class SessionStatus:
    """Follows one session, step by step."""

    session: Session
    sides: dict[Side, SideHistory] = field(factory=lambda: {side: SideHistory() for side in SIDES}, init=False)
    news: News = field(factory=News, init=False)
    ended_at: int | None = field(default=None, init=False)
    """Fact time of the step that ended the session, nanoseconds."""

    def follow(self, result: StepResult) -> None:
        """Look at both sides after a step; a reason that goes on keeps its beginning. Never raises."""
        try:
            self.news.follow(self.session, result)
            self._follow_sides(result)
            if self.ended_at is None and self.session.machine.is_final:
                self.ended_at = self.session.machine.context.now
        except Exception:  # noqa: BLE001, S110 - a bug may have damaged the books: what people read ends no run
            pass

    def _follow_sides(self, result: StepResult) -> None:
        context = self.session.machine.context
        for side in SIDES:
            held, history = context.sides[side].status, self.sides[side]
            reason = _LIVE if held is None else held.reason.value
            if reason != history.reason:
                if history.reason == _LIVE:
                    history.last_live_at = context.now
                history.reason, history.since = reason, context.now
                history.began_with = history.decided_by = None
                if held is not None:
                    history.began_with = {"step": result.sequence, "fact": fact_words(result.fact, context)}
                    history.decided_by = decision_of(result, self.session.machine, side).entry()

    def entry(self) -> dict[str, Any]:
        """What ``status.json`` says about the market; times are nanoseconds of the facts' clock."""
        machine, context = self.session.machine, self.session.machine.context
        return {
            "symbol": self.session.symbol,
            "state": machine.chart_state,
            "has_real_orders": self.session.configuration.venue.is_live,
            "has_ended": machine.is_final,
            "ending": self._ending(),
            "why_down": self.session.why_down,
            "time": max(self.session.now, context.now),
            "last_fact_at": context.now,
            "net_pnl": exact_text(context.net_pnl),
            "fills": context.fill_count,
            "quote_edge": {
                **as_json(attrs.asdict(quote_edge(context))),
                "minimum_fills": context.settings.adverse_selection_minimum_fills,
            },
            "sides": {side.value: self._side(side) for side in SIDES},
            **figures_of(self.session),
            "news": [*self.news.items],
        }

    def _ending(self) -> dict[str, Any]:
        """How the market has ended; before that, how it would be left if the process ended now."""
        machine = self.session.machine
        found = as_json(attrs.asdict(ending_of(machine.context)))
        return {
            "outcome": outcome_of(machine).value,
            "reason": machine.context.stop_reason,
            "error": machine.result().error,
            "at": self.ended_at,
            **{name: value for name, value in found.items() if name != "symbol"},
        }

    def _side(self, side: Side) -> dict[str, Any]:
        held, history = self.session.machine.context.sides[side].status, self.sides[side]
        return {
            "is_live": held is None,
            "since": history.since,
            "last_live_at": history.last_live_at,
            **{name: None if held is None else said_of(held) for name, said_of in _OF_A_HOLD.items()},
            "began_with": history.began_with,
            "decided_by": history.decided_by,
        }


_OF_A_HOLD: Final[Mapping[str, Callable[[Hold], object]]] = {
    "reason": lambda held: held.reason.value,
    "why": lambda held: why_held(held.reason),
    "doing": lambda held: what_is_done(held.reason),
    "ends_when": lambda held: ends_when(held.reason),
    "detail": lambda held: "" if held.reason in SELF_EVIDENT else held.detail,
    "until": lambda held: held.until,
}
"""What a side that is held says besides; of another each is null."""


class StatusFile(AbstractContextManager["StatusFile"]):
    """Writes ``status.json`` while sessions run, at most once a second; use it in a ``with`` statement.

    A file that cannot be written never ends a run: ``failure`` then says why.
    """

    def __init__(self, directory: Path, sessions: Sequence[Session], *, clock: Callable[[], float] = monotonic) -> None:
        self.path: Final = directory / STATUS_FILE
        self.failure: str | None = None
        self._statuses = {session: SessionStatus(session) for session in sessions}
        self._clock = clock
        self._next_write = 0.0
        self._steps = 0
        self._error: str | None = None

    def __enter__(self) -> Self:
        """Say that the run has begun."""
        self._write(is_running=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Say how the run was left, and by what error if one ended it."""
        self._error = None if error is None else _words_of(error)
        self._write(is_running=False)

    def take(self, session: Session, result: StepResult) -> None:
        """One step of one session has been taken."""
        self._statuses[session].follow(result)
        self._steps += 1
        if self._steps % _STEPS_BETWEEN_LOOKS == 0:
            self.tick()

    def tick(self) -> None:
        """Write when it is time."""
        if self._clock() >= self._next_write:
            self._write(is_running=True)

    def _write(self, *, is_running: bool) -> None:
        fresh = self.path.with_name(f".{STATUS_FILE}.{os.getpid()}")
        try:
            content = {
                "format": FORMAT,
                "is_running": is_running,
                "run": this_run(),
                "process": os.getpid(),
                "host": gethostname(),
                "written_at": wall_time(),
                "error": self._error,
                "symbols": [status.entry() for status in self._statuses.values()],
            }
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(_text(content), encoding="utf-8")
            fresh.replace(self.path)
            self.failure = None
        except OSError as failure:
            self.failure = failure.strerror or str(failure)
        except Exception as failure:  # noqa: BLE001 - a bug may have damaged the books: what people read ends no run
            self.failure = repr(failure)
        self._next_write = self._clock() + WRITE_SECONDS


def _words_of(error: BaseException) -> str:
    """Why a run broke off. A foreign error's words may hold a request and its key: its kind must do."""
    return str(error) if isinstance(error, MarketMakerError) else type(error).__name__


def _text(content: Mapping[str, Any]) -> str:
    """The content as strict JSON; a figure that is not finite, which is rare, is null."""
    try:
        return json.dumps(content, allow_nan=False) + "\n"
    except ValueError:
        return json.dumps(as_json(content), allow_nan=False) + "\n"


def read_status(directory: Path) -> dict[str, Any]:
    """What ``StatusFile`` wrote last.

    Raises:
        FileError: there is no such file, it is another version's, or it lacks something that views show.
    """
    if not directory.exists():
        raise missing_run(directory)
    path = directory / STATUS_FILE
    remedy = "Name the directory of a run or backtest, as --out did."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as failure:
        raise FileError(str(path), "a status file", failure.strerror or str(failure), remedy) from None
    except ValueError as failure:
        raise FileError(str(path), "a status in JSON", str(failure), remedy) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else type(content).__name__
        raise FileError(str(path), f"a status of format {FORMAT}", found, "Read it with the version that wrote it.")
    fault = shape_fault(content)
    if fault:
        raise FileError(str(path), "a whole status", fault, "Read it with the version that wrote it.")
    return content


def is_gone(status: Mapping[str, Any]) -> bool:
    """Whether the process of a run that says it is running is no more; of another machine's nobody here knows."""
    return bool(status["is_running"]) and is_dead(status["process"], status["host"])
