"""Presence as the venue sees it, against a market maker programme's rule: time and snapshots with both sides there."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from attrs import define, field

from mm_fsm.books.order_lifecycle import OrderStatus
from mm_fsm.books.own_order import OwnOrder
from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import BASIS_POINTS, ZERO
from mm_fsm.core.messages import SIDES, OrderPurpose, Side
from mm_fsm.core.programme import ProgrammeRule
from mm_fsm.report.figures import Presence, Programme


@define(eq=False)
class PresenceClock:
    """Adds up the time in which each side met the rule. Time counts under what held before it passed.

    Args:
        rule: what is asked for.
        size: contracts that each side must show; None while nobody can say, and then no side meets the rule.
    """

    rule: ProgrammeRule
    size: Decimal | None = None
    met: dict[Side, int] = field(init=False, factory=lambda: dict.fromkeys(SIDES, 0))
    """Nanoseconds, by side."""
    both: int = field(init=False, default=0)
    snapshots: int = field(init=False, default=0)
    snapshots_met: int = field(init=False, default=0)
    _reach: Decimal = field(init=False)
    _every: int = field(init=False)
    _nearest: dict[Side, Decimal | None] = field(init=False, factory=lambda: dict.fromkeys(SIDES))
    """By side, price times 1e4 of the order with which the side's best ones reach the size; None: they do not."""
    _is_met: dict[Side, bool] = field(init=False, factory=lambda: dict.fromkeys(SIDES, False))
    _began_at: int | None = field(init=False, default=None)
    _since: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._reach = exact(self.rule.within_bps)
        self._every = nanoseconds(self.rule.snapshot_seconds)

    def show(self, live: Iterable[OwnOrder]) -> dict[Side, OwnOrder | None]:
        """Of these own orders ``judge`` is to see the quotes in the venue's book; the best of each side.

        Those of unknown outcome do not count.
        """
        quotes = [
            order
            for order in live
            if order.acknowledged and order.status is not OrderStatus.UNKNOWN and order.purpose is OrderPurpose.QUOTE
        ]
        best: dict[Side, OwnOrder | None] = {Side.BID: None, Side.ASK: None}
        for order in quotes:
            side, first = order.side, best[order.side]
            if first is None or (order.price > first.price if side is Side.BID else order.price < first.price):
                best[side] = order
        for side, first in best.items():
            self._nearest[side] = None if first is None else self._price_of_size(side, first, quotes)
        return best

    def _price_of_size(self, side: Side, best: OwnOrder, quotes: list[OwnOrder]) -> Decimal | None:
        """Times 1e4, of the order with which the best ones reach the size; the very best mostly does."""
        if self.size is None:
            return None
        if best.remaining >= self.size:
            return best.price * BASIS_POINTS
        total = ZERO
        shown = [(order.price, order.remaining) for order in quotes if order.side is side]
        for price, quantity in sorted(shown, reverse=side is Side.BID):
            total += quantity
            if total >= self.size:
                return price * BASIS_POINTS
        return None

    def judge(self, now: int, mid: Decimal | None) -> None:
        """From ``now`` on the shown orders stand in a market with this middle; None: nobody knows it."""
        bid, ask = self._nearest[Side.BID], self._nearest[Side.ASK]
        is_bid_met = bid is not None and mid is not None and bid >= mid * (BASIS_POINTS - self._reach)
        is_ask_met = ask is not None and mid is not None and ask <= mid * (BASIS_POINTS + self._reach)
        if is_bid_met is not self._is_met[Side.BID] or is_ask_met is not self._is_met[Side.ASK]:
            self.pass_until(now)
            self._is_met = {Side.BID: is_bid_met, Side.ASK: is_ask_met}

    def pass_until(self, now: int) -> None:
        """Count the time until ``now``, and the snapshots before it: one at ``now`` sees what holds after it."""
        if self._began_at is None:
            self._began_at = self._since = now
        elapsed = now - self._since
        is_both = all(self._is_met.values())
        for side in SIDES:
            self.met[side] += elapsed * self._is_met[side]
        self.both += elapsed * is_both
        self._count_snapshots(self._since, now, is_both=is_both)
        self._since = now

    def _count_snapshots(self, begin: int, end: int, *, is_both: bool) -> None:
        """Those at ``begin`` and later, and before ``end``."""
        count = -(-end // self._every) - -(-begin // self._every)
        self.snapshots += count
        self.snapshots_met += count * is_both

    def figures(self, now: int, both_resting: int, both_live: int) -> Presence:
        """The figures at the end of a run, ``now``; a snapshot at that very moment counts.

        The last two are the machines' own counts, nanoseconds, of orders of whatever size.
        """
        self.pass_until(now)
        at_end = int(self._began_at is not None and now % self._every == 0)
        snapshots, met = self.snapshots + at_end, self.snapshots_met + at_end * all(self._is_met.values())
        observed = now - (now if self._began_at is None else self._began_at)
        shares = {side: self.met[side] / observed if observed else 0.0 for side in SIDES}
        both = self.both / observed if observed else 0.0
        snapshot_share = met / snapshots if snapshots else None
        asked = self.rule.asked_share
        return Presence(
            programme=Programme(
                within_bps=self.rule.within_bps,
                size=self.size or ZERO,
                asked_share=asked,
                snapshot_seconds=self.rule.snapshot_seconds,
            ),
            observed_seconds=seconds(observed),
            both_share=both,
            bid_share=shares[Side.BID],
            ask_share=shares[Side.ASK],
            snapshots=snapshots,
            snapshots_met=met,
            snapshot_share=snapshot_share,
            is_met=both >= asked and (snapshot_share is None or snapshot_share >= asked),
            both_resting_share=both_resting / observed if observed else 0.0,
            both_live_share=both_live / observed if observed else 0.0,
        )
