"""The same facts give the same results and the same books: twice in one process, and in processes that hash apart."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from decimal import ROUND_UP, Context, Decimal, Inexact, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from mm_fsm.core.instrument import Balances
from mm_fsm.core.messages import Fact, RejectionCode, RequestKind
from mm_fsm.machine.market_making import MarketMakingStateMachine
from tests.machine.bench import FEES, SPOT, Bench, settings_with
from tests.machine.storm import Operation, Storm, operations, sessions
from tests.machine.test_random_facts import Session


def replay(session: Session, facts: list[Fact]) -> list[tuple[str, str]]:
    """What a new machine answers to facts that another was told, and its books after each."""
    machine = MarketMakingStateMachine(*session, run_id="run")
    return [(repr(machine.step(fact)), machine.context.digest()) for fact in facts]


@settings(max_examples=15)
@given(session=sessions(), story=st.lists(operations(), min_size=5, max_size=40))
def test_the_same_facts_give_the_same_results_and_digests(session: Session, story: list[Operation]) -> None:
    bench = Storm(session).play(story)
    facts = [result.fact for result in bench.results]
    once, again = replay(session, facts), replay(session, facts)
    assert once == again
    assert [result for result, _ in once] == [repr(result) for result in bench.results]
    assert once[-1][1] == bench.context.digest()


def story_digest() -> str:
    """A long story drawn from one seed, every result and the last books in one digest."""
    funds = Balances(base=Decimal(50), quote=Decimal(9_000))
    bench = Bench(settings_with(num_price_levels=3, max_drawdown=Decimal(50)), balances=funds)
    stream = random.Random(7)
    for _ in range(20):
        bench.run(2)
        live = bench.live()
        bid = Decimal("99.99") + Decimal(stream.randrange(-30, 30)) / 100
        bench.book(bid, bid + Decimal("0.02"))
        if live:
            name = stream.choice(live)
            match stream.randrange(5):
                case 0:
                    bench.refuses(bench.trade(name, "0.1"))
                case 1:
                    bench.lose(name, RequestKind.CANCEL)
                case 2:
                    bench.report(name)
                case 3:
                    bench.reject(name, RejectionCode.OTHER)
                case _:
                    bench.wait(stream.randrange(8))
    parts = [repr(result) for result in bench.results]
    parts += [bench.context.digest(), repr(bench.machine.result()), repr(bench.machine.uptime)]
    return f"{len(bench.results)} {hashlib.sha256(chr(10).join(parts).encode()).hexdigest()}"


def test_processes_with_different_hash_seeds_come_to_the_same_digest() -> None:
    code = "from tests.machine.test_determinism import story_digest; print(story_digest())"
    digests = set()
    for seed in ("0", "1", "4711"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=120
        )
        digests.add(run.stdout.strip())
    assert digests == {story_digest()}


def test_a_new_machine_of_the_same_class_does_not_remember_the_last_one() -> None:
    first, second = Bench(), Bench()
    first.start_quoting()
    second.start_quoting()
    assert [repr(result) for result in first.results] == [repr(result) for result in second.results]
    assert MarketMakingStateMachine(settings_with(), SPOT, FEES, first.start).context.now == 0


def test_what_a_host_sets_for_its_own_decimals_changes_nothing() -> None:
    """Few digits and another rounding would move prices and sizes; a trap for inexact figures would raise."""
    bench = Bench().start_quoting()
    bench.fill(bench.live()[0], "0.37")
    bench.run(20)
    session = (bench.context.settings, SPOT, FEES, bench.start)
    facts = [result.fact for result in bench.results]
    expected = [repr(result) for result in bench.results]
    with localcontext(Context(prec=5, rounding=ROUND_UP, traps=[Inexact])):
        assert [result for result, _ in replay(session, facts)] == expected
