"""Markouts of the fills that a follower has seen, by every way of telling fills apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from attrs import define, field

from mm_fsm.books.markouts import MakerFill, MarkoutFigures, markout_group
from mm_fsm.core.messages import SIDES, Side
from mm_fsm.report.figures import MarkoutRow
from mm_fsm.report.run_data.fills_log import AGE_EDGES_SECONDS, FillRow, age_band, age_bands


class MarkoutGroup(Protocol):
    """Fills at one horizon that are shown together."""

    def add(self, fill: MakerFill, bps: float) -> None:
        """Take a markout before fees, bps."""
        ...

    def figures(self) -> MarkoutFigures:
        """As they stand."""
        ...


@define(eq=False)
class MarkoutGroups:
    """Takes each markout once it is settled.

    The tracker's own sums are those of the books' whole life, earlier processes' fills included. These are of the same
    fills as every other figure of the run, so that the groups of one kind add up to all.
    """

    unmeasured: int = field(init=False, default=0)
    """Horizons of which m was not known."""
    _groups: dict[tuple[float, str, str], MarkoutGroup] = field(init=False, factory=dict)
    """By horizon in seconds, kind of group, and name within the kind."""
    _levels: set[tuple[Side, int | None]] = field(init=False, factory=set)

    def take(self, row: FillRow, horizon: float, bps: float | None) -> None:
        """One horizon, seconds, of one fill is over: its markout before fees, bps, or None where m was not known."""
        if bps is None or row.maker is None:
            self.unmeasured += bps is None
            return
        maker = row.maker
        self._levels.add((maker.side, maker.level))
        names = ("all", ""), ("side", maker.side.value), ("level", _level_name(maker.side, maker.level))
        for group, of in (*names, ("age", age_band(row.quote_age))):
            place = horizon, group, of
            found = self._groups.get(place)
            if found is None:
                found = self._groups[place] = markout_group(horizon)
            found.add(maker, bps)

    def rows(self, horizon: float) -> Iterator[MarkoutRow]:
        """Every group at one horizon, seconds: all, both sides, the levels innermost first, ages youngest first."""
        yield self._row(horizon, "all", "")
        for side in SIDES:
            yield self._row(horizon, "side", side.value)
        levels = sorted(self._levels, key=lambda place: (place[0] is Side.ASK, place[1] is None, place[1] or 0))
        names = [("level", _level_name(side, level)) for side, level in levels]
        for group, of in (*names, *(("age", band) for band in age_bands(AGE_EDGES_SECONDS))):
            if (horizon, group, of) in self._groups:
                yield self._row(horizon, group, of)

    def _row(self, horizon: float, group: str, of: str) -> MarkoutRow:
        figures = (self._groups.get((horizon, group, of)) or markout_group(horizon)).figures()
        net = figures.net_by_volume
        has_interval = net is not None and abs(net.lower) != float("inf")
        return MarkoutRow(
            horizon_seconds=horizon,
            group=group,
            of=of,
            count=figures.count,
            quantity=figures.quantity,
            gross_bps=figures.volume_weighted_bps,
            gross_by_fill_bps=figures.trade_weighted_bps,
            net_bps=None if net is None else net.value,
            net_interval_bps=(net.lower, net.upper) if net is not None and has_interval else None,
        )


def _level_name(side: Side, level: int | None) -> str:
    return f"{side.value} {'other' if level is None else level}"
