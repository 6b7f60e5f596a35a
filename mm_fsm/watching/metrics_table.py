"""The table of metrics that the documents show, written from the metrics themselves."""

from __future__ import annotations

from mm_fsm.watching.chart_metrics import CHART_FAMILIES
from mm_fsm.watching.market_metrics import MARKET_FAMILIES


def metrics_table() -> str:
    """Every metric of a market as a table in Markdown."""
    lines = ["| metric | kind | labels besides `symbol` | meaning |", "|---|---|---|---|"]
    for family in (*CHART_FAMILIES, *MARKET_FAMILIES):
        labels = ", ".join(f"`{each}`" for each in family.labels)
        lines.append(f"| `{family.name}` | {family.kind} | {labels} | {family.meaning} |")
    return "\n".join(lines)
