"""What a step and a session return. All frozen; times are nanoseconds, money quote currency."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import frozen

from mm_fsm.core.decisions import Fault
from mm_fsm.core.messages import Fact, Intent


@frozen
class TransitionRecord:
    """One transition that was taken. ``event`` and both ends are names in the chart's definition."""

    source: str
    event: str
    target: str


@frozen(kw_only=True)
class StepResult:
    """Everything one fact led to. The host carries out ``intents`` and reports back with facts."""

    sequence: int
    """Counts steps from 1."""
    time: int
    """The machine's time after the fact."""
    fact: Fact
    state: str
    """The state in which the machine came to rest."""
    transitions: tuple[TransitionRecord, ...] = ()
    reasons: tuple[str, ...] = ()
    """What happened and why, for people and logs."""
    intents: tuple[Intent, ...] = ()
    wake_at: int | None = None
    """When to send a Timer if nothing else comes first; strictly later than ``time``. None: nothing is waiting."""
    faults: tuple[Fault, ...] = ()


@frozen(kw_only=True)
class StrategyResult:
    """The result of a session. ``additional_data`` holds the figures of a market maker by name."""

    success: bool
    strategy_id: str
    strategy_type: str
    execution_time_ms: int
    """Session time, by the times that facts carried."""
    state_transition_count: int
    realized_pnl: Decimal
    unrealized_pnl: Decimal
    total_fees: Decimal
    orders_executed: int
    """Orders that traded, each once."""
    error: str | None
    additional_data: Mapping[str, Any]
