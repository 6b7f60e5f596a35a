"""``mm-fsm report``: what it prints is its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from mm_fsm.cli import reporting
from tests.cli.command_line import run, write_settings
from tests.runtime.settings_texts import MARKET


def test_a_library_that_draws_writes_nothing_between_the_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Graphviz warns about fonts on descriptor 2, past everything that Python knows of."""
    directory = tmp_path / "run"
    assert run("run", write_settings(tmp_path, MARKET), "-q", "--duration", 30, "--out", directory).status == 0
    written = reporting.write_report

    def warned(*arguments: Any) -> Any:
        os.write(2, b"Fontconfig warning\n")
        return written(*arguments)

    monkeypatch.setattr(reporting, "write_report", warned)
    capfd.readouterr()
    assert run("report", directory).status == 0
    assert "Fontconfig" not in capfd.readouterr().err
