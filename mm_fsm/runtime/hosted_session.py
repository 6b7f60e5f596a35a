"""A market inside another program as what watches a run sees it: for status, metrics and alerts of a host's machine."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar, Final

from attrs import define, frozen

from mm_fsm.core.programme import ProgrammeRule
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import SettingsError
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.runtime.account.settings import AccountSettings
from mm_fsm.runtime.hosting import HostedMaker
from mm_fsm.runtime.journal import Journal, JournalSettings
from mm_fsm.runtime.session import Session, watched
from mm_fsm.runtime.settings_file import MarketConfiguration
from mm_fsm.runtime.stepping import SessionSteps
from mm_fsm.runtime.watching_settings import AlertSettings, MetricsSettings
from mm_fsm.venues.port import VenuePlan
from mm_fsm.venues.recorded import ReadingSettings

HOST: Final = "host"
"""The kind of venue that a host's connection is."""


@frozen(kw_only=True)
class HostPlan:
    """A host's own connection: nothing here opens it."""

    is_live: bool
    """Whether orders are real ones."""
    journal_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    reference_price: ClassVar[Decimal | None] = None

    def for_session(
        self, strategy: MarketMakingSettings, *, duration_seconds: float | None, seed: int | None
    ) -> tuple[MarketMakingSettings, VenuePlan]:
        """The host begins and ends its sessions itself.

        Raises:
            SettingsError: always.
        """
        del strategy, duration_seconds, seed
        raise SettingsError("venue.kind", "a kind that is opened here", HOST, "Begin and end it in the host.")


@define(kw_only=True, eq=False)
class HostedSession(Session):
    """A machine that a host steps. Give it to ``StatusFile``, ``RunMetrics`` and ``RunAlerts`` as any other session."""

    maker: HostedMaker

    @property
    def runner(self) -> SessionSteps:
        """What steps the machine."""
        return self.maker


def hosted_session(
    maker: HostedMaker, machine: QuotingMachine, journal: Journal | None = None, *, is_live: bool = True
) -> HostedSession:
    """The session of a host's machine.

    Args:
        maker: steps it.
        machine: the machine itself, not the one with a journal around it.
        journal: what records it, if anything does.
        is_live: whether orders are real ones, which status and pages heed.
    """
    context = machine.context
    configuration = MarketConfiguration(
        strategy=context.settings,
        instrument=context.instrument,
        fees=context.fees,
        balances=context.balances,
        venue_kind=HOST,
        venue=HostPlan(is_live=is_live),
        allows_live=is_live,
        recording=None,
        reading=ReadingSettings(),
        journal=JournalSettings(),
        account=AccountSettings(),
        metrics=MetricsSettings(),
        alerts=AlertSettings(),
        programme=ProgrammeRule(),
        preset="",
    )
    return HostedSession(
        configuration=configuration, machine=machine, maker=maker, stopwatch=watched(machine), journal=journal
    )
