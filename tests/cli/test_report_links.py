"""Links of a run's report lead to the steps that they name, in the inspector's page beside it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.browser import OpenPage
from tests.cli.command_line import run, write_settings
from tests.runtime.settings_texts import MARKET


def test_fills_and_holds_of_the_report_lead_to_their_steps(tmp_path: Path, open_page: OpenPage) -> None:
    """A fill's link to a step whose fact is that fill; a hold's to a step that changed the side's hold."""
    expect = pytest.importorskip("playwright.sync_api", reason="needs playwright").expect
    directory = tmp_path / "run"
    assert run("run", write_settings(tmp_path, MARKET), "-q", "--duration", 240, "--out", directory).status == 0
    assert run("inspect", directory, "-q").status == 0
    report = open_page(directory / "report.html")
    links = report.locator("a[href^='inspect.html']")
    expect(links.first).to_be_attached()
    rows = links.evaluate_all("(all) => all.map((one) => [one.getAttribute('href'), one.closest('tr').innerText])")
    fills = [(href, row) for href, row in rows if "maker" in row]
    holds = [(href, row) for href, row in rows if "maker" not in row]
    assert fills
    assert holds
    for links_of_kind, is_fill in ((fills[:2], True), (holds[:2], False)):
        for href, row in links_of_kind:
            page = open_page(urljoin((directory / "report.html").as_uri(), href))
            expect(page.locator("#step")).to_have_value(href.rsplit("=", maxsplit=1)[1])
            shown = page.locator(".side-body").inner_text()
            if is_fill:
                assert "Fact: OrderFilled" in shown
                order = page.locator("dl.fields dd").first.inner_text()
                assert order in row
            else:
                changed = page.locator(".books section", has_text="bands").first.locator("td.changed")
                assert changed.count() >= 1
