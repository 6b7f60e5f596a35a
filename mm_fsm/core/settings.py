"""The frozen, validated settings of one market maker.

Units are in the names: ``_bps`` are basis points, ``_seconds`` seconds, ``_share`` fractions of one. ``_bps`` of a
spread are of the whole spread, both sides together. Amounts of money and quantities are exact decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any

from attrs import field, frozen

from mm_fsm.core.clock import nanoseconds
from mm_fsm.core.exact import exact
from mm_fsm.core.instrument import Fees
from mm_fsm.core.rate_rules import DecayingCounter, OrdersPerFill
from mm_fsm.core.setting_fields import (
    FACT_OF_VENUE,
    LOOSER_ABOVE,
    LOOSER_BELOW,
    PREFERENCE,
    PROTECTION,
    amount,
    choice_of,
    duration,
    frozen_mapping,
    optional_number,
    pairs,
    real_number,
    shares,
)
from mm_fsm.core.validation import any_text, identifier, one_of, text, whole_number, yes_or_no
from mm_fsm.errors import SettingsError


class AdjustmentPolicy(StrEnum):
    """How an inventory adjustment trades."""

    PASSIVE = "passive"
    """Rests at the best price on its own side, post-only."""
    LIMIT = "limit"
    """Takes at most ``max_slippage_bps`` from the reference price."""
    MARKET = "market"
    """Takes at most ``price_band_bps`` from the reference price: no order leaves without a worst price."""
    LEAST_COST = "least_cost"
    """Passive or limit, whichever is expected to cost less; passive while volume or volatility is not known."""


class FairPrice(StrEnum):
    """The price around which quotes lie. Money is always valued at the mid of a sound book."""

    MID = "mid"
    WEIGHTED_MID = "weighted_mid"
    """Nearer to the side that shows less size."""
    MICRO_PRICE = "micro_price"
    """Where the mid is expected to go, by a model fitted to this market: ``micro_price_model``."""


class VolatilityKind(StrEnum):
    """How volatility is estimated."""

    EWMA = "ewma"
    """Squared returns of one scale, forgetting the past."""
    TWO_SCALE = "two_scale"
    """Of two scales, whose difference is free of the noise of single quotes."""


class StrayOrderPolicy(StrEnum):
    """What becomes of an open order that carries our prefix and that the books do not know."""

    CANCEL = "cancel"
    ADOPT = "adopt"
    """It counts as a quote of ours; it stays if it fits."""


class PositionMismatchPolicy(StrEnum):
    """What becomes of a position at the venue that differs from the books."""

    REFUSE = "refuse"
    """Nothing is quoted until they agree."""
    ADOPT = "adopt"
    """The difference is booked as an external flow, on record."""


@frozen(kw_only=True)
class ServiceNames:
    """Which implementation of each service to use, by its registered name."""

    spreads: str = field(default="default", validator=text)
    orders: str = field(default="default", validator=text)
    inventory: str = field(default="default", validator=text)
    risk: str = field(default="default", validator=text)


@frozen(kw_only=True)
class MarketMakingSettings:
    """Everything that decides how one market is made.

    Raises:
        SettingsError: a value is out of its range, or two values contradict each other.
    """

    symbol: str = field(metadata=FACT_OF_VENUE, validator=text)
    strategy_id: str = field(default="mm", metadata=PREFERENCE, validator=identifier)
    """Client order ids begin with it: 1 to 12 letters, digits or underscores."""

    # Spread, in bps of the reference price, both sides together
    target_spread_bps: float = field(default=10.0, metadata=PREFERENCE, **real_number(above=0))
    min_spread_bps: float = field(default=5.0, metadata=PREFERENCE, **real_number(above=0))
    max_spread_bps: float = field(default=50.0, metadata=PREFERENCE, **real_number(above=0, at_most=5_000))
    min_edge_bps: float = field(default=1.0, metadata=PREFERENCE, **real_number(at_least=0))
    """What a round trip at the innermost level must earn over two maker fees."""
    volatility_multiplier: float = field(default=2.0, metadata=PREFERENCE, **real_number(at_least=0))
    volatility_horizon_seconds: float = field(default=5.0, metadata=PREFERENCE, **duration())
    """Expected life of a quote: over it volatility widens the spread."""
    market_spread_share: float = field(default=0.5, metadata=PREFERENCE, **real_number(at_least=0))
    """Share of the market's own spread that is added."""
    inventory_adjustment_factor: float = field(default=0.5, metadata=PREFERENCE, **real_number(at_least=0))
    """Times 100 bps: how far the side that adds to the position widens at full inventory."""
    skew_price_factor: float = field(default=0.001, metadata=PREFERENCE, **real_number(at_least=0, at_most=0.1))
    """Fraction of the reference price by which both quotes shift at full inventory."""
    fill_rate_widening_bps: float = field(default=2.0, metadata=PREFERENCE, **real_number(at_least=0))
    """Added when every quoted unit fills; proportionally less below that."""
    adverse_selection_bps: float = field(default=2.0, metadata=LOOSER_ABOVE, **real_number(at_least=0))
    """What a round trip may lack to ``min_edge_bps``, by the net markouts of own quotes, before the spread widens."""
    adverse_selection_horizon_seconds: float = field(default=30.0, metadata=PROTECTION, **duration())
    """The horizon of these markouts."""
    adverse_selection_hold_seconds: float = field(default=60.0, metadata=LOOSER_BELOW, **duration())
    """How long quoting is held where the widest spread is not enough."""
    adverse_selection_minimum_fills: int = field(default=30, metadata=LOOSER_ABOVE, validator=whole_number(at_least=1))

    fair_price: FairPrice = field(default=FairPrice.MID, metadata=PREFERENCE, **choice_of(FairPrice))
    """Around which quotes lie."""
    micro_price_model: str = field(default="", metadata=PREFERENCE, validator=any_text)
    """Text of the model that ``mm-fsm calibrate`` fits; a settings file names its file."""

    # Levels and sizes
    base_order_size: Decimal = field(default=Decimal(100), metadata=PREFERENCE, **amount(above=0))
    """Size of the innermost quote in quote currency."""
    num_price_levels: int = field(default=3, metadata=PREFERENCE, validator=whole_number(at_least=1, at_most=50))
    level_size_decay: float = field(default=0.7, metadata=PREFERENCE, **real_number(above=0, at_most=1))
    level_spread_multiplier: float = field(default=1.5, metadata=PREFERENCE, **real_number(at_least=1, at_most=10))

    # Inventory
    max_inventory_pct: float = field(default=0.1, metadata=LOOSER_ABOVE, **real_number(above=0))
    """Largest position, as a fraction of equity."""
    max_position_size: Decimal | None = field(default=None, metadata=LOOSER_ABOVE, **amount(above=0, optional=True))
    """Largest distance from the target in base units."""
    max_quote_exposure: Decimal = field(default=Decimal(10_000), metadata=LOOSER_ABOVE, **amount(above=0))
    """Largest distance from the target in quote currency."""
    target_base: Decimal | None = field(default=None, metadata=PREFERENCE, **amount(optional=True))
    """Position to hold in base units; None takes what the session starts with."""
    inventory_reprice_share: float = field(default=0.8, metadata=PREFERENCE, **real_number(above=0, at_most=1))
    """Crossing this share of the position limit reprices the quotes."""
    adjustment_policy: AdjustmentPolicy = field(
        default=AdjustmentPolicy.PASSIVE, metadata=PREFERENCE, **choice_of(AdjustmentPolicy)
    )
    adjustment_goal_share: float = field(default=0.5, metadata=PREFERENCE, **real_number(at_least=0, at_most=1))
    """An adjustment brings the position down to this share of its limit."""
    adjustment_retry_seconds: float = field(default=5.0, metadata=PREFERENCE, **duration())
    max_slippage_bps: float = field(default=20.0, metadata=LOOSER_ABOVE, **real_number(above=0))
    passive_wait_seconds: float = field(default=30.0, metadata=PREFERENCE, **duration())
    """How long a passive adjustment is expected to wait: over it the price's deviation is the risk."""
    impact_factor: float = field(default=1.0, metadata=PREFERENCE, **real_number(above=0))
    """Y of the square-root law: impact is Y * daily volatility * sqrt(size / daily volume)."""

    # When to requote
    refresh_interval_seconds: float = field(default=5.0, metadata=PREFERENCE, **duration())
    stale_move_share: float = field(default=0.25, metadata=PREFERENCE, **real_number(above=0))
    """Move of the reference price that makes quotes stale, as a share of the half-spread; at least one tick."""
    requote_tolerance_away_share: float = field(default=0.06, metadata=PREFERENCE, **real_number(at_least=0, at_most=1))
    """Move of a wanted price away from the market, as a share of its distance from the reference, below which an order
    stays. Small: a quote that is too close is picked off."""
    requote_tolerance_towards_share: float = field(
        default=0.6, metadata=PREFERENCE, **real_number(at_least=0, at_most=1)
    )
    """The same for a move towards the market. Large: it only earns the order its place in the queue."""
    level_requote_tolerance_away_shares: tuple[float, ...] = field(default=(), metadata=PREFERENCE, **shares())
    """The same by level, innermost first, in place of the one above; levels beyond the last keep that one."""
    level_requote_tolerance_towards_shares: tuple[float, ...] = field(default=(), metadata=PREFERENCE, **shares())
    size_tolerance_share: float = field(default=0.25, metadata=PREFERENCE, **real_number(at_least=0, at_most=1))
    post_only_retries: int = field(default=3, metadata=LOOSER_ABOVE, validator=whole_number(at_least=0))
    post_only_hold_seconds: float = field(default=10.0, metadata=LOOSER_BELOW, **duration())
    funds_hold_seconds: float = field(default=10.0, metadata=LOOSER_BELOW, **duration())

    # When to hold
    max_market_spread_bps: float = field(default=200.0, metadata=LOOSER_ABOVE, **real_number(above=0))
    """A wider book holds quoting, and marks nothing until it has lasted ``unsound_book_seconds``."""
    max_jump_bps: float = field(default=100.0, metadata=LOOSER_ABOVE, **real_number(above=0, at_most=5_000))
    """Distance of a touch from its slow mean beyond which a book is doubted."""
    slow_price_seconds: float = field(default=60.0, metadata=PROTECTION, **duration())
    """Time constant of the slow means of bid and ask, from which jumps are told."""
    unsound_book_seconds: float = field(default=10.0, metadata=LOOSER_BELOW, **duration())
    """How long a doubted book must last before it is believed."""
    confirming_trades: int = field(default=3, metadata=LOOSER_BELOW, validator=whole_number(at_least=1))
    """Trades at a doubted level, together of ``base_order_size`` at least, after which it is believed at once."""
    confirming_depth: float = field(default=20.0, metadata=LOOSER_BELOW, **real_number(above=0))
    """Size on each side of a doubted level, in ``base_order_size`` within ``max_jump_bps`` of the touch, that confirms
    it once every book has shown it for ``confirming_depth_seconds``."""
    confirming_depth_seconds: float = field(default=6.0, metadata=LOOSER_BELOW, **duration())
    trade_beyond_book_bps: float = field(default=10.0, metadata=LOOSER_ABOVE, **real_number(above=0))
    """Distance of a trade beyond the last book at which that book is doubted until the next one."""
    touch_size_share: float = field(default=0.05, metadata=LOOSER_BELOW, **real_number(at_least=0, at_most=10))
    """Size that makes a touch, cumulated from the best price, as a share of ``base_order_size``: less is dust."""
    thin_touch_seconds: float = field(default=30.0, metadata=LOOSER_ABOVE, **duration())
    """How long a touch may stay where it was while nothing but dust is seen there."""
    volatility_half_life_seconds: float = field(default=300.0, metadata=PREFERENCE, **duration())
    volatility_sample_seconds: float = field(default=5.0, metadata=PREFERENCE, **duration())
    volatility_kind: VolatilityKind = field(
        default=VolatilityKind.EWMA, metadata=PREFERENCE, **choice_of(VolatilityKind)
    )
    volatility_scale: int = field(default=10, metadata=PREFERENCE, validator=whole_number(at_least=2, at_most=1_000))
    """The long scale of ``two_scale``, in samples."""
    signal_half_life_seconds: float = field(default=1800.0, metadata=PREFERENCE, **duration())
    """Age at which an observation of the market's flow counts half."""
    warm_up_samples: int = field(default=12, metadata=LOOSER_BELOW, validator=whole_number(at_least=2))
    """Volatility samples without which nothing is quoted."""
    stale_data_seconds: float = field(default=10.0, metadata=LOOSER_ABOVE, **duration())
    """Age of the newest market data at which quotes are cancelled."""
    long_stale_data_seconds: float = field(default=300.0, metadata=LOOSER_ABOVE, **duration())
    """Age of the newest market data that is a fault."""

    # Risk
    price_band_bps: float = field(default=200.0, metadata=LOOSER_ABOVE, **real_number(above=0, at_most=9_999))
    """Largest distance of any order from the reference price."""
    max_drawdown: Decimal = field(default=Decimal(500), metadata=LOOSER_ABOVE, **amount(above=0))
    """Loss from the best profit so far, in quote currency, that ends trading: the kill switch."""
    max_missing_equity_share: float = field(default=1.0, metadata=LOOSER_ABOVE, **real_number(above=0, at_most=1))
    """Share of the ledger's equity that the venue's last report may lack before it is a fault; at 1 it never is one."""
    max_orders_per_interval: int = field(default=60, metadata=FACT_OF_VENUE, validator=whole_number(at_least=1))
    order_interval_seconds: float = field(default=10.0, metadata=FACT_OF_VENUE, **duration())
    order_reserve_share: float = field(default=0.1, metadata=LOOSER_BELOW, **real_number(at_least=0, at_most=0.9))
    """Share of the venue's allowances that quotes leave to orders which reduce the position."""
    rate_counter_limit: float | None = field(default=None, metadata=FACT_OF_VENUE, **optional_number(above=0))
    """Points above which the venue refuses an order, where it has a counter that requests raise and time lowers."""
    rate_counter_decay_per_second: float = field(default=1.0, metadata=FACT_OF_VENUE, **real_number(above=0))
    rate_counter_order_points: float = field(default=1.0, metadata=FACT_OF_VENUE, **real_number(at_least=0))
    rate_counter_cancel_points: tuple[tuple[float, float], ...] = field(default=(), metadata=FACT_OF_VENUE, **pairs())
    """Pairs of an order's age in seconds and a cancel's points below that age, ages rising; older ones are free."""
    max_orders_per_fill: float | None = field(default=None, metadata=FACT_OF_VENUE, **optional_number(above=0))
    """Placements for each fill beyond which no quote is placed until the window ends, where the venue bounds that."""
    orders_per_fill_window_seconds: float = field(default=86_400.0, metadata=FACT_OF_VENUE, **duration())
    """The time over which it is counted, from multiples of it since 1970 on."""
    orders_per_fill_free: int = field(default=1_000, metadata=FACT_OF_VENUE, validator=whole_number(at_least=0))
    """Placements in a window before that bound counts."""
    presence_distance_bps: float | None = field(default=None, metadata=FACT_OF_VENUE, **optional_number(above=0))
    """Distance from the reference price within which a quote counts as present, where the venue's programme asks it."""
    max_live_orders: int = field(default=20, metadata=LOOSER_ABOVE, validator=whole_number(at_least=1))

    max_rejections_in_a_row: int = field(default=5, metadata=LOOSER_ABOVE, validator=whole_number(at_least=1))
    """Placements refused by the venue, for reasons that are not ordinary, after which it is a fault."""
    rejection_hold_seconds: float = field(default=5.0, metadata=LOOSER_BELOW, **duration())
    min_liquidation_distance: float = field(default=0.1, metadata=LOOSER_BELOW, **real_number(at_least=0, at_most=1))
    """For contracts: equity over worst-case notional, roughly the adverse move that would use up the margin."""

    # Requests
    request_timeout_seconds: float = field(default=5.0, metadata=LOOSER_ABOVE, **duration())
    query_interval_seconds: float = field(default=2.0, metadata=PREFERENCE, **duration())
    validity_window_seconds: float = field(default=30.0, metadata=FACT_OF_VENUE, **duration())
    """How long after its sending a placement may still reach the venue's book."""
    balances_interval_seconds: float = field(default=60.0, metadata=PREFERENCE, **duration())

    # Reconciliation with the venue
    reconcile_interval_seconds: float = field(default=60.0, metadata=LOOSER_ABOVE, **duration())
    stray_order_policy: StrayOrderPolicy = field(
        default=StrayOrderPolicy.CANCEL, metadata=PROTECTION, **choice_of(StrayOrderPolicy)
    )
    position_mismatch_policy: PositionMismatchPolicy = field(
        default=PositionMismatchPolicy.REFUSE, metadata=PROTECTION, **choice_of(PositionMismatchPolicy)
    )

    # Faults
    recovery_backoff_seconds: float = field(default=1.0, metadata=LOOSER_BELOW, **duration())
    """Wait before the first recovery; doubles with each attempt."""
    max_recovery_backoff_seconds: float = field(default=60.0, metadata=LOOSER_BELOW, **duration())
    max_recovery_attempts: int = field(
        default=5, metadata=LOOSER_ABOVE, validator=whole_number(at_least=0, at_most=1_000)
    )
    max_session_recoveries: int = field(default=50, metadata=LOOSER_ABOVE, validator=whole_number(at_least=0))
    recovery_reset_seconds: float = field(default=300.0, metadata=LOOSER_BELOW, **duration())
    """Health after which the attempts count anew."""
    wind_down_on_fault: bool = field(default=True, metadata=PROTECTION, validator=yes_or_no)
    """Whether a fault that cannot be recovered from reduces the position, or keeps it."""

    # The end
    session_seconds: float | None = field(default=None, metadata=PREFERENCE, **duration(optional=True))
    wind_down_passive_seconds: float = field(default=60.0, metadata=PREFERENCE, **duration(at_least=0))
    wind_down_deadline_seconds: float = field(default=300.0, metadata=LOOSER_ABOVE, **duration())
    wind_down_slice: Decimal = field(default=Decimal(1_000), metadata=LOOSER_ABOVE, **amount(above=0))
    """Largest single order of a wind-down after its passive part, in quote currency."""
    flatten_on_signal: bool = field(default=False, metadata=PREFERENCE, validator=yes_or_no)
    """Whether a signal that ends the process winds the position down first, and does not only cancel."""

    services: ServiceNames = field(factory=ServiceNames, metadata=PREFERENCE, validator=one_of(ServiceNames))
    service_options: Mapping[str, Any] = field(factory=dict, metadata=PREFERENCE, converter=frozen_mapping)
    """Options of services: a shipped service's stand in a table of its name, the rest is free for third parties."""

    def __attrs_post_init__(self) -> None:
        _ = self.rate_counter, self.orders_per_fill  # refused here, not when the first order leaves
        self._require_order("min_spread_bps", "max_spread_bps")
        self._require_order("stale_data_seconds", "long_stale_data_seconds")
        self._require_order("wind_down_passive_seconds", "wind_down_deadline_seconds")
        self._require_order("recovery_backoff_seconds", "max_recovery_backoff_seconds")
        if self.max_slippage_bps > self.price_band_bps:
            raise SettingsError(
                "max_slippage_bps",
                f"at most price_band_bps ({self.price_band_bps})",
                self.max_slippage_bps,
                "No order may pass the price band: lower the slippage or widen the band.",
            )
        if self.fair_price is FairPrice.MICRO_PRICE and not self.micro_price_model:
            remedy = "Fit one with mm-fsm calibrate --out FILE and name the file."
            raise SettingsError("micro_price_model", "a fitted model", "nothing", remedy)
        if 2 * self.num_price_levels + 1 > self.max_live_orders:
            raise SettingsError(
                "max_live_orders",
                f"at least 2 * num_price_levels + 1 ({2 * self.num_price_levels + 1})",
                self.max_live_orders,
                "Allow more orders or quote fewer levels.",
            )

    def _require_order(self, low: str, high: str) -> None:
        if getattr(self, low) > getattr(self, high):
            raise SettingsError(
                low, f"at most {high} ({getattr(self, high)})", getattr(self, low), f"Lower it or raise {high}."
            )

    @property
    def rate_counter(self) -> DecayingCounter | None:
        """The venue's counter of requests; None where it has none."""
        if self.rate_counter_limit is None:
            return None
        return DecayingCounter(
            limit=self.rate_counter_limit,
            decay_per_second=self.rate_counter_decay_per_second,
            points_per_order=self.rate_counter_order_points,
            points_per_cancel=self.rate_counter_cancel_points,
        )

    @property
    def orders_per_fill(self) -> OrdersPerFill | None:
        """The venue's bound on orders for each fill; None where it has none."""
        if self.max_orders_per_fill is None:
            return None
        return OrdersPerFill(
            most=self.max_orders_per_fill,
            window=nanoseconds(self.orders_per_fill_window_seconds),
            free=self.orders_per_fill_free,
        )

    @cached_property
    def float_order_size(self) -> float:
        """``base_order_size`` as a float."""
        return float(self.base_order_size)

    def requote_tolerance_share(self, level: int, *, towards_market: bool) -> float:
        """Tolerated move of a level's wanted price, as a share of its distance from the reference."""
        if towards_market:
            by_level, general = self.level_requote_tolerance_towards_shares, self.requote_tolerance_towards_share
        else:
            by_level, general = self.level_requote_tolerance_away_shares, self.requote_tolerance_away_share
        return by_level[level] if level < len(by_level) else general

    @cached_property
    def requote_tolerances(self) -> tuple[tuple[Decimal, Decimal], ...]:
        """By level, the exact shares of ``requote_tolerance_share``: towards the market, and away from it.

        The last ones are those of every further level.
        """
        listed = max(len(self.level_requote_tolerance_towards_shares), len(self.level_requote_tolerance_away_shares))
        return tuple(
            (
                exact(self.requote_tolerance_share(level, towards_market=True)),
                exact(self.requote_tolerance_share(level, towards_market=False)),
            )
            for level in range(listed + 1)
        )

    def spread_floor_bps(self, fees: Fees) -> float:
        """The narrowest spread that pays: two maker fees and the minimum edge, in bps.

        Raises:
            SettingsError: it is above ``max_spread_bps``, so that every quote would lose money.
        """
        floor = 2 * float(fees.maker_bps) + self.min_edge_bps
        if floor > self.max_spread_bps:
            raise SettingsError(
                "max_spread_bps",
                f"at least 2 * maker fee + min_edge_bps ({floor:g})",
                self.max_spread_bps,
                "Raise max_spread_bps: at this fee every narrower round trip loses money.",
            )
        return max(floor, 0.0)
