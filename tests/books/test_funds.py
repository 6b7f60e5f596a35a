"""What can surely be paid together can be paid one after the other, in fractions that are never rounded."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from mm_fsm.books.working_state import Funds
from mm_fsm.core.messages import SIDES, Side

amounts = st.decimals(min_value=-1000, max_value=1000, places=3)
levels = st.lists(
    st.tuples(
        st.decimals(min_value=Decimal("0.01"), max_value=200, places=2),
        st.decimals(min_value=Decimal("0.001"), max_value=9, places=3),
    ),
    min_size=1,
    max_size=4,
)


@given(money=amounts, base=amounts, side=st.sampled_from(SIDES), orders=levels)
def test_orders_that_are_covered_together_are_covered_one_by_one(
    money: Decimal, base: Decimal, side: Side, orders: list[tuple[Decimal, Decimal]]
) -> None:
    spent = sum((price * size for price, size in orders), Decimal(0))
    used = sum((size for _, size in orders), Decimal(0))
    if not Funds(money, base).cover(spent, used, max(price for price, _ in orders), side):
        return
    left, held = Fraction(money), Fraction(base)
    for price, size in orders:
        assert left / Fraction(price) + held >= Fraction(size)
        if side is Side.BID:
            left -= Fraction(price) * Fraction(size)
        else:
            held -= Fraction(size)


def test_what_just_suffices_is_enough_and_a_little_less_is_not() -> None:
    """By hand: bids of 2 at 10 and 1 at 9 take 29; asks of the same take 3 of the base."""
    spent, used, highest = Decimal(29), Decimal(3), Decimal(10)
    assert Funds(Decimal(29), Decimal(0)).cover(spent, used, highest, Side.BID)
    assert not Funds(Decimal("28.99"), Decimal(0)).cover(spent, used, highest, Side.BID)
    assert Funds(Decimal(0), Decimal(3)).cover(spent, used, highest, Side.ASK)
    assert not Funds(Decimal(0), Decimal("2.99")).cover(spent, used, highest, Side.ASK)
    assert not Funds(Decimal(-1), Decimal(100)).cover(spent, used, highest, Side.ASK)
