"""The micro-price: where the mid will go, given the book's imbalance and spread (Stoikov 2018).

A quote is in one of finitely many states: its imbalance I in bins, its spread in ticks. From one quote to the next the
state changes with or without a move of the mid. With Q the probabilities of going to a state without a move, T those
with one, and k the mean move in one step from each state::

    G1 = (1 - Q)^-1 k        B = (1 - Q)^-1 T        G = G1 + B G1 + B^2 G1 + ...

G is the expected sum of all moves to come, so that mid + G is a martingale. The data are symmetrised: each transition
counts once more with bid and ask exchanged, which makes G odd in I - 1/2, removes any drift, and lets the sum converge.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from attrs import asdict, field, frozen

from mm_fsm.errors import SettingsError
from mm_fsm.estimators.order_flow import imbalance

_CONVERGED: Final = 1e-12
"""Ticks: what the next term of the series must stay below."""
_MOST_TERMS: Final = 100_000


def _as_tuples(rows: Iterable[Iterable[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in rows)


@frozen(kw_only=True)
class TopOfBook:
    """One quote: prices in quote per base, sizes in any one unit."""

    bid_price: float
    ask_price: float
    bid_size: float
    ask_size: float


@frozen(kw_only=True)
class MicroPriceModel:
    """G by spread and imbalance, and what it was fitted on.

    Args:
        tick_size: quote per base.
        adjustments: for each spread from one tick on, one row of G by imbalance bin, in ticks.
        quotes: how many quotes were used.
        data_digest: SHA-256 of the quotes that were used, so that a model is not taken for another's.
        market: their symbol.
    """

    tick_size: float
    adjustments: tuple[tuple[float, ...], ...] = field(converter=_as_tuples)
    quotes: int
    data_digest: str
    market: str = ""
    """Symbol of the market whose quotes these were."""

    def adjustment(self, bid_price: float, ask_price: float, bid_size: float, ask_size: float) -> float:
        """What the micro-price adds to the mid, quote per base. A spread wider than any seen counts as the widest."""
        spread = _spread_in_ticks(bid_price, ask_price, self.tick_size)
        row = self.adjustments[min(spread, len(self.adjustments)) - 1]
        return row[_bin(imbalance(bid_size, ask_size), len(row))] * self.tick_size

    def require_market(self, symbol: str, tick_size: float) -> None:
        """Refuse a model of another market.

        Raises:
            SettingsError: symbol or tick size differ.
        """
        remedy = "Fit it again with mm-fsm calibrate on this market."
        if self.market != symbol:
            raise SettingsError("micro_price_model", f"a model of {symbol}", self.market, remedy)
        if not math.isclose(self.tick_size, tick_size, rel_tol=1e-9):
            raise SettingsError("micro_price_model", f"a model for ticks of {tick_size:g}", self.tick_size, remedy)

    def dumps(self) -> str:
        """The model as JSON text."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def loads(cls, text: str) -> MicroPriceModel:
        """The model that ``dumps`` wrote.

        Raises:
            SettingsError: the text is not such a model.
        """
        try:
            model = cls(**json.loads(text))
        except (TypeError, ValueError):
            model = None
        if model is None or not model.is_sound:
            raise SettingsError("micro_price", "a fitted model", text[:40], "Fit it again with mm-fsm calibrate.")
        return model

    @property
    def is_sound(self) -> bool:
        """Whether there is a finite adjustment for every bin of every spread."""
        widths = {len(row) for row in self.adjustments}
        are_finite = all(math.isfinite(value) for row in self.adjustments for value in row)
        return len(widths) == 1 and 0 not in widths and are_finite and 0 < self.tick_size < math.inf


@lru_cache(maxsize=64)
def micro_price_model(text: str) -> MicroPriceModel:
    """The model that ``dumps`` wrote, read once for all who ask.

    Raises:
        SettingsError: the text is not such a model.
    """
    return MicroPriceModel.loads(text)


def fit_micro_price(
    quotes: Iterable[TopOfBook], *, tick_size: float, market: str = "", bins: int = 10, most_ticks: int = 8
) -> MicroPriceModel:
    """Estimate G from consecutive quotes of one market, in order.

    Args:
        quotes: locked, crossed and empty ones are passed over, and nothing connects what lies on either side.
        tick_size: quote per base.
        market: symbol of the market, which the model carries.
        bins: of the imbalance; an even number, so that balance is an edge and both halves mirror each other.
        most_ticks: wider spreads count as this wide.

    Raises:
        SettingsError: a value is out of its range, or the quotes never move.
    """
    if bins < 2 or bins % 2:  # noqa: PLR2004 - halves
        raise SettingsError("micro_price_bins", "an even number of at least 2", bins, "Use 10.")
    if most_ticks < 1 or not 0 < tick_size < math.inf:
        raise SettingsError("micro_price_ticks", "at least one tick of positive size", most_ticks, "Correct it.")
    counts, used, digest = _count_transitions(quotes, tick_size, bins, most_ticks)
    if not any(move for _, _, move in counts):
        raise SettingsError("quotes", "a mid that moves", f"{used} quotes without a move", "Use a longer recording.")
    ticks = _solve(counts, bins * most_ticks)
    rows = tuple(tuple(ticks[row * bins : (row + 1) * bins]) for row in range(most_ticks))
    return MicroPriceModel(tick_size=tick_size, adjustments=rows, quotes=used, data_digest=digest, market=market)


_Transitions = Mapping[tuple[int, int, int], int]
"""How often, by state before, state after, and move of the mid in half ticks."""


def _count_transitions(
    quotes: Iterable[TopOfBook], tick_size: float, bins: int, most_ticks: int
) -> tuple[_Transitions, int, str]:
    counts: dict[tuple[int, int, int], int] = {}
    digest, used = hashlib.sha256(), 0
    before: tuple[int, int] | None = None
    for quote in quotes:
        if not (0 < quote.bid_price < quote.ask_price and quote.bid_size > 0 and quote.ask_size > 0):
            before = None
            continue
        used += 1
        digest.update(repr((quote.bid_price, quote.ask_price, quote.bid_size, quote.ask_size)).encode())
        spread = min(_spread_in_ticks(quote.bid_price, quote.ask_price, tick_size), most_ticks)
        share = _bin(imbalance(quote.bid_size, quote.ask_size), bins)
        state = (spread - 1) * bins + share
        half_ticks = round((quote.bid_price + quote.ask_price) / tick_size)
        if before is not None:
            first, level = before
            move = half_ticks - level
            mirrored = (_mirror(first, bins), _mirror(state, bins), -move)
            for transition in ((first, state, move), mirrored):
                counts[transition] = counts.get(transition, 0) + 1
        before = (state, half_ticks)
    return counts, used, digest.hexdigest()


def _solve(counts: _Transitions, states: int) -> list[float]:
    """G in ticks; 0 for states that were never left."""
    leaving = [0] * states
    for (first, _, _), count in counts.items():
        leaving[first] += count
    staying = [[float(row == column) for column in range(states)] for row in range(states)]
    moving = [[0.0] * states for _ in range(states)]
    mean_move = [0.0] * states
    for (first, then, move), count in counts.items():
        share = count / leaving[first]
        mean_move[first] += share * move / 2
        if move:
            moving[first][then] += share
        else:
            staying[first][then] -= share
    columns = _solve_linear(staying, [[*row, move] for row, move in zip(moving, mean_move, strict=True)])
    b, term = [row[:-1] for row in columns], [row[-1] for row in columns]
    total = term
    for _ in range(_MOST_TERMS):
        term = [math.fsum(share * value for share, value in zip(row, term, strict=True)) for row in b]
        total = [one + other for one, other in zip(total, term, strict=True)]
        if max(map(abs, term)) < _CONVERGED:
            return total
    raise SettingsError("quotes", "a book whose moves die out", "a series that does not", "Use a longer recording.")


def _solve_linear(matrix: list[list[float]], right: list[list[float]]) -> list[list[float]]:
    """Gauss-Jordan elimination with pivots. A state that is never left for a move has a row of zeros: its G is 0."""
    size = len(matrix)
    rows = [[*left, *values] for left, values in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        head = rows[column][column]
        if abs(head) < 1e-300:  # noqa: PLR2004 - never left
            rows[column] = [0.0] * len(rows[column])
            rows[column][column] = 1.0
            continue
        rows[column] = [value / head for value in rows[column]]
        for row in range(size):
            factor = rows[row][column]
            if row != column and factor:
                rows[row] = [value - factor * own for value, own in zip(rows[row], rows[column], strict=True)]
    return [row[size:] for row in rows]


def _mirror(state: int, bins: int) -> int:
    spread, share = divmod(state, bins)
    return spread * bins + bins - 1 - share


def _spread_in_ticks(bid_price: float, ask_price: float, tick_size: float) -> int:
    return max(round((ask_price - bid_price) / tick_size), 1)


def _bin(share: float, bins: int) -> int:
    return min(int(share * bins), bins - 1)
