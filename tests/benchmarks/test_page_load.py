"""The benchmark of pages opens what it is given, and says how large it is and how long it took."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mm_fsm.report.pages import self_contained_page
from tests.browser import chromium

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "page_load.py"


def test_a_page_that_is_given_is_opened_at_both_widths(tmp_path: Path) -> None:
    pytest.importorskip("playwright")
    if chromium() is None:
        pytest.skip("needs Chromium")
    page = tmp_path / "page.html"
    page.write_text(self_contained_page("base.html.jinja", title="A page", has_timelines=True), encoding="utf-8")
    command = [sys.executable, str(SCRIPT), str(page), "--rounds=1", "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, check=True, timeout=200)
    found = json.loads(finished.stdout)["pages"]
    assert [each["width"] for each in found] == [1280, 390]
    for each in found:
        assert each["bytes"] == page.stat().st_size
        assert 0 < each["loaded_ms"] <= each["drawn_ms"] <= each["slowest_ms"]
