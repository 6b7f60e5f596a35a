"""The micro-price is a martingale on the data it was fitted on, odd in the imbalance, and right where it is known."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest

from mm_fsm.errors import SettingsError
from mm_fsm.estimators.micro_price import MicroPriceModel, TopOfBook, fit_micro_price

TICK = 0.01


def book(level: int, share: float, spread: int = 1) -> TopOfBook:
    """A book of one or more ticks whose bid is at ``level`` ticks and holds ``share`` of the size."""
    return TopOfBook(
        bid_price=level * TICK, ask_price=(level + spread) * TICK, bid_size=share * 100, ask_size=(1 - share) * 100
    )


def two_states(generator: random.Random, count: int, up: float) -> Iterator[TopOfBook]:
    """Heavy bids precede a rise of one tick with probability ``up``; after a move the side is new."""
    level, heavy = 200_000, True
    for _ in range(count):
        yield book(level, 0.75 if heavy else 0.25)
        draw = generator.random()
        if draw < 0.2:
            level += 1 if (generator.random() < up) == heavy else -1
            heavy = generator.random() < 0.5
        elif draw < 0.5:
            heavy = not heavy


def test_two_states_by_hand() -> None:
    # From "heavy bid": with 0.2 a move of 2 up - 1 = 0.6 ticks in the mean and then a fresh side, worth 0 by symmetry;
    # with 0.3 the other side, worth -g; else g again: g = 0.2 * 0.6 - 0.3 g + 0.5 g, so g = 0.12 / 0.8 = 0.15.
    model = fit_micro_price(two_states(random.Random(3), 200_000, up=0.8), tick_size=TICK, bins=2, most_ticks=1)
    assert model.adjustments[0][1] == pytest.approx(0.15, abs=0.01)
    assert model.adjustments[0][0] == pytest.approx(-model.adjustments[0][1])
    heavy = model.adjustment(2_000.00, 2_000.01, 75.0, 25.0)
    assert heavy == pytest.approx(0.15 * TICK, abs=0.01 * TICK)


def wandering(generator: random.Random, count: int) -> Iterator[TopOfBook]:
    """Shares, spreads and moves that depend on each other in no simple way."""
    level, share, spread = 200_000, 0.5, 1
    for _ in range(count):
        yield book(level, share, spread)
        share = min(max(share + generator.uniform(-0.2, 0.2), 0.02), 0.98)
        if generator.random() < 0.15 + 0.2 * abs(share - 0.5):
            level += 1 if generator.random() < share else -1
            spread = generator.choice((1, 1, 2, 3))
            share = generator.uniform(0.1, 0.9)


def test_mid_plus_adjustment_is_a_martingale_on_its_own_data() -> None:
    """From every state the mean of move and next adjustment is the adjustment, over the data and their mirror image."""
    quotes = list(wandering(random.Random(11), 20_000))
    model = fit_micro_price(quotes, tick_size=TICK, bins=4, most_ticks=3)
    sums: dict[float, list[float]] = {}

    def micro(quote: TopOfBook) -> tuple[float, float]:
        g = model.adjustment(quote.bid_price, quote.ask_price, quote.bid_size, quote.ask_size) / TICK
        return g, (quote.bid_price + quote.ask_price) / 2 / TICK

    for before, after in pairwise(quotes):
        (g, mid), (next_g, next_mid) = micro(before), micro(after)
        change = next_mid + next_g - mid - g
        sums.setdefault(round(g, 9), []).append(change)
        sums.setdefault(-round(g, 9), []).append(-change)
    assert len(sums) >= 8
    for changes in sums.values():
        assert sum(changes) / len(changes) == pytest.approx(0.0, abs=1e-6)


def test_it_is_odd_in_the_imbalance_and_rises_with_it() -> None:
    model = fit_micro_price(wandering(random.Random(2), 50_000), tick_size=TICK, bins=4, most_ticks=3)
    for row in model.adjustments:
        assert row == pytest.approx([-value for value in reversed(row)])
        assert list(row) == sorted(row)


def test_a_saved_model_is_the_same_and_names_its_data() -> None:
    quotes = list(wandering(random.Random(2), 5_000))
    model = fit_micro_price(quotes, tick_size=TICK)
    assert MicroPriceModel.loads(model.dumps()) == model
    other = fit_micro_price(quotes[:-1], tick_size=TICK)
    assert other.data_digest != model.data_digest
    assert (model.quotes, other.quotes) == (5_000, 4_999)


def test_a_hole_in_the_book_connects_nothing() -> None:
    """Pieces of a recording that lie 50,000 ticks apart give what their transitions give, without the jumps between."""
    crossed = TopOfBook(bid_price=2.0, ask_price=1.0, bid_size=1.0, ask_size=1.0)
    apart: list[TopOfBook] = []
    with_holes: list[TopOfBook] = []
    for number in range(20):
        quotes = wandering(random.Random(number), 500)
        piece = [book(round(q.bid_price / TICK) + 50_000 * number, q.bid_size / 100) for q in quotes]
        apart += piece
        with_holes += [*piece, crossed]
    connected = fit_micro_price(apart, tick_size=TICK, bins=2, most_ticks=1)
    separate = fit_micro_price(with_holes, tick_size=TICK, bins=2, most_ticks=1)
    assert separate.quotes == connected.quotes == 10_000
    assert max(map(abs, separate.adjustments[0])) < 5 < max(map(abs, connected.adjustments[0]))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [({"bins": 3}, "micro_price_bins"), ({"most_ticks": 0}, "micro_price_ticks"), ({"tick_size": 0.0}, "micro_price")],
)
def test_a_wrong_argument_is_refused(arguments: dict[str, float], field: str) -> None:
    with pytest.raises(SettingsError, match=field):
        fit_micro_price([], **{"tick_size": TICK, **arguments})  # type: ignore[arg-type]


def test_quotes_that_never_move_are_refused() -> None:
    with pytest.raises(SettingsError, match="moves"):
        fit_micro_price([book(100, 0.5)] * 10, tick_size=TICK)


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"tick_size": 0, "adjustments": [[1]], "quotes": 1, "data_digest": ""}']
)
def test_a_text_that_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="calibrate"):
        MicroPriceModel.loads(text)
