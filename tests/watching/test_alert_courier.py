"""A courier never keeps anybody waiting, tries again, and says once that a target takes nothing."""

from __future__ import annotations

from queue import Queue
from threading import Event
from time import monotonic

from mm_fsm.watching.alert_courier import QUEUE_LENGTH, Courier
from tests.patience import PATIENCE


class Target:
    """Takes, refuses, or hangs as a test wants."""

    name = "1 (TEST)"

    def __init__(self, answers: list[bool] | None = None) -> None:
        self.answers = answers
        self.sent: Queue[str] = Queue()
        self.lets_go: Event | None = None

    def send(self, title: str, body: str) -> bool:
        self.sent.put(f"{title}: {body}")
        if self.lets_go is not None:
            self.lets_go.wait(PATIENCE)
        return self.answers.pop(0) if self.answers else True

    def all(self) -> list[str]:
        return [self.sent.get() for _ in range(self.sent.qsize())]


def ended(courier: Courier) -> bool:
    courier.end()
    return courier.wait(monotonic() + PATIENCE)


def test_messages_arrive_in_order_and_the_end_waits_for_them() -> None:
    target = Target()
    courier = Courier(target)
    for number in range(5):
        courier.put("t", f"{number}")
    assert ended(courier)
    assert target.all() == [f"t: {number}" for number in range(5)]


def test_a_message_that_is_not_taken_is_tried_again(messages: list[str]) -> None:
    """Refused twice, then taken: three sends, and the log says both changes once."""
    target = Target([False, False, True])
    courier = Courier(target, (1e-3, 1e-3))
    courier.put("t", "b")
    for _ in range(3):
        assert target.sent.get(timeout=PATIENCE) == "t: b"
    assert ended(courier)
    assert messages == ["alert.not_taken", "alert.taken_again"]


def test_a_message_that_is_given_up_is_told_of_by_the_next(messages: list[str]) -> None:
    target = Target([False, False, False, True, True])
    courier = Courier(target, (1e-3,))
    for body in ("first", "second", "third"):
        courier.put("t", body)
    told = [target.sent.get(timeout=PATIENCE) for _ in range(5)]
    assert ended(courier)
    missing = "\n1 earlier messages could not be delivered."
    assert told == ["t: first", "t: first", f"t: second{missing}", f"t: second{missing}", "t: third"]
    assert messages == ["alert.not_taken", "alert.taken_again"]


def test_a_target_that_hangs_keeps_nobody_waiting_and_the_queue_is_bounded() -> None:
    """One message hangs, so many wait, the others are counted: the next that leaves says how many."""
    target = Target()
    target.lets_go = Event()
    courier = Courier(target)
    courier.put("t", "hangs")
    assert target.sent.get(timeout=PATIENCE) == "t: hangs"
    for number in range(QUEUE_LENGTH + 7):
        courier.put("t", f"{number}")
    courier.end()
    assert not courier.wait(monotonic())
    target.lets_go.set()
    assert courier.wait(monotonic() + PATIENCE)
    assert target.all() == [
        "t: 0\n7 earlier messages could not be delivered.",
        *[f"t: {number}" for number in range(1, QUEUE_LENGTH)],
    ]


def test_the_end_tries_what_waits_once_more_and_no_longer() -> None:
    """The next attempt would be in an hour. The urgent first: the time to wait may be over after it."""
    target = Target([False])
    courier = Courier(target, (3_600.0,))
    courier.put("t", "tried")
    assert target.sent.get(timeout=PATIENCE) == "t: tried"
    courier.put("t", "waits")
    courier.put("t", "kill switch", is_urgent=True)
    assert ended(courier)
    assert target.all() == ["t: kill switch", "t: tried", "t: waits"]
    assert courier.untold() == ()


def test_what_is_not_taken_at_the_end_either_is_named() -> None:
    target = Target([False, False, True, False])
    courier = Courier(target, (3_600.0,))
    courier.put("limit", "b")
    assert target.sent.get(timeout=PATIENCE) == "limit: b"
    courier.put("kill switch", "b", is_urgent=True)
    courier.put("feed lost", "b")
    assert ended(courier)
    assert target.all() == ["kill switch: b", "limit: b", "feed lost: b"]
    assert courier.untold() == ("kill switch", "feed lost")


def test_what_is_urgent_stays_until_it_is_taken() -> None:
    """Refused ten times while others come and are given up; then everything that is left arrives."""
    target = Target([False] * 10)
    courier = Courier(target, (1e-3,))
    courier.put("t", "kill switch", is_urgent=True)
    courier.put("t", "limit")
    told = [target.sent.get(timeout=PATIENCE) for _ in range(11)]
    assert told[:4] == ["t: kill switch", "t: kill switch", "t: limit", "t: limit"]
    assert told[-1] == "t: kill switch\n1 earlier messages could not be delivered."
    assert ended(courier)
    assert target.all() == []


def test_what_is_urgent_takes_the_place_of_what_is_not_when_the_queue_is_full() -> None:
    target = Target()
    target.lets_go = Event()
    courier = Courier(target)
    courier.put("t", "hangs")
    assert target.sent.get(timeout=PATIENCE) == "t: hangs"
    for number in range(QUEUE_LENGTH):
        courier.put("limit", f"{number}")
    courier.put("kill switch", "b", is_urgent=True)
    assert len(courier.untold()) == 1 + QUEUE_LENGTH + 1
    target.lets_go.set()
    assert ended(courier)
    told = target.all()
    assert len(told) == QUEUE_LENGTH
    assert sum(each.startswith("kill switch") for each in told) == 1
    assert not any(each.startswith(f"limit: {QUEUE_LENGTH - 1}") for each in told)
