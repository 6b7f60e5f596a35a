"""The coverage page in a browser: it runs under its policy, sorts by keyboard, and fits a phone."""

from __future__ import annotations

import pytest

from mm_fsm.coverage.heat_map import heat_map
from mm_fsm.coverage.html_report import html_page
from tests.browser import OpenPage, scrolls_sideways
from tests.coverage.charts import Door, Player
from tests.coverage.test_reports import result_of


@pytest.fixture(scope="module")
def coverage_page() -> str:
    result = result_of((Door, ("push",)), (Player, ("stop",)))
    return html_page(result, {chart.reference: heat_map(chart) for chart in result.charts})


def test_tables_sort_by_keyboard(coverage_page: str, open_page: OpenPage) -> None:
    """Door's edges, ``shut`` pushed once: the one that was taken comes last, and first when sorted the other way."""
    page = open_page(coverage_page)
    edges = page.get_by_role("region", name="Edges").first
    hits = edges.get_by_role("button", name="hits")
    hits.focus()
    page.keyboard.press("Enter")
    assert edges.locator("tbody tr td:nth-child(5)").all_inner_texts() == ["0", "0", "1"]
    page.keyboard.press("Enter")
    assert edges.locator("tbody tr td:nth-child(5)").all_inner_texts() == ["1", "0", "0"]
    assert edges.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_a_picture_grows_and_its_parts_say_more(coverage_page: str, open_page: OpenPage) -> None:
    page = open_page(coverage_page)
    page.get_by_role("button", name="Full size").first.click()
    assert page.get_by_role("button", name="Fit to the page").count() == 1
    page.locator(".map g.node a").nth(1).hover()
    assert "entered" in page.locator("#hint").inner_text()


def test_it_fits_a_phone(coverage_page: str, open_page: OpenPage) -> None:
    page = open_page(coverage_page, width=390)
    assert not scrolls_sideways(page)
