"""The charts that the renderers are tested with."""

from __future__ import annotations

import pytest

from mm_fsm.core.order_lifecycle import OrderLifecycle
from mm_fsm.diagram import DrawableChart, drawable
from tests.diagram.charts.nine_states import NineStateMachine
from tests.diagram.charts.three_states import ApprovalMachine


@pytest.fixture(scope="session")
def three() -> DrawableChart:
    """A chart small enough to be drawn by hand."""
    return drawable(ApprovalMachine)


@pytest.fixture(scope="session")
def nine() -> DrawableChart:
    """A chart whose events fire by themselves, with edges from any state."""
    return drawable(NineStateMachine)


@pytest.fixture(scope="session", params=[ApprovalMachine, NineStateMachine, OrderLifecycle], ids=lambda c: c.__name__)
def chart(request: pytest.FixtureRequest) -> DrawableChart:
    """One chart after another: small, with many guards, and with many events and no guard."""
    return drawable(request.param)
