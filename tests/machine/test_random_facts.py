"""Whatever a machine is told, in whatever order, what must never happen does not happen.

The assertions are in ``invariants.Watch``, which looks at every single step.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.settings import MarketMakingSettings
from tests.machine.scripted import RecklessOrders, RecklessSpreads, services
from tests.machine.storm import Operation, Storm, operations, sessions

Session = tuple[MarketMakingSettings, Instrument, Fees, Balances]


@settings(max_examples=150)
@given(session=sessions(), story=st.lists(operations(), min_size=10, max_size=60))
def test_every_invariant_holds_after_every_step(session: Session, story: list[Operation]) -> None:
    Storm(session).play(story)


@settings(max_examples=40)
@given(session=sessions(), story=st.lists(operations(), min_size=10, max_size=40))
def test_risk_alone_keeps_reckless_services_from_every_forbidden_placement(
    session: Session, story: list[Operation]
) -> None:
    """Prices beyond the market, sizes that are no numbers, no regard for unknown orders, old data or limits."""
    storm = Storm(session, services=services(spreads=RecklessSpreads(), orders=RecklessOrders()))
    assert storm.bench.watch is not None
    storm.bench.watch.are_levels_counted = False
    storm.play(story)


@pytest.mark.slow
@settings(max_examples=3000)
@given(session=sessions(), story=st.lists(operations(), min_size=20, max_size=150))
def test_every_invariant_holds_after_every_step_of_long_stories(session: Session, story: list[Operation]) -> None:
    Storm(session).play(story)
