"""The tables ``[metrics]`` and ``[alerts]``: what others learn of a run. Off unless they are written."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from attrs import Attribute, field, frozen, validators

from mm_fsm.core.validation import number, real, text, whole_number, yes_or_no
from mm_fsm.errors import SettingsError


class AlertKind(StrEnum):
    """What people are alerted to, the most urgent first."""

    KILL_SWITCH = "kill_switch"
    """Trading has stopped for good: a market or the account has lost what it may lose."""
    FAULT = "fault"
    """A market is in ERROR, or a bug has ended its machine."""
    UNCONFIRMED_ORDERS = "unconfirmed_orders"
    """Nobody knows whether an order rests in the book."""
    FEED_LOST = "feed_lost"
    """Market data or news of own orders does not arrive."""
    LIMIT = "limit"
    """A limit keeps orders back: of the inventory, of risk, of the account, of the venue's requests."""


def _only_kinds(_: Any, attribute: Attribute[Any], value: Any) -> None:
    kinds = [each.value for each in AlertKind]
    if not isinstance(value, tuple) or not value or not {*value} <= {*kinds}:
        expected = f"a list of {', '.join(map(repr, kinds))}"
        raise SettingsError(attribute.name, expected, value, "Name those you want, or leave the key out for all.")


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else value


@frozen(kw_only=True)
class MetricsSettings:
    """Figures for Prometheus. One set for all markets of a run.

    Raises:
        SettingsError: a value is out of its range.
    """

    enabled: bool = field(default=False, validator=yes_or_no)
    """Whether the figures are written, ``metrics.prom`` in the run's directory, and answers of guards counted."""
    port: int | None = field(default=None, validator=validators.optional(whole_number(at_least=1, at_most=65_535)))
    """Port on 127.0.0.1 on which the run itself serves them at ``/metrics``; None: it listens nowhere."""

    @property
    def is_on(self) -> bool:
        """Whether anybody wants figures."""
        return self.enabled or self.port is not None


@frozen(kw_only=True)
class AlertSettings:
    """Messages to people. One set for all markets of a run.

    Raises:
        SettingsError: a value is out of its range.
    """

    targets_variable: str | None = field(default=None, validator=validators.optional(text))
    """Environment variable with the addresses of apprise, separated by spaces or lines: an address is a secret."""
    targets_file: str | None = field(default=None, validator=validators.optional(text))
    """A file with one address a line, readable by its owner only; a line that begins with # is a comment."""
    kinds: tuple[str, ...] = field(
        default=tuple(each.value for each in AlertKind), converter=_as_tuple, validator=_only_kinds
    )
    """What is told."""
    summary_seconds: float = field(default=60.0, converter=real, validator=number(at_least=1))
    """After a message about a kind, how long further news of that kind are gathered into one."""
    max_messages: int = field(default=20, validator=whole_number(at_least=5))
    """Messages in an interval; whatever comes of it, no more leave. Each urgency has some of its own; what waits is
    told together later."""
    message_interval_seconds: float = field(default=3_600.0, converter=real, validator=number(at_least=1))
    unconfirmed_seconds: float = field(default=10.0, converter=real, validator=number(above=0))
    """How long an order's outcome is unknown before that is told."""
    wait_seconds: float = field(default=5.0, converter=real, validator=number(at_least=0, at_most=60))
    """How long the end of a run waits for its last message to leave, at most."""

    @property
    def is_on(self) -> bool:
        """Whether anybody is to be told."""
        return self.targets_variable is not None or self.targets_file is not None
