"""What a run says it is doing: each side live, or why it is not and since when; readable by another process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.books.facts import OrderFilled
from mm_fsm.core.decisions import HoldReason
from mm_fsm.errors import FileError
from mm_fsm.report.exact import exact_text
from mm_fsm.report.plain_words import WHY_HELD
from mm_fsm.report.status import SessionStatus, StatusFile, is_gone, read_status
from mm_fsm.report.status_words import headline, side_lines
from mm_fsm.runtime.session import Session, for_session, open_session
from mm_fsm.runtime.settings_file import read_preset

SECOND = 1_000_000_000


def opened() -> Session:
    return open_session(for_session(read_preset("paper_ethusd"), duration_seconds=100, seed=7))


def side(*, live: bool, reason: str = "risk", since: int = 0, last_live_at: int | None = None) -> dict[str, Any]:
    why = None if live else WHY_HELD[HoldReason(reason)]
    return {
        "is_live": live, "reason": None if live else reason, "why": why, "detail": "", "since": since,
        "last_live_at": last_live_at,
    }  # fmt: skip


def entry(bid: dict[str, Any], ask: dict[str, Any], *, time: int = 0, has_ended: bool = False) -> dict[str, Any]:
    ending = {"outcome": "completed" if has_ended else "unfinished"}
    return {"time": time, "has_ended": has_ended, "ending": ending, "sides": {"bid": bid, "ask": ask}}


def test_every_reason_has_plain_words() -> None:
    assert set(WHY_HELD) == set(HoldReason)
    assert not [words for words in WHY_HELD.values() if "_" in words or not words]


def test_a_reason_that_goes_on_keeps_its_beginning() -> None:
    """Against the context itself, looked at after every step: the beginning is the first step with that reason."""
    session = opened()
    status = SessionStatus(session)
    seen: list[tuple[str, int]] = []
    for result in session.runner.run():
        status.follow(result)
        context = session.machine.context
        held = context.sides["bid"].status  # type: ignore[index]
        seen.append(("live" if held is None else held.reason.value, context.now))
        beginning = len(seen) - 1
        while beginning and seen[beginning - 1][0] == seen[-1][0]:
            beginning -= 1
        shown = status.entry()["sides"]["bid"]
        assert shown["since"] == seen[beginning][1]
        ends = [after[1] for before, after in pairwise(seen) if before[0] == "live" != after[0]]
        assert shown["last_live_at"] == (ends[-1] if ends else None)
    assert {"warming_up", "live", "completed"} <= {reason for reason, _ in seen}
    assert status.entry()["has_ended"]


@pytest.mark.parametrize(
    ("bid", "ask", "words"),
    [
        (side(live=True), side(live=True), "quotes both sides"),
        (side(live=True), side(live=False), "quotes only bids: a risk limit refuses the order"),
        (side(live=False, reason="orders_in_flight"), side(live=True), "changes its quotes"),
        (side(live=False), side(live=False), "silent: a risk limit refuses the order"),
        (
            side(live=False, reason="stale_data"), side(live=False, reason="funds"),
            "silent: market data is too old; the funds do not suffice",
        ),
    ],
)  # fmt: skip
def test_one_clause_says_whether_the_market_is_made(bid: dict[str, Any], ask: dict[str, Any], words: str) -> None:
    assert headline(entry(bid, ask)) == words
    assert headline(entry(bid, ask, has_ended=True)) == "ended"


def test_a_line_for_each_side_says_for_how_long() -> None:
    """Held since second 70, live until second 60, now second 190: two minutes, and ten seconds more."""
    held = side(live=False, since=70 * SECOND, last_live_at=60 * SECOND)
    lines = list(side_lines(entry(side(live=True, since=185 * SECOND), held, time=190 * SECOND)))
    assert lines == [
        ("bid", True, "live for 5.0 s"),
        ("ask", False, "held for 2:00: a risk limit refuses the order; last live 2:10 ago"),
    ]


def test_the_file_is_written_at_most_once_a_second_and_at_both_ends(tmp_path: Path) -> None:
    session, now = opened(), [0.0]
    with StatusFile(tmp_path / "run", [session], clock=lambda: now[0]) as file:
        assert read_status(tmp_path / "run")["is_running"]
        first = file.path.read_text()
        for result in session.runner.run():
            file.take(session, result)
        assert file.path.read_text() == first
        now[0] = 1.0
        file.tick()
        assert file.path.read_text() != first
    last = read_status(tmp_path / "run")
    assert not last["is_running"]
    assert [each["has_ended"] for each in last["symbols"]] == [True]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["status.json"]


def test_a_place_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with StatusFile(tmp_path / "run", [opened()]) as file:
        pass
    assert file.failure


def test_damaged_books_end_no_run(tmp_path: Path) -> None:
    """A bug may have left anything in them: what people read says so, and trading goes on."""
    session = opened()
    session.machine.context.ledger = None  # type: ignore[assignment]
    with StatusFile(tmp_path / "run", [session]) as file:
        file.tick()
    assert "NoneType" in (file.failure or "")


def test_the_latest_fills_are_told_with_their_side_size_and_price() -> None:
    """Against the facts themselves: each fill once, in order, the last twelve of them."""
    session = opened()
    status = SessionStatus(session)
    told: list[str] = []
    for result in session.runner.run():
        status.follow(result)
        if isinstance(result.fact, OrderFilled):
            did = "bought" if result.fact.side == "bid" else "sold"
            told.append(f"{did} {exact_text(result.fact.quantity)} ETH at {exact_text(result.fact.price)}")
    assert len(told) > 3
    assert [each["words"] for each in status.entry()["news"] if each["kind"] == "fill"] == told[-12:]


def test_a_process_that_is_gone_is_told_from_one_that_runs() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = {"is_running": True, "host": socket.gethostname()}
    assert is_gone({**here, "process": ended.pid})
    assert not is_gone({**here, "process": os.getpid()})
    assert not is_gone({**here, "is_running": False, "process": ended.pid})
    assert not is_gone({**here, "host": "elsewhere.example", "process": ended.pid})


@pytest.mark.parametrize("content", [None, "{", "[]", json.dumps({"format": 99})])
def test_what_is_no_status_is_refused_as_a_file(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "status.json").write_text(content)
    with pytest.raises(FileError, match=r"^file '.*status.json'"):
        read_status(tmp_path)


def test_a_figure_that_is_not_finite_is_null_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SessionStatus, "entry", lambda _: {"symbol": "A/B", "spread_bps": float("nan")})
    with StatusFile(tmp_path / "run", [opened()]):
        pass
    said = json.loads((tmp_path / "run" / "status.json").read_text())
    assert said["symbols"] == [{"symbol": "A/B", "spread_bps": None}]
