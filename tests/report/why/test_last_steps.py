"""A running machine explains its last step, with or without a journal, and is not touched by that."""

from __future__ import annotations

import pickle
from decimal import Decimal

import pytest
from attrs import evolve

from mm_fsm.books.facts import Timer
from mm_fsm.core.messages import Side
from mm_fsm.machine.market_making import MarketMakingStateMachine
from mm_fsm.report.why import CapturedSteps, LastSteps, explain_last_step
from tests.machine.bench import Bench, settings_with
from tests.report.why.recorded import is_quoted

BID, ASK = Side.BID, Side.ASK


class Followed:
    """A bench whose machine is followed from before its first step."""

    def __init__(self, steps_together: int, **changes: object) -> None:
        self.bench = Bench(settings_with(**changes))
        self.steps = LastSteps(self.bench.machine, steps_together=steps_together)
        tell = self.bench.tell

        def told(fact: object) -> object:
            result = tell(fact)  # type: ignore[arg-type]
            self.steps.take(result)
            return result

        self.bench.tell = told  # type: ignore[assignment,method-assign]


def at_its_limit(steps_together: int) -> Followed:
    """A machine whose bid is held because its position is at its limit, since some steps."""
    followed = Followed(steps_together, max_position_size=Decimal("0.5"), base_order_size=50)
    bench = followed.bench.start_quoting()
    (bid,) = bench.live(BID)
    bench.fill(bid)
    bench.settle()
    for _ in range(4):
        bench.later(0.2)
        bench.book()
    assert bench.hold(BID) is not None
    return followed


@pytest.fixture(scope="module")
def captured() -> CapturedSteps:
    """Taken of a machine that wrote down what it remembers often."""
    return at_its_limit(steps_together=7).steps.captured()


def test_the_last_step_is_explained_by_the_step_that_began_it(captured: CapturedSteps) -> None:
    """Whatever stretch the last step lies in, the machine is put back to the first step of that."""
    bid = explain_last_step(captured)[0]
    assert bid.stretch.side is BID
    assert bid.stretch.reason == "inventory_limit"
    assert bid.at_first_step is not None
    changes = {each.change.name: each.change for each in bid.at_first_step.changes}
    assert "max_position_size" in changes
    assert bid.stretch.began is not None
    rewound = captured.rewind(bid.stretch.began.step)
    settings = evolve(rewound.settings, max_position_size=changes["max_position_size"].changed)
    result, machine = rewound.attempt(settings)
    assert isinstance(machine, MarketMakingStateMachine)
    assert is_quoted(result, machine, BID)


def test_any_step_that_is_kept_is_made_again_as_it_was(captured: CapturedSteps) -> None:
    """Put back and stepped without a change, the machine decides what it decided."""
    again = at_its_limit(steps_together=7).bench.results
    kept = [result for result in again if captured.keeps(result.sequence)]
    assert len(kept) > 7
    for result in kept:
        assert captured.rewind(result.sequence).attempt()[0] == result


def test_what_is_captured_can_be_sent_to_another_process(captured: CapturedSteps) -> None:
    sent = pickle.loads(pickle.dumps(captured))
    assert [each.stretch for each in explain_last_step(sent)] == [each.stretch for each in explain_last_step(captured)]


def test_following_and_explaining_leave_the_machine_as_it_is() -> None:
    """The same facts with and without a follower: the same digest, the same results."""
    followed = at_its_limit(steps_together=3)
    alone = Bench(settings_with(max_position_size=Decimal("0.5"), base_order_size=50)).start_quoting()
    (bid,) = alone.live(BID)
    alone.fill(bid)
    alone.settle()
    for _ in range(4):
        alone.later(0.2)
        alone.book()
    before = followed.bench.fingerprint()
    assert before[0] == alone.fingerprint()[0]
    assert followed.bench.results == alone.results
    followed.steps.captured()
    assert followed.bench.fingerprint() == before


def test_a_first_step_that_is_no_longer_kept_is_explained_without_a_search() -> None:
    """The window in which a silence began is kept; what lies before it is not."""
    followed = at_its_limit(steps_together=5)
    bench = followed.bench
    for _ in range(40):
        bench.later(0.2)
        bench.book()
    captured = followed.steps.captured()
    assert not captured.keeps(1)
    with pytest.raises(LookupError, match="step that is kept"):
        captured.rewind(1)
    for answer in explain_last_step(captured):
        began = answer.stretch.began
        assert began is not None
        assert (answer.at_first_step is None) == (answer.stretch.reason == "live" or not captured.keeps(began.step))


def test_a_live_side_needs_no_change() -> None:
    followed = Followed(50)
    followed.bench.start_quoting()
    answers = explain_last_step(followed.steps.captured())
    assert [each.stretch.reason for each in answers] == ["live", "live"]
    assert all(each.at_first_step is None for each in answers)


def test_before_the_first_step_there_is_nothing_to_explain() -> None:
    assert explain_last_step(Followed(50).steps.captured()) == []


def test_every_attempt_begins_anew(captured: CapturedSteps) -> None:
    """What attempts share never changes: the same step twice, with another in between, is the same."""
    bid = captured.account.at(BID, captured.account.end)
    assert bid is not None
    assert bid.began is not None
    rewound = captured.rewind(bid.began.step)
    first, machine = rewound.attempt()
    digest = rewound.copy().digest()
    machine.step(Timer(received_at=machine.now + 60_000_000_000))
    rewound.attempt(evolve(rewound.settings, max_position_size=Decimal(9), num_price_levels=2))
    assert rewound.attempt()[0] == first
    assert rewound.copy().digest() == digest
