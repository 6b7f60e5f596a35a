"""The committed heat maps of this project's own tests are of the charts as they are, and show nothing that was missed.

How often an edge was taken changes with every test, so that counts are not compared: they are those of the run that
drew the picture.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mm_fsm.books.order_lifecycle import OrderLifecycle
from mm_fsm.chart import Chart, definition_of
from mm_fsm.diagram import file_stem
from mm_fsm.diagram.pictures import digest_in_svg
from mm_fsm.machine.market_making import MarketMakingStateMachine

DIRECTORY = Path(__file__).resolve().parents[2] / "diagrams" / "coverage"


@pytest.mark.parametrize("chart", [MarketMakingStateMachine, OrderLifecycle])
def test_the_heat_map_is_of_this_chart_and_complete(chart: type[Chart]) -> None:
    definition = definition_of(chart)
    drawn = (DIRECTORY / f"{file_stem(definition)}.svg").read_text(encoding="utf-8")
    assert digest_in_svg(drawn) == definition.digest, "drawn from another definition: make coverage"
    count = len(definition.edges)
    assert f">{count} of {count} edges taken<" in drawn.replace("&#160;", " "), "an edge was missed: make coverage"
