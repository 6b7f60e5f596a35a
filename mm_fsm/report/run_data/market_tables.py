"""The tables of one market: its orders, fills, stretches, series and steps of profit, as files beside the report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
from attrs import define, field

from mm_fsm.report.run_data.fills_log import FILL_COLUMNS, FillRow
from mm_fsm.report.run_data.hold_bins import STRETCH_COLUMNS, stretch_values
from mm_fsm.report.run_data.market_follower import MarketFollower, RowTaker
from mm_fsm.report.run_data.own_orders_log import ORDER_COLUMNS, order_values
from mm_fsm.report.run_data.profit_clock import Amounts
from mm_fsm.report.run_data.sampled_series import Row
from mm_fsm.report.run_data.table_files import TableFile

_WHOLE: Final = frozenset(
    {
        "placed", "placed_step", "acknowledged", "cancel_sent", "ended", "fills", "fills_after_cancel", "level", "time",
        "step", "quote_age", "begin", "end", "number",
    }
)  # fmt: skip
"""Columns of whole numbers; times are nanoseconds since 1970, durations nanoseconds."""
_SERIES: Final = tuple(each.name for each in attrs.fields(Row) if each.name != "number")


def _types(columns: tuple[str, ...]) -> dict[str, str]:
    return {name: "int64" if name in _WHOLE else "bool" if name == "was_unknown" else "string" for name in columns}


def markout_columns(horizons: tuple[float, ...]) -> tuple[str, ...]:
    """The table's columns of markouts before fees, bps of m."""
    return tuple(f"markout_{horizon:g}s_bps" for horizon in horizons)


@define(eq=False)
class MarketTables:
    """Writes the tables of one market; hand ``rows`` to its follower.

    Args:
        directory: of the market's files.
    """

    directory: Path
    rows: RowTaker = field(init=False)
    _orders: TableFile = field(init=False)
    _stretches: TableFile = field(init=False)
    _fills: TableFile | None = field(init=False, default=None)
    """Made with the first fill, or at the end: its columns depend on the horizons."""

    def __attrs_post_init__(self) -> None:
        self._orders = TableFile(self.directory, "orders", _types(ORDER_COLUMNS))
        self._stretches = TableFile(self.directory, "stretches", _types(STRETCH_COLUMNS))
        self.rows = RowTaker(
            order=lambda row: self._orders.add(order_values(row)),
            fill=self._add_fill,
            stretch=lambda stretch: self._stretches.add(stretch_values(stretch)),
        )

    def _add_fill(self, row: FillRow, horizons: tuple[float, ...]) -> None:
        self._fill_table(horizons).add(row.values(horizons))

    def _fill_table(self, horizons: tuple[float, ...]) -> TableFile:
        if self._fills is None:
            types = _types(FILL_COLUMNS) | dict.fromkeys(markout_columns(horizons), "float64")
            self._fills = TableFile(self.directory, "fills", types)
        return self._fills

    def finish(self, follower: MarketFollower) -> Iterator[tuple[str, Path | None, str | None]]:
        """Write what is known at the end only, and close every table: what it holds, where it is, what went wrong."""
        tables = {
            "orders": self._orders,
            "fills": self._fill_table(follower.fills.horizons),
            "stretches": self._stretches,
            "series": self._series(follower),
            "profit_steps": self._profit(follower),
        }
        for name, table in tables.items():
            path = table.finish()
            yield name, path, table.failure

    def _series(self, follower: MarketFollower) -> TableFile:
        types = {"time": "int64", **dict.fromkeys(_SERIES, "float64"), "step": "int64"}
        table = TableFile(self.directory, "series", types)
        for row in follower.series.rows:
            begin = row.number * follower.series.width
            table.add((begin, *(getattr(row, name) for name in _SERIES)))
        return table

    def _profit(self, follower: MarketFollower) -> TableFile:
        types = {"end": "int64", **dict.fromkeys(Amounts._fields, "string")}
        table = TableFile(self.directory, "profit_steps", types)
        for end, amounts in follower.profit.all_ends():
            table.add((end, *amounts))
        return table
