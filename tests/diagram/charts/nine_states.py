"""The market-making lifecycle as its specification tables it: nine states, with empty callbacks."""

from __future__ import annotations

from mm_fsm.chart import Chart, State, calls_services, computing, waiting


class _Guards:
    """Guards and callbacks without behaviour: the chart is drawn here, never run."""

    def must_halt(self) -> bool:
        """Kill switch, permanent fault, or data stale for too long."""
        return False

    def must_withdraw(self) -> bool:
        """The newest market data is older than its limit."""
        return False

    def checks_fail(self) -> bool:
        return False

    def ready_to_quote(self) -> bool:
        return False

    def work_remains(self) -> bool:
        return False

    def has_fills(self) -> bool:
        return False

    def requests_settled(self) -> bool:
        return False

    def inventory_limit_passed(self) -> bool:
        return False

    def quotes_stale(self) -> bool:
        return False

    def stopping(self) -> bool:
        return False

    def all_confirmed(self) -> bool:
        return False

    def flat_or_late(self) -> bool:
        return False

    def inventory_needs_action(self) -> bool:
        return False

    def inventory_settled(self) -> bool:
        return False

    def worth_retrying(self) -> bool:
        return False

    def backoff_over(self) -> bool:
        return False

    def may_wind_down(self) -> bool:
        return False

    def has_strays(self) -> bool:
        return False

    @calls_services("orders.cancel_all")
    def cancel_strays(self) -> None: ...

    @calls_services("risk.check_readiness")
    def check_readiness(self) -> None: ...

    @calls_services("spreads.estimate_volatility", "spreads.price_quotes")
    def price_quotes(self) -> None: ...

    @calls_services("risk.approve", "orders.plan")
    def place_orders(self) -> None: ...

    @calls_services("orders.plan")
    def send_what_is_left(self) -> None: ...

    @calls_services("spreads.price_quotes", "orders.plan")
    def adjust_orders(self) -> None: ...

    @calls_services("inventory.assess")
    def handle_fills(self) -> None: ...

    @calls_services("inventory.assess", "inventory.decide")
    def manage_inventory(self) -> None: ...

    @calls_services("orders.cancel_all")
    def cancel_everything(self) -> None: ...

    def start_stopping(self) -> None: ...

    def note_fault(self) -> None: ...

    def note_visit(self) -> None: ...

    def state_result(self) -> None: ...


class NineStateMachine(_Guards, Chart):
    """Nine states, and the edges in their order of precedence."""

    chart_fault_event = "error_execution"
    chart_must_reach = ("error", "completed")

    idle = State(
        "IDLE",
        initial=True,
        enter="check_readiness",
        budget=computing(milliseconds=100),
        purpose="reset point of every cycle; waits for data",
    )
    calculating_spreads = State(
        "CALCULATING_SPREADS",
        enter="price_quotes",
        budget=computing(milliseconds=50),
        purpose="price the quotes",
    )
    placing_orders = State(
        "PLACING_ORDERS",
        enter="place_orders",
        budget=waiting(milliseconds=500),
        purpose="bring the book of own orders to the wanted quotes",
    )
    monitoring_orders = State(
        "MONITORING_ORDERS",
        exit="note_visit",
        budget=computing(milliseconds=10),
        purpose="quotes are live; reacts to fills, price moves and inventory",
    )
    adjusting_spreads = State(
        "ADJUSTING_SPREADS",
        enter="adjust_orders",
        budget=waiting(milliseconds=300),
        purpose="reposition without leaving the market",
    )
    order_filled = State(
        "ORDER_FILLED",
        enter="handle_fills",
        budget=computing(milliseconds=50),
        purpose="act on the fills just booked",
    )
    inventory_management = State(
        "INVENTORY_MANAGEMENT",
        enter="manage_inventory",
        budget=waiting(milliseconds=200),
        purpose="control inventory risk, or wind the session down",
    )
    error = State("ERROR", enter="cancel_everything", purpose="cancel all own orders, keep the books")
    completed = State("COMPLETED", final=True, enter="state_result", purpose="the session has ended")

    halt = error.from_.any(but=[error], cond="must_halt")
    quotes_withdrawn = idle.from_(placing_orders, monitoring_orders, adjusting_spreads, cond="must_withdraw")
    checks_failed = idle.to(error, cond="checks_fail")
    ready = idle.to(calculating_spreads, cond="ready_to_quote")
    spreads_calculated = calculating_spreads.to(placing_orders)
    placing_continued = placing_orders.to.itself(
        internal=True, cond="work_remains", unless="has_fills", on="send_what_is_left"
    )
    adjusting_continued = adjusting_spreads.to.itself(
        internal=True, cond="work_remains", unless="has_fills", on="send_what_is_left"
    )
    orders_placed = placing_orders.to(
        monitoring_orders, cond="requests_settled", note="an UNKNOWN request counts as settled: its side is held"
    )
    spreads_adjusted = adjusting_spreads.to(monitoring_orders, cond="requests_settled")
    fills_arrived = monitoring_orders.to(order_filled, cond="has_fills")
    limit_passed = monitoring_orders.to(
        inventory_management, cond="inventory_limit_passed", note="an edge, not a level: since last managed"
    )
    quotes_went_stale = monitoring_orders.to(adjusting_spreads, cond="quotes_stale")
    fills_handled = order_filled.to(inventory_management)
    wound_down = inventory_management.to(completed, cond=("stopping", "all_confirmed", "flat_or_late"))
    manage_again = inventory_management.to.itself(cond="inventory_needs_action")
    next_cycle = inventory_management.to(idle, cond="inventory_settled", unless="stopping")
    recover = error.to(idle, cond=("all_confirmed", "worth_retrying", "backoff_over"))
    wind_down = error.to(
        inventory_management,
        cond=("all_confirmed", "may_wind_down"),
        unless="worth_retrying",
        on="start_stopping",
        note="once in a session",
    )
    give_up = error.to(completed, cond="all_confirmed", unless=("worth_retrying", "may_wind_down"))
    strays_found = idle.to.itself(internal=True, cond="has_strays", on="cancel_strays") | error.to.itself(
        internal=True, cond="has_strays", on="cancel_strays"
    )
    error_execution = error.from_.any(command=True, but=[error]) | error.to.itself(
        internal=True, command=True, on="note_fault", note="a fault while already in ERROR is noted"
    )
    stop = inventory_management.from_.any(command=True, on="start_stopping")
