"""A host's machine is watched as any run's: status, metrics, and who is told of orders that nobody confirmed gone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mm_fsm import AcceptingBook, HostedMaker, MarketMakingSettings, MarketMakingStateMachine
from mm_fsm.books.facts import MarketBook
from mm_fsm.core.instrument import Balances, Fees, Instrument
from mm_fsm.core.messages import BookLevel
from mm_fsm.errors import SettingsError
from mm_fsm.report.status import StatusFile, read_status
from mm_fsm.runtime.hosted_session import HostedSession, HostPlan, hosted_session
from mm_fsm.runtime.watching_settings import AlertSettings

SYMBOL = "ETH/USD"
SECOND = 1_000_000_000
INSTRUMENT = Instrument(
    symbol=SYMBOL, base_currency="ETH", quote_currency="USD", tick_size=Decimal("0.01"), lot_size=Decimal("0.0001")
)
BALANCES = Balances(base=Decimal(10), quote=Decimal(20_000))


class Host:
    """A bot whose venue takes every order at once; its clock is moved by the test."""

    def __init__(self, *, is_live: bool = True) -> None:
        self.now = SECOND
        self.results: list[Any] = []
        settings = MarketMakingSettings(symbol=SYMBOL, warm_up_samples=2, volatility_sample_seconds=1.0)
        self.machine = MarketMakingStateMachine(
            settings, INSTRUMENT, Fees(maker_bps=Decimal(1), taker_bps=Decimal(5)), BALANCES
        )
        self.venue = AcceptingBook(BALANCES)
        self.maker = HostedMaker(
            self.machine, lambda intent: self.maker.take(self.venue.answer(intent, self.now)), lambda: self.now,
            self.results.append,
        )  # fmt: skip
        self.session: HostedSession = hosted_session(self.maker, self.machine, is_live=is_live)

    def quote(self) -> Host:
        """A book each second until both sides rest."""
        for _ in range(30):
            self.now += SECOND
            sides = [(BookLevel(Decimal(price), Decimal(5)),) for price in ("1999.50", "2000.50")]
            self.maker.take(
                MarketBook(
                    received_at=self.now, symbol=SYMBOL, exchange_time=self.now, bids=sides[0], asks=sides[1],
                    includes_own_orders=False,
                )
            )  # fmt: skip
            self.maker.wake()
        assert len(self.venue.orders) == 6
        return self


def test_status_and_metrics_show_the_hosts_market(tmp_path: Path) -> None:
    metrics = pytest.importorskip("mm_fsm.watching.run_metrics", reason="needs the extra 'metrics'")
    host = Host()
    figures = metrics.RunMetrics(tmp_path, [host.session])
    with StatusFile(tmp_path, [host.session]) as status:
        for result in host.quote().results:
            status.take(host.session, result)
            figures.take(host.session, result)
    figures.close()
    (entry,) = read_status(tmp_path)["symbols"]
    assert (entry["symbol"], entry["has_real_orders"], entry["state"]) == (SYMBOL, True, "monitoring_orders")
    assert [len(entry["quotes"][side]) for side in ("bid", "ask")] == [3, 3]
    assert len(entry["ending"]["unconfirmed"]) == 6
    text = (tmp_path / "metrics.prom").read_text()
    assert 'venue="host"' in text
    assert f'mm_fsm_refused_facts_total{{symbol="{SYMBOL}"}} 0.0' in text


class Inbox:
    """A target that keeps what it is sent."""

    name = "1 (INBOX)"

    def __init__(self) -> None:
        self.titles: list[str] = []

    def send(self, title: str, body: str) -> bool:
        del body
        self.titles.append(title)
        return True


@pytest.mark.parametrize(("is_stopped", "told"), [(False, [f"mm-fsm: Unconfirmed orders: {SYMBOL}"]), (True, [])])
def test_orders_that_the_host_left_behind_are_told_of(is_stopped: bool, told: list[str]) -> None:
    alerts_module = pytest.importorskip("mm_fsm.watching.run_alerts", reason="needs the extra 'alerts'")
    host, inbox = Host().quote(), Inbox()
    alerts = alerts_module.RunAlerts([host.session], AlertSettings(wait_seconds=60), [inbox])
    if is_stopped:
        host.maker.request_stop(flatten=False, reason="the bot ends")
        while not host.maker.is_final:
            host.now += SECOND
            host.maker.wake()
    alerts.close()
    assert inbox.titles == told


def test_nobody_but_the_host_begins_its_session() -> None:
    with pytest.raises(SettingsError, match="in the host"):
        HostPlan(is_live=True).for_session(MarketMakingSettings(symbol=SYMBOL), duration_seconds=1.0, seed=None)
