"""A market's panel shows what is in the book, whatever it is there for."""

from __future__ import annotations

from rich.console import Console

from mm_fsm.books.orders import OrderPurpose
from mm_fsm.cli.market_panel import FIXED_ROWS, market_panel
from mm_fsm.core.messages import Side
from mm_fsm.report.status import SessionStatus
from mm_fsm.runtime.session import Session, for_session, open_session
from mm_fsm.runtime.settings_file import read_preset


def shown(session: Session) -> str:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(market_panel(SessionStatus(session), (), FIXED_ROWS))
    return capture.get()


def test_orders_that_wind_down_are_shown_beside_quotes_and_no_amount_has_an_exponent() -> None:
    """Through a session and the wind-down at its end; three orders a side have room."""
    configuration = for_session(read_preset("paper_btcusd"), duration_seconds=120, seed=7)
    session = open_session(configuration)
    seen = set()
    for _ in session.runner.run():
        panel = shown(session)
        assert "e-" not in panel.split("inv", 1)[1].splitlines()[0]
        for side in Side:
            orders = session.machine.context.orders.live(side)
            assert panel.count(f"own {side}") == min(len(orders), 3)
            seen |= {order.purpose for order in orders}
    assert seen == {OrderPurpose.QUOTE, OrderPurpose.WIND_DOWN}
