"""Whether a venue's counter of requests has room for the whole ladder of quotes, and for moving its innermost."""

from __future__ import annotations

from attrs import define

from mm_fsm.books.request_budget import RequestBudget
from mm_fsm.books.request_rates import RequestRates
from mm_fsm.core.clock import NANOSECONDS_PER_SECOND
from mm_fsm.core.settings import MarketMakingSettings


@define
class _Placed:
    placed_at: int
    cancel_in_flight: bool = False


def why_ladder_does_not_fit(settings: MarketMakingSettings) -> str:
    """What the counter has no room for; empty where all fits, or there is no counter.

    First every level of both sides, all at once; then, with all of them resting a second and the counter at 0 again,
    new prices for the innermost of each side.
    """
    counter = settings.rate_counter
    if counter is None:
        return ""
    rates = RequestRates(
        most_orders=2 * settings.num_price_levels + 2,
        interval=NANOSECONDS_PER_SECOND,
        counter=counter,
        reserve_share=0.0,
    )
    wanted = 2 * settings.num_price_levels
    start = RequestBudget(rates=rates, now=0, ending=rates.cost_of_ending(0, ()))
    placed = sum(start.place() for _ in range(wanted))
    where = f"rate_counter_limit {counter.limit:g}"
    if placed < wanted:
        return f"{where} has room for {placed} of {wanted} quotes at once; quote fewer levels"
    resting = [_Placed(0) for _ in range(wanted)]
    move = RequestBudget(
        rates=rates, now=NANOSECONDS_PER_SECOND, ending=rates.cost_of_ending(NANOSECONDS_PER_SECOND, resting)
    )
    moved = [move.place(order) for order in resting[:2]]
    if not all(moved):
        return (
            f"{where} has room for {wanted} quotes, and then for new prices of {sum(moved)} of the 2 innermost while "
            "they are young: quotes will lag behind the market; quote fewer levels"
        )
    return ""
