"""The report's page in a browser: nothing leaves it, nothing breaks, and it is used by keyboard at every width."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from mm_fsm.report.run_page import report_page
from tests.browser import OpenPage, scrolls_sideways, wider_than_the_page
from tests.report.run_page.marks import MARKS
from tests.report.run_page.sample_run import BEGIN, sample_run

RUN = sample_run(rows=400, fills=60)
CHARTS = ("prices", "holds", "position", "profit", "drawdown")


@pytest.fixture(scope="module")
def report() -> str:
    return report_page(RUN)


def is_drawn(page: Any, name: str) -> bool:
    """Whether a chart's canvas shows more than one colour."""
    script = """(name) => {
      const canvas = document.querySelector(`.${name} canvas`);
      const image = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(image.data.buffer)).size > 2;
    }"""
    return bool(page.evaluate(script, name))


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, False), (390, True)])
def test_every_chart_is_drawn_and_nothing_is_wider_than_the_screen(
    report: str, open_page: OpenPage, width: int, *, dark: bool
) -> None:
    page = open_page(report, width=width, dark=dark)
    assert [name for name in CHARTS if not is_drawn(page, name)] == []
    assert not scrolls_sideways(page)
    assert wider_than_the_page(page) == []
    captions = [page.locator(f".{name}-text").inner_text() for name in ("prices", "position", "profit", "drawdown")]
    assert all(captions)


def test_lists_follow_the_time_that_charts_show(report: str, open_page: OpenPage) -> None:
    """All 60 fills of the run; zoomed by key to the middle half, those whose time lies within it; back, all."""
    page = open_page(report)
    fills = RUN.markets[0].fills
    count = page.locator(".fill-list output")
    assert count.inner_text() == "1 to 12 of 60"
    page.focus(".prices")
    page.keyboard.press("+")
    within = [time for time in fills.time_ms if BEGIN + 900_000 <= time <= BEGIN + 2_700_000]
    assert count.inner_text() == f"1 to 12 of {len(within)}"
    page.keyboard.press("0")
    page.locator(".fill-list").get_by_role("button", name="Next").press("Enter")
    assert count.inner_text() == "13 to 24 of 60"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") != "BODY"


def test_a_fill_is_listed_as_it_was_and_leads_to_its_step(report: str, open_page: OpenPage) -> None:
    page = open_page(report)
    fills = RUN.markets[0].fills
    cells = page.locator(".fill-list tbody tr").nth(3).locator("td").all_inner_texts()
    plain = [cell.replace("\u202f", "").replace("\u2212", "-") for cell in cells]
    assert plain[1] == {"bid": "bought", "ask": "sold"}[fills.side[3]]
    assert plain[2] == fills.price[3]
    assert float(plain[3]) == float(fills.quantity[3])
    assert plain[4] == "\u2013", "the venue has not told this fee"
    assert plain[-1] == fills.order[3]
    link = page.locator(".fill-list tbody tr").nth(3).locator("a").get_attribute("href")
    assert link == f"inspect.html?symbol=ETH%2FUSD#step={fills.step[3]}"


def test_columns_are_unpacked_to_what_they_were(report: str, open_page: OpenPage) -> None:
    page = open_page(report)
    market = RUN.markets[0]
    unpack = "(name) => unpacked(pageData().markets[0].series[name])"
    for name, near in (("mid", 1e-3), ("bid", 1e-3), ("inventory", 1e-9), ("net", 1e-2), ("time", 0)):
        expected = getattr(market.series, "time_ms" if name == "time" else name)
        assert page.evaluate(unpack, name) == pytest.approx(expected, abs=near), name


def test_an_axis_says_its_numbers_as_they_are(report: str, open_page: OpenPage) -> None:
    """-2.5 is not -3."""
    page = open_page(report)
    cases = {(0, -2.5): 1, (2465, 2470): 0, (0, 0.25, 0.5): 2, (0.1, 0.2): 1, (0, 1e-7): 7, (3,): 0, (): 0}
    assert page.evaluate("(all) => all.map(decimalsOf)", [*map(list, cases)]) == [*cases.values()]


def test_a_stretch_is_shown_in_the_charts(report: str, open_page: OpenPage) -> None:
    """The longest one without a quote, with as much time on both sides."""
    page = open_page(report)
    stretches = RUN.markets[0].holds.stretches
    longest = max(range(len(stretches.side)), key=lambda at: stretches.end_ms[at] - stretches.begin_ms[at])
    begin, end = stretches.begin_ms[longest] / 1_000, stretches.end_ms[longest] / 1_000
    page.locator(".stretch-list tbody tr").first.get_by_role("button").press("Enter")
    shown = page.evaluate("document.querySelector('article').charts.time.shown")
    middle = datetime.fromtimestamp((stretches.begin_ms[longest] + stretches.end_ms[longest]) / 2_000, UTC)
    told = page.locator(".why-command").inner_text()
    assert told.startswith(
        f"mm-fsm why demo --symbol ETH/USD --side {stretches.side[longest]} --at {middle:%Y-%m-%dT%H:%M:%S}"
    )
    quoted = page.evaluate('["ETH/USD", "it\'s; rm", "$(x)"].map(shellWord)')
    assert quoted == [shlex.quote("ETH/USD"), "'it'\\''s; rm'", shlex.quote("$(x)")]
    assert shown == pytest.approx([begin - (end - begin), end + (end - begin)], abs=0.01)


def test_markouts_are_shown_at_the_horizon_that_is_chosen(report: str, open_page: OpenPage) -> None:
    page = open_page(report)
    visible = page.locator(".markout-table:visible caption")
    assert visible.first.inner_text() == "What a fill was worth 60\u202fs later, bps"
    page.locator(".horizons").get_by_role("button", name="300", exact=False).press("Space")
    assert visible.first.inner_text() == "What a fill was worth 300\u202fs later, bps"
    assert page.locator('.horizons [aria-pressed="true"]').count() == 1


def test_markouts_stand_in_their_tables_exactly(report: str, open_page: OpenPage) -> None:
    """Every number of every row and horizon, those that are printed only included; no interval: a dash."""
    page = open_page(report, width=390)
    expected: dict[str, str] = {}
    for place, row in enumerate(RUN.markets[0].markouts.rows):
        numbers = {"count": row.count, "quantity": row.quantity, "gross_bps": row.gross_bps, "net_bps": row.net_bps}
        numbers |= {"gross_by_fill_bps": row.gross_by_fill_bps}
        numbers |= {f"net_interval_bps.{at}": bound for at, bound in enumerate(row.net_interval_bps or ())}
        expected |= {f"markets.0.markouts.rows.{place}.{name}": str(number) for name, number in numbers.items()}
    shown = page.evaluate(MARKS)
    assert {place: value for place, value in shown.items() if ".markouts.rows." in place} == expected
    cells = page.locator(".markout-table:visible tbody tr").nth(0).locator("td, th").all_inner_texts()
    assert [cell.split("\n")[-1] for cell in cells[:-1]] == [
        "All", "240", "60.5", "+0.56", "+0.50", "0.00", "\u22121.00 to +1.00",
    ]  # fmt: skip
    assert page.locator(".markout-table:visible tbody tr").last.locator("td").nth(5).inner_text().endswith("\u2013")


def test_a_markout_is_drawn_where_its_number_is(report: str, open_page: OpenPage) -> None:
    """At 60 s the points reach from -1.25 to 0.5 and the widest interval to -2.125, cut at 1.5 * 1.25.

    So 3 % is -1.875 and 97 % the upper end of the first interval, 1: a bps is 94 / 2.875 %. Zero is at 3 + 1.875 of
    that, 64.3 %; the first row's gross of 0.5 at 80.7 %; its net of 0 on the line, and its interval from -1, 31.6 %.
    """
    page = open_page(report)
    drawn = page.locator(".markout-table:visible tbody tr").nth(0).locator("svg > *")
    read = "(parts) => parts.map((part) => ['class', 'x', 'width', 'cx'].map((name) => part.getAttribute(name)))"
    assert drawn.evaluate_all(read) == [
        ["zero", "64.3%", None, None],
        ["whisker", "31.6%", "65.4%", None],
        ["ring", None, None, "80.7%"],
        ["dot", None, None, "64.3%"],
    ]
    side = page.locator(".markout-table:visible tbody tr").nth(2).locator("svg > *")
    assert [looks for looks, *_ in side.evaluate_all(read)] == ["zero", "whisker bid", "ring bid", "dot bid"]


def test_states_are_coloured_by_what_is_chosen(report: str, open_page: OpenPage) -> None:
    """The state with most time has the darkest shade; one without a visit is white by visits."""
    page = open_page(report)
    fill = "(state) => document.querySelector(`.map g[data-node='${state}'] path`).getAttribute('fill')"
    states = RUN.markets[0].machine.states
    page.get_by_role("button", name="time", exact=True).click()
    assert page.evaluate(fill, max(states, key=lambda each: each.seconds).state) == "#a3c8e8"
    page.get_by_role("button", name="profit", exact=True).click()
    assert page.evaluate(fill, max(states, key=lambda each: abs(each.net)).state) in {"#a9dfcb", "#eebdd8"}
    page.get_by_role("button", name="visits", exact=True).click()
    assert page.evaluate(fill, "error") == "#ffffff"


def test_long_tables_are_made_when_they_are_opened(report: str, open_page: OpenPage) -> None:
    """Every edge with its count, and every class of lives, as the figures have them."""
    page = open_page(report)
    market = RUN.markets[0]
    for name, expected in (
        ("edges", [[each.source, each.event, each.target, str(each.taken)] for each in market.machine.edges]),
        ("life", [[str(edge), str(orders)] for edge, orders in market.orders.life.histogram]),
    ):
        page.locator(f"details.{name} summary").press("Enter")
        page.wait_for_selector(f"details.{name} tbody tr")
        read = page.evaluate(
            """(name) => [...document.querySelectorAll(`details.${name} tbody tr`)].map((row) =>
                 [...row.cells].map((cell) => cell.dataset.value ?? cell.textContent))""",
            name,
        )
        assert [row[: len(expected[0])] for row in read] == expected


def test_what_has_the_focus_is_seen(report: str, open_page: OpenPage) -> None:
    """The first stop of the Tab key is the link that skips to the content; each stop has an outline."""
    page = open_page(report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") not in {"none", ""}


def test_markets_further_down_are_drawn_when_they_come_near(open_page: OpenPage) -> None:
    run = sample_run(markets=2, rows=100, fills=10)
    silent = attrs.evolve(run.markets[0], begin_ms=None, end_ms=None)
    page = open_page(report_page(attrs.evolve(run, markets=(run.markets[1], silent))))
    assert page.get_by_role("region", name="Markets").locator("tbody tr").count() == 2
    assert "No market data was recorded" in page.locator("#m1 .charts").inner_text()
    page = open_page(report_page(run))
    page.locator("#m1 .prices").scroll_into_view_if_needed()
    page.wait_for_selector("#m1 .prices canvas")
