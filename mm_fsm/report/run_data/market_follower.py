"""Follows one market's machine step by step and gathers what the report is made of, in bounded memory.

A step that changes nothing costs a few comparisons: what time adds up is counted when something changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from attrs import define, field

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.exact import EXACT
from mm_fsm.books.facts import CancelRefused, OrderFilled, OrderRejected, OwnTradesReported
from mm_fsm.books.own_order import OwnOrder
from mm_fsm.core.instrument import ZERO
from mm_fsm.core.messages import SIDES, Side
from mm_fsm.core.programme import ProgrammeRule
from mm_fsm.machine.observers import MachineObserver
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.report.run_data.books_at_begin import BookSums
from mm_fsm.report.run_data.drawdown_clock import DrawdownClock
from mm_fsm.report.run_data.fills_log import FillRow, FillsLog
from mm_fsm.report.run_data.hold_bins import HoldBins
from mm_fsm.report.run_data.inventory_clock import InventoryClock
from mm_fsm.report.run_data.markout_groups import MarkoutGroups
from mm_fsm.report.run_data.own_orders_log import OrderRow, OwnOrdersLog
from mm_fsm.report.run_data.presence_clock import PresenceClock
from mm_fsm.report.run_data.process_uptimes import ProcessUptimes
from mm_fsm.report.run_data.profit_clock import Amounts, ProfitClock
from mm_fsm.report.run_data.request_peaks import RequestPeaks
from mm_fsm.report.run_data.sampled_series import Row, SampledSeries
from mm_fsm.report.run_data.thinned_rows import ThinnedRows
from mm_fsm.report.stretches import Stretch, StretchRecorder

_ANSWERS: Final = (OrderRejected, CancelRefused)
_TRADES: Final = (OrderFilled, OwnTradesReported)
_HALF: Final = Decimal("0.5")


@define(kw_only=True, eq=False)
class RowTaker:
    """Where whole rows go; by default nowhere. A taker of its own is made for each market."""

    order: Callable[[OrderRow], None] = lambda _: None
    fill: Callable[[FillRow, tuple[float, ...]], None] = lambda _row, _horizons: None
    stretch: Callable[[Stretch], None] = lambda _: None


@define(eq=False)
class MarketFollower(MachineObserver):
    """Watches a machine, or one after the other that continue each other, from before the first step on.

    A failure here is kept and ends the following: whatever goes wrong, trading goes on.

    Args:
        machine_of: the machine whose steps these are; after a restart another one.
        rule: the programme's rule that presence is held against.
        rows: takes the rows of the tables as they become whole.
    """

    machine_of: Callable[[], QuotingMachine]
    rule: ProgrammeRule = field(factory=ProgrammeRule)
    rows: RowTaker = field(factory=RowTaker)

    failure: str | None = field(init=False, default=None)
    """What went wrong here, and after which step; nothing is gathered from then on."""
    began_at: int | None = field(init=False, default=None)
    now: int = field(init=False, default=0)
    steps: int = field(init=False, default=0)
    step: int = field(init=False, default=0)
    """Sequence number of the last one."""
    begin: Amounts = field(init=False)
    """What the ledger held when the following began: earlier processes' profit."""
    begin_sums: BookSums = field(init=False)
    """The same of all other sums."""
    begin_mid: Decimal | None = field(init=False)
    """m then; None where there was none yet."""
    first_state: str = field(init=False)
    """In which the machine stood when the following began."""
    series: SampledSeries = field(init=False, factory=SampledSeries)
    profit: ProfitClock = field(init=False, factory=ProfitClock)
    drawdown: DrawdownClock = field(init=False, factory=DrawdownClock)
    inventory: InventoryClock = field(init=False, factory=InventoryClock)
    presence: PresenceClock = field(init=False)
    uptimes: ProcessUptimes = field(init=False, factory=ProcessUptimes)
    orders: OwnOrdersLog = field(init=False)
    fills: FillsLog = field(init=False)
    shown_fills: ThinnedRows[FillRow] = field(init=False, factory=ThinnedRows)
    markouts: MarkoutGroups = field(init=False, factory=MarkoutGroups)
    holds: HoldBins = field(init=False, factory=HoldBins)
    stretches: StretchRecorder = field(init=False)
    requests: RequestPeaks = field(init=False, factory=RequestPeaks)
    state_profits: dict[str, Decimal] = field(init=False, factory=dict)
    """Change of the net profit by facts that found the machine in each state."""
    dwell: Counter[str] = field(init=False, factory=Counter)
    """Nanoseconds in each state, by the times of facts."""
    transitions: Counter[tuple[str, str, str]] = field(init=False, factory=Counter)
    """By source, event and target."""
    faults: Counter[str] = field(init=False, factory=Counter)

    _context: MarketMakingContext | None = field(init=False, default=None)
    _live: tuple[OwnOrder, ...] | None = field(init=False, default=None)
    _best: dict[Side, OwnOrder | None] = field(init=False, factory=lambda: dict.fromkeys(SIDES))
    _mid: Decimal | None = field(init=False, default=None)
    _bookings: int = field(init=False, default=0)
    _amounts: Amounts = field(init=False)
    _row: Row | None = field(init=False, default=None)
    _next_mark: int = field(init=False, default=0)
    """When a stretch of the series or a step of time is over."""
    _state: str = field(init=False, default="")
    _net_at_entry: Decimal = field(init=False, default=ZERO)
    _entered_at: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self.presence = PresenceClock(self.rule, self.rule.size)
        self.orders = OwnOrdersLog(self.rows.order)
        self.fills = FillsLog(self._hand_on_fill, self.markouts.take)
        self.stretches = StretchRecorder(self._take_stretch)
        machine = self.machine_of()
        self._attach(machine)
        self.fills.begin_after(machine.context.ledger)
        self.begin = self._amounts = Amounts.of(machine.context.ledger)
        self._bookings = machine.context.ledger.bookings
        self.begin_sums, self.begin_mid = BookSums.of(machine.context), machine.context.ledger.reference_price
        self._net_at_entry = self.begin.net
        self._state = self.first_state = machine.chart_state
        if machine.context.inventory_offset:
            self.inventory.begin_with(machine.context.inventory_offset)

    # -- told by the machine ------------------------------------------------------------------------------------------

    def step_ended(self, result: StepResult) -> None:
        """Take one step. Never raises."""
        if self.failure is not None:
            return
        try:
            self.take(result, self.machine_of())
        except Exception as error:  # noqa: BLE001 - the report is not worth an order
            self.failure = f"step {result.sequence}: {error!r}"

    def begin_machine(self, machine: QuotingMachine) -> None:
        """The next step is this machine's, which continues the one before: its first step is listened to already."""
        if machine.context is not self._context:
            self._attach(machine)

    def begin_process(self) -> None:
        """What comes next is another process's, of the same run: nothing is known of the time in between."""
        self.stretches.begin_process()
        self._forget_quotes()

    def pass_over(self, until: int, cause: str, *, ends_process: bool = False) -> None:
        """The record says nothing of what was decided until then: it counts as time without a quote.

        Args:
            until: nanoseconds.
            cause: why, in words.
            ends_process: whether that is the last that its process did.
        """
        self.stretches.pass_over(until, cause, ends_process=ends_process)
        self._forget_quotes()
        self.now = max(self.now, until)

    def _forget_quotes(self) -> None:
        self._live = None
        self.presence.show(())
        self.presence.judge(self.now, None)
        self._best = dict.fromkeys(SIDES)

    def take(self, result: StepResult, machine: QuotingMachine) -> None:
        """Take one step, with the machine as it left it."""
        context, now = machine.context, result.time
        if now >= self._next_mark:
            self._pass_marks(now)
        if context is not self._context:
            self._attach(machine)
        fact = result.fact
        if not fact.streams:
            self._take_answer(result, context)
        self.step = result.sequence
        self.steps += 1
        self.now = now
        if result.intents:
            placements = self.orders.note_requests(result.intents, now, result.sequence)
            self.requests.note(now, placements, context.request_rates)
        mid = context.market.mid_price
        is_marked = mid is not self._mid or context.ledger.bookings != self._bookings
        live = context.orders.live()
        has_moved = live is not self._live
        if has_moved:
            self._look_at_orders(live, context, now)
        if is_marked:
            self._mark(context, now, mid)
        if has_moved or is_marked:
            self.presence.judge(now, mid)
        self._take_outcome(result)
        if self._row is None:
            self._row = self.series.open(now, *self._values())
        self.stretches.take(result, machine)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _attach(self, machine: QuotingMachine) -> None:
        """Its books are followed from now on: of the first machine, or of one after a restart."""
        self._context = machine.context
        self._live = None
        self.fills.attach(machine.context)
        self.uptimes.follow(machine.uptime, self.now)

    def _take_answer(self, result: StepResult, context: MarketMakingContext) -> None:
        fact = result.fact
        if isinstance(fact, _ANSWERS):
            self.orders.note_answer(fact)
        elif isinstance(fact, _TRADES):
            rows = self.fills.take(fact, context, result.sequence)
            self.requests.note_fills(result.time, len(rows), context.request_rates)
            for row in rows:
                self.orders.note_fill(row.client_order_id, row.quantity)
                self.shown_fills.add(row)

    def _take_outcome(self, result: StepResult) -> None:
        if result.transitions:
            self._change_state(result.state)
            for each in result.transitions:
                self.transitions[each.source, each.event, each.target] += 1
        for fault in result.faults:
            self.faults[fault.code.value] += 1

    def _look_at_orders(self, live: tuple[OwnOrder, ...], context: MarketMakingContext, now: int) -> None:
        self._live = live
        self.orders.look(context.orders, now, self.step)
        self._best = self.presence.show(live)

    def _mark(self, context: MarketMakingContext, now: int, mid: Decimal | None) -> None:
        """m, or what is booked, has changed."""
        ledger = context.ledger
        if mid is not None and self.presence.size is None:
            self.presence.size = default_size(context, mid)
            self.presence.show(self._live or ())
        self._mid, self._bookings = mid, ledger.bookings
        self._amounts = Amounts.of(ledger)
        self.drawdown.note(now, ledger.drawdown)
        offset = ledger.position
        if offset != self.inventory.offset:
            self.inventory.change(now, offset)
        is_at_limit = bool(offset) and context.assess_inventory().use >= 1
        if is_at_limit is not self.inventory.is_at_limit:
            self.inventory.note_limit(now, is_reached=is_at_limit)
        if self._row is not None:
            self._row.note(*self._values())
        self.fills.hand_on_whole(now)

    def _values(self) -> tuple[float | None, float, float, float]:
        """Of a row of the series, now."""
        mid = None if self._mid is None else float(self._mid)
        net = float(self._amounts.net) - float(self.begin.net)
        return mid, float(self.inventory.offset), net, float(self.drawdown.now)

    def _change_state(self, state: str) -> None:
        """What was booked in the step found the machine in the state before."""
        gained = EXACT.subtract(self._amounts.net, self._net_at_entry)
        if gained:
            before = self.state_profits.get(self._state, ZERO)
            self.state_profits[self._state] = EXACT.add(before, gained)
        self.dwell[self._state] += self.now - self._entered_at
        self._state, self._net_at_entry, self._entered_at = state, self._amounts.net, self.now

    def _pass_marks(self, now: int) -> None:
        """Time has come past the end of a stretch of the series, or of a step of time, with things as they stood."""
        if self.began_at is None:
            self.began_at = self.now = self._entered_at = now
            self.presence.pass_until(now)
            self.inventory.pass_until(now)
        self._close_row()
        self.profit.pass_until(self.now, now, self._amounts.since(self.begin))
        bucket_end = (now // self.series.width + 1) * self.series.width
        self._next_mark = min(bucket_end, self.profit.next_end(now))

    def _close_row(self) -> None:
        row = self._row
        if row is not None:
            bid, ask = self._best[Side.BID], self._best[Side.ASK]
            row.bid, row.ask = None if bid is None else float(bid.price), None if ask is None else float(ask.price)
            row.step = self.step
        self._row = None

    def _hand_on_fill(self, row: FillRow) -> None:
        self.rows.fill(row, self.fills.horizons)

    def _take_stretch(self, stretch: Stretch) -> None:
        self.holds.take(stretch)
        self.rows.stretch(stretch)

    # -- the end ------------------------------------------------------------------------------------------------------

    def end(self) -> None:
        """The run is over: count what is still open until its last step, and hand on the last rows. Once only."""
        self.stretches.end()
        self._close_row()
        self._change_state(self._state)
        if self.began_at is not None:
            self.profit.finish(self.now, self._amounts.since(self.begin))
        self.fills.end()
        self.orders.end()
        if self._context is not None:
            self._context.markouts.listener = None

    @property
    def total(self) -> Amounts:
        """Profit and its parts since the following began."""
        return self._amounts.since(self.begin)


def default_size(context: MarketMakingContext, mid: Decimal) -> Decimal:
    """Half of the innermost quote of a flat book at this price, contracts, a lot at least."""
    instrument = context.instrument
    innermost = context.settings.base_order_size / mid / instrument.contract_size
    return max(instrument.floor_quantity(innermost * _HALF), instrument.lot_size)
