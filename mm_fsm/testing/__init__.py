"""Tests made from a chart: paths, events where they do not fit, faults wherever something can raise, random moves.

From below:

===============  =====================================================================================
problems         what can be wrong with a chart, and with a machine on its way
answers          which answers of the guards single out an edge
driving          what every driver does; ``engine_driving``, ``machine_driving`` and ``table_driving``
drivers          ``forced`` and ``real``: the driver that fits a chart
moves, postman   the graph that paths are planned on; the shortest walks through a graph
plans            from a criterion to paths
paths, sneaks    what a test module uses: ``fsm_paths`` and ``sneak_tests``
ways, subjects   from any state to any other; how a machine is made; ``market`` has what a market maker is told
sabotage         makes callbacks, guards and services raise; ``fault_places`` where, ``verdicts`` what must hold then
faults           what a test module uses: ``fault_tests``
acts, plays      moves, and a machine under them, held against the definition; ``choices`` what they are drawn from
model            what a test module uses: ``model_test`` and ``replay``; ``shortening`` and ``source``, when one fails
===============  =====================================================================================

Mutants of a chart come from ``mm_fsm.coverage.mutation``, where the option ``--fsm-mutate`` has them from, too.
"""

from mm_fsm.coverage.mutation.making import model_of, mutated
from mm_fsm.coverage.mutation.mutants import Mutant, mutants_of
from mm_fsm.testing.acts import Send, Step, Tell
from mm_fsm.testing.drivers import forced, real
from mm_fsm.testing.driving import Condition, Driven, Driver
from mm_fsm.testing.faults import Situation, fault_tests
from mm_fsm.testing.machine_driving import MachineDriver
from mm_fsm.testing.market_facts import market_facts
from mm_fsm.testing.model import model_test, replay
from mm_fsm.testing.paths import ChartPath, fsm_paths
from mm_fsm.testing.plans import Plan, explore_paths, plan_paths
from mm_fsm.testing.problems import (
    BrokenPromiseError,
    GeneratedTestError,
    InfeasibleError,
    ModelMismatchError,
    SneakedError,
    StrayedError,
    UnsupportedChartError,
)
from mm_fsm.testing.sneaks import SneakCell, sneak_tests
from mm_fsm.testing.table_driving import TableDriver

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
