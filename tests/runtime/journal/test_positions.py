"""A position at the venue that differs from the books: looked at twice, then refused or adopted, never guessed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mm_fsm.books.facts import BalancesReported
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.journal import verify_run
from tests.runtime.journal.scenario import (
    World,
    assert_books_equal_account,
    begin,
    is_quoting,
    kill,
    plan_at,
    quote_for,
    settings_with,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.journal"


def lose_a_trade(world: World) -> None:
    """The account changes by something that no report ever tells: as a manual trade would."""
    world.exchange._account.base_total += Decimal("0.5")


def test_a_position_that_differs_is_refused_until_it_agrees_again(path: Path) -> None:
    world, plan = quote_for(path, 20)
    lose_a_trade(world)
    before = len(world.placements)
    run = begin(plan)
    world.run(run, 60)
    assert len(world.placements) == before
    assert "+0.5" in run.machine.machine.context.reconciliation.detail
    world.exchange._account.base_total -= Decimal("0.5")
    world.run(run, until=is_quoting)
    assert_books_equal_account(run, world)
    run.close()


def test_a_position_that_differs_once_is_looked_at_again_and_nothing_is_refused(path: Path) -> None:
    """A trade that the balances know before the trades' own report does: the second look finds it booked."""
    world, plan = quote_for(path, 20)
    lose_a_trade(world)
    reasons: list[str] = []

    def agree_after_a_look(result: StepResult) -> bool:
        reasons.extend(result.reasons)
        if isinstance(result.fact, BalancesReported) and world.exchange._account.base_total != before:
            world.exchange._account.base_total = before
        return run.machine.machine.context.reconciliation.is_complete

    before = world.exchange._account.base_total - Decimal("0.5")
    run = begin(plan)
    world.run(run, until=agree_after_a_look)
    assert not any("refusing" in reason for reason in reasons)
    assert_books_equal_account(run, world)
    run.close()


@pytest.mark.parametrize(("difference", "agrees"), [("0.00009", True), ("-0.00009", True), ("0.0001", False)])
def test_a_position_differs_from_one_lot_on(path: Path, difference: str, *, agrees: bool) -> None:
    """The lot is 0.0001: less cannot be traded, so dust is no difference."""
    world, plan = quote_for(path, 20)
    world.exchange._account.base_total += Decimal(difference)
    run = begin(plan)
    world.run(run, 30)
    assert run.machine.machine.context.reconciliation.is_complete is agrees
    run.close()


def test_what_the_account_holds_beside_the_run_is_noted_once_and_left_alone(path: Path) -> None:
    """Two ETH more than the run began with are somebody's own; two more that come later are a difference."""
    plan = plan_at(path)
    world, run = World(), begin(plan)
    world.exchange._account.base_total += 2
    world.run(run, until=is_quoting)
    kill(run)
    run = begin(plan)
    world.run(run, until=is_quoting)
    assert run.machine.machine.context.base_position == world.exchange.balances.base_total - 2
    kill(run)
    world.exchange._account.base_total += 2
    run = begin(plan)
    world.run(run, 30)
    assert not run.machine.machine.context.reconciliation.is_complete
    run.close()


def test_a_position_that_differs_is_adopted_on_record_where_the_setting_says_so(path: Path) -> None:
    settings = settings_with(position_mismatch_policy="adopt")
    world, plan = quote_for(path, 20, settings=settings)
    lose_a_trade(world)
    reasons: list[str] = []

    def note(result: StepResult) -> bool:
        reasons.extend(result.reasons)
        return run.machine.machine.context.reconciliation.is_complete

    run = begin(plan)
    world.run(run, until=note)
    assert_books_equal_account(run, world)
    assert any("adopted the venue's position: +0.5" in reason for reason in reasons)
    assert run.machine.machine.context.ledger.identity_gap() == 0
    run.close()
    assert verify_run(path).is_clean


def test_a_position_that_changes_by_itself_while_quoting_stops_it(path: Path) -> None:
    """The timer's round finds it, a second one confirms it, and the quotes leave."""
    world, run = World(), begin(plan_at(path))
    world.run(run, until=is_quoting)
    lose_a_trade(world)
    world.run(run, 40)
    assert not run.machine.machine.context.reconciliation.is_complete
    assert world.exchange.open_orders == ()
    run.close()
