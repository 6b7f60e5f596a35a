"""Tests made from a chart: paths that meet a criterion, and events where they do not fit.

From below:

===============  =====================================================================================
problems         what can be wrong with a chart, and with a machine on its way
answers          which answers of the guards single out an edge
driving          what every driver does; ``engine_driving``, ``machine_driving`` and ``table_driving``
drivers          ``forced`` and ``real``: the driver that fits a chart
===============  =====================================================================================
"""

from mm_fsm.testing.drivers import forced, real
from mm_fsm.testing.driving import Condition, Driven, Driver
from mm_fsm.testing.problems import InfeasibleError, StrayedError, UnsupportedChartError

__all__ = [
    "Condition",
    "Driven",
    "Driver",
    "InfeasibleError",
    "StrayedError",
    "UnsupportedChartError",
    "forced",
    "real",
]
