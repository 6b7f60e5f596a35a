"""Tests made from a chart: paths, events where they do not fit, faults wherever something can raise, random moves.

From below; ``faults``, ``models`` and ``rehearsal`` do not know each other, nor ``paths`` and ``subjects``:

=========  ============================================================================================================
problems   what can be wrong with a chart, and with a machine on its way
driving    which answers of the guards single out an edge; drivers for engines, machines, tables; ``forced``, ``real``
paths      the graph to plan on and the shortest walks through it, plans, and the tests: ``fsm_paths``, ``sneak_tests``
subjects   how a machine is made and how it gets from any state to any other; what a market maker is told
faults     what raises, and where; what must hold then; the test: ``fault_tests``
models     moves, and a machine under them held against the definition; the tests: ``model_test``, ``replay``
rehearsal  an exchange on loopback that answers as Binance spot does, with faults on order and a log that judges
=========  ============================================================================================================

Mutants of a chart come from ``mm_fsm.coverage.mutation``, where the option ``--fsm-mutate`` has them from, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mm_fsm.coverage.mutation.making import model_of, mutated
    from mm_fsm.coverage.mutation.mutants import Mutant, mutants_of
    from mm_fsm.testing.driving.driver import Condition, Driven, Driver
    from mm_fsm.testing.driving.drivers import forced, real
    from mm_fsm.testing.driving.machines import MachineDriver
    from mm_fsm.testing.driving.tables import TableDriver
    from mm_fsm.testing.faults.suite import Situation, fault_tests
    from mm_fsm.testing.models.acts import Send, Step, Tell
    from mm_fsm.testing.models.model import model_test, replay
    from mm_fsm.testing.paths.cases import ChartPath, fsm_paths
    from mm_fsm.testing.paths.plans import Plan, explore_paths, plan_paths
    from mm_fsm.testing.paths.sneaks import SneakCell, sneak_tests
    from mm_fsm.testing.problems import (
        BrokenPromiseError,
        GeneratedTestError,
        InfeasibleError,
        ModelMismatchError,
        SneakedError,
        StrayedError,
        UnsupportedChartError,
    )
    from mm_fsm.testing.rehearsal.client import exchange_factory
    from mm_fsm.testing.rehearsal.endpoint import Endpoint
    from mm_fsm.testing.rehearsal.fault_menu import Fault, FaultKind, Where, random_faults
    from mm_fsm.testing.rehearsal.judge import RehearsalLog
    from mm_fsm.testing.rehearsal.ready_markets import recorded_market, simulated_market
    from mm_fsm.testing.rehearsal.server import RehearsalExchange
    from mm_fsm.testing.rehearsal.terms import RehearsalMarket, RehearsalTerms
    from mm_fsm.testing.subjects.market_facts import market_facts

__all__ = [
    "BrokenPromiseError",
    "ChartPath",
    "Condition",
    "Driven",
    "Driver",
    "Endpoint",
    "Fault",
    "FaultKind",
    "GeneratedTestError",
    "InfeasibleError",
    "MachineDriver",
    "ModelMismatchError",
    "Mutant",
    "Plan",
    "RehearsalExchange",
    "RehearsalLog",
    "RehearsalMarket",
    "RehearsalTerms",
    "Send",
    "Situation",
    "SneakCell",
    "SneakedError",
    "Step",
    "StrayedError",
    "TableDriver",
    "Tell",
    "UnsupportedChartError",
    "Where",
    "exchange_factory",
    "explore_paths",
    "fault_tests",
    "forced",
    "fsm_paths",
    "market_facts",
    "model_of",
    "model_test",
    "mutants_of",
    "mutated",
    "plan_paths",
    "random_faults",
    "real",
    "recorded_market",
    "replay",
    "simulated_market",
    "sneak_tests",
]

_MODULES = {
    "BrokenPromiseError": "mm_fsm.testing.problems",
    "ChartPath": "mm_fsm.testing.paths.cases",
    "Condition": "mm_fsm.testing.driving.driver",
    "Driven": "mm_fsm.testing.driving.driver",
    "Driver": "mm_fsm.testing.driving.driver",
    "Endpoint": "mm_fsm.testing.rehearsal.endpoint",
    "Fault": "mm_fsm.testing.rehearsal.fault_menu",
    "FaultKind": "mm_fsm.testing.rehearsal.fault_menu",
    "GeneratedTestError": "mm_fsm.testing.problems",
    "InfeasibleError": "mm_fsm.testing.problems",
    "MachineDriver": "mm_fsm.testing.driving.machines",
    "ModelMismatchError": "mm_fsm.testing.problems",
    "Mutant": "mm_fsm.coverage.mutation.mutants",
    "Plan": "mm_fsm.testing.paths.plans",
    "RehearsalExchange": "mm_fsm.testing.rehearsal.server",
    "RehearsalLog": "mm_fsm.testing.rehearsal.judge",
    "RehearsalMarket": "mm_fsm.testing.rehearsal.terms",
    "RehearsalTerms": "mm_fsm.testing.rehearsal.terms",
    "Send": "mm_fsm.testing.models.acts",
    "Situation": "mm_fsm.testing.faults.suite",
    "SneakCell": "mm_fsm.testing.paths.sneaks",
    "SneakedError": "mm_fsm.testing.problems",
    "Step": "mm_fsm.testing.models.acts",
    "StrayedError": "mm_fsm.testing.problems",
    "TableDriver": "mm_fsm.testing.driving.tables",
    "Tell": "mm_fsm.testing.models.acts",
    "UnsupportedChartError": "mm_fsm.testing.problems",
    "Where": "mm_fsm.testing.rehearsal.fault_menu",
    "exchange_factory": "mm_fsm.testing.rehearsal.client",
    "explore_paths": "mm_fsm.testing.paths.plans",
    "fault_tests": "mm_fsm.testing.faults.suite",
    "forced": "mm_fsm.testing.driving.drivers",
    "fsm_paths": "mm_fsm.testing.paths.cases",
    "market_facts": "mm_fsm.testing.subjects.market_facts",
    "model_of": "mm_fsm.coverage.mutation.making",
    "model_test": "mm_fsm.testing.models.model",
    "mutants_of": "mm_fsm.coverage.mutation.mutants",
    "mutated": "mm_fsm.coverage.mutation.making",
    "plan_paths": "mm_fsm.testing.paths.plans",
    "random_faults": "mm_fsm.testing.rehearsal.fault_menu",
    "real": "mm_fsm.testing.driving.drivers",
    "recorded_market": "mm_fsm.testing.rehearsal.ready_markets",
    "replay": "mm_fsm.testing.models.model",
    "simulated_market": "mm_fsm.testing.rehearsal.ready_markets",
    "sneak_tests": "mm_fsm.testing.paths.sneaks",
}

if not TYPE_CHECKING:  # so that a type checker refuses a name that is not listed

    def __getattr__(name: str) -> object:
        """Load a public name from its module, once: who rehearses needs no test library."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_MODULES[name]), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
