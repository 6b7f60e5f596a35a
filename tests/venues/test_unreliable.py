"""Each fault on its own, always striking; then all of them together, by seed."""

from decimal import Decimal

import attrs
import pytest

from mm_fsm.books.facts import (
    CancelRefused,
    MarketBook,
    OrderAcknowledged,
    OrderCanceled,
    OrderFilled,
    OutcomeUnknown,
    OwnTradesReported,
    QueryFailed,
)
from mm_fsm.core.messages import CancelOrder, Fact, QueryOrder, RequestKind, Side
from mm_fsm.errors import SettingsError
from mm_fsm.venues.base import SimulatedVenue
from mm_fsm.venues.paper import OpenOrder, PaperExchange, QueueModel
from mm_fsm.venues.unreliable import Faults, UnreliableVenue
from tests.venues.paper.scenario import MILLISECOND, SYMBOL, Scenario

BID = Side.BID


class UnreliableScenario(Scenario):
    """A scenario whose exchange is reached through an unreliable venue."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(queue=QueueModel.FRONT)
        self.paper: PaperExchange = self.exchange
        self.unreliable = UnreliableVenue(self.paper, faults)
        self.exchange = self.unreliable  # type: ignore[assignment]
        self.book(0, "100x5", "102x4")

    def own(self) -> list[Fact]:
        """Facts about own orders, by host time, with every scheduled moment visited."""
        while (time := self.unreliable.next_time()) is not None:
            self.facts.extend(self.unreliable.advance(time))
        return super().own()

    def open(self) -> dict[str, OpenOrder]:
        return {order.client_order_id: order for order in self.paper.open_orders}


def test_a_venue_without_faults_changes_nothing() -> None:
    def story(scenario: Scenario) -> list[Fact]:
        scenario.book(0, "100x5", "102x4")
        order = scenario.place(1, BID, "100", "5")
        scenario.sell(5, "100", "2")
        scenario.cancel(6, order)
        scenario.query(9, order)
        return scenario.settle()

    wrapped = Scenario(queue=QueueModel.FRONT)
    venue: SimulatedVenue = UnreliableVenue(wrapped.exchange, Faults())
    wrapped.exchange = venue  # type: ignore[assignment]
    plain = story(Scenario(queue=QueueModel.FRONT))
    assert story(wrapped) == plain
    assert len(plain) == 6


def test_a_lost_placement_is_not_at_the_venue() -> None:
    scenario = UnreliableScenario(Faults(request_lost=1))
    order = scenario.place(1, BID, "100", "1")
    (fact,) = scenario.own()
    assert isinstance(fact, OutcomeUnknown)
    assert (fact.client_order_id, fact.request, fact.received_at) == (order, RequestKind.PLACE, 1001 * MILLISECOND)
    assert scenario.open() == {}
    assert scenario.unreliable.injected == {"request_lost": 1}


def test_a_lost_answer_leaves_the_order_live_and_its_fills_are_still_told() -> None:
    scenario = UnreliableScenario(Faults(answer_lost=1))
    order = scenario.place(1, BID, "100", "3")
    scenario.sell(5, "100", "2")
    fill, unknown = scenario.own()
    assert isinstance(fill, OrderFilled)
    assert isinstance(unknown, OutcomeUnknown)
    assert list(scenario.open()) == [order]


def test_a_cancel_whose_answer_is_lost_has_acted() -> None:
    scenario = UnreliableScenario(Faults(answer_lost=1))
    order = scenario.place(1, BID, "100", "3")
    scenario.cancel(5, order)
    assert [fact.request for fact in scenario.own() if isinstance(fact, OutcomeUnknown)] == [
        RequestKind.PLACE,
        RequestKind.CANCEL,
    ]
    assert not any(isinstance(fact, OrderCanceled) for fact in scenario.facts)
    assert scenario.open() == {}


def test_a_lost_answer_loses_one_answer() -> None:
    scenario = UnreliableScenario(Faults(answer_lost=0.5, seed=2))
    order = scenario.place(1, BID, "100", "3")
    for number in range(20):
        scenario.cancel(5 + number, order)
    facts = scenario.own()
    unknown = [fact for fact in facts if isinstance(fact, OutcomeUnknown) and fact.request is RequestKind.CANCEL]
    answered = [fact for fact in facts if isinstance(fact, OrderCanceled | CancelRefused)]
    assert 0 < len(unknown) < 20
    assert len(answered) == 20 - len(unknown)


def test_a_late_placement_acts_after_the_host_gave_it_up() -> None:
    scenario = UnreliableScenario(Faults(request_late=1, timeout_seconds=1, longest_delay_seconds=0.5))
    order = scenario.place(1, BID, "100", "1")
    scenario.settle(1001)
    unknown = scenario.facts[-1]
    assert isinstance(unknown, OutcomeUnknown)
    assert scenario.open() == {}
    acknowledged = scenario.own()[-1]
    assert isinstance(acknowledged, OrderAcknowledged)
    assert 1001 * MILLISECOND < acknowledged.exchange_time <= 1502 * MILLISECOND
    assert list(scenario.open()) == [order]


def test_a_late_placement_acts_before_a_market_event_that_comes_after_it() -> None:
    scenario = UnreliableScenario(Faults(request_late=1, timeout_seconds=0.01, longest_delay_seconds=0))
    scenario.place(1, BID, "100", "1")  # held up until 11 ms, at the exchange at 12 ms
    scenario.unreliable.on_market(
        MarketBook(
            received_at=12 * MILLISECOND + 1, symbol=SYMBOL, bids=(), asks=(), exchange_time=12 * MILLISECOND + 1
        )
    )
    assert len(scenario.open()) == 1


def test_a_lost_query_fails_after_the_time_out() -> None:
    scenario = UnreliableScenario(Faults(query_lost=1))
    scenario.query(1, "order")
    scenario.query_own_trades(2)
    scenario.query_balances(3)
    answers = scenario.own()
    assert [(answer.request, answer.client_order_id) for answer in answers if isinstance(answer, QueryFailed)] == [
        (RequestKind.QUERY_ORDER, "order"),
        (RequestKind.QUERY_OWN_TRADES, None),
        (RequestKind.QUERY_BALANCES, None),
    ]
    assert [answer.received_at for answer in answers] == [1001 * MILLISECOND, 1002 * MILLISECOND, 1003 * MILLISECOND]


def test_a_lost_fill_is_found_among_own_trades() -> None:
    scenario = UnreliableScenario(Faults(fill_lost=1))
    order = scenario.place(1, BID, "100", "3")
    scenario.sell(5, "100", "2")
    scenario.query_own_trades(10)
    acknowledged, report = scenario.own()
    assert isinstance(acknowledged, OrderAcknowledged)
    assert isinstance(report, OwnTradesReported)
    assert [(fill.client_order_id, fill.quantity) for fill in report.fills] == [(order, Decimal(2))]


def test_a_duplicate_says_the_same_later() -> None:
    scenario = UnreliableScenario(Faults(fact_duplicated=1))
    scenario.place(1, BID, "100", "3")
    first, second = scenario.own()
    assert second.received_at > first.received_at
    assert attrs.evolve(second, received_at=first.received_at) == first


def test_delayed_facts_are_overtaken_but_come_in_the_order_of_receipt() -> None:
    scenario = UnreliableScenario(Faults(fact_delayed=0.5, seed=3))
    orders = [scenario.place(1 + at, BID, "99", "1") for at in range(20)]
    facts = scenario.own()
    assert [fact.received_at for fact in facts] == sorted(fact.received_at for fact in facts)
    told = [fact.client_order_id for fact in facts if isinstance(fact, OrderAcknowledged)]
    assert sorted(told) == sorted(orders)
    assert told != orders


def test_market_data_is_delayed_only_when_asked_for() -> None:
    scenario = UnreliableScenario(Faults(market_delayed=1))
    scenario.own()
    (book,) = scenario.facts
    assert isinstance(book, MarketBook)
    assert book.exchange_time + MILLISECOND < book.received_at <= book.exchange_time + 1001 * MILLISECOND


def busy_story(seed: int) -> tuple[list[Fact], dict[str, int]]:
    faults = Faults(
        request_lost=0.1, request_late=0.1, answer_lost=0.1, query_lost=0.2, fill_lost=0.2, fact_duplicated=0.2,
        fact_delayed=0.2, market_delayed=0.2, seed=seed,
    )  # fmt: skip
    scenario = UnreliableScenario(faults)
    for number in range(60):
        at = 5 + 10 * number
        order = scenario.place(at, BID, "100", "2")
        scenario.sell(at + 3, "100", "1")
        scenario.cancel(at + 4, order)
        scenario.query(at + 6, order)
    scenario.own()
    return scenario.facts, dict(scenario.unreliable.injected)


def test_the_same_seed_gives_the_same_faults_and_every_kind_strikes() -> None:
    facts, injected = busy_story(1)
    assert (facts, injected) == busy_story(1)
    assert facts != busy_story(2)[0]
    assert set(injected) == {
        "request_lost", "request_late", "answer_lost", "query_lost", "fill_lost", "fact_duplicated", "fact_delayed",
        "market_delayed",
    }  # fmt: skip


def test_every_request_gets_an_answer_or_an_unknown_outcome() -> None:
    """The wrapper never leaves the host without a word about a placement."""
    facts, _ = busy_story(4)
    heard = {getattr(fact, "client_order_id", None) for fact in facts}
    assert {f"order-{number}" for number in range(1, 61)} <= heard


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("request_lost", {"request_lost": 1.5}),
        ("fact_delayed", {"fact_delayed": float("nan")}),
        ("query_lost", {"query_lost": -0.1}),
        ("request_lost", {"request_lost": 0.6, "answer_lost": 0.6}),
        ("timeout_seconds", {"timeout_seconds": -1.0}),
        ("longest_delay_seconds", {"longest_delay_seconds": float("inf")}),
    ],
)
def test_a_wrong_setting_is_refused_by_name(name: str, options: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=rf"'faults\.{name}'"):
        Faults(**options)  # type: ignore[arg-type]


def test_intents_are_passed_on_as_they_are() -> None:
    class Recorder:
        def __init__(self) -> None:
            self.submitted: list[tuple[object, int]] = []

        def submit(self, intent: object, now: int) -> None:
            self.submitted.append((intent, now))

    recorder = Recorder()
    venue = UnreliableVenue(recorder, Faults())  # type: ignore[arg-type]
    intents = (
        CancelOrder(symbol=SYMBOL, client_order_id="a", venue_order_id=None),
        QueryOrder(symbol=SYMBOL, client_order_id="a", venue_order_id=None),
    )
    for now, intent in enumerate(intents):
        venue.submit(intent, now)
    assert recorder.submitted == [(intents[0], 0), (intents[1], 1)]
