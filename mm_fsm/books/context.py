"""The mutable working state of one market maker. Only the machine writes to it; services read it.

Names follow the field's usage; nothing is stored twice: money comes from the ledger, orders from the own-order book.
"""

from __future__ import annotations

from decimal import Decimal
from operator import attrgetter
from typing import Final

from attrs import define, field, fields

from mm_fsm.books.digest import BooksDigest
from mm_fsm.books.field_roles import DERIVED, SURVIVES
from mm_fsm.books.incomplete_fills import IncompleteFills
from mm_fsm.books.ledger import Ledger
from mm_fsm.books.market import Market, TouchRule
from mm_fsm.books.markouts import MarkoutTracker
from mm_fsm.books.orders import OwnOrder, OwnOrders, RequestTimes
from mm_fsm.books.questions import Questions
from mm_fsm.books.reconciliation import Reconciliation
from mm_fsm.books.reference_price import ReferencePrice
from mm_fsm.books.request_rates import RequestRates
from mm_fsm.books.signals import MarketSignals
from mm_fsm.books.standing import Standing, read_standing
from mm_fsm.books.working_state import Fill, Funds, ReadFrom, Reduction, SideState
from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.decisions import NOTHING_TRADES_AFTER, Fault, InventoryAssessment, QuotePlan
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import BASIS_POINTS, ZERO, Balances, Fees, Instrument, InstrumentKind
from mm_fsm.core.messages import SIDES, OrderPurpose, Side
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.estimators.volatility import VolatilityEstimator, volatility_estimator

__all__ = ["MarketMakingContext", "Reduction", "SideState"]

RECENT_FILL_RATE_WEIGHT = 0.05
"""Weight of the newest finished quote in the recent fill rate."""


@define(kw_only=True)
class MarketMakingContext:
    """Everything one machine knows. Times are nanoseconds, money quote currency, positions base units."""

    settings: MarketMakingSettings
    instrument: Instrument
    fees: Fees
    balances: Balances = field(metadata=SURVIVES)

    now: int = field(default=0, metadata=SURVIVES)
    """The latest time any fact carried."""
    clock_regressions: int = field(default=0, metadata=SURVIVES)
    """Facts whose receipt time lay before an earlier fact's."""
    current_state: str = ""
    """The machine's state: its only place, where the chart's executor reads and writes it."""
    market: Market = field(factory=Market)
    reference: ReferencePrice = field(init=False)
    """Judges each book before it marks anything."""
    ledger: Ledger = field(init=False, metadata=SURVIVES)
    """Money and the distance from the target: profit is measured against holding the target, which is no decision of
    the machine's."""
    orders: OwnOrders = field(init=False, metadata=SURVIVES)
    volatility_estimator: VolatilityEstimator = field(init=False, metadata=SURVIVES)
    signals: MarketSignals = field(init=False)
    """Estimates that chosen services ask for; none run otherwise. A restart begins them anew: a recovery books again
    what moved the books, not every trade, and time without its trades would read as a quiet market."""
    markouts: MarkoutTracker = field(init=False, metadata=SURVIVES)

    # Quoting
    plan: QuotePlan | None = None
    last_spread_calculation: int | None = None
    sides: dict[Side, SideState] = field(factory=lambda: {side: SideState() for side in SIDES})
    needs_requote: bool = False
    """An answer arrived while placing, after which there may be more to send."""
    was_near_limit: bool = False
    """Whether inventory use was beyond ``inventory_reprice_share`` when prices were last calculated."""
    adverse_selection_held_at_fills: int = field(default=0, metadata=SURVIVES)
    """How many maker fills there were when quoting was last held for adverse selection."""
    is_widened_for_adverse_selection: bool = field(default=False, metadata=SURVIVES)

    # Inventory
    target_base: Decimal = field(default=ZERO, metadata=SURVIVES)
    first_mid_price: Decimal | None = field(default=None, metadata=SURVIVES)
    reduction: Reduction | None = None
    was_over_limit: bool = False
    """Whether the limit was already passed when inventory was last managed."""
    missing_base: Decimal = ZERO
    """What the ledger holds and the venue's last balance report did not, base units."""
    missing_quote: Decimal = ZERO
    reconciliation: Reconciliation = field(factory=Reconciliation, metadata=SURVIVES)
    order_prefix: str = field(default="", metadata=SURVIVES)
    """What the client order ids of this run begin with, restarts included."""
    unattributed: dict[str, Decimal] = field(factory=dict, metadata=SURVIVES)
    """Contracts booked for orders of this run that the books do not know, by client order id."""
    questions: Questions = field(factory=Questions)
    """Asked, and not answered yet."""
    remarks: list[str] = field(factory=list)
    """What the booking of a fact has to say; the step's reasons take it over."""
    balances_reported_at: int | None = None
    balances_query_due: int = 0

    # Fills
    unhandled_fills: list[Fill] = field(factory=list)
    last_fill_time: int | None = field(default=None, metadata=SURVIVES)
    fill_count: int = field(default=0, metadata=SURVIVES)
    total_trades: int = field(default=0, metadata=SURVIVES)
    adjustment_count: int = field(default=0, metadata=SURVIVES)
    maker_fill_count: int = field(default=0, metadata=SURVIVES)
    acknowledged_maker_quantity: Decimal = field(default=ZERO, metadata=SURVIVES)
    filled_maker_quantity: Decimal = field(default=ZERO, metadata=SURVIVES)
    recent_fill_rate: float = field(default=0.0, metadata=SURVIVES)
    conversion_prices: dict[str, Decimal] = field(factory=dict, metadata=SURVIVES)
    incomplete_fills: IncompleteFills = field(factory=IncompleteFills, metadata=SURVIVES)
    """What is not known yet of fills that are booked."""
    third_currency_fees: dict[str, Decimal] = field(factory=dict, metadata=SURVIVES)
    """What fills cost in currencies that are neither base nor quote, in their units, priced or not."""

    # What keeps the machine from quoting, but for market and books
    account_feed_loss: str | None = None
    """Why news of own orders does not arrive; None while it does."""
    requests_suspended_until: int = field(default=0, metadata=SURVIVES)
    """Host time before which the venue takes no placement and no question."""
    requests_suspended_reason: str = field(default="", metadata=SURVIVES)
    operator_pause: str | None = field(default=None, metadata=SURVIVES)
    """Why an operator paused quoting; None while it is not paused."""

    # Session
    session_ends_at: int | None = None
    is_stopping: bool = False
    keeps_position: bool = False
    stop_reason: str = ""
    is_late: bool = False
    """The wind-down passed its deadline: everything is cancelled and the position stays."""
    late_facts: int = field(default=0, metadata=SURVIVES)
    """Fills booked after COMPLETED."""
    trades_query_due: int = 0

    # Faults
    pending_fault: Fault | None = None
    """A fault found while booking; the next step of the chart acts on it."""
    rejections_in_a_row: int = 0
    """Placements refused by the venue for reasons that are not ordinary, since one was taken."""
    fault: Fault | None = None
    latched: dict[str, Fault] = field(factory=dict)
    """Faults that are never retried, by their code."""
    faults_noted: int = field(default=0, metadata=SURVIVES)
    recovery_attempts: int = 0
    session_recoveries: int = field(default=0, metadata=SURVIVES)
    recover_at: int = 0
    healthy_since: int | None = None
    has_wound_down: bool = False

    # Counts
    request_rates: RequestRates = field(init=False, metadata=SURVIVES)
    """What was sent lately, as the venue counts it; time lowers it, a restart does not."""
    next_order_number: int = 1
    refused_facts: int = field(default=0, metadata=SURVIVES)
    late_books: int = field(default=0, metadata=SURVIVES)
    spread_calculations: int = field(default=0, metadata=SURVIVES)
    clamped_spreads: int = field(default=0, metadata=SURVIVES)
    """Sides whose spread was held by a bound; two sides to a calculation."""

    _digest: BooksDigest = field(factory=BooksDigest, init=False, eq=False, repr=False, metadata=DERIVED)
    _standing: Standing | None = field(default=None, init=False, eq=False, repr=False, metadata=DERIVED)

    def __attrs_post_init__(self) -> None:
        settings = self.settings
        self.order_prefix = self.order_prefix or f"{settings.strategy_id}-"
        self.target_base = self.balances.base if settings.target_base is None else settings.target_base
        self.ledger = Ledger(
            base=self.balances.base - self.target_base,
            cash=self.balances.quote,
            contract_size=self.instrument.contract_size,
        )
        self.reference = ReferencePrice(settings)
        self.request_rates = RequestRates(
            most_orders=settings.max_orders_per_interval,
            interval=nanoseconds(settings.order_interval_seconds),
            counter=settings.rate_counter,
            per_fill=settings.orders_per_fill,
            reserve_share=settings.order_reserve_share,
        )
        self.orders = OwnOrders(
            RequestTimes(
                request_timeout=nanoseconds(settings.request_timeout_seconds),
                query_interval=nanoseconds(settings.query_interval_seconds),
                validity_window=nanoseconds(settings.validity_window_seconds),
            )
        )
        self.volatility_estimator = volatility_estimator(settings)
        self.signals = MarketSignals(
            half_life_seconds=settings.signal_half_life_seconds,
            shallowest_bps=settings.min_spread_bps / 2,
            deepest_bps=settings.max_spread_bps,
            contract_size=float(self.instrument.contract_size),
        )
        self.markouts = MarkoutTracker(judged_seconds=settings.adverse_selection_horizon_seconds)

    # -- market -----------------------------------------------------------------------------------------------------

    mid_price = ReadFrom[Decimal | None]("market.mid_price")
    """The reference price: last valid mid without own orders."""

    bid_price = ReadFrom[Decimal | None]("market.bid_price")
    """The market's best bid without own orders."""

    ask_price = ReadFrom[Decimal | None]("market.ask_price")
    """The market's best ask without own orders."""

    market_spread_bps = ReadFrom[float | None]("market.spread_bps")
    """The market's spread in bps of the mid."""

    @property
    def touch_rule(self) -> TouchRule:
        """What makes a touch here: less is dust."""
        chosen, contract_size = self.settings, self.instrument.contract_size
        return TouchRule.of(chosen.base_order_size, contract_size, chosen.touch_size_share, chosen.thin_touch_seconds)

    def is_within_price_band(self, price: Decimal) -> bool:
        """Whether an order's price lies within ``price_band_bps`` of the reference price; not before there is one."""
        mid = self.mid_price
        return mid is not None and abs(price - mid) <= self.price_reach

    @property
    def price_reach(self) -> Decimal:
        """How far from the reference price an order's price may lie, quote per base; 0 before there is one."""
        mid = self.mid_price
        return ZERO if mid is None else mid * exact(self.settings.price_band_bps) / BASIS_POINTS

    @property
    def volatility(self) -> float | None:
        """Deviation of log returns over the life of a quote (``volatility_horizon_seconds``), a fraction."""
        return self.volatility_estimator.over(self.settings.volatility_horizon_seconds)

    @property
    def are_requests_suspended(self) -> bool:
        """Whether the venue takes no placement and no question now."""
        return self.now < self.requests_suspended_until

    @property
    def is_data_stale(self) -> bool:
        """Whether the newest market data is older than ``stale_data_seconds``, or there is none."""
        confirmed = self.market.confirmed_at  # spelled out: every fact's guards ask this
        return confirmed is None or self.now >= confirmed + nanoseconds(self.settings.stale_data_seconds)

    # -- orders -----------------------------------------------------------------------------------------------------

    @property
    def active_bid_orders(self) -> tuple[OwnOrder, ...]:
        """Live bids, UNKNOWN ones included."""
        return self.orders.live(Side.BID)

    @property
    def active_ask_orders(self) -> tuple[OwnOrder, ...]:
        """Live asks, UNKNOWN ones included."""
        return self.orders.live(Side.ASK)

    @property
    def pending_cancels(self) -> tuple[OwnOrder, ...]:
        """Live orders with a cancel in flight."""
        return tuple(order for order in self.orders.live() if order.cancel_in_flight)

    def live_quotes(self, side: Side) -> tuple[OwnOrder, ...]:
        """Live quotes of one side."""
        return self.orders.live(side, OrderPurpose.QUOTE)

    @property
    def is_everything_confirmed(self) -> bool:
        """No order live or UNKNOWN, no fill missing, and own trades looked up since the last order left the book.

        Books with a past, of an earlier process or from before a lost connection, may lack an order that is open.
        """
        if self.reconciliation.has_past and not self.reconciliation.has_seen_open_orders:
            return False
        return not self.orders.count and self.orders.unconfirmed_since is None

    # -- money ------------------------------------------------------------------------------------------------------

    @property
    def base_position(self) -> Decimal:
        """Base units held."""
        return self.ledger.position + self.target_base

    quote_position = ReadFrom[Decimal]("ledger.cash_change")
    """Change of cash since the start, quote currency."""

    @property
    def inventory_value(self) -> Decimal:
        """Position at the reference price, quote currency; 0 before there is one."""
        return ZERO if self.mid_price is None else self.base_position * self.mid_price

    @property
    def equity(self) -> Decimal | None:
        """Worth of the account at the reference price, quote currency; None before there is one.

        Spot: cash and position. Contracts: the margin, and what the position has gained since the first price.
        """
        return read_standing(self).equity

    @property
    def limit_equity(self) -> Decimal | None:
        """Equity less what the venue's last report lacks to it: limits count with that. None without a price."""
        return read_standing(self).limit_equity

    @property
    def holding_pnl(self) -> Decimal:
        """What holding the target has gained since the first price, quote currency; no part of the machine's profit."""
        if self.first_mid_price is None or self.mid_price is None:
            return ZERO
        return self.target_base * (self.mid_price - self.first_mid_price)

    realized_pnl = ReadFrom[Decimal]("ledger.realized_pnl")
    """Quote currency, before fees."""

    unrealized_pnl = ReadFrom[Decimal]("ledger.unrealized_pnl")
    """Quote currency, before fees."""

    fees_paid = ReadFrom[Decimal]("ledger.fees_paid")
    """Quote currency; negative when rebates exceed fees."""

    net_pnl = ReadFrom[Decimal]("ledger.net_pnl")
    """Realised + unrealised - fees + funding, quote currency."""

    total_volume = ReadFrom[Decimal]("ledger.volume_quote")
    """Traded notional, quote currency."""

    @property
    def average_spread_captured(self) -> float:
        """Spread capture over volume, bps; 0 before the first fill."""
        return self.ledger.average_spread_captured_bps or 0.0

    @property
    def fill_rate(self) -> float:
        """Filled over acknowledged maker quantity, 0 to 1."""
        if not self.acknowledged_maker_quantity:
            return 0.0
        return float(self.filled_maker_quantity / self.acknowledged_maker_quantity)

    # -- inventory --------------------------------------------------------------------------------------------------

    inventory_offset = ReadFrom[Decimal]("ledger.position")
    """Position minus target, base units; positive is long."""

    @property
    def position_limit(self) -> Decimal:
        """Largest |offset|: the smallest of the limits that are set, base units; 0 without equity or a price."""
        return read_standing(self).limit

    def assess_inventory(self) -> InventoryAssessment:
        """Offset, limit and use of the limit, as of now."""
        return read_standing(self).assessment

    @property
    def inventory_skew(self) -> float:
        """Offset over its limit, clamped to [-1, 1]."""
        return self.assess_inventory().skew

    @property
    def current_inventory_pct(self) -> float:
        """|offset| at the reference price over equity; 0 before there is a price."""
        equity = self.equity
        if self.mid_price is None or equity is None or equity <= 0:
            return 0.0
        return float(abs(self.inventory_offset) * self.mid_price / equity)

    def funds(self, side: Side, *, besides_live: bool = False) -> Funds:
        """What further orders of one side may be paid with.

        What own orders lock is not free; ``besides_live`` counts the locks of live orders as free. Spot: the cash or
        the base held. Contracts: equity times leverage, less the position this side would add to; without equity, what
        closes the position.
        """
        locked = self.orders.locked(side, besides_live=besides_live) * self.instrument.contract_size
        is_bid = side is Side.BID
        if self.instrument.kind is InstrumentKind.LINEAR:
            equity = max(self.limit_equity or ZERO, ZERO)
            held = self.base_position * side.sign
            return Funds(equity * self.balances.leverage, -held).after(locked, locked, side)
        if not is_bid:
            return Funds(ZERO, self.base_position - locked - self.missing_base)
        factor = 1 + self.fees.highest_rate
        return Funds((self.ledger.cash - self.missing_quote) / factor - locked, ZERO)

    def purchasing_power(self, side: Side, price: Decimal, *, besides_live: bool = False) -> Decimal:
        """Base units that further orders of one side may trade at ``price`` with the funds there are."""
        return self.funds(side, besides_live=besides_live).at(price)

    @property
    def may_trade(self) -> bool:
        """Whether the books can be trusted and kept: no fault is latched after which no order may leave."""
        return not NOTHING_TRADES_AFTER & self.latched.keys()

    @property
    def is_wind_down_late(self) -> bool:
        """Whether a wind-down has passed its deadline."""
        if not self.is_stopping or self.reduction is None:
            return False
        return self.now >= self.reduction.started_at + nanoseconds(self.settings.wind_down_deadline_seconds)

    # -- digest -----------------------------------------------------------------------------------------------------

    def digest(self) -> str:
        """64 hexadecimal digits: equal books have equal digests in every process. Settings are no part of the state."""
        return self._digest.of(_read_digested(self))


SURVIVING: Final = tuple(each.name for each in fields(MarketMakingContext) if each.metadata.get("survives"))
"""Fields that a restart keeps; the others begin anew."""

_DIGESTED: Final = tuple(
    each.name for each in fields(MarketMakingContext) if not each.metadata.get("is_derived") and each.name != "settings"
)
_read_digested: Final = attrgetter(*_DIGESTED)
