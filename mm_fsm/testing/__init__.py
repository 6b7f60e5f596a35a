"""Tests made from a chart: paths that meet a criterion, and events where they do not fit.

From below:

===============  =====================================================================================
problems         what can be wrong with a chart, and with a machine on its way
answers          which answers of the guards single out an edge
driving          what every driver does; ``engine_driving``, ``machine_driving`` and ``table_driving``
drivers          ``forced`` and ``real``: the driver that fits a chart
moves, postman   the graph that paths are planned on; the shortest walks through a graph
plans            from a criterion to paths
paths, sneaks    what a test module uses: ``fsm_paths`` and ``sneak_tests``
===============  =====================================================================================
"""

from mm_fsm.testing.drivers import forced, real
from mm_fsm.testing.driving import Condition, Driven, Driver
from mm_fsm.testing.machine_driving import MachineDriver
from mm_fsm.testing.paths import ChartPath, fsm_paths
from mm_fsm.testing.plans import Plan, plan_paths
from mm_fsm.testing.problems import InfeasibleError, SneakedError, StrayedError, UnsupportedChartError
from mm_fsm.testing.sneaks import SneakCell, sneak_tests
from mm_fsm.testing.table_driving import TableDriver

__all__ = [
    "ChartPath",
    "Condition",
    "Driven",
    "Driver",
    "InfeasibleError",
    "MachineDriver",
    "Plan",
    "SneakCell",
    "SneakedError",
    "StrayedError",
    "TableDriver",
    "UnsupportedChartError",
    "forced",
    "fsm_paths",
    "plan_paths",
    "real",
    "sneak_tests",
]
