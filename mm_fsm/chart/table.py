"""A chart compiled to a table, and the executor that runs a machine from it.

The table says for each state and event what to call and where it leads. Callbacks take nothing but the machine
(``Chart`` refuses others), so a transition is a handful of plain calls and one attribute that is set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import iscoroutinefunction
from typing import Final

from attrs import frozen

from mm_fsm.chart.definition import FLAT, CallbackDefinition, ChartDefinition, EdgeDefinition
from mm_fsm.errors import ChartDefinitionError


@frozen
class Row:
    """What one edge does: names of callbacks in the order in which they run, and the state that is set between."""

    edge: EdgeDefinition
    leaving: tuple[str, ...]
    """Before the state is set: ``before``, exit actions of the source, ``on``."""
    entering: tuple[str, ...]
    """After it is set: entry actions of the target."""
    after: tuple[str, ...]
    """When the transition is complete: an error here does not undo it."""


class Table:
    """A flat chart compiled from its definition, for any number of machines.

    Args:
        definition: the chart.

    Raises:
        ChartDefinitionError: the chart has states within states, or events that only an engine brings about.
    """

    __slots__ = ("_targets", "entry", "rows")

    def __init__(self, definition: ChartDefinition) -> None:
        if definition.hierarchy != FLAT or definition.origins:
            raise ChartDefinitionError(
                definition.name,
                "it has states within states, edges without an event, or events that its engine sends; a table takes "
                "one edge for one event, in one state.",
                "Run it by python-statemachine's engine.",
            )
        self.entry: Final = _names(definition.initial.enter)
        """Entry actions of the initial state."""
        rows: dict[tuple[str, str], tuple[Row, ...]] = {}
        for edge in definition.edges:
            cell = (edge.source, edge.event)
            rows[cell] = (*rows.get(cell, ()), _row(definition, edge))
        self.rows: Final = rows
        """By source and event; several where edges differ by their guards."""
        self._targets = {cell: found[0].edge.target for cell, found in rows.items()}

    def target(self, state: str, event: str) -> str | None:
        """Where an event leads from a state, for charts without guards; None where it is not declared."""
        return self._targets.get((state, event))


def _row(definition: ChartDefinition, edge: EdgeDefinition) -> Row:
    exits, entries = definition.state(edge.source).exit, definition.state(edge.target).enter
    if edge.internal:
        exits = entries = ()
    return Row(edge, _names((*edge.before, *exits, *edge.on)), _names(entries), _names(edge.after))


def _names(callbacks: Iterable[CallbackDefinition]) -> tuple[str, ...]:
    return tuple(callback.name for callback in callbacks)


_Calls = tuple[Callable[[], object], ...]
_BoundRow = tuple[EdgeDefinition, _Calls, _Calls, _Calls]
"""A row whose callbacks are one machine's methods; a plain tuple because it is unpacked fastest."""


class TableExecutor:
    """Runs one machine's chart from a table. It binds the methods that the machine has when the executor is made.

    Args:
        table: the chart.
        owner: the machine: the callbacks are its methods.
        state_field: its attribute that holds the state.

    Raises:
        ChartDefinitionError: a callback is asynchronous on this machine.
    """

    __slots__ = ("_entry", "_field", "_owner", "_rows")

    def __init__(self, table: Table, owner: object, state_field: str) -> None:
        self._owner = owner
        self._field = state_field
        self._entry = _bound(owner, table.entry)
        self._rows = {cell: tuple(_bound_row(owner, row) for row in rows) for cell, rows in table.rows.items()}

    def enter_initial_state(self) -> None:
        """Run the initial state's entry actions."""
        for call in self._entry:
            call()

    def fire(self, edge: EdgeDefinition) -> None:
        """Take one edge from the current state; what callbacks raise is as ``Executor.fire`` says.

        Raises:
            KeyError: the table has no such edge.
        """
        rows = self._rows[edge.source, edge.event]
        declared, leaving, entering, after = rows[0] if len(rows) == 1 else _chosen(rows, edge)
        owner, field = self._owner, self._field
        source = getattr(owner, field)
        try:
            for call in leaving:
                call()
            setattr(owner, field, declared.target)
            for call in entering:
                call()
        except Exception:
            setattr(owner, field, source)
            raise
        for call in after:
            call()


def _chosen(rows: tuple[_BoundRow, ...], edge: EdgeDefinition) -> _BoundRow:
    """Of edges that share source and event, the one that the gate let pass: their guards tell them apart."""
    for row in rows:
        if row[0] is edge or row[0].guards == edge.guards:
            return row
    raise KeyError(edge.id)


def _bound_row(owner: object, row: Row) -> _BoundRow:
    return row.edge, _bound(owner, row.leaving), _bound(owner, row.entering), _bound(owner, row.after)


def _bound(owner: object, names: Iterable[str]) -> _Calls:
    calls = tuple(getattr(owner, name) for name in names)
    for name, call in zip(names, calls, strict=True):
        if iscoroutinefunction(call):
            raise ChartDefinitionError(
                type(owner).__name__, f"{name!r} is asynchronous on this machine.", "A table awaits nothing: use a def."
            )
    return calls
