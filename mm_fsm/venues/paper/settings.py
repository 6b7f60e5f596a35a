"""How the paper exchange behaves: latencies and the queue assumption."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import field, frozen

from mm_fsm.core.validation import number
from mm_fsm.errors import SettingsError

_DELAY: Final = number(at_least=0, table="paper", remedy="Write seconds; 0 for none.")


class QueueModel(StrEnum):
    """What stands ahead of a resting order at its own price. Public data does not say, so it is assumed."""

    PESSIMISTIC = "pessimistic"
    """Everything displayed at the price when the order arrives is ahead of it. Where the price lies behind the visible
    book, everything displayed there when it first comes into sight is. Only trades at the price use the queue up;
    cancellations count only as far as less is displayed than was ahead."""
    FRONT = "front"
    """Nothing is ahead, so every trade at the price fills the order first. For comparison: it flatters."""


@frozen(kw_only=True)
class PaperSettings:
    """Latencies, queue assumption and memory of a paper exchange.

    Raises:
        SettingsError: a duration is negative or not finite, or the queue model is none of the known ones.
    """

    order_latency_seconds: float = field(default=0.05, validator=_DELAY)
    """From the host to the exchange, for placements, cancels and queries."""
    response_latency_seconds: float = field(default=0.05, validator=_DELAY)
    """From the exchange to the host, for answers and own fills."""
    market_data_latency_seconds: float = field(default=0.05, validator=_DELAY)
    """From the exchange to the host, for books, trades and trading status."""
    latency_jitter_seconds: float = field(default=0.0, validator=_DELAY)
    """Each message takes up to this much longer, uniformly; it never overtakes another one on the same way."""
    queue: QueueModel = QueueModel.PESSIMISTIC
    history_seconds: float = field(default=3600.0, validator=_DELAY)
    """How long finished orders and own trades can still be asked for; this bounds the memory used."""
    seed: int = 0
    """Of the jitter."""

    def __attrs_post_init__(self) -> None:
        if not isinstance(self.queue, QueueModel):
            raise SettingsError("paper.queue", "'pessimistic' or 'front'", self.queue, "Choose one of the two.")
