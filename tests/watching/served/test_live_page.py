"""The served page in a real browser: it shows every condition of a run, and can be used by keyboard alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time
from typing import Any

import pytest

from mm_fsm.report.status import STATUS_FILE
from mm_fsm.runtime.loopback_server import LoopbackServer
from mm_fsm.runtime.operations import OperationsDirectory
from mm_fsm.watching.served.access import Access
from mm_fsm.watching.served.routes import routes_of
from tests.browser import scrolls_sideways, wider_than_the_page
from tests.patience import PATIENCE
from tests.watching.served.run_directories import edit, edit_market, end_market, kill, running_directory

TOKEN = "0123456789abcdef0123456789abcdef"
Page = Any


@pytest.fixture
def run(tmp_path: Path) -> Path:
    directory = running_directory(tmp_path / "run")
    edit(directory, written_at=time() + 3600)  # as if it went on writing: no test depends on how long it takes
    return directory


@pytest.fixture  # tests name it before open_page, so that pages are closed while it still answers
def server(run: Path) -> Iterator[LoopbackServer]:
    with LoopbackServer(routes_of(run, Access(TOKEN))) as opened:
        yield opened


def wait(page: Page, what: str) -> None:
    """Until the page says it, somewhere."""
    page.wait_for_function("(what) => document.body.innerText.includes(what)", arg=what, timeout=PATIENCE * 1000)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_it_answers_what_is_asked_of_a_market_at_both_widths(
    server: LoopbackServer, open_page: Callable[..., Page], run: Path, width: int, height: int
) -> None:
    """Every figure of the status in its place, no part of the page wider than the window."""
    page = open_page(server.address, width=width, height=height)
    wait(page, "quotes both sides")
    (entry,) = json.loads((run / STATUS_FILE).read_text())["symbols"]
    text = page.inner_text("body")
    for side in ("bid", "ask"):
        assert all(order["price"] in text.replace(",", "") for order in entry["quotes"][side])
    page.wait_for_timeout(2_500)  # it has looked again, and everything still stands
    text = page.inner_text("body")
    assert all(f"market {side}" in text for side in ("bid", "ask"))
    assert all(limit["name"] in text for limit in entry["limits"])
    assert entry["news"][-1]["words"] in text
    assert f"Process {OperationsDirectory(run).read().process} runs." in text
    assert page.title().startswith("ETH/USD quotes both sides - run")
    assert not scrolls_sideways(page)
    assert wider_than_the_page(page) == []
    assert TOKEN not in page.content()
    page.evaluate(  # a market whose figures are as long as bitcoin's
        "document.querySelectorAll('.ladder tr').forEach((row) => ['107,890.12', '0.00147', '-12.3'].forEach("
        "(text, place) => { if (row.cells[place + 1].tagName === 'TD') row.cells[place + 1].textContent = text; }))"
    )
    cut = "() => [...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth).length"
    assert page.evaluate(cut) == 0
    page.evaluate("document.querySelectorAll('.ladder td').forEach((cell) => { cell.textContent = '1234567890.123'; })")
    over_the_edge = "() => [...document.querySelectorAll('.part')].filter((one) => one.scrollWidth > one.clientWidth)"
    assert page.evaluate(f"({over_the_edge})().length") == 0


def test_a_keyboard_pauses_resumes_and_stops_it(
    server: LoopbackServer, open_page: Callable[..., Page], run: Path
) -> None:
    """With the token only; a stop asks again. The page keeps the token nowhere that lasts."""
    operations = OperationsDirectory(run)
    page = open_page(server.address, allowed=("401",))
    wait(page, "quotes both sides")
    assert not page.is_visible("#token")
    page.focus("#control summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    wait(page, "The token is missing or wrong.")
    assert operations.wishes().pause is None
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.id === 'reason'")
    assert not page.is_visible("#token")
    assert not page.is_visible("#stop-now")
    page.keyboard.type("figures at two")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait(page, "Paused: served page: figures at two.")
    assert operations.wishes().pause == "served page: figures at two"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait(page, "It will be resumed")
    assert operations.wishes().pause is None
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.id === 'stop-not'")
    assert operations.wishes().stop is None
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    wait(page, "Asked to stop: served page: figures at two.")
    assert operations.wishes().stop == "served page: figures at two"
    assert TOKEN not in page.content() + page.url
    assert page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])") == '[{},{},""]'


def test_it_says_what_became_of_the_run_and_goes_on_looking(
    server: LoopbackServer, open_page: Callable[..., Page], run: Path
) -> None:
    """Silent sides with what is done, a fault, texts of a venue as text, silence, an end, a lost process, no status."""
    page = open_page(server.address)
    wait(page, "quotes both sides")
    side = {
        "is_live": False, "reason": "fault", "why": "a fault stopped trading", "detail": "", "doing": "",
        "since": 0, "until": None, "last_live_at": None, "ends_when": "when it has recovered",
        "began_with": {"step": 4711, "fact": "market book <b>1</b> / 2"},
        "decided_by": {"edges": ["monitoring_orders.halt"], "guard": "must_halt", "service": ""},
    }  # fmt: skip
    assert not page.is_visible(".silences")
    fault = {"code": "venue", "reason": "<img src=x onerror=alert(1)>", "since": 0, "is_transient": True}
    doing = "all orders are cancelled; 2 still to be confirmed gone"
    edit_market(run, sides={"bid": side, "ask": side}, faults={"now": fault, "doing": doing, "noted": 1, "latched": []})
    wait(page, "silent: a fault stopped trading")
    wait(page, "<img src=x onerror=alert(1)>")
    wait(page, doing)
    assert page.locator("img").count() == 0
    why = page.inner_text(".silences")
    assert why.count("guard must_halt; edge monitoring_orders.halt") == 2
    assert "00:00:00, for" in why
    assert "step 4,711: market book <b>1</b> / 2" in why
    assert "when it has recovered" in why
    edit(run, written_at=time() - 600)
    wait(page, "it may hang")
    edit(run, is_running=False)
    wait(page, "has left markets before they ended")
    assert page.is_disabled("#stop")
    edit(run, is_running=True)
    kill(run)
    wait(page, "Orders may still be open")
    (run / STATUS_FILE).write_text("{")
    wait(page, "a status in JSON")
    assert page.locator(".market").count() == 0


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_a_run_that_has_ended_says_how_and_shows_no_quotes_and_no_limits(
    server: LoopbackServer, open_page: Callable[..., Page], run: Path, width: int, height: int
) -> None:
    """When and how, the orders, the position, what to do next: nothing that stands still as if it went on."""
    edit(run, is_running=False, written_at=time() - 95)
    end_market(run)
    page = open_page(server.address, width=width, height=height)
    wait(page, "How it was left")
    text = page.inner_text("body")
    assert "has ended at 20" in text
    assert "in order: stop was asked for" in text
    assert "none is open: the venue's book was confirmed empty" in text
    assert "off its target" in text
    assert page.inner_text("#next").startswith("No order is open.")
    assert "Distance to each limit" not in text
    assert "Quotes against the market" not in text
    assert " old; too old after" not in text
    assert not scrolls_sideways(page)
    assert wider_than_the_page(page) == []


def test_it_says_when_its_own_server_is_gone(open_page: Callable[..., Page], run: Path) -> None:
    with LoopbackServer(routes_of(run, None)) as server:
        page = open_page(server.address, allowed=("Failed to load resource",))
        wait(page, "quotes both sides")
        assert not page.is_visible("#control")
    wait(page, "does not answer")
    assert "What stands here is from" in page.inner_text("#problem")
    assert page.is_visible(".market")


def test_a_page_of_the_run_can_ask_the_server_nothing(
    server: LoopbackServer, open_page: Callable[..., Page], run: Path
) -> None:
    """Whatever a report holds: its origin is none, so that the server refuses what its scripts ask."""
    script = (
        "fetch('/api/status').then(() => document.body.append('reached')).catch(() => document.body.append('refused'))"
    )
    (run / "report.html").write_text(f"<!doctype html><title>r</title><body><script>{script}</script>")
    page = open_page(f"{server.address}report.html", allowed=("CORS", "Failed to load resource"))
    wait(page, "refused")
    assert page.evaluate("origin") == "null"
