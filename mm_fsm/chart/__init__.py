"""Declared state machines, safe to subclass: declarations, their neutral definition, their checks, and the gate.

Everything that draws, measures or runs a chart reads the same ``ChartDefinition``.
"""

from mm_fsm.chart.chart import Chart, chart_of, definition_of
from mm_fsm.chart.declaration import Edge, State, calls_services, computing, waiting
from mm_fsm.chart.definition import (
    Budget,
    BudgetMeasure,
    CallbackDefinition,
    ChartDefinition,
    EdgeDefinition,
    GuardTerm,
    StateDefinition,
)
from mm_fsm.chart.gate import Gate, GuardFailedError, GuardObserver

__all__ = [
    "Budget",
    "BudgetMeasure",
    "CallbackDefinition",
    "Chart",
    "ChartDefinition",
    "Edge",
    "EdgeDefinition",
    "Gate",
    "GuardFailedError",
    "GuardObserver",
    "GuardTerm",
    "State",
    "StateDefinition",
    "calls_services",
    "chart_of",
    "computing",
    "definition_of",
    "waiting",
]
