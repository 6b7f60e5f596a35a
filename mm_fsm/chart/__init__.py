"""Declared state machines, safe to subclass: declarations, their definition and checks, the gate, and what runs them.

Everything that draws, measures or runs a chart reads the same ``ChartDefinition``.
"""

from mm_fsm.chart.chart import Chart, chart_of, definition_of, table_of
from mm_fsm.chart.declaration import Edge, State, calls_services, computing, waiting
from mm_fsm.chart.definition import (
    Budget,
    BudgetMeasure,
    CallbackDefinition,
    ChartDefinition,
    EdgeDefinition,
    GuardTerm,
    Hierarchy,
    Nesting,
    Origin,
    StateDefinition,
)
from mm_fsm.chart.engine import EngineDisagreesError, EngineExecutor
from mm_fsm.chart.executor import Executor, ExecutorKind
from mm_fsm.chart.gate import Gate, GuardFailedError, GuardObserver
from mm_fsm.chart.settled_methods import settled
from mm_fsm.chart.table import Table, TableExecutor

__all__ = [
    "Budget",
    "BudgetMeasure",
    "CallbackDefinition",
    "Chart",
    "ChartDefinition",
    "Edge",
    "EdgeDefinition",
    "EngineDisagreesError",
    "EngineExecutor",
    "Executor",
    "ExecutorKind",
    "Gate",
    "GuardFailedError",
    "GuardObserver",
    "GuardTerm",
    "Hierarchy",
    "Nesting",
    "Origin",
    "State",
    "StateDefinition",
    "Table",
    "TableExecutor",
    "calls_services",
    "chart_of",
    "computing",
    "definition_of",
    "settled",
    "table_of",
    "waiting",
]
