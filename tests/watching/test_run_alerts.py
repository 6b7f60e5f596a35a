"""What really goes wrong in a run reaches people, with its reason and what is being done; what is over, too."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from threading import Event

import pytest
from attrs import evolve
from loguru import logger

from mm_fsm import MarketMakingStateMachine
from mm_fsm.books.facts import (
    AccountFeedLost,
    ConnectionRestored,
    OperatorPaused,
    RequestsSuspended,
    Timer,
)
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import Fault, FaultCode, Hold, HoldReason
from mm_fsm.core.messages import Fact, Side
from mm_fsm.report.plain_words import what_is_done
from mm_fsm.runtime.account.limits import AccountLimits
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.session import PulledSession, for_session, open_session
from mm_fsm.runtime.settings_file import read_preset
from mm_fsm.runtime.watching_settings import AlertKind, AlertSettings
from mm_fsm.watching.conditions import AccountConditions, MarketConditions
from mm_fsm.watching.news import News
from mm_fsm.watching.run_alerts import LOOK_SECONDS, RunAlerts
from tests.patience import PATIENCE

SYMBOL = "ETH/USD"
PATIENT = AlertSettings(max_messages=1_000, wait_seconds=60)
"""Everything is told, and the end waits for the couriers' threads as long as settings allow."""


@pytest.fixture(autouse=True)
def _no_message_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A played run makes its messages in no time: however late a courier's thread gets a turn, all of them wait."""
    monkeypatch.setattr("mm_fsm.watching.alert_courier.QUEUE_LENGTH", 1_000_000)


class Inbox:
    """A target that keeps what it is sent."""

    name = "1 (INBOX)"

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    def send(self, title: str, body: str) -> bool:
        self.messages.append((title, body))
        return True


class Clock:
    """A clock of the wall that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(
    machine_class: type[MarketMakingStateMachine] = MarketMakingStateMachine, **changes: object
) -> PulledSession:
    configuration = for_session(read_preset("paper_ethusd"), duration_seconds=300, seed=7)
    configuration = evolve(configuration, strategy=evolve(configuration.strategy, **changes))
    return open_session(configuration, machine_class=machine_class)


def quoting(session: PulledSession) -> PulledSession:
    """Run until quotes rest on both sides."""
    while not all(state.status is None for state in session.machine.context.sides.values()):
        for _ in session.runner.advance():
            pass
    return session


def later(session: PulledSession, seconds: float, fact: Callable[[int], Fact]) -> None:
    """Give the machine a fact of its own that long after the last one, whatever the venue would say."""
    session.runner.now = session.machine.now + nanoseconds(seconds)
    session.runner.step(fact(session.runner.now))


def news_of(conditions: MarketConditions) -> list[tuple[AlertKind, bool]]:
    return [(each.kind, each.begins) for each in conditions.look()]


def test_nothing_is_wrong_with_a_run_that_goes_well() -> None:
    session = opened()
    conditions = MarketConditions(session, 10)
    found: list[News] = []
    for _ in session.runner.run():
        found += conditions.look()
    assert {each.kind for each in found} <= {AlertKind.LIMIT}


def test_data_that_stays_away_is_a_lost_feed_and_its_return_the_end_of_it() -> None:
    """The preset's data are stale after so many seconds; a book that comes then ends it."""
    session = quoting(opened())
    conditions = MarketConditions(session, 10)
    assert news_of(conditions) == []
    stale = session.configuration.strategy.stale_data_seconds
    later(session, stale, lambda now: Timer(received_at=now))
    (news,) = conditions.look()
    assert (news.kind, news.place, news.begins) == (AlertKind.FEED_LOST, SYMBOL, True)
    assert news.reason.startswith("market data is too old: ")
    assert news.doing == "quotes are cancelled; quoting goes on with fresh data"
    assert news_of(conditions) == []
    while session.machine.context.is_data_stale:
        for _ in session.runner.advance():
            pass
    assert news_of(conditions) == [(AlertKind.FEED_LOST, False)]


def test_a_paused_market_whose_data_stay_away_is_told_of_all_the_same() -> None:
    session = quoting(opened())
    conditions = MarketConditions(session, 10)
    later(session, 0.1, lambda now: OperatorPaused(received_at=now, reason="lunch"))
    assert news_of(conditions) == []
    later(session, session.configuration.strategy.stale_data_seconds, lambda now: Timer(received_at=now))
    assert news_of(conditions) == [(AlertKind.FEED_LOST, True)]


def test_a_lost_feed_of_own_orders_says_why() -> None:
    session = quoting(opened())
    conditions = MarketConditions(session, 10)
    later(session, 0.1, lambda now: AccountFeedLost(received_at=now, symbol=SYMBOL, reason="the stream is silent"))
    (news,) = conditions.look()
    assert news.reason == "news of own orders does not arrive: the stream is silent"
    later(session, 0.1, lambda now: ConnectionRestored(received_at=now, symbol=SYMBOL))
    assert (AlertKind.FEED_LOST, False) in news_of(conditions)


def test_an_order_whose_outcome_stays_unknown_is_told_of_after_a_while() -> None:
    """Not before ten seconds have passed, as the settings say; a second order is news again."""
    session = quoting(opened())
    conditions, context = MarketConditions(session, 10), session.machine.context
    bid, ask = (context.orders.live(side)[0] for side in context.sides)

    def told(seconds: float) -> list[str]:
        context.now += nanoseconds(seconds)
        found = [each for each in conditions.look() if each.kind is AlertKind.UNCONFIRMED_ORDERS]
        assert all(each.doing == what_is_done(HoldReason.UNKNOWN_ORDER) for each in found if each.begins)
        return [each.reason if each.begins else "over" for each in found]

    context.orders.lose_track(bid, context.now)
    assert told(0) == []
    context.orders.lose_track(ask, context.now)
    assert told(9.9) == []
    assert told(0.1) == [f"the outcome of order {bid.client_order_id} is unknown"]
    assert told(9.8) == []
    names = sorted([bid.client_order_id, ask.client_order_id])
    assert told(0.1) == [f"the outcome of 2 orders is unknown: {', '.join(names)}"]
    for order in (bid, ask):
        context.orders.report_open(order, None, context.now)
    assert told(0.1) == ["over"]


def test_a_ban_is_a_limit_until_the_sides_quote_again() -> None:
    session = quoting(opened())
    conditions = MarketConditions(session, 10)
    until = session.machine.now + nanoseconds(5)
    later(session, 0.1, lambda now: RequestsSuspended(received_at=now, symbol=SYMBOL, until=until, reason="418"))
    told = []
    while not told or not all(state.status is None for state in session.machine.context.sides.values()):
        told += conditions.look()
        for _ in session.runner.advance():
            pass
    told += conditions.look()
    of_ban = [each for each in told if each.key == "requests_suspended"]
    assert [each.begins for each in of_ban] == [True, False]
    assert "418" in of_ban[0].reason


def test_a_second_side_at_a_limit_is_news_and_a_limit_ends_with_its_own_reason() -> None:
    """A ban holds the bids, then both sides; a pause holds them when it is over. Risk refuses asks, then bids do."""
    session = quoting(opened())
    conditions, context = MarketConditions(session, 10), session.machine.context
    bid, ask = context.sides[Side.BID], context.sides[Side.ASK]

    def told(bid_held: Hold | None, ask_held: Hold | None) -> list[tuple[str, bool, str]]:
        bid.status, ask.status = bid_held, ask_held
        return [(each.key, each.begins, each.reason) for each in conditions.look()]

    ban, pause = Hold(HoldReason.REQUESTS_SUSPENDED, "429"), Hold(HoldReason.OPERATOR_PAUSED, "lunch")
    risk, full = Hold(HoldReason.RISK, "y"), Hold(HoldReason.INVENTORY_LIMIT, "x")
    banned = "the venue takes no new orders for a while: 429"
    context.requests_suspended_until = context.now + nanoseconds(60)
    assert told(ban, None) == [("requests_suspended", True, f"no bids, {banned}")]
    both = f"no quote on either side: no bids, {banned}; no asks, {banned}"
    assert told(ban, ban) == [("requests_suspended", True, both)]
    assert told(pause, pause) == []
    context.requests_suspended_until = context.now
    assert told(pause, pause) == [("requests_suspended", False, both)]
    assert told(None, risk) == [("risk", True, "no asks, a risk limit refuses the order: y")]
    assert told(full, risk) == [
        ("inventory_limit", True, "no quote on either side: no bids, the position is at its limit: x")
    ]
    assert [(key, begins) for key, begins, _ in told(pause, pause)] == [("risk", False), ("inventory_limit", False)]


class Failing(MarketMakingStateMachine):
    """A bug in an action, once; then it is gone."""

    has_failed = False

    def handle_fills(self) -> None:
        if not self.has_failed:
            self.has_failed = True
            raise RuntimeError("a bug")
        super().handle_fills()


def alerted(
    session: PulledSession,
    settings: AlertSettings | None = None,
    clock: Clock | None = None,
    inbox: Inbox | None = None,
) -> list[tuple[str, str]]:
    """Every message about a whole run, in which a second of the wall passes with each step."""
    inbox, clock = inbox or Inbox(), clock or Clock()
    alerts = RunAlerts([session], settings or PATIENT, [inbox], clock=clock)
    for result in session.runner.run():
        clock.now += LOOK_SECONDS
        alerts.take(session, result)
    alerts.close()
    return inbox.messages


def test_a_fault_is_told_with_its_reason_and_its_recovery() -> None:
    messages = alerted(opened(Failing, recovery_backoff_seconds=1.0))
    titles = [title for title, _ in messages]
    assert titles[:2] == [f"mm-fsm: Fault: {SYMBOL}", "mm-fsm: Fault over"]
    first = messages[0][1]
    assert first.startswith(f"{SYMBOL}: callback: event 'fills_arrived' in 'monitoring_orders': RuntimeError: a bug")
    assert "what is done: all orders are cancelled until that is confirmed" in first


def test_the_kill_switch_is_told_and_never_over() -> None:
    """A market that may lose no more than a cent loses it, and stops for good."""
    messages = alerted(opened(max_drawdown=Decimal("0.01")))
    (kill,) = [body for title, body in messages if "Kill switch" in title]
    assert kill.startswith(f"{SYMBOL}: kill switch: lost ")
    assert "what is done: all orders are cancelled until that is confirmed; the position is reduced" in kill
    assert not [title for title, _ in messages if "over" in title and "Kill" in title]


def test_only_what_was_asked_for_is_told() -> None:
    settings = AlertSettings(kinds=(AlertKind.FEED_LOST.value,), wait_seconds=60)
    assert alerted(opened(max_drawdown=Decimal("0.01")), settings) == []


def test_an_error_that_ends_the_run_is_told_without_its_words() -> None:
    inbox = Inbox()
    alerts = RunAlerts([opened()], PATIENT, [inbox])
    alerts.close(RuntimeError("secret words"))
    ((title, body),) = inbox.messages
    assert title == "mm-fsm: Fault: run"
    assert "RuntimeError" in body
    assert "secret" not in body


def test_a_run_that_is_interrupted_tells_nothing_of_it() -> None:
    inbox = Inbox()
    RunAlerts([opened()], PATIENT, [inbox]).close(KeyboardInterrupt())
    assert inbox.messages == []


@pytest.mark.parametrize("wait", [0.0, 0.05])
def test_a_target_that_hangs_delays_neither_a_step_nor_the_end(wait: float, messages: list[str]) -> None:
    """The target lets go only after the test: the run is over as soon as without it, and the end waits as stated."""

    class Hanging(Inbox):
        lets_go = Event()

        def send(self, title: str, body: str) -> bool:
            self.lets_go.wait(PATIENCE)
            return super().send(title, body)

    hanging, inbox, clock = Hanging(), Inbox(), Clock()
    session = opened(max_drawdown=Decimal("0.01"))
    alerts = RunAlerts([session], AlertSettings(wait_seconds=wait), [hanging, inbox], clock=clock)
    for result in session.runner.run():
        clock.now += LOOK_SECONDS
        alerts.take(session, result)
    alerts.close()
    assert hanging.messages == []  # still in its first send: nobody has waited for it
    hanging.lets_go.set()
    assert session.machine.is_final
    assert messages[-1] == "alert.not_told"


def test_alerts_that_fail_say_so_and_not_that_the_run_has_ended() -> None:
    """Looking fails in the middle of a run: people hear that once, and nothing else, not even at the end."""
    inbox = Inbox()
    alerts = RunAlerts([opened()], PATIENT, [inbox])
    alerts.abandon(KeyError("secret words"))
    alerts.close(RuntimeError("the run's own"))
    ((title, body),) = inbox.messages
    assert title == "mm-fsm: Alerts have failed"
    assert body == "KeyError. The run goes on, but nobody is told of it any more: look at it yourself."


def test_an_end_that_cannot_be_told_is_told_as_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = Inbox()
    alerts = RunAlerts([opened()], PATIENT, [inbox])

    def fails(_: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr("mm_fsm.watching.run_alerts.ending_of", fails)
    with pytest.raises(ZeroDivisionError):
        alerts.close()
    ((title, body),) = inbox.messages
    assert title == "mm-fsm: Alerts have failed"
    assert body.startswith("ZeroDivisionError. The run has ended.")


def test_a_kill_switch_that_no_target_takes_is_named_at_the_end() -> None:
    """On standard error, by its title and the target's name; the target was tried again at the end."""

    class Refusing(Inbox):
        def send(self, title: str, body: str) -> bool:
            super().send(title, body)
            return False

    said: list[tuple[str, str, dict[str, object]]] = []
    handler = logger.add(
        lambda message: said.append(
            (message.record["level"].name, message.record["message"], dict(message.record["extra"]))
        )
    )
    try:
        assert alerted(opened(max_drawdown=Decimal("0.01")), inbox=Refusing())
    finally:
        logger.remove(handler)
    (error,) = [(message, extra) for level, message, extra in said if level == "ERROR"]
    assert error[0] == "alert.not_told"
    assert error[1]["target"] == "1 (INBOX)"
    assert f"mm-fsm: Kill switch: {SYMBOL}" in str(error[1]["messages"])


def test_alerts_change_no_decision() -> None:
    watched, alone = opened(Failing), opened(Failing)
    inbox = Inbox()
    alerts = RunAlerts([watched], PATIENT, [inbox])
    seen = []
    for result in watched.runner.run():
        alerts.take(watched, result)
        seen.append(result)
    alerts.close()
    assert seen == [*alone.runner.run()]
    assert watched.machine.context.digest() == alone.machine.context.digest()


def test_what_the_account_may_lose_and_hold_is_told() -> None:
    """By the limits' own word: over their limit, back below it, and stopped for good."""
    limits = AccountLimits(AccountSettings())
    conditions = AccountConditions(limits, "account")
    assert [*conditions.look()] == []
    limits.is_over = True
    assert [(each.kind, each.begins) for each in conditions.look()] == [(AlertKind.LIMIT, True)]
    limits.is_over = False
    assert [(each.kind, each.begins) for each in conditions.look()] == [(AlertKind.LIMIT, False)]
    limits.stopped_because = "account.max_loss: all markets together lost 7, 6 is allowed"
    (news,) = conditions.look()
    assert (news.kind, news.place, news.reason) == (AlertKind.KILL_SWITCH, "account", limits.stopped_because)


@pytest.mark.parametrize(
    ("code", "reduces", "kind", "then"),
    [
        (FaultCode.KILL_SWITCH, True, AlertKind.KILL_SWITCH, "the position is reduced"),
        (FaultCode.KILL_SWITCH, False, AlertKind.KILL_SWITCH, "the position is kept"),
        (FaultCode.EQUITY, True, AlertKind.KILL_SWITCH, "the position is reduced"),
        (FaultCode.VENUE, True, AlertKind.FAULT, "the position is reduced"),
        (FaultCode.LEDGER, True, AlertKind.FAULT, "the position is kept"),
        (FaultCode.JOURNAL, True, AlertKind.FAULT, "the position is kept"),
    ],
)
def test_a_fault_that_stays_says_what_becomes_of_the_position(
    code: FaultCode, reduces: bool, kind: AlertKind, then: str
) -> None:
    """After some faults not even a reducing order may leave, whatever the settings say."""
    session = quoting(opened(wind_down_on_fault=reduces))
    session.machine.context.fault = Fault(code=code, reason="r", transient=False, at=session.machine.now)
    (news,) = [each for each in MarketConditions(session, 10).look() if each.key == "fault"]
    assert news.kind is kind
    assert f"{then}, and the market ends" in news.doing
