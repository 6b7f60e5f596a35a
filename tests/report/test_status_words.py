"""The words of a status answer what is asked of a market; whatever a venue wrote, they stay plain text."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.report.status_words import (
    Tone,
    amount,
    answers,
    both_sides,
    feed_answer,
    headline,
    limit_words,
    limits_answer,
    printable,
    quote_words,
    troubles,
)
from tests.report.statuses import NOW, SECOND, entries, quoting_market, texts


def limit(**changes: Any) -> dict[str, Any]:
    return {
        "name": "position", "used": "0.5", "allowed": "2", "unit": "ETH", "share": 0.25, "worst_share": 0.75, **changes,
    }  # fmt: skip


@given(entries())
def test_every_status_has_words_that_are_plain_text_in_one_line(entry: dict[str, Any]) -> None:
    found = [answer.words for answer in answers(entry)] + [headline(entry)]
    assert all(words.isprintable() for words in found)
    assert not [words for words in found if re.search(r"\b(None|nan|inf)\b", words)]


@given(entries())
def test_the_questions_are_answered_in_every_state(entry: dict[str, Any]) -> None:
    """Both sides, the market, the limits, profit, fills and the feed always; faults and the rest where there are."""
    asked = [answer.question for answer in answers(entry)]
    assert {"bid", "ask", "market", "limits", "profit", "fills", "feed"} <= {*asked}
    assert ("fault" in asked) == (entry["faults"]["now"] is not None)
    assert ("unknown" in asked) == bool(entry["unknown_orders"])
    held = [side for side in entry["sides"].values() if not side["is_live"] and side["doing"]]
    if held and entry["stopping"] is None:
        assert "doing" in asked


@given(texts)
def test_what_a_venue_wrote_moves_no_cursor_and_keeps_its_words(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert shown.split() == "".join(sign if sign.isprintable() else " " for sign in text).split()


@given(st.decimals(-(10**12), 10**12, places=9))
def test_an_amount_keeps_four_digits_and_has_no_exponent(value: Decimal) -> None:
    shown = amount(value)
    assert re.fullmatch(r"-?[\d,]+(\.\d+)?", shown)
    assert abs(Decimal(shown.replace(",", "")) - value) <= max(abs(value) / 1000, Decimal("1e-12"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [("0", "0"), ("0.802162", "0.8022"), ("1234567.8", "1,234,568"), ("12.30", "12.3"), ("0.0000123456", "0.00001235")],
)
def test_amounts_by_hand(value: str, shown: str) -> None:
    assert amount(value) == shown


def test_a_limit_says_how_much_is_used_and_what_live_orders_could_make_of_it() -> None:
    assert limit_words(limit()) == "25% (75% at worst) of 2 ETH"
    assert limit_words(limit(worst_share=0.25)) == "25% of 2 ETH"
    assert limit_words(limit(share=None)) == "? (75% at worst) of 2 ETH"
    assert limit_words(limit(worst_share=None, used=13, allowed=60, unit="")) == "13 of 60"
    assert limit_words(limit(worst_share=None, used=None, allowed=10.0, unit="s")) == "? of 10 s"
    assert limit_words(limit(worst_share=None, used=0.20837, allowed=10.0, unit="s")) == "0.21 of 10 s"


@pytest.mark.parametrize(
    ("shares", "tone"),
    [([0.1, None], Tone.PLAIN), ([0.8, 0.1], Tone.WARNING), ([0.85, 1.0], Tone.BAD), ([], Tone.PLAIN)],
)
def test_the_nearest_limit_gives_the_tone(shares: list[float | None], tone: Tone) -> None:
    assert limits_answer({"limits": [limit(share=share) for share in shares]}).tone is tone


def test_of_many_limits_the_nearest_are_told_in_their_order() -> None:
    """Orders that rest count: 75 % and 90 % at worst are nearer than 50 % now."""
    found = [limit(name="a", share=0.5, worst_share=None), limit(name="c"), limit(name="b", share=0.1, worst_share=0.9)]
    assert [each.partition(":")[0] for each in limits_answer({"limits": found}, most=2).words.split("; ")] == ["c", "b"]


def test_faults_say_what_is_done_about_them_and_orders_of_unknown_outcome_for_how_long() -> None:
    entry = {
        **quoting_market(), "time": NOW,
        "faults": {
            "now": {"code": "kill_switch", "reason": "lost 5 of 5", "since": NOW - 3 * SECOND, "is_transient": False},
            "doing": "the position is reduced, then it ends", "latched": [], "noted": 1,
        },
        "unknown_orders": [
            {"order": "a-1", "side": "bid", "since": NOW - 2 * SECOND},
            {"order": "a-2", "side": "ask", "since": NOW - 9 * SECOND},
        ],
    }  # fmt: skip
    assert [(each.question, each.words) for each in troubles(entry)] == [
        ("fault", "kill switch, 3.0 s ago: lost 5 of 5"),
        ("doing", "the position is reduced, then it ends"),
        ("unknown", "2 orders of unknown outcome, for 9.0 s: a-1, a-2"),
    ]


def test_of_many_unknown_orders_two_are_named_and_a_suspension_is_told_once() -> None:
    side = {
        "is_live": False, "reason": "requests_suspended", "why": "the venue takes no new orders for a while",
        "detail": "6 s to go", "doing": "they wait", "since": NOW - 5 * SECOND, "until": None,
        "last_live_at": NOW - 5 * SECOND - 1,
    }  # fmt: skip
    orders = [{"order": f"a-{number}", "side": "bid", "since": NOW - SECOND} for number in range(6)]
    entry = {
        **quoting_market(), "time": NOW, "unknown_orders": orders, "sides": {"bid": side, "ask": side},
        "requests": {"suspended_until": NOW + 6 * SECOND, "suspended_reason": "a ban", "awaiting_answer": 0},
    }  # fmt: skip
    assert [(each.question, each.words) for each in troubles(entry)] == [
        ("doing", "they wait"),
        ("unknown", "6 orders of unknown outcome, for 1.0 s: a-0, a-1 and 4 more"),
    ]
    assert both_sides(entry) == "held for 5.0 s: the venue takes no new orders for a while (6 s to go)"
    entry["sides"] = {"bid": {**side, "reason": "risk"}, "ask": {**side, "reason": "risk"}}
    told = {each.question: each.words for each in troubles(entry)}
    assert told["requests"] == "the venue takes no orders for another 6.0 s: a ban"


@pytest.mark.parametrize(
    ("stop", "words"),
    [
        ({"keeps_position": True, "deadline": None}, "SIGINT; every order is cancelled and confirmed gone"),
        (
            {"keeps_position": False, "deadline": NOW + 65 * SECOND},
            "SIGINT; the position is reduced to its target, for another 1:05 at most",
        ),
        (
            {"keeps_position": False, "deadline": NOW - SECOND, "is_late": True},
            "SIGINT; past its deadline: every order is cancelled, the rest of the position is kept",
        ),
    ],
)
def test_a_stop_says_what_becomes_of_the_position(stop: dict[str, Any], words: str) -> None:
    entry = {**quoting_market(), "time": NOW, "stopping": {"reason": "SIGINT", "is_late": False, **stop}}
    assert [(each.question, each.words) for each in troubles(entry)] == [("stop", words)]


def test_the_feed_says_when_it_is_too_old_and_when_news_of_own_orders_is_lost() -> None:
    entry = quoting_market()
    assert feed_answer(entry).tone is Tone.PLAIN
    entry["feed"] |= {"age_seconds": 10.0}
    assert (feed_answer(entry).words, feed_answer(entry).tone) == ("10.0 s old; too old after 10 s", Tone.BAD)
    entry["feed"] |= {"age_seconds": None, "refused_facts": 3}
    assert feed_answer(entry).words == "no market data has arrived"
    entry["feed"] |= {"account_feed_loss": "the stream ended"}
    assert feed_answer(entry).words == "news of own orders is lost: the stream ended"


def test_a_side_shows_its_innermost_order_and_how_far_it_is_from_the_reference() -> None:
    """Of a real market: the best own bid lies below the reference price, the best own ask above."""
    entry = quoting_market()
    for name, sign in (("bid", -1), ("ask", 1)):
        best = entry["quotes"][name][0]
        far = (Decimal(best["price"]) / Decimal(entry["market"]["reference"]) - 1) * 10_000
        assert far * sign > 0
        assert f"at {best['price']} ({float(far):+.1f} bps), 3 orders" in quote_words(entry, name)
