"""Two processes cannot make one market on one account, and the second says which one does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mm_fsm.errors import OwnershipError
from mm_fsm.runtime.ownership import Ownership
from tests.runtime.journal.scenario import begin, plan_at

HOLD = """
import sys
from pathlib import Path
from mm_fsm.runtime.ownership import Ownership
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
