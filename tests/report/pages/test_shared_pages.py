"""The shared page in a browser: nothing leaves it, and its charts over time are moved by keys as by buttons."""

from __future__ import annotations

from typing import Any

import pytest

from mm_fsm.report.pages import self_contained_page
from tests.browser import OpenPage, Watch, scrolls_sideways

HOSTILE = "</script><script>document.title = 'taken'</script>"
MAKE_CHARTS = """() => {
  const time = new TimeWindow(1000, 2000), main = document.querySelector("main");
  const [buttons, chart, bands] = ["div", "div", "div"].map((name) => main.appendChild(document.createElement(name)));
  timeButtons(buttons, time);
  timeline(chart, time, "Mid", [
    {label: "mid", color: "mid", times: [1000, 1500, 2000], values: [1, 3, 2]},
    {label: "bought", color: "bid", times: [1200], values: [1.5], points: "up"},
  ]);
  timeBands(bands, time, "Holds", ["bid", "ask"], [{row: 0, begin: 1100, end: 1300, color: "hold-1", text: "why"}]);
  window.shownTime = () => time.shown.map(Math.round);
}"""


def charts_page(open_page: OpenPage, **look: Any) -> Any:
    page = open_page(self_contained_page("base.html.jinja", title="Charts", has_timelines=True), **look)
    page.evaluate(MAKE_CHARTS)
    return page


def test_a_text_of_a_venue_stays_a_text(open_page: OpenPage) -> None:
    page = open_page(self_contained_page("base.html.jinja", title="Mine", data={"name": HOSTILE}))
    assert page.title() == "Mine"
    assert page.evaluate("pageData().name") == HOSTILE


def test_no_script_runs_that_was_not_there_when_the_page_was_made(open_page: OpenPage) -> None:
    """The policy stops one that got in all the same, and says so."""
    text = self_contained_page("base.html.jinja", title="Mine")
    broken = text.replace("</main>", "<script>document.title = 'taken'</script></main>")
    page = open_page(broken, allowed=("Content Security Policy",))
    assert page.title() == "Mine"


def test_a_request_elsewhere_is_noticed() -> None:
    """A page in a file asks for itself; a served page for its own server; no other address passes."""

    class Request:
        def __init__(self, url: str) -> None:
            self.url = url

    in_file, served = Watch("file:///tmp/a.html"), Watch("http://127.0.0.1:8000/page")
    for watch, allowed in ((in_file, "file:///tmp/a.html#b"), (served, "http://127.0.0.1:8000/data")):
        watch.on_request(Request(allowed))
        watch.on_request(Request("data:,"))
        assert watch.problems == []
    for watch, refused in ((in_file, "file:///tmp/b.html"), (served, "http://127.0.0.1:8001/data")):
        watch.on_request(Request(refused))
        assert watch.problems == [f"the page asked for {refused}"]


@pytest.mark.parametrize(("key", "expected"), [("+", [1250, 1750]), ("-", [1000, 2000]), ("0", [1000, 2000])])
def test_keys_zoom_what_has_the_focus(open_page: OpenPage, key: str, expected: list[int]) -> None:
    """From the whole 1000 to 2000: half of it around the middle; no more than all; all."""
    page = charts_page(open_page)
    page.focus(".timeline")
    page.keyboard.press(key)
    assert page.evaluate("shownTime()") == expected


def test_charts_of_one_time_move_together_and_never_beyond_its_ends(open_page: OpenPage) -> None:
    """500 wide: a key moves by 50, with shift by 250, and stops at the end; buttons do the same, and words say it."""
    page = charts_page(open_page)
    page.focus(".timeline >> nth=1")
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("shownTime()") == [1300, 1800]
    page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("shownTime()") == [1500, 2000]
    assert page.get_by_role("button", name="Later").is_disabled()
    page.get_by_role("button", name="Earlier").click()
    assert page.evaluate("shownTime()") == [1250, 1750]
    assert page.locator("output").inner_text() == "1970-01-01 00:20:50 to 00:29:10 UTC"
    page.get_by_role("button", name="Whole run").click()
    assert page.evaluate("shownTime()") == [1000, 2000]


TOUCH = """([name, id, share]) => {
  const over = document.querySelector(".timeline .u-over"), { left, width, top } = over.getBoundingClientRect();
  const place = { clientX: left + width * share, clientY: top + 50 };
  over.dispatchEvent(new PointerEvent(name, { pointerId: id, pointerType: "touch", bubbles: true, ...place }));
}"""


def test_fingers_move_and_zoom(open_page: OpenPage) -> None:
    """Two fingers, twice as far apart: half the time, around their middle. One finger, a tenth: a tenth of it later."""
    page = charts_page(open_page, width=390)
    for touch in (("pointerdown", 1, 0.4), ("pointerdown", 2, 0.6), ("pointermove", 1, 0.3), ("pointermove", 2, 0.7)):
        page.evaluate(TOUCH, list(touch))
    assert page.evaluate("shownTime()") == pytest.approx([1250, 1750], abs=60)
    begin, end = page.evaluate("shownTime()")
    assert end - begin == pytest.approx(500, abs=2)
    page.evaluate(TOUCH, ["pointerup", 2, 0.7])
    page.evaluate(TOUCH, ["pointermove", 1, 0.2])
    assert page.evaluate("shownTime()") == pytest.approx([begin + 50, end + 50], abs=2)


def test_values_are_read_by_keys(open_page: OpenPage) -> None:
    """From the middle, 1500 with a mid of 3, one point on to the end, 2000 with 2; there is none after it."""
    page = charts_page(open_page)
    legend = page.locator(".timeline .u-legend").first
    assert not legend.is_visible()
    page.focus(".timeline")
    page.keyboard.press(".")
    assert "1970-01-01 00:25:00.000" in legend.inner_text()
    assert legend.locator(".u-value").nth(1).inner_text() == "3"
    page.keyboard.press(".")
    page.keyboard.press(".")
    assert "1970-01-01 00:33:20.000" in legend.inner_text()
    assert legend.locator(".u-value").nth(1).inner_text() == "2"
    assert legend.get_attribute("aria-live") == "polite"


def test_dragging_over_a_chart_zooms_to_what_was_dragged_over(open_page: OpenPage) -> None:
    """The second quarter of the chart's width is the second quarter of its time."""
    page = charts_page(open_page)
    box = page.locator(".timeline .u-over").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50, steps=4)
    page.mouse.up()
    assert page.evaluate("shownTime()") == pytest.approx([1250, 1500], abs=3)


@pytest.mark.parametrize("dark", [False, True])
def test_a_chart_fits_a_phone(open_page: OpenPage, *, dark: bool) -> None:
    page = charts_page(open_page, width=390, dark=dark)
    assert not scrolls_sideways(page)
    assert page.locator(".timeline").count() == 2
