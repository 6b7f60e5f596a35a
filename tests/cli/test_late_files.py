"""A file that is written at the end of long work is tried before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mm_fsm.cli.late_files import require_writable
from mm_fsm.errors import OptionError
from tests.cli.command_line import run


def test_what_is_tried_stays_as_it_was(tmp_path: Path) -> None:
    there, new = tmp_path / "there", tmp_path / "new"
    there.write_text("mine")
    for path in (there, new):
        require_writable("--out", path)
    assert there.read_text() == "mine"
    assert not new.exists()


def test_what_cannot_be_written_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwanted(*_: object) -> None:
        pytest.fail("the work was begun")

    monkeypatch.setattr("mm_fsm.cli.inspector.journals_by_symbol", unwanted)
    out = tmp_path / "nowhere" / "x.html"
    with pytest.raises(OptionError, match="'--out': expected a file that can be written"):
        require_writable("--out", out)
    finished = run("inspect", tmp_path, "--out", out)
    assert finished.status == 2
    assert "No such file or directory" in finished.messages
