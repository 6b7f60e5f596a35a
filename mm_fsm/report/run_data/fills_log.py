"""Every own fill of a run and what became of the price after it: one row each, handed on once that is known."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from attrs import define, field

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.exact import EXACT
from mm_fsm.books.facts import OrderFilled, OwnTradesReported
from mm_fsm.books.facts.fill_completion import conversion_price_of, fee_currency_of
from mm_fsm.books.ledger import TRADES_REMEMBERED, FeeCurrency, Ledger
from mm_fsm.books.markouts import MakerFill, MarkoutTracker
from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.messages import Fact, Liquidity, OrderPurpose, Side

MOST_WAITING: Final = 10_000
"""Fills that wait for their markouts at once; the oldest is handed on as it is beyond."""


@define(kw_only=True, eq=False)
class FillRow:
    """One own fill. Times are nanoseconds of facts, amounts exact."""

    time: int
    step: int
    trade_id: str
    client_order_id: str
    side: str
    purpose: str | None
    level: int | None
    price: Decimal
    quantity: Decimal
    fee: Decimal | None
    """Quote currency; None while the venue has not told it."""
    liquidity: str | None
    mid: Decimal | None
    """The ledger's m when it was booked."""
    quote_age: int | None
    """Nanoseconds from the order's sending to the fill; None for an order that the books do not know."""
    inventory: Decimal
    """Position less target, after the step that booked it."""
    net: Decimal
    """Net profit, after that step."""
    markouts: dict[float, float | None] = field(factory=dict)
    """By horizon in seconds: bps of m before fees; None: not known then."""

    maker: MakerFill | None = None
    """What the machine follows it by."""

    def values(self, horizons: tuple[float, ...]) -> tuple[object, ...]:
        """In the order of the table's columns: those of ``FILL_COLUMNS``, then a markout for each horizon."""
        plain: list[Any] = [getattr(self, name) for name in FILL_COLUMNS]
        return (*plain, *(self.markouts.get(horizon) for horizon in horizons))


FILL_COLUMNS: Final = (
    "time", "step", "trade_id", "client_order_id", "side", "purpose", "level", "price", "quantity", "fee", "liquidity",
    "mid", "quote_age", "inventory", "net",
)  # fmt: skip


@define(eq=False)
class FillsLog:
    """Finds new fills, and is told by the machine's own tracker when their markouts are settled.

    Args:
        hand_on: takes each row once it is whole, in the order in which they were booked.
        settled: told each markout: the row, the horizon in seconds, and bps before fees or None.
    """

    hand_on: Callable[[FillRow], None]
    settled: Callable[[FillRow, float, float | None], None] = lambda _row, _seconds, _bps: None
    count: int = field(init=False, default=0)
    _known: OrderedDict[tuple[str, str], None] = field(init=False, factory=OrderedDict)
    """Booked trades, by side and id, so that one that is told again is none."""
    _waiting: deque[FillRow] = field(init=False, factory=deque)
    _by_maker: dict[MakerFill, list[FillRow]] = field(init=False, factory=dict)
    """Rows whose markouts are not all settled, by value: books that are read back from a journal have other objects.
    Fills that are alike in everything share their markouts, each horizon settling as often as there are of them."""
    _recorded: list[MakerFill] = field(init=False, factory=list)
    """Fills that the tracker began to follow in this step."""
    _early: list[tuple[MakerFill, float, float | None]] = field(init=False, factory=list)
    """Horizons of them that are over already."""
    _horizons: tuple[float, ...] = field(init=False, default=())
    _patience: int = field(init=False, default=0)
    _unsettled: int = field(init=False, default=0)

    def attach(self, context: MarketMakingContext) -> None:
        """Listen to the books of a machine from now on."""
        tracker: MarkoutTracker = context.markouts
        tracker.listener = self
        self._horizons = tracker.horizons_seconds
        self._patience = 2 * nanoseconds(max(tracker.horizons_seconds))

    def begin_after(self, ledger: Ledger) -> None:
        """What is booked before the first step is no fill of the run's."""
        for side, trade_id in ledger.known_trades():
            self._remember(side, trade_id)

    @property
    def horizons(self) -> tuple[float, ...]:
        """Seconds, ascending."""
        return self._horizons

    @property
    def unsettled(self) -> int:
        """Horizons of fills that are followed and had not passed when the last row was handed on."""
        return self._unsettled

    # -- told by the tracker of markouts ------------------------------------------------------------------------------

    def fill_was_recorded(self, fill: MakerFill) -> None:
        """The tracker follows a fill of a maker."""
        self._recorded.append(fill)

    def markout_was_settled(self, fill: MakerFill, horizon: float, bps: float | None) -> None:
        """A horizon after a fill has passed."""
        row = next((row for row in self._by_maker.get(fill, ()) if horizon not in row.markouts), None)
        if row is None:
            if fill in self._recorded:  # its row is not made before the step has ended
                self._early.append((fill, horizon, bps))
            return
        row.markouts[horizon] = bps
        self.settled(row, horizon, bps)
        if len(row.markouts) == len(self._horizons):
            self._forget(row, fill)

    # -- told by the run ----------------------------------------------------------------------------------------------

    def take(self, fact: Fact, context: MarketMakingContext, step: int) -> list[FillRow]:
        """New fills of a step that booked some, or completed one."""
        rows = [self._row(fill, side, context, step) for fill, side in self._new(fact, context)]
        self._waiting.extend(rows)
        self.count += len(rows)
        self._complete(fact, context)
        self._match()
        return rows

    def hand_on_whole(self, now: int) -> None:
        """Hand on the rows that nothing is missing of, or that have waited long enough, as far as no earlier one waits.

        A horizon that is not settled after its length again never is; nor does every fee have a price some day.
        """
        while self._waiting:
            first = self._waiting[0]
            is_too_old = now > first.time + self._patience or len(self._waiting) > MOST_WAITING
            if not (is_too_old or self._is_whole(first)):
                return
            self._finish(self._waiting.popleft())

    def end(self) -> None:
        """The run is over: hand on what is left; horizons that are still ahead stay unknown."""
        while self._waiting:
            self._finish(self._waiting.popleft())

    def _finish(self, row: FillRow) -> None:
        if row.maker is not None:
            self._unsettled += len(self._horizons) - len(row.markouts)
            self._forget(row, row.maker)
        self.hand_on(row)

    def _forget(self, row: FillRow, maker: MakerFill) -> None:
        """No markout of this row is awaited any more."""
        left = [each for each in self._by_maker.get(maker, ()) if each is not row]
        if left:
            self._by_maker[maker] = left
        else:
            self._by_maker.pop(maker, None)

    def _is_whole(self, row: FillRow) -> bool:
        if row.liquidity is None or row.fee is None:
            return False
        return row.maker is None or len(row.markouts) == len(self._horizons)

    def _remember(self, side: str, trade_id: str) -> None:
        self._known[side, trade_id] = None
        if len(self._known) > TRADES_REMEMBERED:
            self._known.popitem(last=False)

    def _new(self, fact: Fact, context: MarketMakingContext) -> Iterator[tuple[OrderFilled, Side]]:
        """Fills that were booked for the first time: as they came, or when own trades were looked up."""
        for fill in fills_of(fact):
            order = context.orders.get(fill.client_order_id)
            side = fill.side if order is None else order.side
            if side is None or (side.value, fill.trade_id) in self._known:
                continue
            if context.ledger.is_booked(fill.trade_id, side):
                self._remember(side.value, fill.trade_id)
                yield fill, side

    def _row(self, fill: OrderFilled, side: Side, context: MarketMakingContext, step: int) -> FillRow:
        order = context.orders.get(fill.client_order_id)
        is_quote = order is not None and order.purpose is OrderPurpose.QUOTE
        return FillRow(
            time=context.now,
            step=step,
            trade_id=fill.trade_id,
            client_order_id=fill.client_order_id,
            side=side.value,
            purpose=None if order is None else order.purpose.value,
            level=order.level if order is not None and is_quote else None,
            price=fill.price,
            quantity=fill.quantity,
            fee=fee_in_quote(fill, context),
            liquidity=None if fill.liquidity is None else fill.liquidity.value,
            mid=context.ledger.reference_price,
            quote_age=None if order is None else context.now - order.placed_at,
            inventory=context.inventory_offset,
            net=context.net_pnl,
        )

    def _complete(self, fact: Fact, context: MarketMakingContext) -> None:
        """A trade that is told again may tell its fee, or who was the maker."""
        for fill in fills_of(fact):
            for row in self._waiting:
                if row.trade_id == fill.trade_id and row.client_order_id == fill.client_order_id:
                    if row.fee is None:
                        row.fee = fee_in_quote(fill, context)
                    if row.liquidity is None and fill.liquidity is not None:
                        row.liquidity = fill.liquidity.value

    def _match(self) -> None:
        """Each fill that the tracker began to follow is the first waiting row that looks like it and has none."""
        for maker in self._recorded:
            for row in self._waiting:
                if row.maker is None and _is_of(maker, row):
                    row.maker = maker
                    self._by_maker.setdefault(maker, []).append(row)
                    break
        self._recorded.clear()
        early, self._early = self._early, []
        for fill, horizon, bps in early:
            self.markout_was_settled(fill, horizon, bps)


def _is_of(maker: MakerFill, row: FillRow) -> bool:
    is_alike = row.side == maker.side.value and float(row.price) == maker.price
    return is_alike and float(row.quantity) == maker.quantity and row.liquidity == Liquidity.MAKER.value


def fills_of(fact: Fact) -> tuple[OrderFilled, ...]:
    """The own fills that a fact tells of, new or not."""
    if isinstance(fact, OrderFilled):
        return (fact,)
    return fact.fills if isinstance(fact, OwnTradesReported) else ()


def fee_in_quote(fill: OrderFilled, context: MarketMakingContext) -> Decimal | None:
    """What a fill's fee counts in the ledger, quote currency, at the m of now; None while it is not told."""
    if fill.fee is None or fill.fee_currency is None:
        return None
    if not fill.fee:
        return fill.fee
    currency = fee_currency_of(context, fill)
    if currency is FeeCurrency.QUOTE:
        return fill.fee
    price = context.ledger.reference_price if currency is FeeCurrency.BASE else conversion_price_of(context, fill)
    return None if price is None else EXACT.multiply(fill.fee, price)


AGE_EDGES_SECONDS: Final = (0.5, 1.0, 5.0, 15.0, 60.0, 300.0)
"""Where bands of quote ages end; each holds its lower edge."""
_UNKNOWN_AGE: Final = "not known"


def age_bands(edges: tuple[float, ...]) -> tuple[str, ...]:
    """The names of all bands, youngest first."""
    between = (f"{lower:g} s to {upper:g} s" for lower, upper in pairwise(edges))
    return (f"below {edges[0]:g} s", *between, f"{edges[-1]:g} s and more", _UNKNOWN_AGE)


_BANDS: Final = age_bands(AGE_EDGES_SECONDS)


def age_band(quote_age: int | None) -> str:
    """The band of an order's age at its fill, nanoseconds."""
    return _UNKNOWN_AGE if quote_age is None else _BANDS[bisect_right(AGE_EDGES_SECONDS, seconds(quote_age))]
