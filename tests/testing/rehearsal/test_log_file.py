"""The log on disk says what the log in memory says, up to the last whole line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mm_fsm.core.messages import Side
from mm_fsm.errors import RecordingError
from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where
from mm_fsm.testing.rehearsal.judge import FaultStruck, LogEntry, RehearsalLog, StreamSubscribed
from mm_fsm.testing.rehearsal.log_file import LogFile, read_log
from mm_fsm.testing.rehearsal.refusals import RefusedError
from mm_fsm.testing.rehearsal.venue_orders import OrderType
from tests.testing.rehearsal.hall import Hall
from tests.testing.rehearsal.stage import book
from tests.testing.rehearsal.test_judge import asked


def written(file: io.StringIO) -> RehearsalLog:
    """A log with an entry of each kind, written to a file as well."""
    hall = Hall()
    for entry in hall.log.entries:
        LogFile(file).write(entry)
    hall.log.on_entry = LogFile(file).write
    hall.engine.on_market(book())
    hall.place(Side.BID, "1", "2001")
    hall.place(Side.ASK, "1", None, OrderType.MARKET)
    with pytest.raises(RefusedError):
        hall.place(Side.BID, "100", "2001")
    hall.log.write(asked(200))
    hall.log.write(StreamSubscribed(time=1, stream="user"))
    fault = Fault(kind=FaultKind.HANG_AFTER, where=Where.PLACE, at=0.5)
    hall.log.write(FaultStruck(time=2, fault=fault, where=Where.PLACE, symbol=None))
    return hall.log


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    file = io.StringIO()
    log = written(file)
    path = tmp_path / "log.jsonl"
    path.write_text(file.getvalue(), encoding="utf-8")
    assert read_log(path).entries == log.entries
    kinds = {type(entry) for entry in log.entries}
    assert kinds == {*LogEntry.__subclasses__()}


def test_a_line_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    file = io.StringIO()
    log = written(file)
    path = tmp_path / "log.jsonl"
    path.write_text(file.getvalue()[:-10], encoding="utf-8")
    assert read_log(path).entries == log.entries[:-1]


def test_a_line_that_is_no_entry_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"entry": "Nothing"}\n', encoding="utf-8")
    with pytest.raises(RecordingError, match="line 1"):
        read_log(path)
