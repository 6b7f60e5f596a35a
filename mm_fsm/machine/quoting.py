"""What a machine that quotes is made of: books, services, a desk. ``MarketMakingStateMachine`` adds the chart.

Beneath the chart: nothing here decides what to do next. Another quoting strategy may add another chart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Self

from mm_fsm.books.context import MarketMakingContext
from mm_fsm.books.settings_in_books import apply_settings
from mm_fsm.chart import ExecutorKind, definition_of
from mm_fsm.core.decisions import QuotePlan
from mm_fsm.core.instrument import ZERO, Balances, Fees, Instrument
from mm_fsm.core.messages import SIDES
from mm_fsm.core.settings import MarketMakingSettings
from mm_fsm.errors import SettingsError
from mm_fsm.estimators.micro_price import micro_price_model
from mm_fsm.machine.books_on_record import describe_side
from mm_fsm.machine.desk import OrderIds
from mm_fsm.machine.quote_bookkeeper import QuoteBookkeeper
from mm_fsm.machine.quote_uptime import QuoteUptime
from mm_fsm.machine.results import StrategyResult
from mm_fsm.machine.session_result import session_result
from mm_fsm.machine.strategy import BANDS
from mm_fsm.machine.trading_machine import TradingMachine
from mm_fsm.services.protocols import Services
from mm_fsm.services.registry import load_services


class QuotingMachine(TradingMachine):
    """A machine that quotes. Guards read ``context``; actions call ``services`` and ``desk``.

    Args:
        settings: what and how to quote.
        instrument: the venue's rules; its symbol is the settings' symbol.
        fees: what the venue charges.
        balances: the part of the account this machine may use.
        services: the services; by default those that ``settings.services`` names.
        run_id: in every client order id of this run, restarts included; letters and digits. By default the time of
            the first fact, so that a later run never uses an id again.
        session_id: in every client order id of this process, never used before in the run.
        executor: what runs the chart: ``"table"`` or ``"engine"``.

    Raises:
        SettingsError: settings, instrument and fees contradict each other.
        PluginError: a service that the settings name is not there.
    """

    strategy_type: ClassVar[str] = "market_making"

    def __init__(
        self,
        settings: MarketMakingSettings,
        instrument: Instrument,
        fees: Fees,
        balances: Balances,
        services: Services | None = None,
        *,
        run_id: str = "",
        session_id: str = "",
        executor: str = ExecutorKind.TABLE,
    ) -> None:
        _check_together(settings, instrument, fees, balances)
        context = MarketMakingContext(
            settings=settings,
            instrument=instrument,
            fees=fees,
            balances=balances,
            order_prefix="-".join([settings.strategy_id, *filter(None, (run_id,)), ""]),
        )
        self._bookkeeper: Final = QuoteBookkeeper(
            context,
            load_services(settings.services, settings.service_options) if services is None else services,
            OrderIds.of(settings.strategy_id, run_id, session_id),
            frozenset(
                edge.source
                for edge in definition_of(type(self)).edges
                for guard in edge.guards
                if guard.name == "all_confirmed"
            ),
        )
        self._bookkeeper.want_signals()
        super().__init__(self._bookkeeper, executor=executor)

    @property
    def services(self) -> Services:
        """Spreads, orders, inventory, risk."""
        return self._bookkeeper.services

    @services.setter
    def services(self, services: Services) -> None:
        self._bookkeeper.services = services
        self._bookkeeper.want_signals()
        self.stepper.gate.bind(self.definition, self)  # which guards are settled depends on the services

    @property
    def uptime(self) -> QuoteUptime:
        """How long each side was live, or held and why."""
        return self._bookkeeper.uptime

    @property
    def began_at(self) -> int | None:
        """Time of the first fact, nanoseconds."""
        return self._bookkeeper.began_at

    def result(self) -> StrategyResult:
        """The session's result as of now; a fill that still arrives amends it."""
        return session_result(
            self.context,
            self.strategy_type,
            self.began_at,
            is_final=self.is_final,
            transitions=self.transition_counts.total(),
        )

    def shown(self) -> Mapping[str, object]:
        """Each side and why it is held, the plan, market, inventory, money, orders, and what a subclass remembers."""
        bands = {str(side): describe_side(self.context, side) for side in SIDES}
        return {BANDS: bands, "plan": _shown_plan(self.context.plan), **super().shown()}

    # -- on record --------------------------------------------------------------------------------------------------

    def digest(self) -> str:
        """Of the books alone, settings left out: decisions follow from them."""
        return self.context.digest()

    @classmethod
    def restored(
        cls, values: Mapping[str, Any], services: Services | None = None, settings: MarketMakingSettings | None = None
    ) -> Self:
        """A machine that stands where the one stood whose ``remembered_values`` these are.

        Other settings do not change what has been estimated, the target, and when the session ends.

        Raises:
            LookupError: the values are not a market maker's.
            ValueError: its chart does not have the state it stood in, or it remembered something else.
            PluginError: a service that the settings name is not there.
        """
        context: MarketMakingContext = values["context"]
        chosen = context.settings if settings is None else settings
        machine = cls(chosen, context.instrument, context.fees, context.balances, services)
        machine.continue_from(values)
        if settings is not None:
            machine.replace_settings(settings)
        return machine

    def replace_settings(self, settings: MarketMakingSettings) -> None:
        """Go on with other settings where the machine stands: see ``apply_settings`` for what stays.

        Raises:
            SettingsError: they contradict a setting that stays.
        """
        apply_settings(self.context, settings)
        self._bookkeeper.want_signals()


def _shown_plan(plan: QuotePlan | None) -> Mapping[str, object] | None:
    """A plan for people: spreads in bps, each side's quotes from the inside out."""
    if plan is None:
        return None
    return {
        "priced at": plan.priced_at,
        "reference price": plan.reference_price,
        "bid spread bps": plan.bid_spread_bps,
        "ask spread bps": plan.ask_spread_bps,
        "skew": plan.inventory_skew,
        "bids": "; ".join(f"{quote.price} x {quote.quantity}" for quote in plan.bids) or "none",
        "asks": "; ".join(f"{quote.price} x {quote.quantity}" for quote in plan.asks) or "none",
    }


def _check_together(settings: MarketMakingSettings, instrument: Instrument, fees: Fees, balances: Balances) -> None:
    if settings.symbol != instrument.symbol:
        raise SettingsError(
            "symbol", f"{instrument.symbol!r}, the instrument's", settings.symbol, "Write the same symbol in both."
        )
    settings.spread_floor_bps(fees)
    if settings.micro_price_model:
        micro_price_model(settings.micro_price_model).require_market(instrument.symbol, float(instrument.tick_size))
    if not instrument.may_be_short and (balances.base < 0 or (settings.target_base or ZERO) < 0):
        raise SettingsError(
            "balances.base", "at least 0 for spot", balances.base, "A spot account never goes short: correct it."
        )
