"""Messages break between words on a terminal; a path stays in one piece, so that it can be copied."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from mm_fsm.cli import consoles

TEXT = "files go to /tmp/a-rather-long-directory/of-a-run/20261129-010203-live; Ctrl-C cancels every order\n  indented"


def said(monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool) -> str:
    file = StringIO()
    console = Console(file=file, force_terminal=is_terminal, width=30, color_system=None, highlight=False)
    monkeypatch.setattr(consoles, "message_console", lambda: console)
    consoles.print_message(TEXT)
    return file.getvalue()


def test_on_a_terminal_no_word_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = said(monkeypatch, is_terminal=True).splitlines()
    assert [word for line in lines for word in line.split()] == TEXT.split()
    assert all(len(line) <= 30 or " " not in line for line in lines)
    assert lines[-1] == "  indented"


def test_elsewhere_a_message_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert said(monkeypatch, is_terminal=False) == TEXT + "\n"
