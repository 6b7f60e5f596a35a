"""Recorded runs to explain, and the step of one made again by a machine of the test's own."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from attrs import evolve

from mm_fsm.core.messages import OrderPurpose, PlaceOrder, Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.report.why.accounts import Account, read_account
from mm_fsm.report.why.neighbours import SettingChange
from mm_fsm.runtime.journal import JournalReader, JournalSettings
from mm_fsm.runtime.journal.replaying import recorded_facts
from mm_fsm.runtime.journal.snapshots import read_snapshot, write_snapshot
from tests.runtime.journal.scenario import World, begin, make_market, plan_at, settings_with

RECORDS = JournalSettings(record_market_data=True, segment_records=100)


def record_run(path: Path, *, seconds: float = 40.0, seed: int = 3, **changes: Any) -> Path:
    """Record a run that falls silent for many reasons, and end its process as it should be ended."""
    plan = plan_at(path, settings=settings_with(**changes), journal_settings=RECORDS)
    with begin(plan) as run:
        World(market=make_market(seed)).run(run, seconds)
    return path


SCARCE = {"max_orders_per_interval": 8, "max_position_size": Decimal("0.2"), "trade_beyond_book_bps": 1.0}
"""Settings under which orders, position and books often hold a side."""


def account_of(path: Path) -> Account:
    with JournalReader(path) as reader:
        return read_account(reader)


def made_again(path: Path, sequence: int, change: SettingChange | None) -> tuple[StepResult, MarketMakingStateMachine]:
    """The step of a journal, made by a machine that has lived all of its segment until then, with one setting changed.

    Nothing of what explains is used: the segment's snapshot and facts, and what every machine can do.
    """
    with JournalReader(path) as reader:
        segment = [each for each in reader.segments if each.first_sequence <= sequence][-1]
        machine = MarketMakingStateMachine.restored(reader.snapshot(segment))
        for _, number, fact in recorded_facts(reader, segment):
            if number < sequence:
                machine.step(fact)
                continue
            settings = machine.context.settings
            if change is not None:
                assert getattr(settings, change.name) == change.value
                settings = evolve(settings, **{change.name: change.changed})
            values = read_snapshot(write_snapshot(machine.remembered_values()))
            again = MarketMakingStateMachine.restored(values, settings=settings)
            return again.step(fact), again
    raise AssertionError(sequence)


def is_quoted(result: StepResult, machine: MarketMakingStateMachine, side: Side) -> bool:
    """Whether a quote of the side leaves with the step, or one rests and is not being cancelled."""
    leaves = any(
        isinstance(each, PlaceOrder) and each.side is side and each.purpose is OrderPurpose.QUOTE
        for each in result.intents
    )
    return leaves or any(
        order.acknowledged and not order.cancel_in_flight and not order.is_unknown
        for order in machine.context.live_quotes(side)
    )
