"""A sample of the charts in python-statemachine's own tests; ``make sweep`` takes them all."""

from __future__ import annotations

import pytest

from tests.sweep.charts import results_of
from tests.sweep.source import DIRECTORY

EVERY = 15


@pytest.mark.skipif(
    not DIRECTORY.is_dir(),
    reason="python-statemachine's sources are not there: python tests/sweep/source.py fetches them",
)
def test_charts_of_other_people_are_drawn_in_every_format_and_counted_as_a_listener_counts() -> None:
    """No chart crashes or is refused but for a reason; a listener of the test's own counts what the recorder does."""
    results = list(results_of(DIRECTORY, EVERY))
    charts = [result for result in results if "nested" in result]
    assert [(result["name"], result["problems"]) for result in results if result["problems"]] == []
    assert len(charts) > 30
    assert sum(chart["nested"] for chart in charts) > 5
    assert sum(chart["walked"] for chart in charts) > 300
