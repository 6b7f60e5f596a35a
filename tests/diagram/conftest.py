"""The charts that the renderers are tested with."""

from __future__ import annotations

import pytest

from mm_fsm.diagram import DEFAULT_CHARTS, DrawableChart, drawable, load_chart
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


CHARTS = (
    "tests.diagram.charts.three_states:ApprovalMachine",
    "tests.diagram.charts.nine_states:NineStateMachine",
    "tests.diagram.charts.foreign:TrafficLight",
    *DEFAULT_CHARTS,
)


@pytest.fixture(scope="session", params=CHARTS, ids=lambda reference: reference.partition(":")[2])
def chart(request: pytest.FixtureRequest) -> DrawableChart:
    """One chart after another: small, with many guards, somebody else's, and those that the package declares."""
    return load_chart(request.param)
