"""The tutorial is right: its files are written as it says, its commands run, and their output is what it shows."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mm_fsm.coverage import session  # pytest in this process forgets what it loads itself

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "coverage-tutorial.md"
BLOCK = re.compile(r"^```(py|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks() -> Iterator[tuple[str, str]]:
    for match in BLOCK.finditer(TUTORIAL.read_text(encoding="utf-8")):
        yield match[1], match[2]


def test_the_tutorial_is_right(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step in its order; the machine has twenty lines, and the last command passes a gate of 100 %."""
    assert session.CoverageSession
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in ("", str(pytester.path))])
    commands = 0
    for kind, text in blocks():
        head, _, body = text.partition("\n")
        if kind == "py":
            name = head.removeprefix("# ").removesuffix(", continued")
            path = pytester.path / name
            before = path.read_text(encoding="utf-8") + "\n\n" if head.endswith(", continued") else ""
            path.write_text(before + body, encoding="utf-8")
            continue
        program, *arguments = shlex.split(head.removeprefix("$ "))
        assert program == "pytest"
        result = pytester.runpytest_inprocess(*arguments)
        assert result.ret == 0
        shown = [line for line in body.splitlines() if line]
        assert [line for line in result.outlines if line in shown] == shown
        commands += 1
    assert commands == 4
    machine = (pytester.path / "kettle.py").read_text(encoding="utf-8").splitlines()
    assert len(machine) <= 20
