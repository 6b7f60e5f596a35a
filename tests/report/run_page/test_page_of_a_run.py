"""The page that a real run leaves: what it says is what ``report.json`` says, in a browser, and its size."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.browser import OpenPage, scrolls_sideways
from tests.cli.command_line import run
from tests.report.run_page.marks import MARKS
from tests.report.run_page.test_page import IMPLIED, IN_THE_DATA, numbers_of


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("made") / "run"
    assert run("run", "-q", "--duration", "200", "--seed", "7", "--out", place).status == 0
    return place


def test_the_page_says_what_the_file_of_figures_says(directory: Path, open_page: OpenPage) -> None:
    """Every number but those that columns and charts have, and those that follow from others."""
    figures = json.loads((directory / "report.json").read_text(encoding="utf-8"))
    expected = {
        place: value
        for place, value in numbers_of(figures)
        if not IN_THE_DATA.search(place) and not IMPLIED.search(place)
    }
    page = open_page(directory / "report.html")
    shown = page.evaluate(MARKS)
    assert len(expected) > 500
    assert {place: shown.get(place) for place in expected} == expected
    assert not scrolls_sideways(page)


def test_its_fills_are_those_of_the_table_for_people(directory: Path, open_page: OpenPage) -> None:
    """Price, quantity and order of each listed fill, as fills.csv has them."""
    lines = (directory / "ETH-USD" / "fills.csv").read_text(encoding="utf-8").splitlines()
    names = lines[0].split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in lines[1:13]]
    assert rows
    page = open_page(directory / "report.html", width=390)
    listed = page.evaluate(
        """() => [...document.querySelectorAll("#m0 .fill-list tbody tr")].map((row) =>
             [...row.cells].map((cell) => cell.textContent.replaceAll("\\u202f", "").replaceAll("\\u2212", "-")))"""
    )
    assert [(Decimal(cells[2]), Decimal(cells[3]), cells[-1]) for cells in listed] == [
        (Decimal(row["price"]), Decimal(row["quantity"]), row["client_order_id"]) for row in rows
    ]


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_the_page_of_an_hour_of_the_demonstration_is_far_below_half_a_megabyte(tmp_path: Path) -> None:
    """Two markets for an hour, with a plain quoter beside each: 15 % of 500 KB stay free."""
    assert (
        run("run", "-q", "--duration", "3600", "--speed", "max", "--seed", "7", "--out", tmp_path / "demo").status == 0
    )
    assert (tmp_path / "demo" / "report.html").stat().st_size < 425_000
    assert run("report", tmp_path / "demo", "--baseline").status == 0
    text = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 425_000
    assert len(re.findall("net profit of a plain quoter on the same data", text)) == 2


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_the_page_of_a_recorded_day_is_below_three_megabytes(
    tmp_path: Path, recorded_data: Callable[[str], Path]
) -> None:
    recording = recorded_data("gemini_ethusd")
    files = [recording / f"gemini_{kind}_2021-07-01_ETHUSD.csv.gz" for kind in ("quotes", "trades")]
    out = tmp_path / "day"
    assert run("backtest", "-q", "--quotes", files[0], "--trades", files[1], "--no-journal", "--out", out).status == 0
    assert (out / "report.html").stat().st_size < 3_000_000
