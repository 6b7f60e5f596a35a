"""How edges and actions are put into words, the same in every format."""

from __future__ import annotations

from mm_fsm.chart import CallbackDefinition, ChartDefinition, EdgeDefinition, Origin


def one_line(text: str) -> str:
    """Text without line breaks and control characters, which no label and no table cell can hold."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def action_text(callback: CallbackDefinition) -> str:
    """An action and the services it calls: ``price → spreads.price_quotes``."""
    return callback.name + (f" → {', '.join(callback.calls)}" if callback.calls else "")


def actions_of(edge: EdgeDefinition) -> tuple[CallbackDefinition, ...]:
    """Every action of an edge, in the order in which they run."""
    return (*edge.before, *edge.on, *edge.after)


def actions_text(edge: EdgeDefinition) -> str:
    """Every action of an edge with its services; empty without actions."""
    return ", ".join(action_text(callback) for callback in actions_of(edge))


def kind_text(definition: ChartDefinition, edge: EdgeDefinition) -> str:
    """How an edge is fired where that is not the chart's ordinary way; empty where it is, and where no event is."""
    if definition.is_fault(edge):
        return "(fault)"
    if definition.origins.get(edge.event) is Origin.ENDED:
        return "(ended)"
    return "(command)" if edge.command else ""


def is_plain(edge: EdgeDefinition) -> bool:
    """Whether an edge has neither guards nor actions, so that its event says it all."""
    return not edge.guards and not actions_of(edge)


def guard_parts(edge: EdgeDefinition) -> list[str]:
    """The guards, each with its bracket or comma, to be broken into lines only between guards."""
    last = len(edge.guards) - 1
    return [
        f"{'[' if place == 0 else ''}{guard}{']' if place == last else ','}" for place, guard in enumerate(edge.guards)
    ]


def guards_text(edge: EdgeDefinition) -> str:
    """An edge's guards: ``[has_fills, not stopping]``; empty without guards."""
    return " ".join(guard_parts(edge))
