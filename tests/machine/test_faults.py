"""Faults: recovery and its limits, the kill switch, and what remains when nothing more can be done."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mm_fsm.books.facts import CancelRefused, JournalFailed
from mm_fsm.core.decisions import Fault, FaultCode
from mm_fsm.core.messages import CancelOrder, OrderPurpose, PlaceOrder, QueryOwnTrades, Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from tests.machine.bench import SECOND, Bench, settings_with
from tests.machine.scripted import ScriptedRisk, services

BID, ASK = Side.BID, Side.ASK
TRANSIENT = Fault(code=FaultCode.CUSTOM, reason="a test said so", transient=True)
PERMANENT = Fault(code=FaultCode.CUSTOM, reason="a test said so", transient=False)


def quoting(**changes: Any) -> Bench:
    """A machine with one bid and one ask resting, and a risk service that a test can tell to halt."""
    return Bench(settings_with(**changes), services=services(risk=ScriptedRisk())).start_quoting()


def halt(bench: Bench, cause: Fault = TRANSIENT) -> None:
    """Let the risk service name a cause, once."""
    bench.machine.services.risk.cause = cause  # type: ignore[attr-defined]
    bench.beat()
    bench.machine.services.risk.cause = None  # type: ignore[attr-defined]


def seconds_to_recovery(bench: Bench) -> float:
    """From a fault until the machine leaves ERROR, with an honest venue."""
    begun = bench.now
    halt(bench)
    assert bench.state == "error"
    bench.settle()
    while bench.state == "error":
        if bench.last.wake_at is not None and bench.last.wake_at <= bench.now + SECOND // 4:
            bench.wake()
        else:
            bench.later(0.25)
            bench.book()
        bench.settle()
    return (bench.now - begun) / SECOND


# -- recovery ------------------------------------------------------------------------------------------------------


def test_a_fault_cancels_everything_in_the_step_that_finds_it() -> None:
    bench = quoting()
    live = bench.live()
    halt(bench)
    assert bench.state == "error"
    assert [intent.client_order_id for intent in bench.last.intents if isinstance(intent, CancelOrder)] == live
    assert [found.code for found in bench.last.faults] == ["custom"]
    assert bench.last.faults[0].state == "monitoring_orders"
    assert bench.last.faults[0].at == bench.now
    assert bench.holds() == {"bid": "fault", "ask": "fault"} or bench.live()


def test_recovery_waits_for_confirmed_cancels_and_looked_up_trades() -> None:
    bench = quoting(recovery_backoff_seconds=1.0)
    bid, ask = bench.live()
    halt(bench)
    bench.outbox.clear()
    bench.wait(2)  # the back-off is over, and nobody has confirmed anything
    assert bench.state == "error"
    bench.confirm_cancel(bid)
    bench.confirm_cancel(ask)
    assert bench.state == "error"
    assert any(isinstance(intent, QueryOwnTrades) for intent in bench.last.intents)
    bench.report_trades()
    assert bench.taken(len(bench.results) - 1)[0] == ("error", "recover")


def test_a_fill_that_only_the_look_up_finds_is_booked_before_recovery() -> None:
    bench = quoting()
    bid = bench.live(BID)[0]
    halt(bench)
    bench.trade(bid, "0.3")
    bench.run(5)
    assert bench.state != "error"
    assert bench.context.base_position == Decimal("100.3")


def test_the_wait_before_a_recovery_doubles_with_each_attempt_up_to_a_limit() -> None:
    bench = quoting(
        recovery_backoff_seconds=1.0, max_recovery_backoff_seconds=5.0, max_recovery_attempts=9, stale_data_seconds=10.0
    )
    waits = [seconds_to_recovery(bench) for _ in range(5)]
    for wait, expected in zip(waits, [1, 2, 4, 5, 5], strict=True):
        assert expected <= wait < expected + 0.6
    assert bench.context.recovery_attempts == 5


def test_attempts_count_anew_only_after_minutes_of_health() -> None:
    bench = quoting(recovery_reset_seconds=300.0, max_recovery_attempts=9)
    assert seconds_to_recovery(bench) < 1.6
    assert 2 <= seconds_to_recovery(bench) < 2.6
    bench.run(299)
    assert 4 <= seconds_to_recovery(bench) < 4.6
    bench.run(301)
    assert seconds_to_recovery(bench) < 1.6
    assert bench.context.recovery_attempts == 1


def test_when_attempts_are_used_up_the_machine_winds_down_and_ends_without_success() -> None:
    bench = quoting(max_recovery_attempts=2, target_base=Decimal(99))
    for _ in range(2):
        seconds_to_recovery(bench)
        bench.run(3)
    begun = len(bench.results)
    halt(bench)
    bench.run_until(lambda: bench.machine.is_final, 60)
    events = [event for _, event in bench.taken(begun)]
    assert events[:2] == ["halt", "wind_down"]
    assert bench.context.inventory_offset == 0
    result = bench.machine.result()
    assert not result.success
    assert result.error is not None
    assert "a test said so" in result.error


def test_recoveries_are_capped_for_the_whole_session() -> None:
    bench = quoting(max_session_recoveries=3, recovery_reset_seconds=5.0, wind_down_on_fault=False)
    for _ in range(3):
        seconds_to_recovery(bench)
        bench.run(8)
    assert bench.context.recovery_attempts == 1
    halt(bench)
    bench.run_until(lambda: bench.machine.is_final, 30)
    assert bench.taken()[-1] == ("error", "give_up")


def test_a_permanent_fault_is_latched_and_never_retried() -> None:
    bench = quoting()
    begun = len(bench.results)
    halt(bench, PERMANENT)
    bench.run(400, step=5)
    assert "recover" not in [event for _, event in bench.taken(begun)]
    assert bench.state == "completed"
    assert list(bench.context.latched) == ["custom"]


def test_a_fault_that_is_not_transient_stays_the_reason_whatever_fails_later() -> None:
    bench = quoting(max_recovery_attempts=5)
    halt(bench, PERMANENT)
    bench.context.rejections_in_a_row = 99
    bench.run(20)
    assert bench.machine.result().error is not None
    assert "a test said so" in str(bench.machine.result().error)


def test_a_fault_names_the_function_that_raised() -> None:
    """The innermost one, however the callback came to it."""

    class Careless(MarketMakingStateMachine):
        def calculate_spreads(self) -> None:
            self.widths()

        def widths(self) -> None:
            raise LookupError("no width")

    bench = Bench(machine=Careless)
    bench.run_until(lambda: bench.state == "error", 60)
    (fault,) = {found.reason for result in bench.results for found in result.faults}
    assert fault.endswith(": LookupError: no width, raised in " + Careless.widths.__qualname__)


def test_a_guard_of_a_subclass_that_halts_is_a_fault_that_is_named_and_retried() -> None:
    class Cautious(MarketMakingStateMachine):
        is_worried = False

        def must_halt(self) -> bool:
            return self.is_worried or super().must_halt()

    bench = Bench(machine=Cautious).start_quoting()
    bench.machine.is_worried = True  # type: ignore[attr-defined]
    bench.beat()
    assert bench.state == "error"
    assert "must_halt" in bench.last.faults[0].reason
    bench.machine.is_worried = False  # type: ignore[attr-defined]
    bench.run_until(lambda: bench.holds() == {"bid": None, "ask": None}, 20)


def test_an_order_that_is_refused_to_go_in_error_is_asked_about_until_it_is_gone() -> None:
    bench = quoting()
    bid, ask = bench.live()
    halt(bench)
    bench.confirm_cancel(ask)
    for wait in (0, 2, 4):  # seconds from one cancel to the next: at first none, then doubling
        bench.tell(bench.about(CancelRefused, bid, reason="try again"))
        bench.report(bid)  # it is open
        bench.wait(wait)
        assert bench.own(bid).cancel_in_flight
    bench.confirm_cancel(bid)
    bench.outbox.clear()
    bench.report_trades()
    bench.wait(2)
    assert bench.state != "error"


def test_wind_down_on_fault_false_keeps_the_position_and_gives_up() -> None:
    bench = quoting(wind_down_on_fault=False, target_base=Decimal(99))
    begun = len(bench.results)
    halt(bench, PERMANENT)
    bench.run_until(lambda: bench.machine.is_final, 10)
    assert [event for _, event in bench.taken(begun)] == ["halt", "give_up"]
    assert bench.context.inventory_offset == 1
    assert not bench.machine.result().success
    assert bench.sent(PlaceOrder, begun) == []


def test_a_second_fault_after_a_wind_down_ends_the_session() -> None:
    bench = quoting(target_base=Decimal(90))
    bench.fills_reducing_orders = False
    halt(bench, PERMANENT)
    bench.run(5)
    assert bench.state == "inventory_management"
    assert bench.context.is_stopping
    begun = len(bench.results)
    bench.tell(JournalFailed(received_at=bench.now, reason="the disk is full"))
    assert bench.state == "error"
    bench.run_until(lambda: bench.machine.is_final, 30)
    assert [event for _, event in bench.taken(begun)] == ["halt", "give_up"]


@pytest.mark.parametrize("code", [FaultCode.LEDGER, FaultCode.JOURNAL, FaultCode.OWNERSHIP])
def test_a_stop_in_error_trades_nothing_when_the_books_cannot_be_trusted(code: FaultCode) -> None:
    """The operator asks for flat; but what is held is not known, not on record, or another process trades it too."""
    bench = quoting(target_base=Decimal(90), max_inventory_pct=0.5, wind_down_passive_seconds=0)
    begun = len(bench.results)
    halt(bench, Fault(code=code, reason="a test said so", transient=False))
    assert bench.state == "error"
    bench.stop()
    bench.run_until(lambda: bench.machine.is_final, 30)
    assert bench.sent(PlaceOrder, begun) == []
    assert bench.context.inventory_offset == 10
    assert not bench.machine.result().success


# -- the kill switch -----------------------------------------------------------------------------------------------


def lose_money(bench: Bench) -> None:
    """The machine holds 10 more than its target, and the price falls by 6: a loss of 60."""
    for _ in range(4):
        bench.later(0.2)
        bench.book(bench.best[BID] - Decimal("1.5"), bench.best[ASK] - Decimal("1.5"))


def test_the_kill_switch_winds_down_once_and_ends_without_success() -> None:
    bench = quoting(target_base=Decimal(90), max_drawdown=Decimal(50), max_inventory_pct=0.5)
    begun = len(bench.results)
    lose_money(bench)
    assert bench.state == "error"
    assert list(bench.context.latched) == ["kill_switch"]
    bench.run_until(lambda: bench.machine.is_final, 60)
    events = [event for _, event in bench.taken(begun)]
    assert events.count("wind_down") == 1
    assert events.count("halt") == 1
    assert bench.context.inventory_offset == 0
    result = bench.machine.result()
    assert not result.success
    assert "kill_switch" in str(result.error)
    purposes = {order.purpose for order in bench.sent(PlaceOrder, begun + 4)}
    assert purposes == {OrderPurpose.WIND_DOWN}


def test_the_kill_switch_does_not_quote_again_however_the_price_recovers() -> None:
    bench = quoting(target_base=Decimal(90), max_drawdown=Decimal(50), max_inventory_pct=0.5, wind_down_on_fault=False)
    lose_money(bench)
    begun = len(bench.results)
    bench.best = {BID: Decimal("120.00"), ASK: Decimal("120.02")}
    bench.run(100, step=5)
    assert bench.state == "completed"
    assert bench.sent(PlaceOrder, begun) == []


def test_the_kill_switch_acts_while_orders_are_being_placed() -> None:
    bench = Bench(settings_with(target_base=Decimal(90), max_drawdown=Decimal(50), max_inventory_pct=0.5))
    while bench.state != "placing_orders":
        bench.settle()
        bench.later(1)
        bench.book()
    bench.outbox.clear()
    lose_money(bench)
    assert bench.state == "error"
    assert all(bench.own(name).cancel_in_flight for name in bench.live())


# -- faults of the machine itself ----------------------------------------------------------------------------------


def test_a_failed_journal_stops_everything_and_nothing_is_placed_any_more() -> None:
    """Not even a reducing order: its record could not be written either."""
    bench = quoting(target_base=Decimal(90), max_inventory_pct=0.5)
    begun = len(bench.results)
    bench.tell(JournalFailed(received_at=bench.now, reason="the disk is full"))
    assert bench.state == "error"
    bench.run(120, step=5)
    assert bench.sent(PlaceOrder, begun) == []
    assert bench.state == "completed"
    assert not bench.machine.result().success


def test_placements_that_a_failed_journal_withheld_are_out_of_the_books() -> None:
    bench = Bench()
    while not bench.sent(PlaceOrder):
        bench.settle()
        bench.later(1)
        bench.book()
    withheld = tuple(bench.live())
    bench.tell(JournalFailed(received_at=bench.now, reason="the disk is full", withheld=withheld))
    assert bench.live() == []
    assert bench.context.orders.count == 0
    assert not [intent for intent in bench.last.intents if isinstance(intent, CancelOrder)]


def test_a_service_that_answers_the_same_again_and_again_is_a_fault_and_no_hang() -> None:
    class Restless(MarketMakingStateMachine):
        is_restless = False

        def quotes_stale(self) -> bool:
            return self.is_restless or super().quotes_stale()

    bench = Bench(machine=Restless).start_quoting()
    bench.machine.is_restless = True  # type: ignore[attr-defined]
    bench.beat()
    assert bench.state == "error"
    assert [found.code for found in bench.last.faults] == ["does_not_rest"]
    assert all(bench.own(name).cancel_in_flight for name in bench.live())
    assert not [intent for intent in bench.last.intents if isinstance(intent, PlaceOrder)]


def test_neither_side_affording_its_minimum_is_a_permanent_fault() -> None:
    from mm_fsm.core.instrument import Balances

    bench = Bench(balances=Balances(base=Decimal(0), quote=Decimal(4)))
    bench.book()
    assert bench.state == "error"
    assert list(bench.context.latched) == ["funds"]
    bench.run(10)
    assert bench.state == "completed"


@pytest.mark.parametrize("attempts", [1, 30, 1_000])
def test_the_back_off_can_be_computed_for_any_number_of_attempts(attempts: int) -> None:
    bench = quoting(max_recovery_attempts=1_000, max_session_recoveries=5_000)
    bench.context.recovery_attempts = attempts
    bench.context.healthy_since = bench.now
    halt(bench)
    assert bench.now < bench.context.recover_at <= bench.now + 60 * SECOND
