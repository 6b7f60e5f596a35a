"""The log on standard error."""

from __future__ import annotations

import pytest
from loguru import logger

from mm_fsm.cli.log_lines import log_to_standard_error


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
    assert "test_log_lines.py" in shown
    assert "c2VjcmV0" not in shown
