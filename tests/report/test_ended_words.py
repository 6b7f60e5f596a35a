"""What is said of a run that nobody makes any more: how it ended, what is left at the venue, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import time
from typing import Any

import pytest

from mm_fsm.errors import RecordingError
from mm_fsm.report.ended_words import ended_answers, next_step
from mm_fsm.report.run_condition import RunCondition
from mm_fsm.report.status import StatusFile, read_status
from mm_fsm.report.status_words import Tone
from mm_fsm.runtime.operations import RescuedMarket
from mm_fsm.runtime.session import Session, for_session, open_session
from mm_fsm.runtime.settings_file import read_preset

SECOND = 1_000_000_000
NOON = 1_704_110_400 * SECOND
"""2024-01-01 12:00:00 UTC."""
RUN = Path("runs/my run")


def opened(seconds: float = 100) -> Session:
    return open_session(for_session(read_preset("paper_ethusd"), duration_seconds=seconds, seed=7))


def left(directory: Path, session: Session, steps: int | None = None) -> dict[str, Any]:
    """What the status says once ``session`` has been left after so many steps; after its end by default."""
    with StatusFile(directory, [session]) as file:
        for number, result in enumerate(session.runner.run()):
            file.take(session, result)
            if number == steps:
                break
    return read_status(directory)


def market(*, has_ended: bool = True, is_live: bool = True, **ending: Any) -> dict[str, Any]:
    """One that ended at noon, with everything that is asked of it."""
    return {
        "symbol": "ETH/USD", "has_ended": has_ended, "has_real_orders": is_live, "time": NOON + 600 * SECOND,
        "fills": 2, "news": [], "market": {"quote_currency": "USD"},
        "profit": {
            "net_pnl": "1", "spread_capture": "2", "inventory_pnl": "0", "fees": "1", "funding": "0",
            "last_fill_at": NOON - 26 * SECOND,
        },
        "quote_edge": {"fills": 0},
        "ending": {
            "outcome": "completed" if has_ended else "unfinished", "reason": "SIGTERM", "error": None,
            "at": NOON if has_ended else None, "base_currency": "ETH", "is_book_confirmed_empty": True,
            "unconfirmed": [], "position": "3", "offset": "0", "below_lot": "0", **ending,
        },
    }  # fmt: skip


def told(entry: Mapping[str, Any], condition: RunCondition, rescue: RescuedMarket | None = None) -> dict[str, str]:
    return {each.question: each.words for each in ended_answers(entry, condition, rescue)}


def test_the_last_writing_says_how_the_market_was_left_as_the_books_do(tmp_path: Path) -> None:
    session = opened()
    before = time()
    status = left(tmp_path, session)
    (entry,) = status["symbols"]
    context = session.machine.context
    assert before <= status["written_at"] <= time()
    assert status["error"] is None
    assert entry["has_real_orders"] is False
    ending = entry["ending"]
    assert (ending["outcome"], ending["reason"]) == ("completed", "the session's time is over")
    assert ending["is_book_confirmed_empty"] is True
    assert ending["unconfirmed"] == []
    assert (float(ending["position"]), float(ending["offset"])) == (context.base_position, context.inventory_offset)
    assert ending["at"] == context.now


def test_a_market_that_is_left_in_the_middle_names_the_orders_that_may_be_open(tmp_path: Path) -> None:
    session = opened()
    (entry,) = left(tmp_path, session, steps=400)["symbols"]
    alive = [order.client_order_id for order in session.machine.context.orders.live()]
    assert alive
    assert (entry["ending"]["outcome"], entry["ending"]["at"]) == ("unfinished", None)
    assert entry["ending"]["unconfirmed"] == alive
    assert entry["ending"]["is_book_confirmed_empty"] is False


def test_the_end_is_the_step_that_ended_it_however_long_other_markets_go_on(tmp_path: Path) -> None:
    session = opened()
    with StatusFile(tmp_path, [session]) as file:
        for result in session.runner.run():
            file.take(session, result)
        at = session.machine.context.now
        session.machine.context.now += 600 * SECOND
        file.take(session, result)
    assert read_status(tmp_path)["symbols"][0]["ending"]["at"] == at


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RecordingError("book.csv", "a price", "x", "Mend it."), "book.csv"),
        (RuntimeError("GET /order?signature=abc"), "RuntimeError"),
    ],
)
def test_the_error_that_ended_a_run_is_told_and_a_foreign_one_by_its_kind_alone(
    tmp_path: Path, error: Exception, words: str
) -> None:
    with pytest.raises(type(error)), StatusFile(tmp_path, [opened()]):
        raise error
    said = read_status(tmp_path)["error"]
    assert words in said
    assert "signature" not in said


def test_a_market_that_ended_says_when_and_why_and_counts_back_from_its_end() -> None:
    words = told(market(), RunCondition.ENDED)
    assert words["ended"] == "at 12:00:00, in order: SIGTERM"
    assert words["orders"] == "none is open: the venue's book was confirmed empty"
    assert words["position"] == "3 ETH, at its target"
    assert words["fills"] == "2, the last 26.0 s before the end"


@pytest.mark.parametrize(
    ("ending", "how", "tone"),
    [
        ({"outcome": "late", "error": "1 left"}, "late: its wind-down passed the deadline", Tone.WARNING),
        ({"outcome": "fault", "error": "funds: none"}, "by a fault: SIGTERM; funds: none", Tone.BAD),
    ],
)
def test_an_end_that_is_none_to_be_glad_of_says_so(ending: dict[str, Any], how: str, tone: Tone) -> None:
    first = next(iter(ended_answers(market(**ending), RunCondition.ENDED)))
    assert how in first.words
    assert first.tone is tone


@pytest.mark.parametrize(
    ("offset", "below", "words", "tone"),
    [
        ("0.5", "0", "3 ETH, +0.5 off its target", Tone.WARNING),
        ("-0.5", "-0.00001", "3 ETH, -0.5 off its target, -0.00001 of it less than any order can trade", Tone.WARNING),
        ("0.00001", "0.00001", "3 ETH, +0.00001 off its target", Tone.PLAIN),
    ],
)
def test_the_position_that_is_left_is_told_to_the_last_digit(offset: str, below: str, words: str, tone: Tone) -> None:
    answers = ended_answers(market(offset=offset, below_lot=below), RunCondition.ENDED)
    (answer,) = [each for each in answers if each.question == "position"]
    assert answer.words.startswith(words)
    assert answer.tone is tone


def test_a_process_that_died_never_counts_as_having_left_an_empty_book() -> None:
    """Its last word is up to a second old: an order may have left since."""
    entry = market(has_ended=False)
    assert "nobody has confirmed any gone" in told(entry, RunCondition.GONE)["orders"]
    assert told(entry, RunCondition.LEFT)["orders"].startswith("none is open")
    status = {"symbols": [entry]}
    assert next_step(status, RunCondition.GONE, RUN, {}).tone is Tone.BAD
    assert next_step(status, RunCondition.LEFT, RUN, {}).tone is Tone.PLAIN


def test_orders_that_may_be_open_are_named_and_the_rest_counted() -> None:
    entry = market(has_ended=False, is_book_confirmed_empty=False, unconfirmed=["a", "b", "c", "d\x1b[2J"])
    assert told(entry, RunCondition.LEFT)["orders"] == "may still be open: 4 (a, b, c and 1 more)"
    assert "4 (a, b, c and 1 more)" in told(entry, RunCondition.GONE)["orders"]
    step = next_step({"symbols": [entry]}, RunCondition.LEFT, RUN, {})
    assert "run mm-fsm watchdog 'runs/my run'" in step.words


def test_what_a_watchdog_has_confirmed_ends_the_alarm() -> None:
    entry = market(has_ended=False, is_book_confirmed_empty=False, unconfirmed=["a"])
    found = RescuedMarket(run="1", at=0.0, is_confirmed_empty=True, cancels=3)
    assert told(entry, RunCondition.GONE, found)["orders"] == "none is open: a watchdog found the venue's book empty"
    status = {"symbols": [entry]}
    assert "confirmed every book empty" in next_step(status, RunCondition.GONE, RUN, {"ETH/USD": found}).words
    assert "may still be open" in next_step(status, RunCondition.GONE, RUN, {"BTC/USD": found}).words


def test_paper_leaves_nothing_at_any_exchange() -> None:
    entry = market(has_ended=False, is_live=False, is_book_confirmed_empty=False, unconfirmed=["a"])
    for condition in (RunCondition.LEFT, RunCondition.GONE):
        assert "gone with the process" in told(entry, condition)["orders"]
        assert next_step({"symbols": [entry]}, condition, RUN, {}).words.startswith("It traded on paper")


def test_a_position_on_a_real_account_is_somebodys_to_mind() -> None:
    step = next_step({"symbols": [market(offset="0.5")]}, RunCondition.ENDED, RUN, {})
    assert step.words.startswith("No order is open. The position in ETH/USD stays on the account")
    assert step.tone is Tone.WARNING


def test_a_run_whose_last_status_could_not_be_written_has_no_word_that_its_book_is_empty() -> None:
    """It ended in order, as its mark says; only the venue's own answer, kept in the entry, confirms a book empty."""
    entry = market(has_ended=False, is_book_confirmed_empty=False, unconfirmed=["a"])
    words = told(entry, RunCondition.ENDED)
    assert words["ended"] == "in order; its last status could not be written"
    assert words["orders"] == "open when it last said something: 1 (a); nobody has confirmed any gone"
    assert "Orders may still be open" in next_step({"symbols": [entry]}, RunCondition.ENDED, RUN, {}).words


@pytest.mark.parametrize("condition", [*RunCondition])
@pytest.mark.parametrize("has_ended", [True, False])
def test_no_book_is_called_empty_that_its_entry_does_not_call_empty(condition: RunCondition, has_ended: bool) -> None:
    entry = market(has_ended=has_ended, is_book_confirmed_empty=False)
    assert not told(entry, condition)["orders"].startswith("none")
    assert "No order is open" not in next_step({"symbols": [entry]}, condition, RUN, {}).words
