"""The page's first sentences say what the figures say, and no more."""

from __future__ import annotations

import html
import re
from typing import Any

import attrs
import pytest

from mm_fsm.report import figures as f
from mm_fsm.report.run_page.answers import answers
from mm_fsm.report.run_page.profit_rows import market_amounts
from mm_fsm.report.run_page.shown_figures import ShownFigures
from tests.report.run_page.sample_run import sample_interval, sample_run

RUN = sample_run(rows=60, fills=20)


def texts_of(market: f.MarketFigures) -> list[str]:
    """The four answers as plain text."""
    entry = attrs.evolve(RUN, markets=(market,)).entry()
    shown = ShownFigures(entry, "").below("markets.0")
    found = answers(shown, market_amounts(shown), "runs/a run")
    return [
        html.unescape(re.sub(r"<[^>]+>", "", " ".join(map(str, (one.headline, one.what, *one.sentences)))))
        for one in found
    ]


def with_profit(**changes: Any) -> f.MarketFigures:
    market = RUN.markets[0]
    return attrs.evolve(market, profit=attrs.evolve(market.profit, **changes))


@pytest.mark.parametrize(
    ("lower", "upper", "expected"),
    [
        (0.5, 31.5, "all above zero, so it is more than noise"),
        (-4.0, 40.0, "it holds zero, so this run alone does not tell it from noise"),
        (-9.0, -1.0, "all below zero, so it is more than noise"),
    ],
)
def test_profit_is_noise_unless_its_interval_says_otherwise(lower: float, upper: float, expected: str) -> None:
    interval = f.BootstrapInterval(value=1.0, lower=lower, upper=upper, excludes_zero=lower > 0 or upper < 0)
    assert expected in texts_of(with_profit(intervals={"net": interval}))[0]


def test_an_interval_that_is_too_narrow_gives_no_verdict() -> None:
    doubt = "positions halve in 600 s, its blocks have only 300 s"
    interval = f.BootstrapInterval(value=1.0, lower=0.5, upper=1.5, excludes_zero=True, doubt=doubt)
    earned = texts_of(with_profit(intervals={"net": interval}))[0]
    assert f"too narrow to tell it from noise, for {doubt}." in earned
    assert "more than noise" not in earned


@pytest.mark.parametrize(
    ("width", "doubt", "expected"),
    [
        (4.0, "", "This run made 6.25\u202fUSD more. "),
        (8.0, "", "This run less the plain quoter: +6.25\u202fUSD. "),
        (4.0, "profits depend on each other", "This run less the plain quoter: +6.25\u202fUSD. "),
    ],
)
def test_a_run_made_more_than_the_plain_quoter_only_where_that_is_more_than_noise(
    width: float, doubt: str, expected: str
) -> None:
    market = RUN.markets[0]
    assert market.baseline is not None
    interval = attrs.evolve(sample_interval(6.25, width), doubt=doubt)
    baseline = attrs.evolve(market.baseline, differences=(f.PairedDifference(what="net", interval=interval),))
    plain = texts_of(attrs.evolve(market, baseline=baseline))[3]
    assert expected in plain
    assert ("This run made" in plain) is expected.startswith("This run made")


def test_without_an_interval_it_says_why() -> None:
    earned = texts_of(with_profit(intervals={}, terms=None, no_interval="the run is shorter than two blocks."))[0]
    assert "No interval: the run is shorter than two blocks." in earned
    assert "noise" not in earned


def test_a_profit_of_a_run_too_short_to_tell_is_neither_good_nor_bad() -> None:
    def looks(market: f.MarketFigures) -> bool:
        shown = ShownFigures(attrs.evolve(RUN, markets=(market,)).entry(), "").below("markets.0")
        headline = str(answers(shown, market_amounts(shown), "runs/demo")[0].headline)
        return "gain" in headline or "loss" in headline

    short = with_profit(intervals={}, terms=None, no_interval="too short to tell: it takes an hour")
    assert looks(with_profit())
    assert not looks(short)
    assert "Too short to tell: it takes an hour." in texts_of(short)[0]


def test_the_command_that_asks_for_a_plain_quoter_is_whole() -> None:
    asked = texts_of(attrs.evolve(RUN.markets[0], baseline=None))[3]
    assert "mm-fsm report 'runs/a run' --baseline" in asked


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ((0.25, 1.0), "the spread paid for what they knew, and for fees"),
        ((-1.0, 0.25), "it holds zero"),
        ((-2.0, -0.5), "takers knew more than the spread paid for"),
        (None, "Too few fills for an interval"),
    ],
)
def test_takers_knew_more_only_where_the_interval_says_so(bounds: tuple[float, float] | None, expected: str) -> None:
    market = RUN.markets[0]
    rows = [
        attrs.evolve(row, net_interval_bps=bounds) if row.group == "all" and row.horizon_seconds == 60 else row
        for row in market.markouts.rows
    ]
    knew = texts_of(attrs.evolve(market, markouts=attrs.evolve(market.markouts, rows=tuple(rows))))[1]
    assert expected in knew
    # By hand from the sample: gross 1.25 - 0.25 * 3 = 0.50; asks' net 0.50 - 0.125 * 2 - 0.50.
    assert "60\u202fs later that was worth +0.50\u202fbps before fees" in knew
    assert "Worse side: asks, \u22120.25\u202fbps net on 210 fills." in knew


def test_a_run_without_fills_claims_nothing() -> None:
    market = RUN.markets[0]
    silent = attrs.evolve(market, markouts=attrs.evolve(market.markouts, rows=()), baseline=None)
    _, knew, _, plain = texts_of(silent)
    assert knew.startswith("\u2013 no own fill was followed long enough")
    assert "--baseline" in plain


def test_empty_sides_are_named_with_their_longest_reason() -> None:
    """Of the totals, live time aside, the longest of each side."""
    market = RUN.markets[0]
    totals = (
        f.HoldTotal(side="bid", reason="live", seconds=90.0, share=0.9, why="quoted"),
        f.HoldTotal(side="bid", reason="stale_data", seconds=2.5, share=0.025, why="market data is too old"),
        f.HoldTotal(side="bid", reason="fault", seconds=7.5, share=0.075, why="a fault stopped trading"),
        f.HoldTotal(side="ask", reason="live", seconds=100.0, share=1.0, why="quoted"),
    )
    quoting = texts_of(attrs.evolve(market, holds=attrs.evolve(market.holds, totals=totals)))[2]
    assert "Bid empty 10.0\u202f% of the time, mostly because a fault stopped trading (7.5\u202fs in all)." in quoting
    assert "The ask was never empty." in quoting


def test_a_plain_quoter_is_set_beside_the_run() -> None:
    """The sample's difference: +6.25, from -1.75 to 14.25."""
    plain = texts_of(RUN.markets[0])[3]
    assert "This run less the plain quoter: +6.25\u202fUSD." in plain
    assert "\u22121.75\u202fUSD to +14.25\u202fUSD: it holds zero" in plain
