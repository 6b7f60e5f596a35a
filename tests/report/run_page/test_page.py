"""The report's page as text: every figure in it, no text of others as markup, small enough to be sent."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
import pytest

from mm_fsm.report import figures as f
from mm_fsm.report.run_page import report_page
from tests.report.run_page.sample_run import sample_run

IN_THE_DATA = re.compile(
    r"\.(series\.(?!bucket)|fills\.|profit_steps\.|holds\.over_time\.(time|seconds)|holds\.stretches\.|orders\.life\.histogram\.|machine\.edges\.|baseline\.net_per_step)"
)
"""Columns: drawn and listed by the page's script."""
BY_SCRIPT = re.compile(r"\.markouts\.rows\.")
"""Tables that the page's script makes at once: a browser shows their numbers."""
IMPLIED = re.compile(
    r"\.intervals\.\w+\.(value|excludes_zero)$"  # the sum itself, and where its interval lies
    r"|\.interval\.excludes_zero$"
    r"|\.markouts\.rows\.\d+\.horizon_seconds$"  # said once, at the button
    r"|\.baseline\.figures\.(?!profit\.(net|spread_capture|inventory|fees|volume)$|drawdown\.largest$|orders\.fills$|presence\.both_share$)"
    r"|\.(settings|fill_model)\.|^reproduction\.|^format$"  # shown as texts
)


def numbers_of(entry: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Place and value of each number, amounts written as texts included."""
    if isinstance(entry, dict):
        for name, value in entry.items():
            yield from numbers_of(value, f"{place}.{name}" if place else name)
    elif isinstance(entry, list):
        for number, value in enumerate(entry):
            yield from numbers_of(value, f"{place}.{number}")
    elif isinstance(entry, bool):
        yield place, str(entry).lower()
    elif isinstance(entry, (int, float)) or (isinstance(entry, str) and re.fullmatch(r"-?\d+(\.\d+)?", entry)):
        yield place, str(entry)


class Marks(HTMLParser):
    """Value by place of each marked number; a place is relative to those that elements around it name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.places: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "data-place" in given:
            self.places.append((tag, str(given["data-place"])))
        if "data-of" in given:
            self.found[".".join([*(place for _, place in self.places), str(given["data-of"])])] = str(given["value"])

    def handle_endtag(self, tag: str) -> None:
        if self.places and self.places[-1][0] == tag:
            self.places.pop()


def shown_in(page: str) -> dict[str, str]:
    return Marks(page).found


@pytest.fixture(scope="module")
def page() -> str:
    return report_page(sample_run(markets=2, rows=200, fills=40))


@pytest.mark.smoke
def test_every_figure_stands_in_the_page_with_its_exact_value(page: str) -> None:
    expected = {
        place: value
        for place, value in numbers_of(sample_run(markets=2, rows=200, fills=40).entry())
        if not (IN_THE_DATA.search(place) or IMPLIED.search(place) or BY_SCRIPT.search(place))
    }
    shown = shown_in(page)
    assert len(expected) > 300
    assert {place: shown.get(place) for place in expected} == expected


def test_nothing_is_shown_that_is_not_in_the_figures(page: str) -> None:
    known = dict(numbers_of(sample_run(markets=2, rows=200, fills=40).entry()))
    assert {place: value for place, value in shown_in(page).items() if value and known.get(place) != value} == {}


def test_texts_of_venues_and_settings_stay_texts() -> None:
    hostile = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    run = sample_run(rows=20, fills=5)
    market = attrs.evolve(
        run.markets[0],
        symbol=hostile,
        error=hostile,
        notes=(hostile,),
        settings={hostile: {hostile: hostile}},
        fill_model=attrs.evolve(
            run.markets[0].fill_model, assumptions=(f.Assumption(name=hostile, value=hostile, meaning=hostile),)
        ),
    )
    text = report_page(attrs.evolve(run, name=hostile, markets=(market,), notes=(hostile,)))
    assert "<img" not in text
    assert "alert(2)</script>" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_an_hour_with_every_row_is_below_half_a_megabyte() -> None:
    """As many rows as a report keeps at most, in one market, with 600 fills."""
    assert len(report_page(sample_run(rows=4_096, fills=600)).encode()) < 500_000


def test_a_run_with_all_that_a_report_keeps_is_below_three_megabytes() -> None:
    """Three markets, each with as many rows and fills as are ever shown."""
    assert len(report_page(sample_run(markets=3, rows=4_096, fills=3_000)).encode()) < 3_000_000


def test_a_machine_that_is_not_loaded_is_not_imported_and_has_its_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of figures cannot make the page run code."""
    (tmp_path / "planted.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    run = sample_run(rows=20, fills=5)
    market = attrs.evolve(run.markets[0], machine=attrs.evolve(run.markets[0].machine, machine="planted:Machine"))
    text = report_page(attrs.evolve(run, markets=(market,)))
    assert "planted" not in sys.modules
    assert 'class="map"' not in text
    assert "Visits and time by state" in text


def test_without_what_draws_a_chart_its_figures_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    text = report_page(sample_run(rows=20, fills=5))
    assert 'class="map"' not in text
    assert text.count("calculating_spreads") > 1


def test_a_run_that_saw_nothing_has_a_page() -> None:
    """No fact, no fill, no interval, no horizon."""
    run = sample_run(rows=0, fills=0, with_baseline=False)
    market = run.markets[0]
    empty = attrs.evolve(
        market,
        begin_ms=None,
        end_ms=None,
        seconds=0.0,
        profit=attrs.evolve(
            market.profit,
            intervals={},
            terms=None,
            no_interval="nothing happened.",
            net_bps_of_volume=None,
            spread_captured_bps=None,
        ),
        markouts=attrs.evolve(market.markouts, rows=()),
        holds=attrs.evolve(market.holds, totals=()),
        drawdown=attrs.evolve(market.drawdown, from_ms=None, bottom_ms=None, recovered_ms=None),
        orders=attrs.evolve(
            market.orders,
            life=attrs.evolve(
                market.orders.life, histogram=(), count=0, mean_seconds=None, median_seconds=None, longest_seconds=None
            ),
        ),
        presence=attrs.evolve(market.presence, snapshots=0, snapshots_met=0, snapshot_share=None, is_met=False),
        outcome="fault",
        error="the venue was never reached",
    )
    text = report_page(attrs.evolve(run, markets=(empty,)))
    assert "the venue was never reached" in text
    assert "No interval: nothing happened." in text
