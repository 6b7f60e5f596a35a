"""A market-making framework whose behaviour is one declared state machine.

Facts go in, intents come out, and between them one declared machine decides; everything that does I/O is an adapter.

Layers, from the top; imports point down only:

===============  ====================================================================================
cli              composition root: settings become a machine, its services and a venue
testing          tests made from a chart
coverage         measures and shows what a test suite exercises of a chart; the pytest plugin
report, diagram  read definitions and journals
runtime          runs one machine or many, writes and reads the journal
venues           where orders go and markets come from: paper exchange, simulated and recorded markets
machine          the market maker's chart, and the machine that has it
services         prices, orders, inventory, risk: small, pure, replaceable
books            what one machine knows: market, own orders, ledger, figures, and the facts that change them
core             values: clock, messages, instrument, settings, decisions
chart            declared state machines, safe to subclass
errors           every error raised on purpose
===============  ====================================================================================

Every name in ``__all__`` is loaded from its module when it is first used: importing the state machine library takes
several times as long as starting the interpreter, so ``import mm_fsm`` loads no other module.
A new public name goes into ``_MODULES``, into the imports for type checkers, and into ``__all__``.
"""

from os import environ as _environ  # loaded before anything else is

TYPE_CHECKING = False  # as in typing, whose import would take as long as starting the interpreter
if TYPE_CHECKING:
    from mm_fsm.books.context import MarketMakingContext
    from mm_fsm.books.facts import (
        BalancesReported,
        CancelRefused,
        ConnectionRestored,
        ConversionPriceReported,
        ExternalFlow,
        FundingPaid,
        Heartbeat,
        InstrumentUpdated,
        MarketBook,
        MarketTrade,
        MessageRefused,
        OpenOrdersReported,
        OrderAcknowledged,
        OrderCanceled,
        OrderExpired,
        OrderFilled,
        OrderNotFound,
        OrderRejected,
        OrderStatusReported,
        OutcomeUnknown,
        OwnTradesReported,
        QueryFailed,
        StopRequested,
        Timer,
        TradingStatusChanged,
    )
    from mm_fsm.books.ledger import Ledger
    from mm_fsm.books.order_lifecycle import OrderLifecycle, OrderStatus
    from mm_fsm.chart import (
        Budget,
        BudgetMeasure,
        Chart,
        ChartDefinition,
        EdgeDefinition,
        State,
        StateDefinition,
        chart_of,
        computing,
        definition_of,
        waiting,
    )
    from mm_fsm.core.decisions import (
        Fault,
        FaultCode,
        Hold,
        HoldReason,
        InventoryAction,
        InventoryAssessment,
        OrderChanges,
        OrderDraft,
        Quote,
        QuotePlan,
        Refusal,
        RefusalCode,
    )
    from mm_fsm.core.instrument import Balances, Fees, Instrument, InstrumentKind
    from mm_fsm.core.messages import (
        BookLevel,
        CancelOrder,
        Fact,
        Intent,
        Liquidity,
        OrderFact,
        OrderPurpose,
        PlaceOrder,
        QueryBalances,
        QueryOpenOrders,
        QueryOrder,
        QueryOwnTrades,
        RejectionCode,
        ReportedOrder,
        ReportedStatus,
        RequestKind,
        Side,
        TimeInForce,
        VenueFact,
    )
    from mm_fsm.core.settings import MarketMakingSettings
    from mm_fsm.errors import (
        ChartDefinitionError,
        FactRefusedError,
        LedgerError,
        MarketMakerError,
        OrderLifecycleError,
        PluginError,
        RecordingError,
        SettingsError,
    )
    from mm_fsm.machine.market_making import MarketMakingState, MarketMakingStateMachine
    from mm_fsm.machine.observers import MachineObserver
    from mm_fsm.machine.quoting import QuotingMachine
    from mm_fsm.machine.results import StepResult, StrategyResult, TransitionRecord
    from mm_fsm.machine.strategy import StrategyMachine
    from mm_fsm.runtime.paper_run import run_on_paper
    from mm_fsm.runtime.runner import SessionRunner
    from mm_fsm.runtime.stepping import step_or_report
    from mm_fsm.services.inventory import DefaultInventoryService
    from mm_fsm.services.orders import DefaultOrderService
    from mm_fsm.services.protocols import InventoryService, OrderService, RiskService, Services, SpreadService
    from mm_fsm.services.registry import default_services
    from mm_fsm.services.risk import DefaultRiskService
    from mm_fsm.services.spreads import DefaultSpreadService
    from mm_fsm.venues.paper import PaperAccount, PaperExchange, PaperSettings, PaperVenue, QueueModel
    from mm_fsm.venues.recorded import open_recording
    from mm_fsm.venues.simulator import MarketSimulator, SimulatorSettings

    __version__: str

__all__ = [
    "Balances",
    "BalancesReported",
    "BookLevel",
    "Budget",
    "BudgetMeasure",
    "CancelOrder",
    "CancelRefused",
    "Chart",
    "ChartDefinition",
    "ChartDefinitionError",
    "ConnectionRestored",
    "ConversionPriceReported",
    "DefaultInventoryService",
    "DefaultOrderService",
    "DefaultRiskService",
    "DefaultSpreadService",
    "EdgeDefinition",
    "ExternalFlow",
    "Fact",
    "FactRefusedError",
    "Fault",
    "FaultCode",
    "Fees",
    "FundingPaid",
    "Heartbeat",
    "Hold",
    "HoldReason",
    "Instrument",
    "InstrumentKind",
    "InstrumentUpdated",
    "Intent",
    "InventoryAction",
    "InventoryAssessment",
    "InventoryService",
    "Ledger",
    "LedgerError",
    "Liquidity",
    "MachineObserver",
    "MarketBook",
    "MarketMakerError",
    "MarketMakingContext",
    "MarketMakingSettings",
    "MarketMakingState",
    "MarketMakingStateMachine",
    "MarketSimulator",
    "MarketTrade",
    "MessageRefused",
    "OpenOrdersReported",
    "OrderAcknowledged",
    "OrderCanceled",
    "OrderChanges",
    "OrderDraft",
    "OrderExpired",
    "OrderFact",
    "OrderFilled",
    "OrderLifecycle",
    "OrderLifecycleError",
    "OrderNotFound",
    "OrderPurpose",
    "OrderRejected",
    "OrderService",
    "OrderStatus",
    "OrderStatusReported",
    "OutcomeUnknown",
    "OwnTradesReported",
    "PaperAccount",
    "PaperExchange",
    "PaperSettings",
    "PaperVenue",
    "PlaceOrder",
    "PluginError",
    "QueryBalances",
    "QueryFailed",
    "QueryOpenOrders",
    "QueryOrder",
    "QueryOwnTrades",
    "QueueModel",
    "Quote",
    "QuotePlan",
    "QuotingMachine",
    "RecordingError",
    "Refusal",
    "RefusalCode",
    "RejectionCode",
    "ReportedOrder",
    "ReportedStatus",
    "RequestKind",
    "RiskService",
    "Services",
    "SessionRunner",
    "SettingsError",
    "Side",
    "SimulatorSettings",
    "SpreadService",
    "State",
    "StateDefinition",
    "StepResult",
    "StopRequested",
    "StrategyMachine",
    "StrategyResult",
    "TimeInForce",
    "Timer",
    "TradingStatusChanged",
    "TransitionRecord",
    "VenueFact",
    "chart_of",
    "computing",
    "default_services",
    "definition_of",
    "open_recording",
    "run_on_paper",
    "step_or_report",
    "waiting",
]

_MODULES = {
    "Balances": "mm_fsm.core.instrument",
    "BalancesReported": "mm_fsm.books.facts",
    "BookLevel": "mm_fsm.core.messages",
    "Budget": "mm_fsm.chart",
    "BudgetMeasure": "mm_fsm.chart",
    "CancelOrder": "mm_fsm.core.messages",
    "CancelRefused": "mm_fsm.books.facts",
    "Chart": "mm_fsm.chart",
    "ChartDefinition": "mm_fsm.chart",
    "ChartDefinitionError": "mm_fsm.errors",
    "ConnectionRestored": "mm_fsm.books.facts",
    "ConversionPriceReported": "mm_fsm.books.facts",
    "DefaultInventoryService": "mm_fsm.services.inventory",
    "DefaultOrderService": "mm_fsm.services.orders",
    "DefaultRiskService": "mm_fsm.services.risk",
    "DefaultSpreadService": "mm_fsm.services.spreads",
    "EdgeDefinition": "mm_fsm.chart",
    "ExternalFlow": "mm_fsm.books.facts",
    "Fact": "mm_fsm.core.messages",
    "FactRefusedError": "mm_fsm.errors",
    "Fault": "mm_fsm.core.decisions",
    "FaultCode": "mm_fsm.core.decisions",
    "Fees": "mm_fsm.core.instrument",
    "FundingPaid": "mm_fsm.books.facts",
    "Heartbeat": "mm_fsm.books.facts",
    "Hold": "mm_fsm.core.decisions",
    "HoldReason": "mm_fsm.core.decisions",
    "Instrument": "mm_fsm.core.instrument",
    "InstrumentKind": "mm_fsm.core.instrument",
    "InstrumentUpdated": "mm_fsm.books.facts",
    "Intent": "mm_fsm.core.messages",
    "InventoryAction": "mm_fsm.core.decisions",
    "InventoryAssessment": "mm_fsm.core.decisions",
    "InventoryService": "mm_fsm.services.protocols",
    "Ledger": "mm_fsm.books.ledger",
    "LedgerError": "mm_fsm.errors",
    "Liquidity": "mm_fsm.core.messages",
    "MachineObserver": "mm_fsm.machine.observers",
    "MarketBook": "mm_fsm.books.facts",
    "MarketMakerError": "mm_fsm.errors",
    "MarketMakingContext": "mm_fsm.books.context",
    "MarketMakingSettings": "mm_fsm.core.settings",
    "MarketMakingState": "mm_fsm.machine.market_making",
    "MarketMakingStateMachine": "mm_fsm.machine.market_making",
    "MarketSimulator": "mm_fsm.venues.simulator",
    "MarketTrade": "mm_fsm.books.facts",
    "MessageRefused": "mm_fsm.books.facts",
    "OpenOrdersReported": "mm_fsm.books.facts",
    "OrderAcknowledged": "mm_fsm.books.facts",
    "OrderCanceled": "mm_fsm.books.facts",
    "OrderChanges": "mm_fsm.core.decisions",
    "OrderDraft": "mm_fsm.core.decisions",
    "OrderExpired": "mm_fsm.books.facts",
    "OrderFact": "mm_fsm.core.messages",
    "OrderFilled": "mm_fsm.books.facts",
    "OrderLifecycle": "mm_fsm.books.order_lifecycle",
    "OrderLifecycleError": "mm_fsm.errors",
    "OrderNotFound": "mm_fsm.books.facts",
    "OrderPurpose": "mm_fsm.core.messages",
    "OrderRejected": "mm_fsm.books.facts",
    "OrderService": "mm_fsm.services.protocols",
    "OrderStatus": "mm_fsm.books.order_lifecycle",
    "OrderStatusReported": "mm_fsm.books.facts",
    "OutcomeUnknown": "mm_fsm.books.facts",
    "OwnTradesReported": "mm_fsm.books.facts",
    "PaperAccount": "mm_fsm.venues.paper",
    "PaperExchange": "mm_fsm.venues.paper",
    "PaperSettings": "mm_fsm.venues.paper",
    "PaperVenue": "mm_fsm.venues.paper",
    "PlaceOrder": "mm_fsm.core.messages",
    "PluginError": "mm_fsm.errors",
    "QueryBalances": "mm_fsm.core.messages",
    "QueryFailed": "mm_fsm.books.facts",
    "QueryOpenOrders": "mm_fsm.core.messages",
    "QueryOrder": "mm_fsm.core.messages",
    "QueryOwnTrades": "mm_fsm.core.messages",
    "QueueModel": "mm_fsm.venues.paper",
    "Quote": "mm_fsm.core.decisions",
    "QuotePlan": "mm_fsm.core.decisions",
    "QuotingMachine": "mm_fsm.machine.quoting",
    "RecordingError": "mm_fsm.errors",
    "Refusal": "mm_fsm.core.decisions",
    "RefusalCode": "mm_fsm.core.decisions",
    "RejectionCode": "mm_fsm.core.messages",
    "ReportedOrder": "mm_fsm.core.messages",
    "ReportedStatus": "mm_fsm.core.messages",
    "RequestKind": "mm_fsm.core.messages",
    "RiskService": "mm_fsm.services.protocols",
    "Services": "mm_fsm.services.protocols",
    "SessionRunner": "mm_fsm.runtime.runner",
    "SettingsError": "mm_fsm.errors",
    "Side": "mm_fsm.core.messages",
    "SimulatorSettings": "mm_fsm.venues.simulator",
    "SpreadService": "mm_fsm.services.protocols",
    "State": "mm_fsm.chart",
    "StateDefinition": "mm_fsm.chart",
    "StepResult": "mm_fsm.machine.results",
    "StopRequested": "mm_fsm.books.facts",
    "StrategyMachine": "mm_fsm.machine.strategy",
    "StrategyResult": "mm_fsm.machine.results",
    "TimeInForce": "mm_fsm.core.messages",
    "Timer": "mm_fsm.books.facts",
    "TradingStatusChanged": "mm_fsm.books.facts",
    "TransitionRecord": "mm_fsm.machine.results",
    "VenueFact": "mm_fsm.core.messages",
    "chart_of": "mm_fsm.chart",
    "computing": "mm_fsm.chart",
    "default_services": "mm_fsm.services.registry",
    "definition_of": "mm_fsm.chart",
    "open_recording": "mm_fsm.venues.recorded",
    "run_on_paper": "mm_fsm.runtime.paper_run",
    "step_or_report": "mm_fsm.runtime.stepping",
    "waiting": "mm_fsm.chart",
}

if "MM_FSM_COVERAGE" in _environ:  # a test that measures coverage has started this process
    from mm_fsm.coverage.subprocesses import record_this_process

    record_this_process()

if not TYPE_CHECKING:  # so that a type checker refuses a name that is not listed

    def __getattr__(name: str) -> object:
        """Load a public name from its module, once."""
        if name == "__version__":
            from importlib.metadata import version

            value = version("mm-fsm")
        elif name in _MODULES:
            from importlib import import_module

            value = getattr(import_module(_MODULES[name]), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
