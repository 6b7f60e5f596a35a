"""Every kind of fact: one module each, with its fields, its admission and its booking. All frozen.

The imports here are the public table of facts, one line a kind; ``registry``, journal and public names read it.

Times are integer nanoseconds since the Unix epoch, prices quote currency per base unit, quantities contracts (base
units for spot). ``received_at`` is the time the host received the fact and drives every age and deadline.
``exchange_time`` is the venue's own stamp and orders events at the venue.
"""

from mm_fsm.books.facts.account_feed_lost import AccountFeedLost as AccountFeedLost
from mm_fsm.books.facts.balances_reported import BalancesReported as BalancesReported
from mm_fsm.books.facts.cancel_refused import CancelRefused as CancelRefused
from mm_fsm.books.facts.connection_restored import ConnectionRestored as ConnectionRestored
from mm_fsm.books.facts.conversion_price_reported import ConversionPriceReported as ConversionPriceReported
from mm_fsm.books.facts.external_flow import ExternalFlow as ExternalFlow
from mm_fsm.books.facts.funding_paid import FundingPaid as FundingPaid
from mm_fsm.books.facts.heartbeat import Heartbeat as Heartbeat
from mm_fsm.books.facts.instrument_updated import InstrumentUpdated as InstrumentUpdated
from mm_fsm.books.facts.journal_failed import JournalFailed as JournalFailed
from mm_fsm.books.facts.market_book import MarketBook as MarketBook
from mm_fsm.books.facts.market_trade import MarketTrade as MarketTrade
from mm_fsm.books.facts.message_refused import MessageRefused as MessageRefused
from mm_fsm.books.facts.open_orders_reported import OpenOrdersReported as OpenOrdersReported
from mm_fsm.books.facts.operator_paused import OperatorPaused as OperatorPaused
from mm_fsm.books.facts.operator_resumed import OperatorResumed as OperatorResumed
from mm_fsm.books.facts.order_acknowledged import OrderAcknowledged as OrderAcknowledged
from mm_fsm.books.facts.order_canceled import OrderCanceled as OrderCanceled
from mm_fsm.books.facts.order_expired import OrderExpired as OrderExpired
from mm_fsm.books.facts.order_filled import OrderFilled as OrderFilled
from mm_fsm.books.facts.order_not_found import OrderNotFound as OrderNotFound
from mm_fsm.books.facts.order_rejected import OrderRejected as OrderRejected
from mm_fsm.books.facts.order_status_reported import OrderStatusReported as OrderStatusReported
from mm_fsm.books.facts.outcome_unknown import OutcomeUnknown as OutcomeUnknown
from mm_fsm.books.facts.own_trades_reported import OwnTradesReported as OwnTradesReported
from mm_fsm.books.facts.query_failed import QueryFailed as QueryFailed
from mm_fsm.books.facts.requests_suspended import RequestsSuspended as RequestsSuspended
from mm_fsm.books.facts.stop_requested import StopRequested as StopRequested
from mm_fsm.books.facts.timer import Timer as Timer
from mm_fsm.books.facts.trading_status_changed import TradingStatusChanged as TradingStatusChanged
