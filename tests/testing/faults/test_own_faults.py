"""The market maker under generated faults: every callback, guard and service, wherever it is run."""

from __future__ import annotations

from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.testing.faults.suite import fault_tests

test_faults = fault_tests(MarketMakingStateMachine)
