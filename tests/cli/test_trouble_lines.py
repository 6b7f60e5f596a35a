"""What a run in wall time logs of its troubles: each once, with what is wrong, what is done, and since when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve
from loguru import logger

from mm_fsm.books.facts import AccountFeedLost, ConnectionRestored
from mm_fsm.cli.trouble_lines import LASTS_SECONDS, TroubleLines
from mm_fsm.core.decisions import Hold, HoldReason
from mm_fsm.core.messages import RequestKind, Side
from mm_fsm.report.plain_words import WHAT_IS_DONE, WHY_HELD
from tests.machine.bench import SYMBOL, Bench


class Watched:
    """A market maker that quotes, and the lines that are logged of it."""

    def __init__(self, records: list[Any]) -> None:
        self.bench = Bench(is_watched=False).start_quoting()
        self.lines = TroubleLines(self.bench)
        self._records = records
        self._taken = len(self.bench.results)

    def look(self) -> list[tuple[str, dict[str, Any]]]:
        """Lines since the last look."""
        for result in self.bench.results[self._taken :]:
            self.lines.take(result)
        self._taken = len(self.bench.results)
        told = [(record["message"], record["extra"]) for record in self._records]
        self._records.clear()
        return told

    def lose_feed(self) -> None:
        self.bench.tell(AccountFeedLost(received_at=self.bench.now, symbol=SYMBOL, reason="the stream is silent"))
        self.bench.settle()

    def restore_feed(self) -> None:
        self.bench.tell(ConnectionRestored(received_at=self.bench.now, symbol=SYMBOL, reason="new streams"))
        self.bench.settle()


@pytest.fixture
def watched() -> Iterator[Watched]:
    records: list[Any] = []
    sink = logger.add(lambda message: records.append(message.record), level="INFO")
    yield Watched(records)
    logger.remove(sink)


def test_nothing_is_said_while_nothing_is_wrong(watched: Watched) -> None:
    watched.bench.run(120)
    assert watched.look() == []


def test_a_hold_is_told_once_it_lasts_for_both_sides_in_one_line(watched: Watched) -> None:
    watched.lose_feed()
    assert watched.look() == []
    for _ in range(20):
        watched.bench.run(1)
    ((event, fields),) = watched.look()
    assert event == "side.held"
    assert fields["symbol"] == SYMBOL
    assert fields["side"] == "bid and ask"
    assert fields["why"] == WHY_HELD[HoldReason.ACCOUNT_FEED_LOST]
    assert fields["doing"] == WHAT_IS_DONE[HoldReason.ACCOUNT_FEED_LOST]
    assert fields["detail"] == "the stream is silent"
    assert LASTS_SECONDS <= float(fields["silent_for"].split()[0]) <= LASTS_SECONDS + 2


def test_quoting_again_is_told_with_how_long_it_was_silent(watched: Watched) -> None:
    watched.lose_feed()
    watched.bench.run(10)
    watched.look()
    watched.restore_feed()
    watched.bench.run_until(lambda: watched.bench.holds() == {"bid": None, "ask": None}, 60)
    told = [(event, fields) for event, fields in watched.look() if event == "side.quoted_again"]
    assert {fields["side"] for _, fields in told} == {"bid", "ask"}
    assert all(float(fields["silent_for"].split()[0]) >= 10 for _, fields in told)


def test_what_passes_sooner_is_not_told(watched: Watched) -> None:
    """The feed is back before its time is over; what follows is quick here."""
    watched.lose_feed()
    watched.restore_feed()
    watched.bench.run_until(lambda: watched.bench.holds() == {"bid": None, "ask": None}, 60, step=0.1)
    assert watched.look() == []


@pytest.mark.parametrize("turns", [1.0, 0.5])
def test_a_side_that_is_silent_for_long_is_told_though_its_reasons_take_turns(watched: Watched, turns: float) -> None:
    """Data that is too old and a book with one side, each for less than a line is worth, for a minute: one line."""
    reasons = (HoldReason.STALE_DATA, HoldReason.ONE_SIDED_BOOK)
    sides = watched.bench.machine.context.sides
    (result, *_) = watched.bench.results
    for step in range(round(60 / turns)):
        for side in sides.values():
            side.status = Hold(reasons[step % 2], "")
        watched.lines.take(evolve(result, time=result.time + round(step * turns * 10**9)))
    ((event, fields),) = watched.look()
    assert event == "side.held"
    assert fields["silent_for"] == f"{LASTS_SECONDS:.1f} s"


def test_reasons_that_are_nobodys_fault_do_not_count_as_trouble(watched: Watched) -> None:
    """A minute of warming up, and then a second in which the books are compared."""
    (result, *_) = watched.bench.results
    for second in range(62):
        for side in watched.bench.machine.context.sides.values():
            side.status = Hold(HoldReason.WARMING_UP if second < 60 else HoldReason.RECONCILING, "")
        watched.lines.take(evolve(result, time=result.time + second * 10**9))
    assert watched.look() == []


def test_a_hold_of_the_users_own_is_told(watched: Watched) -> None:
    (result, *_) = watched.bench.results
    for second in range(3):
        watched.bench.machine.context.sides[Side.BID].status = Hold(HoldReason.CUSTOM, "funding is dear")
        watched.lines.take(evolve(result, time=result.time + second * 10**9))
    ((event, fields),) = watched.look()
    assert (event, fields["side"], fields["detail"]) == ("side.held", "bid", "funding is dear")


def test_an_unknown_outcome_is_told_at_once_and_when_it_is_settled(watched: Watched) -> None:
    order_id = watched.bench.live(Side.BID)[0]
    watched.bench.tell(AccountFeedLost(received_at=watched.bench.now, symbol=SYMBOL, reason="the stream is silent"))
    watched.bench.outbox.clear()  # its cancel leaves, and no answer comes
    watched.bench.lose(order_id, RequestKind.CANCEL)
    ((event, fields),) = watched.look()
    assert event == "order.outcome_unknown"
    assert fields["order"] == order_id
    assert fields["request"] == "cancel"
    assert fields["doing"] == WHAT_IS_DONE[HoldReason.UNKNOWN_ORDER]
    watched.bench.settle()
    watched.bench.run(5)
    settled = [fields for event, fields in watched.look() if event == "order.settled"]
    assert [each["order"] for each in settled] == [order_id]
    assert settled[0]["outcome"] != "unknown"


def test_every_reason_that_is_something_wrong_says_what_is_done() -> None:
    harmless = {
        HoldReason.NOT_STARTED,
        HoldReason.WARMING_UP,
        HoldReason.BELOW_MINIMUM,
        HoldReason.ORDERS_IN_FLIGHT,
        HoldReason.ADJUSTING_INVENTORY,
        HoldReason.STOPPING,
        HoldReason.COMPLETED,
    }
    assert {*WHAT_IS_DONE} == {*HoldReason} - harmless
