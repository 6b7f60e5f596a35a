"""Two processes cannot make one market on one account, and the second says which one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve

from mm_fsm.errors import OwnershipError
from mm_fsm.runtime.ownership import Ownership, market_directory
from mm_fsm.venues.paper import paper_terms
from tests.runtime.journal.scenario import BALANCES, FEES, INSTRUMENT, begin, plan_at

HOLD = """
import sys
from pathlib import Path
from mm_fsm.runtime.ownership import Ownership, market_directory
lock = Ownership(Path(sys.argv[1]), "main", "ETH/USD", "run-a")
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_process_is_told_who_holds_it_and_gets_it_when_that_one_is_killed(tmp_path: Path) -> None:
    """The lock ends with its process, however that ends: nothing has to be cleaned up by hand."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OwnershipError, match=rf"process {holder.pid} on .* \(run run-a\)"):
            Ownership(tmp_path, "main", "ETH/USD", "run-b")
        holder.kill()
    Ownership(tmp_path, "main", "ETH/USD", "run-b").release()


def test_other_accounts_and_other_markets_are_free(tmp_path: Path) -> None:
    with Ownership(tmp_path, "main", "ETH/USD", "a"), Ownership(tmp_path, "main", "BTC/USD", "b"):
        Ownership(tmp_path, "second", "ETH/USD", "c").release()


def test_a_second_run_on_another_journal_of_the_same_market_is_refused(tmp_path: Path) -> None:
    with (
        begin(plan_at(tmp_path / "one.journal")),
        pytest.raises(OwnershipError, match=rf"process {os.getpid()} .*one\.journal"),
    ):
        begin(plan_at(tmp_path / "two.journal"))
    assert not (tmp_path / "two.journal").exists()


def test_a_start_that_fails_leaves_the_market_free(tmp_path: Path) -> None:
    (tmp_path / "run.journal").write_bytes(b"no journal at all")
    with pytest.raises(Exception, match="journal"):
        begin(plan_at(tmp_path / "run.journal"))
    begin(plan_at(tmp_path / "other.journal")).close()


def test_where_a_market_of_an_account_that_outlives_the_process_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the user's state whatever the results' directory; an account's name never leads out of it."""
    paper = paper_terms(INSTRUMENT, FEES, BALANCES)
    assert market_directory(paper, tmp_path / "out") == tmp_path / "out"
    live = evolve(paper, account="binance-1", outlives_process=True)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    state = tmp_path / "mm-fsm"
    assert market_directory(live, tmp_path / "out") == market_directory(live, tmp_path / "other")
    assert market_directory(live, tmp_path / "out") == state / "binance-1" / "ETH-USD"
    for account in ("..", "../../etc", "/", ""):
        directory = market_directory(evolve(live, account=account), tmp_path / "out")
        assert state in directory.resolve().parents
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    expected = tmp_path / "home" / ".local" / "state" / "mm-fsm" / "binance-1" / "ETH-USD"
    assert market_directory(live, tmp_path) == expected
