"""Log lines for whoever looks after a run in wall time: what is wrong, what is done about it, and since when.

A side without a quote gets a line once trouble has kept it silent for a while, and another when it quotes again. An
order whose outcome nobody knows gets one at once, and another when it is settled. Nothing is repeated in every step.
"""

from __future__ import annotations

from typing import Final, Protocol

from attrs import define, field
from loguru import logger

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.facts import OutcomeUnknown
from mm_fsm.core.clock import nanoseconds, seconds
from mm_fsm.core.decisions import Hold, HoldReason
from mm_fsm.core.messages import SIDES, Side
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.report.plain_words import SELF_EVIDENT, WHAT_IS_DONE, what_is_done, why_held

LASTS_SECONDS: Final = 2.0
"""How long a side is silent before that is worth a line."""


@define
class _HeldSide:
    """One side while it is not quoted."""

    since: int
    """Its last quote's end, nanoseconds."""
    reason: HoldReason
    reason_since: int
    seen_at: int
    """The last step's time, nanoseconds."""
    troubled_for: int = 0
    """How long any reason that is something wrong has held it, nanoseconds, however often the reasons took turns."""
    is_told: bool = False
    """Whether the present reason has its line."""
    was_told: bool = False
    """Whether any reason has had one."""

    def see(self, reason: HoldReason, now: int) -> None:
        """A step has left it without a quote."""
        if self.reason in WHAT_IS_DONE:
            self.troubled_for += now - self.seen_at
        self.seen_at = now
        if reason is not self.reason:
            self.reason, self.reason_since, self.is_told = reason, now, False

    @property
    def is_due(self) -> bool:
        """Whether its reason gets a line: the first one once the side is silent for long, others once they last."""
        lasts = self.seen_at - self.reason_since if self.was_told else self.troubled_for
        return not self.is_told and self.reason in WHAT_IS_DONE and lasts >= nanoseconds(LASTS_SECONDS)


class HasMachine(Protocol):
    """A session, as far as its lines need it."""

    @property
    def machine(self) -> QuotingMachine:
        """What makes the market at present."""
        ...


@define(eq=False)
class TroubleLines:
    """Of one market, whichever machine makes it: a restart replaces it.

    Args:
        session: has the machine.
    """

    session: HasMachine
    _held: dict[Side, _HeldSide] = field(factory=dict, init=False)
    _unknown: dict[str, int] = field(factory=dict, init=False)
    """Orders whose outcome is not known, and since when, nanoseconds."""

    @property
    def _context(self) -> MarketMakingContext:
        return self.session.machine.context

    def take(self, result: StepResult) -> None:
        """Look after a step."""
        if isinstance(result.fact, OutcomeUnknown):
            self._note_unknown(result.fact, result.time)
        if self._unknown:
            self._look_for_settled(result.time)
        for side in SIDES:
            self._follow(side, result.time)
        self._tell_held(result.time)

    def _follow(self, side: Side, now: int) -> None:
        status, held = self._context.sides[side].status, self._held.get(side)
        if status is None:
            if held is not None and held.was_told:
                self._log("side.quoted_again", side=side.value, silent_for=_lasting(now - held.since))
            self._held.pop(side, None)
        elif held is None:
            self._held[side] = _HeldSide(now, status.reason, now, now)
        else:
            held.see(status.reason, now)

    def _tell_held(self, now: int) -> None:
        """One line for both sides where they are held for the same reason."""
        due: dict[HoldReason, list[Side]] = {}
        for side, held in self._held.items():
            if held.is_due:
                held.is_told = held.was_told = True
                due.setdefault(held.reason, []).append(side)
        for reason, sides in due.items():
            since = min(self._held[side].since for side in sides)
            status = self._context.sides[sides[0]].status
            self._log(
                "side.held",
                "WARNING",
                side=" and ".join(side.value for side in sides),
                why=why_held(reason),
                detail=_detail(status),
                doing=what_is_done(reason),
                silent_for=_lasting(now - since),
            )

    def _note_unknown(self, fact: OutcomeUnknown, now: int) -> None:
        self._unknown.setdefault(fact.client_order_id, now)
        self._log(
            "order.outcome_unknown",
            "WARNING",
            order=fact.client_order_id,
            request=fact.request.value,
            reason=fact.reason,
            doing=what_is_done(HoldReason.UNKNOWN_ORDER),
        )

    def _look_for_settled(self, now: int) -> None:
        orders = self._context.orders
        for client_order_id, since in [*self._unknown.items()]:
            order = orders.get(client_order_id)
            if order is None or not order.is_unknown:
                del self._unknown[client_order_id]
                outcome = "over" if order is None else order.status.value
                self._log("order.settled", order=client_order_id, outcome=outcome, after=_lasting(now - since))

    def _log(self, event: str, level: str = "INFO", **fields: object) -> None:
        told = {name: value for name, value in fields.items() if value != ""}
        logger.bind(symbol=self._context.settings.symbol, **told).log(level, event)


def _detail(held: Hold | None) -> str:
    return "" if held is None or held.reason in SELF_EVIDENT else held.detail


def _lasting(time: int) -> str:
    return f"{seconds(time):.1f} s"
