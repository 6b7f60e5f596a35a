"""What services decide: wanted quotes, holds, orders to send and to cancel, refusals, faults. All frozen values."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

from attrs import frozen

from mm_fsm.core.messages import OrderPurpose, Side, TimeInForce


class HoldReason(StrEnum):
    """Why a side of the book has no live quote of ours.

    A new reason is added here and to these, and ``tests/core/test_hold_reasons.py`` says what it is in each:

    - ``services/permission.py``: its test, in ``MACHINE``, ``MARKET``, or of one side; ``_REASON_OF_REFUSAL`` where a
      refused order leads to it;
    - ``report/plain_words.py``: ``WHY_HELD`` and ``ENDS_WHEN`` always; ``WHAT_IS_DONE`` where something is wrong;
      ``SELF_EVIDENT`` where its detail adds nothing;
    - ``report/silence_words.py``: ``_PASSES_AT_ONCE`` where nobody asks why;
    - ``watching/conditions.py``: ``_LIMITS`` where it is a limit that was reached;
    - ``report/stretches.py``: ``_WAITING`` where it is a wait for the venue's answer.
    """

    NOT_STARTED = "not_started"
    WARMING_UP = "warming_up"
    WAITING_FOR_BALANCES = "waiting_for_balances"
    RECONCILING = "reconciling"
    """Own books have not been compared with the venue's since the start or the last reconnection, or they differ."""
    ACCOUNT_FEED_LOST = "account_feed_lost"
    """News of own orders does not arrive."""
    REQUESTS_SUSPENDED = "requests_suspended"
    """The venue takes no requests before a time: a ban, or a spent budget."""
    OPERATOR_PAUSED = "operator_paused"
    NO_MARKET_DATA = "no_market_data"
    STALE_DATA = "stale_data"
    ONE_SIDED_BOOK = "one_sided_book"
    CROSSED_BOOK = "crossed_book"
    MARKET_SPREAD = "market_spread"
    UNSOUND_BOOK = "unsound_book"
    """The book is doubted: it jumped, opened wide, or trades contradict it. It must last before it prices anything."""
    TRADING_HALTED = "trading_halted"
    INVENTORY_LIMIT = "inventory_limit"
    FUNDS = "funds"
    BELOW_MINIMUM = "below_minimum"
    ADVERSE_SELECTION = "adverse_selection"
    POST_ONLY_REJECTIONS = "post_only_rejections"
    REJECTED_BY_VENUE = "rejected_by_venue"
    UNKNOWN_ORDER = "unknown_order"
    BAD_MESSAGE = "bad_message"
    RISK = "risk"
    ORDERS_IN_FLIGHT = "orders_in_flight"
    """A placement or a cancel awaits its answer."""
    ADJUSTING_INVENTORY = "adjusting_inventory"
    STOPPING = "stopping"
    FAULT = "fault"
    COMPLETED = "completed"
    CUSTOM = "custom"
    """A reason of a subclass or a third-party service; the detail says which."""


@frozen
class Hold:
    """One side is not quoted, and why. ``until``: nanoseconds when it ends by itself, None while its cause lasts."""

    reason: HoldReason
    detail: str = ""
    until: int | None = None


@frozen(kw_only=True)
class Quote:
    """One wanted order: price quote per base, quantity contracts, level 0 innermost."""

    side: Side
    level: int
    price: Decimal
    quantity: Decimal


@frozen(kw_only=True)
class DroppedLevel:
    """A level that is not quoted, and why."""

    side: Side
    level: int
    hold: Hold


@frozen(kw_only=True)
class QuotePlan:
    """What the book of own quotes should be, and the figures it was priced from.

    Spreads are whole spreads in bps; ``reference_price`` and ``half_spread`` quote per base.
    """

    priced_at: int
    reference_price: Decimal
    half_spread: Decimal
    inventory_skew: float
    inventory_use: float
    bid_spread_bps: float
    ask_spread_bps: float
    bid_was_clamped: bool
    ask_was_clamped: bool
    bids: tuple[Quote, ...] = ()
    asks: tuple[Quote, ...] = ()
    bid_hold: Hold | None = None
    ask_hold: Hold | None = None
    dropped: tuple[DroppedLevel, ...] = ()
    is_widened: bool = False
    """Whether the spread is widened because own fills have been losing money."""
    bid_widening_bps: float = 0.0
    """By how much of ``bid_spread_bps`` it is, within the bounds of a spread."""
    ask_widening_bps: float = 0.0

    def quotes(self, side: Side) -> tuple[Quote, ...]:
        """The wanted orders of one side, innermost first."""
        return self.bids if side is Side.BID else self.asks

    def hold(self, side: Side) -> Hold | None:
        """Why one side is not quoted; None when it is."""
        return self.bid_hold if side is Side.BID else self.ask_hold

    def widening_bps(self, side: Side) -> float:
        """By how much one side's spread is widened because own fills have been losing money."""
        return self.bid_widening_bps if side is Side.BID else self.ask_widening_bps


@frozen(kw_only=True)
class OrderDraft:
    """An order that a service wants sent; the machine gives it an identity once risk has approved it."""

    side: Side
    price: Decimal
    quantity: Decimal
    purpose: OrderPurpose
    level: int = 0
    post_only: bool = True
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL_CANCELLED
    reduce_only: bool = False


@frozen(kw_only=True)
class OrderChanges:
    """What brings the book of own orders to the wanted quotes: ids to cancel, and drafts to place."""

    cancels: tuple[str, ...] = ()
    placements: tuple[OrderDraft, ...] = ()


class RefusalCode(StrEnum):
    """Which risk check refused an order."""

    NOT_FINITE = "not_finite"
    OFF_GRID = "off_grid"
    BELOW_MINIMUM = "below_minimum"
    ABOVE_MAXIMUM = "above_maximum"
    NO_MARKET_DATA = "no_market_data"
    STALE_DATA = "stale_data"
    TRADING_HALTED = "trading_halted"
    PRICE_BAND = "price_band"
    SELF_CROSS = "self_cross"
    CROSSES_MARKET = "crosses_market"
    UNKNOWN_ORDER = "unknown_order"
    NOT_RECONCILED = "not_reconciled"
    ACCOUNT_FEED_LOST = "account_feed_lost"
    REQUESTS_SUSPENDED = "requests_suspended"
    OPERATOR_PAUSED = "operator_paused"
    POSITION_LIMIT = "position_limit"
    QUOTE_EXPOSURE = "quote_exposure"
    FUNDS = "funds"
    EQUITY = "equity"
    DRAWDOWN = "drawdown"
    ORDER_RATE = "order_rate"
    ORDER_COUNT = "order_count"
    REQUEST_UNANSWERED = "request_unanswered"
    LIQUIDATION_DISTANCE = "liquidation_distance"
    CUSTOM = "custom"


@frozen
class Refusal:
    """Risk says no; a value, not an error."""

    code: RefusalCode
    reason: str


class FaultCode(StrEnum):
    """What put the machine in ERROR."""

    CALLBACK = "callback"
    GUARD = "guard"
    DOES_NOT_REST = "does_not_rest"
    FUNDS = "funds"
    KILL_SWITCH = "kill_switch"
    EQUITY = "equity"
    LONG_STALE_DATA = "long_stale_data"
    LEDGER = "ledger"
    VENUE = "venue"
    JOURNAL = "journal"
    OWNERSHIP = "ownership"
    """Another process quotes this market on this account."""
    CUSTOM = "custom"


NOTHING_TRADES_AFTER: Final = frozenset({FaultCode.LEDGER, FaultCode.JOURNAL, FaultCode.OWNERSHIP})
"""Faults after which not even a reducing order may leave: the position is not known, not on record, or not ours."""


@frozen(kw_only=True)
class Fault:
    """Why the machine is in ERROR. A fault that is not transient is latched: it is never retried."""

    code: FaultCode
    reason: str
    transient: bool
    state: str = ""
    """The state the machine was in."""
    at: int = 0
    """Nanoseconds."""


class InventoryStep(StrEnum):
    """What inventory management wants done now."""

    CANCEL_QUOTES = "cancel_quotes"
    CANCEL_ADJUSTMENTS = "cancel_adjustments"
    PLACE = "place"


@frozen(kw_only=True)
class InventoryAction:
    """One step of an adjustment or a wind-down; ``draft`` only with PLACE."""

    step: InventoryStep
    reason: str
    draft: OrderDraft | None = None


@frozen(kw_only=True)
class InventoryAssessment:
    """Where the inventory stands. ``offset`` and ``limit`` in base units; ``use`` is |offset| / limit."""

    offset: Decimal
    """Position minus target: positive is long."""
    limit: Decimal
    use: float
    skew: float
    """offset / limit, clamped to [-1, 1]."""
    is_over_limit: bool
