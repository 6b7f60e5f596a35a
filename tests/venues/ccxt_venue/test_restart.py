"""A market that a bug has ended goes on at an exchange: its orders are found, and its fills are all booked."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from mm_fsm.books.facts import MarketBook
from mm_fsm.cli.opening import Opening, opened_in_wall_time
from mm_fsm.core.messages import Fact
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.machine.results import StepResult
from mm_fsm.runtime.settings_file import read_settings
from mm_fsm.testing.rehearsal.endpoint import VARIABLE
from mm_fsm.testing.rehearsal.log_file import read_log
from tests.cli.command_line import write_settings
from tests.cli.test_live_operations import LIVE
from tests.cli.test_rehearse import rehearsing

SYMBOL = "ETH/USDT"


class BugError(Exception):
    """Nobody expected it."""


class BreaksOnce(MarketMakingStateMachine):
    """Its first machine raises once two of its orders rest."""

    has_broken = False

    def step(self, fact: Fact) -> StepResult:
        resting = sum(order.acknowledged for order in self.context.orders.live())
        if not BreaksOnce.has_broken and resting >= 2 and isinstance(fact, MarketBook):
            BreaksOnce.has_broken = True
            raise BugError("in the middle of a step")
        return super().step(fact)


def test_it_quotes_again_with_the_exchanges_own_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "exchange" / "endpoint.json"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(BreaksOnce, "has_broken", False)
    (tmp_path / "exchange").mkdir()
    settings = LIVE.replace("[account]", "[account]\nrestart_seconds = 5")
    settings = settings.replace("target_spread_bps = 30", "target_spread_bps = 4\nmin_spread_bps = 3")
    path = write_settings(tmp_path, settings)
    log = tmp_path / "exchange" / "log.jsonl"
    with rehearsing(tmp_path / "exchange", SYMBOL, "--balance", "USDT=6000", "--balance", "ETH=2"):
        opening = Opening(directory=tmp_path / "out", has_journal=True, machine_class=BreaksOnce)
        with opened_in_wall_time(read_settings(path), opening) as supervisor:
            (session,) = supervisor.sessions
            first = session.machine
            for _ in supervisor.run():
                resting = sum(order.acknowledged for order in session.machine.context.orders.live())
                if session.machine is not first and resting >= 2:
                    supervisor.request_stop("the test ends")
            context = session.machine.context
            assert session.policy.done == 1
            assert session.machine.is_final
        record = read_log(log)
    assert record.open_orders() == ()
    assert record.duplicates() == {}
    assert context.fill_count == len(record.fills(SYMBOL))
    assert context.base_position - Decimal(1) == record.balances()["ETH"] - Decimal(2)
