"""How to make every guard of the market maker true or false on a real machine, by facts and by what services say.

What the market, the venue, the clock and the operator decide is brought about with facts. What services decide
(a halt, a failed check, an inventory limit, a next step of an adjustment) is scripted: any service that keeps its
protocol may answer so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from attrs import evolve

from mm_fsm.chart import definition_of
from mm_fsm.core.decisions import Fault, FaultCode, InventoryAction, InventoryStep
from mm_fsm.core.messages import CancelOrder, PlaceOrder, StopRequested
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import TransitionRecord
from mm_fsm.testing.harness import MachineHarness, quick_settings
from mm_fsm.testing.real import RealDriver, Way

PERMANENT: Final = (FaultCode.KILL_SWITCH, FaultCode.EQUITY, FaultCode.FUNDS, FaultCode.CUSTOM)
MOVE: Final = 8
"""Ticks by which a market moves that no quote may stay for, and after which old and new quotes do not meet."""
ANSWERS: Final = 12
"""Rounds of answers after which a venue that answers everything must have settled everything."""


class MarketMakerHost(MachineHarness):
    """A harness that knows which fault comes next, and takes its script back once it has been acted on."""

    next_fault_is_transient = True

    def transition_was_taken(self, transition: TransitionRecord, time: int) -> None:
        """What was scripted for a state is over when it is left, and each scripted action is carried out once."""
        for call in _SCRIPTED:
            if transition.event != "halt" or call == "risk.halt_cause":
                self.script.forget(call, state=transition.source)
        super().transition_was_taken(transition, time)


_SCRIPTED: Final = (
    "risk.halt_cause",
    "risk.check_cycle",
    "inventory.next_action",
    "inventory.is_reduced",
    "inventory.assess",
)


def _next_fault(host: MarketMakerHost) -> Fault:
    if host.next_fault_is_transient:
        return Fault(code=FaultCode.VENUE, reason="scripted", transient=True)
    code = next(code for code in PERMANENT if code not in host.context.latched)
    return Fault(code=code, reason="scripted", transient=False)


def _halt(host: MarketMakerHost, wanted: bool, state: str) -> None:  # noqa: FBT001 - the signature of a way
    """The risk service names a cause; while a position is being wound down, only a broken journal is one."""
    if not wanted:
        host.script.forget("risk.halt_cause", state=state)
    elif host.state == state and host.context.is_stopping and host.context.reduction is not None:
        host.fail_journal()
    else:
        host.script.answer("risk.halt_cause", lambda answer: answer or _next_fault(host), state=state)


def _fail_checks(host: MarketMakerHost, wanted: bool, state: str) -> None:  # noqa: FBT001
    if wanted:
        host.script.answer("risk.check_cycle", lambda answer: answer or _next_fault(host), state=state)
    else:
        host.script.forget("risk.check_cycle", state=state)


def _let_data_age(host: MarketMakerHost, wanted: bool, state: str) -> None:  # noqa: FBT001
    if not wanted:
        host.show_book()
    elif host.state == state:
        host.wait(host.context.settings.stale_data_seconds)


def _make_ready(host: MarketMakerHost, wanted: bool, state: str) -> None:  # noqa: FBT001
    """Answer what is asked before quoting, and show books until volatility is known; or let the data age."""
    if not wanted:
        if not _leaves_on_old_data(host) and not host.context.is_data_stale:
            host.wait(host.context.settings.stale_data_seconds)
        return
    for _ in range(ANSWERS):
        if host.state != state:
            return
        host.answer()
        if host.state == state:
            host.later(host.context.settings.volatility_sample_seconds)
            host.show_book()


def _leaves_on_old_data(host: MarketMakerHost) -> bool:
    edges = host.machine.definition.edges_from(host.state)
    return any(guard.name == "data_stale" for edge in edges for guard in edge.guards)


def _leave_work(host: MarketMakerHost, wanted: bool, _state: str) -> None:  # noqa: FBT001
    """A post-only rejection is what leaves work to do."""
    waiting = [intent for intent in host.outstanding if isinstance(intent, PlaceOrder)]
    if wanted and waiting:
        host.reject(waiting[-1].client_order_id)


def _settle_requests(host: MarketMakerHost, wanted: bool, state: str) -> None:  # noqa: FBT001
    """Answer placements and cancels; or leave them unanswered, which needs some to be sent."""
    if not wanted:
        if host.state == "monitoring_orders":
            host.show_book(MOVE)
        return
    for _ in range(ANSWERS):
        if host.state != state:
            return
        if not any(isinstance(intent, PlaceOrder | CancelOrder) for intent in host.outstanding):
            return
        host.answer_only(PlaceOrder, CancelOrder)


def _fill_something(host: MarketMakerHost, wanted: bool, _state: str) -> None:  # noqa: FBT001
    if wanted and host.order_ids():
        host.fill(host.order_ids()[-1])


def _pass_limit(host: MarketMakerHost, wanted: bool, state: str) -> None:  # noqa: FBT001
    if not wanted:
        host.script.forget("inventory.assess", state=state)
        return
    host.script.answer("inventory.assess", lambda answer: evolve(answer, is_over_limit=True), state=state)
    if host.state == state and host.context.inventory_offset == 0:
        host.move_funds(base=Decimal("0.01"))


def _make_stale(host: MarketMakerHost, wanted: bool, state: str) -> None:  # noqa: FBT001
    if wanted and host.state == state:
        host.show_book(MOVE)


def _ask_to_stop(host: MarketMakerHost, wanted: bool, _state: str) -> None:  # noqa: FBT001
    if wanted and not host.context.is_stopping:
        host.tell(StopRequested(received_at=host.now))


def _confirm_everything(host: MarketMakerHost, wanted: bool, state: str) -> None:  # noqa: FBT001
    if not wanted:
        return
    for _ in range(ANSWERS):
        if host.state != state or host.answer_of("all_confirmed"):
            return
        host.answer() if host.outstanding else host.wake()


def _reduce(host: MarketMakerHost, wanted: bool, state: str) -> None:  # noqa: FBT001
    """Say that the position is still to be reduced; or bring it to target and every order out of the book."""
    if not wanted:
        host.script.answer("inventory.is_reduced", lambda _answer: False, state=state)
        return
    host.script.forget("inventory.is_reduced", state=state)
    if host.state != state:
        return
    if host.context.inventory_offset:
        host.move_funds(base=-host.context.inventory_offset)
    for _ in range(ANSWERS):
        if host.state != state or host.answer_of("inventory_settled"):
            return
        host.answer() if host.outstanding else host.wake()


def _have_action(host: MarketMakerHost, wanted: bool, state: str) -> None:  # noqa: FBT001
    action = InventoryAction(step=InventoryStep.CANCEL_QUOTES, reason="scripted") if wanted else None
    host.script.answer("inventory.next_action", lambda _answer: action, state=state)


def _have_strays(host: MarketMakerHost, wanted: bool, state: str) -> None:  # noqa: FBT001
    """A refused cancel, and then the word that the order is still open."""
    if not wanted or not host.venue.orders:
        return
    order_id = (host.order_ids() or list(host.venue.orders))[-1]
    order = host.context.orders.get(order_id)
    if order is None or not host.venue.orders[order_id].remaining:
        return
    host.revive(order_id)
    if host.state == state and not host.answer_of("has_strays"):
        host.refuse_cancel(order_id)
    if host.state == state and not host.answer_of("has_strays"):
        host.report(order_id)


def _choose_fault(host: MarketMakerHost, wanted: bool, _state: str) -> None:  # noqa: FBT001
    host.next_fault_is_transient = wanted


def _wait_for_backoff(host: MarketMakerHost, wanted: bool, _state: str) -> None:  # noqa: FBT001
    if wanted and host.context.now < host.context.recover_at:
        host.wait((host.context.recover_at - host.context.now) / 1e9)


def _not_to_be_made(_host: MarketMakerHost, _wanted: bool, _state: str) -> None:  # noqa: FBT001
    """Settings decide it: another machine is made."""


MARKET_MAKER_WAYS: Final[Mapping[str, Way[MarketMakerHost]]] = MappingProxyType(
    {
        "must_halt": Way(_halt, ahead=3),
        "checks_fail": Way(_fail_checks, ahead=3),
        "data_stale": Way(_let_data_age),
        "ready_to_quote": Way(_make_ready, ahead=1),
        "work_remains": Way(_leave_work),
        "requests_settled": Way(_settle_requests, ahead=1),
        "has_fills": Way(_fill_something),
        "inventory_limit_passed": Way(_pass_limit, ahead=3),
        "quotes_stale": Way(_make_stale),
        "stopping": Way(_ask_to_stop),
        "all_confirmed": Way(_confirm_everything),
        "flat_or_late": Way(_reduce, ahead=3),
        "inventory_needs_action": Way(_have_action, ahead=3),
        "inventory_settled": Way(_reduce, ahead=3),
        "has_strays": Way(_have_strays),
        "worth_retrying": Way(_choose_fault, ahead=3),
        "backoff_over": Way(_wait_for_backoff),
        "may_wind_down": Way(_not_to_be_made),
    }
)
"""By guard. A subclass adds the ways of its own guards: ``MARKET_MAKER_WAYS | {"news_window": Way(...)}``."""

VARIANTS: Final[tuple[Mapping[str, Any], ...]] = (
    {},
    {"max_recovery_attempts": 0},
    {"wind_down_on_fault": False},
    {"max_recovery_attempts": 0, "wind_down_on_fault": False},
    {"max_recovery_attempts": 1},
)
"""What settings decide about a fault: whether it is retried, and whether the position is then reduced."""


QUOTED_ONCE: Final = (
    ("idle", "ready"),
    ("calculating_spreads", "spreads_calculated"),
    ("placing_orders", "orders_placed"),
    ("monitoring_orders", "data_went_stale"),
)
"""The past of a machine that knows orders which are out of the book again: source and event of each edge."""


def market_maker_driver(
    machine: type[MarketMakingStateMachine] = MarketMakingStateMachine,
    ways: Mapping[str, Way[MarketMakerHost]] | None = None,
) -> RealDriver[MarketMakerHost]:
    """A driver for the market maker or a subclass of it.

    Args:
        machine: the class.
        ways: the ways of guards that the subclass adds.
    """
    definition = definition_of(machine)
    by_name = {(edge.source, edge.event): edge for edge in definition.edges}
    past = tuple(by_name[step] for step in QUOTED_ONCE if step in by_name)

    def maker(changes: Mapping[str, Any]) -> Callable[[], MarketMakerHost]:
        def make() -> MarketMakerHost:
            host = MarketMakerHost(machine, quick_settings(**changes))
            host.nudge()  # a machine enters its first state with its first fact
            return host

        return make

    return RealDriver(
        definition=definition,
        makes=tuple(maker(changes) for changes in VARIANTS),
        ways={**MARKET_MAKER_WAYS, **(ways or {})},
        pasts=(past,) if len(past) == len(QUOTED_ONCE) else (),
    )
