"""Is this book sound? It is judged before it marks anything: money, limits, volatility, the kill switch, a quote.

A book is doubted when its spread is too wide, when one of its touches lies too far from where that touch was over the
last minute, or when trades contradict it. A doubted book holds quoting and marks nothing. What is doubted is believed
once it has lasted, or once trades or depth at the new level confirm it: a crash that is real is not slept through.
Depth confirms a jump when every book for some seconds, the one at hand included, shows much size of others on both
sides; one book alone says nothing, since whoever shows size may take it away. Trades beyond the book are contradicted
by nothing but the next book, and doubted until then.

The slow touches are exponentially weighted means over time: each price counts for as long as it stood. They are frozen
while a book is doubted, and begin anew at a level that has lasted. They bound what an ending may pay for leaving:
trades or depth that confirm a jump do not move that bound, only time does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Final

from attrs import define, field, frozen

from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.messages import Side
from mm_fsm.core.settings import MarketMakingSettings

_BPS: Final = 10_000.0

ShownDepth = Callable[[], float]
"""What others show near the touches, on the side that shows less, quote currency. Asked for a doubted book only."""


class DoubtKind(StrEnum):
    """Why a book is doubted."""

    WIDE = "wide"
    JUMP = "jump"
    CONTRADICTED = "contradicted"
    """By trades beyond it, until a later book."""


@frozen
class Doubt:
    """A book that marks nothing, and since when, nanoseconds."""

    kind: DoubtKind
    detail: str
    since: int


@define(eq=False)
class ReferencePrice:
    """Judges books and trades; see the module's description. Times are nanoseconds, prices quote per base."""

    settings: MarketMakingSettings = field(repr=False)

    doubt: Doubt | None = field(init=False, default=None)
    """Why the book as it stands marks nothing; None while it is sound."""
    doubted: int = field(init=False, default=0)
    """How often a book or a trade began a doubt."""
    believed: int = field(init=False, default=0)
    """How often a doubt ended because it had lasted, or trades or depth confirmed it."""
    slow_bid: float | None = field(init=False, default=None)
    slow_ask: float | None = field(init=False, default=None)
    _bid: float = field(init=False, default=0.0)
    _ask: float = field(init=False, default=0.0)
    _stood_bid: float = field(init=False, default=0.0)
    _stood_ask: float = field(init=False, default=0.0)
    """The touches of the last sound book."""
    _stood_until: int = field(init=False, default=0)
    """Until when they are known to have stood."""
    _observed_at: int = field(init=False, default=0)
    """Until when the slow touches have followed them."""
    _is_in_line: bool = field(init=False, default=False)
    """Whether the last book agreed with the slow touches. One with the same touches then does, too: meanwhile the slow
    touches only come nearer, and are moved once another touch is judged."""
    _apart_since: int | None = field(init=False, default=None)
    """Since when the book lies apart from the slow touches, confirmed or not."""
    _confirmed: float = field(init=False, default=0.0)
    """Quote currency traded at the doubted level since the doubt began."""
    _confirming_trades: int = field(init=False, default=0)
    _deep_since: int | None = field(init=False, default=None)
    """Since when every book of the doubted level showed much size on both sides."""
    _has_been_confirmed: bool = field(init=False, default=False)
    """Trades or depth confirmed the level that is apart: it marks, and the bound of endings waits for time."""
    _apart_bid: float = field(init=False, default=0.0)
    _apart_ask: float = field(init=False, default=0.0)
    """The touches at which the book came to lie apart: a level far from them has neither lasted nor been confirmed."""

    def judge_book(self, now: int, bid: Decimal, ask: Decimal, depth: ShownDepth) -> bool:
        """Judge a book with two sides that do not cross; whether it is sound.

        Args:
            now: nanoseconds.
            bid: its touch, quote per base.
            ask: the same.
            depth: what it shows within ``depth_reach`` of them.
        """
        as_bid, as_ask = float(bid), float(ask)
        if self._is_in_line and as_bid == self._bid and as_ask == self._ask and self.doubt is None:
            self._stood_until = max(now, self._stood_until)
            return True
        self._bid, self._ask = as_bid, as_ask
        return self._judge(now, depth)

    def note_broken_book(self) -> None:
        """A book had no two sides, or they cross: it shows no depth at any level."""
        self._deep_since = None

    @property
    def depth_reach(self) -> float:
        """How far from its touch size counts, as a fraction of the touch."""
        return self.settings.max_jump_bps / _BPS

    def pass_time(self, now: int) -> bool:
        """Let time pass without a book; whether a doubted book is believed now."""
        if self.doubt is None or self.doubt.kind is DoubtKind.CONTRADICTED:
            return False
        return now >= self.doubt.since + self._patience and self._judge(now)

    def note_trade(self, now: int, price: Decimal, quote_size: float, taker: Side) -> bool:
        """Take a trade that is no older than the book: it may confirm a doubted level, or contradict the book.

        Returns:
            Whether it did either.
        """
        if not self._bid or not self._ask:
            return False
        traded, settings = float(price), self.settings
        if self.doubt is not None and self.doubt.kind is not DoubtKind.CONTRADICTED:
            reach = settings.trade_beyond_book_bps / _BPS
            if self._bid * (1 - reach) <= traded <= self._ask * (1 + reach) and not self._is_near_slow(traded):
                self._confirming_trades += 1
                self._confirmed += quote_size
                return True
            return False
        beyond = (self._bid - traded) / self._bid if taker is Side.ASK else (traded - self._ask) / self._ask
        if beyond * _BPS > settings.max_jump_bps:  # one print far outside says nothing; the next book will tell
            return False
        if beyond * _BPS > settings.trade_beyond_book_bps and self.doubt is None:
            detail = f"a trade {beyond * _BPS:.1f} bps beyond it, at {price}"
            self._begin(Doubt(DoubtKind.CONTRADICTED, detail, now))
            return True
        return False

    @property
    def deadline(self) -> int | None:
        """When time alone will have a doubted book believed, or the bound of endings follow it."""
        since = self._apart_since
        return None if since is None else since + self._patience

    @property
    def slow_price(self) -> float | None:
        """The middle of the slow touches; None before the first sound book."""
        if self.slow_bid is None or self.slow_ask is None:
            return None
        return (self.slow_bid + self.slow_ask) / 2

    @property
    def is_calm(self) -> bool:
        """Whether nothing speaks against the book as it stands."""
        return self.doubt is None and self._apart_since is None

    @property
    def is_apart(self) -> bool:
        """Whether the book lies apart from the slow touches: then an ending is bounded by these, not by the book."""
        return self._apart_since is not None

    def forget(self) -> None:
        """The connection was lost: the next book begins anew, since the market may have moved any distance."""
        self.slow_bid = self.slow_ask = self.doubt = self._apart_since = None
        self._has_been_confirmed = self._is_in_line = False

    def snapshot(self) -> tuple[object, ...]:
        """Everything that later judgements depend on, in a fixed order: for digests."""
        doubt = None if self.doubt is None else (self.doubt.kind.value, self.doubt.since)
        counts = (self.doubted, self.believed, self._confirmed, self._confirming_trades, self._has_been_confirmed)
        slow = (self.slow_bid, self.slow_ask, self._stood_bid, self._stood_ask, self._observed_at)
        return (
            doubt,
            *counts,
            *slow,
            self._stood_until,
            self._is_in_line,
            self._bid,
            self._ask,
            self._apart_bid,
            self._apart_ask,
            self._apart_since,
            self._deep_since,
        )

    # -- inside -----------------------------------------------------------------------------------------------------

    @property
    def _patience(self) -> int:
        return nanoseconds(self.settings.unsound_book_seconds)

    def _judge(self, now: int, depth: ShownDepth | None = None) -> bool:
        self._catch_up()
        problem = self._problem()
        self._is_in_line = problem is None
        if problem is None:
            self._apart_since, self._has_been_confirmed = None, False
            self._end_doubt()
            self._follow(now)
            return True
        if self._apart_since is None or self._is_another_level():
            self._apart_since, self._has_been_confirmed = now, False
            self._apart_bid, self._apart_ask = self._bid, self._ask
            self._end_doubt()
        if now >= self._apart_since + self._patience:
            self._begin_anew(now)
            return True
        if depth is not None and not self._has_been_confirmed:
            self._note_depth(now, depth())
        is_deep = problem[0] is DoubtKind.JUMP and self._has_been_deep(now)
        if self._has_been_confirmed or is_deep or self._is_confirmed():
            self._has_been_confirmed = True
            self.believed += self.doubt is not None
            self._end_doubt()
            return True
        if self.doubt is None or self.doubt.kind is not problem[0]:
            self._begin(Doubt(*problem, self._apart_since))
        return False

    def _problem(self) -> tuple[DoubtKind, str] | None:
        settings, bid, ask = self.settings, self._bid, self._ask
        spread = (ask - bid) / ((ask + bid) / 2) * _BPS
        if spread > settings.max_market_spread_bps:
            return DoubtKind.WIDE, f"{spread:.1f} bps is wider than the limit"
        for name, price, slow in (("bid", bid, self.slow_bid), ("ask", ask, self.slow_ask)):
            if slow is not None and abs(price / slow - 1) * _BPS > settings.max_jump_bps:
                return DoubtKind.JUMP, f"its {name} lies {(price / slow - 1) * _BPS:+.0f} bps from its slow mean"
        return None

    def _is_another_level(self) -> bool:
        """Whether the book left the level at which it came to lie apart."""
        pairs = ((self._bid, self._apart_bid), (self._ask, self._apart_ask))
        return any(abs(price / apart - 1) * _BPS > self.settings.max_jump_bps for price, apart in pairs)

    def _is_near_slow(self, price: float) -> bool:
        """Whether a trade agrees with where the market was: then it confirms nothing else."""
        if self.slow_bid is None or self.slow_ask is None:
            return False
        reach = self.settings.trade_beyond_book_bps / _BPS
        return self.slow_bid * (1 - reach) <= price <= self.slow_ask * (1 + reach)

    def _is_confirmed(self) -> bool:
        settings = self.settings
        enough = float(settings.base_order_size)
        return self._confirming_trades >= settings.confirming_trades and self._confirmed >= enough

    def _note_depth(self, now: int, shown: float) -> None:
        enough = self.settings.confirming_depth * float(self.settings.base_order_size)
        if shown < enough:
            self._deep_since = None
        elif self._deep_since is None:
            self._deep_since = now

    def _has_been_deep(self, now: int) -> bool:
        since = self._deep_since
        return since is not None and now >= since + nanoseconds(self.settings.confirming_depth_seconds)

    def _begin(self, doubt: Doubt) -> None:
        if self.doubt is None:
            self.doubted += 1
            self._confirmed, self._confirming_trades = 0.0, 0
        self.doubt = doubt

    def _end_doubt(self) -> None:
        self.doubt = None
        self._confirmed, self._confirming_trades, self._deep_since = 0.0, 0, None

    def _begin_anew(self, now: int) -> None:
        """What has lasted is the market."""
        self.believed += self.doubt is not None
        self.slow_bid = self.slow_ask = None
        self._follow(now)
        self._apart_since, self._has_been_confirmed = None, False
        self._end_doubt()

    def _follow(self, now: int) -> None:
        """Move the slow touches towards what stood until now, by the time it stood."""
        self._stood_until = max(now, self._stood_until)
        if self.slow_bid is None or self.slow_ask is None:
            self.slow_bid, self.slow_ask, self._observed_at = self._bid, self._ask, self._stood_until
        else:
            self._catch_up()
        self._stood_bid, self._stood_ask = self._bid, self._ask

    def _catch_up(self) -> None:
        """Move the slow touches by the time for which the same touches are known to have stood."""
        elapsed = self._stood_until - self._observed_at
        if elapsed <= 0 or self.slow_bid is None or self.slow_ask is None:
            return
        share = -math.expm1(-seconds(elapsed) / self.settings.slow_price_seconds)
        self.slow_bid += share * (self._stood_bid - self.slow_bid)
        self.slow_ask += share * (self._stood_ask - self.slow_ask)
        self._observed_at = self._stood_until
