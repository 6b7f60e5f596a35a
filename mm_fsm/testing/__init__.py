"""Tests made from a chart: paths, events where they do not fit, faults wherever something can raise, random moves.

From below; ``faults`` and ``models`` do not know each other, nor ``paths`` and ``subjects``:

========  ============================================================================================================
problems  what can be wrong with a chart, and with a machine on its way
driving   which answers of the guards single out an edge; drivers for engines, machines and tables; ``forced``, ``real``
paths     the graph to plan on and the shortest walks through it, plans, and the tests: ``fsm_paths``, ``sneak_tests``
subjects  how a machine is made and how it gets from any state to any other; what a market maker is told
faults    what raises, and where; what must hold then; the test: ``fault_tests``
models    moves, and a machine under them held against the definition; the tests: ``model_test``, ``replay``
========  ============================================================================================================

Mutants of a chart come from ``mm_fsm.coverage.mutation``, where the option ``--fsm-mutate`` has them from, too.
"""

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
from mm_fsm.testing.subjects.market_facts import market_facts

__all__ = [
    "BrokenPromiseError",
    "ChartPath",
    "Condition",
    "Driven",
    "Driver",
    "GeneratedTestError",
    "InfeasibleError",
    "MachineDriver",
    "ModelMismatchError",
    "Mutant",
    "Plan",
    "Send",
    "Situation",
    "SneakCell",
    "SneakedError",
    "Step",
    "StrayedError",
    "TableDriver",
    "Tell",
    "UnsupportedChartError",
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
    "real",
    "replay",
    "sneak_tests",
]
