"""The log on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from loguru import logger

from mm_fsm.cli.inspecting import run_inspection
from mm_fsm.cli.log_format import log_to_standard_error
from mm_fsm.cli.stream_recorder import RecordOptions, run_record
from mm_fsm.cli.watchdog_command import run_watchdog
from mm_fsm.errors import MarketMakerError


def test_a_bugs_traceback_names_places_and_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    """A variable beside the bug may hold a key."""
    log_to_standard_error()
    try:
        key = "c2VjcmV0"
        try:
            key.encode("no such encoding")
        except LookupError as error:
            logger.bind(symbol="A/USD").opt(exception=error).error("session.failed")
    finally:
        logger.remove()
    shown = capsys.readouterr().err
    assert "session.failed symbol=A/USD" in shown
    assert "test_log_format.py" in shown
    assert "c2VjcmV0" not in shown


def test_a_key_has_no_blank_and_what_is_none_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_standard_error()
    try:
        logger.bind(**{"own trades": "stream", "books of ETH/USDT": "two words", "preset": None}).info("venue.opened")
    finally:
        logger.remove()
    shown = capsys.readouterr().err
    assert shown.split(" ", 2)[2].rstrip() == 'venue.opened own_trades=stream books_of_ETH/USDT="two words"'


class Terminal(StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("level", "color"),
    [("info", None), ("warning", "\x1b[33m"), ("error", "\x1b[1;31m")],
    ids=["info", "warn", "error"],
)
def test_on_a_terminal_what_must_be_looked_at_stands_out(
    level: str, color: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alerts that reached nobody in red, what is tried again in yellow; in a file there is no colour at all."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")
    terminal, file = Terminal(), StringIO()
    for stream in (terminal, file):
        monkeypatch.setattr(sys, "stderr", stream)
        log_to_standard_error()
        try:
            getattr(logger.bind(target="1 (MAIL)", messages="mm-fsm: Kill switch"), level)("alert.not_told")
        finally:
            logger.remove()
    text = terminal.getvalue()
    assert "\x1b" not in file.getvalue()
    if color is None:
        assert "\x1b" not in text
        return
    assert text.startswith(color)
    assert text.count("\n") == 1
    assert text.replace(color, "").replace("\x1b[0m", "").split(" ", 1)[1] == file.getvalue().split(" ", 1)[1]


def record_nothing(directory: Path) -> int:
    options = RecordOptions(
        exchange="no such exchange", symbols=("A/B",), factory=None, form="tardis", out=directory, seconds=1,
        file_seconds=1,
    )  # fmt: skip
    return run_record(options)


@pytest.mark.parametrize(
    "command",
    [
        lambda directory: run_watchdog(directory, silence_seconds=1, most_seconds=1),
        lambda directory: run_inspection(directory / "none.toml", as_json=False),
        record_nothing,
    ],
    ids=["watchdog", "check --venue", "record"],
)
def test_commands_that_talk_to_a_venue_log_in_the_same_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: Callable[[Path], int]
) -> None:
    """Set before anything else is done: also what is refused there has it."""
    logger.remove()
    try:
        with pytest.raises(MarketMakerError):
            command(tmp_path)
        logger.bind(symbol="A/B").warning("venue.refused")
    finally:
        logger.remove()
    assert "WARNING venue.refused symbol=A/B" in capsys.readouterr().err


def test_a_stream_that_is_replaced_and_closed_takes_no_line_with_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a command's runner in a host program does it: the log goes on to what standard error is then."""
    earlier = StringIO()
    try:
        with monkeypatch.context() as replaced:
            replaced.setattr(sys, "stderr", earlier)
            log_to_standard_error()
            logger.info("session.began")
            assert "session.began" in earlier.getvalue()
        earlier.close()
        logger.info("session.went_on")
    finally:
        logger.remove()
    shown = capsys.readouterr().err
    assert "session.went_on" in shown
    assert "Logging error" not in shown
