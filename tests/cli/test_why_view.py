"""Why, by a key: asked of a copy in a process of its own, while the run goes on as if nobody had asked."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from mm_fsm.cli import explaining
from mm_fsm.cli.explaining import Explanation
from mm_fsm.cli.why_view import WhyView
from mm_fsm.runtime.session import Session, for_session, open_session
from mm_fsm.runtime.settings_file import read_preset
from tests.patience import until


def opened() -> Session:
    return open_session(for_session(read_preset("paper_ethusd"), duration_seconds=300, seed=7))


def shown(view: WhyView, width: int = 60, rows: int = 100) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(view.picture(console, width, rows), end="")
    return capture.get()


def test_the_answer_comes_while_the_run_goes_on_unchanged() -> None:
    """Asked after 40 steps, in the warm-up: both sides are silent, and the same run without a question is the same."""
    session, alone = opened(), opened()
    view = WhyView()
    view.begin([session])
    steps, others = session.runner.run(), alone.runner.run()
    for _ in range(40):
        view.take(session, next(steps))
        next(others)
    view.ask("ETH/USD")
    assert "a copy of its machine was asked" in shown(view)
    for _ in range(40):
        result = next(steps)
        view.take(session, result)
        assert result == next(others)
    assert session.machine.context.digest() == alone.machine.context.digest()
    until(lambda: "was asked" not in shown(view))
    text = shown(view)
    assert "why ETH/USD, as it was when the key was pressed" in text
    assert "bid not quoted" in text
    assert "ask not quoted" in text
    assert " ".join(text.split()).count("volatility is still being measured") == 2
    assert max(map(len, text.splitlines())) <= 60
    rows = len(text.splitlines())
    first = shown(view, rows=rows - 2)
    view.press(" ")
    assert len(shown(view, rows=rows - 2).splitlines()) == 2
    view.press(" ")
    assert shown(view, rows=rows - 2) == first
    view.press("w")
    assert not view.is_open


def test_an_answer_that_nobody_waits_for_is_worked_on_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process would sleep for long; closing ends it."""
    monkeypatch.setattr(explaining, "_explainer", lambda: _python("import time; time.sleep(600)"))
    waiting: Any = Explanation("ETH/USD", None)  # type: ignore[arg-type]
    until(lambda: waiting._process is not None)
    waiting.close()
    until(lambda: waiting._process.poll() is not None)
    until(lambda: waiting.problem)


def test_a_process_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "_explainer", lambda: _python("raise SystemExit('no room')"))
    failing = Explanation("ETH/USD", None)  # type: ignore[arg-type]
    until(lambda: failing.problem)
    assert failing.problem == "no room"
    assert failing.answers is None


def _python(program: str) -> Any:
    import subprocess
    import sys

    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, stderr=pipe)


def test_a_machine_that_cannot_be_followed_has_no_answer_and_trades_all_the_same() -> None:
    session = opened()
    view = WhyView()
    session.machine.remembered_values = lambda: 1 / 0  # type: ignore[method-assign]
    view.begin([session])
    steps = session.runner.run()
    for _ in range(5):
        view.take(session, next(steps))
    view.ask("ETH/USD")
    assert "there is no answer" in shown(view)
    view.press("w")
    assert not view.is_open


def test_a_restart_puts_another_machine_in_its_place_and_it_is_followed_from_there() -> None:
    session, other = opened(), opened()
    view = WhyView()
    view.begin([session])
    steps = session.runner.run()
    view.take(session, next(steps))
    followed = view._steps["ETH/USD"][1]
    session.machine = other.machine
    view.take(session, next(other.runner.run()))
    assert view._steps["ETH/USD"][1] is not followed
