"""Where two tracks first differ: two journals, or one under two versions of its machine."""

from __future__ import annotations

from attrs import frozen

from mm_fsm.report.inspection.track import Track


@frozen
class FirstDifference:
    """The first step, by its sequence number, whose fact or decision differs; one for each segment of one journal."""

    segment: int
    sequence: int


def first_differences(left: Track, right: Track, *, is_one_journal: bool) -> tuple[FirstDifference, ...]:
    """Where ``right`` first differs from ``left``.

    Args:
        left: what was recorded.
        right: what is held against it.
        is_one_journal: whether both are one journal under two versions: each segment begins anew then. Two journals
            have one first difference; what follows is another story.
    """
    found: list[FirstDifference] = []
    places = [(window.place.segment, window.place.first, window.place.last) for window in right.windows]
    done: set[int] = set()
    for segment, first, last in places:
        if segment in done:
            continue
        different = _first_between(left, right, first, last)
        if different is not None:
            found.append(FirstDifference(segment, different))
            done.add(segment)
            if not is_one_journal:
                break
    if not found and not is_one_journal:
        return _end_of_the_shorter(left, right)
    return tuple(found)


def _first_between(left: Track, right: Track, first: int, last: int) -> int | None:
    """Steps that one side does not have are passed over: a journal without market data holds fewer."""
    for sequence in range(first, last + 1):
        ours, theirs = left.decisions.get(sequence), right.decisions.get(sequence)
        if ours is not None and theirs is not None and ours != theirs:
            return sequence
    return None


def _end_of_the_shorter(left: Track, right: Track) -> tuple[FirstDifference, ...]:
    """Alike as far as both go: the first step that only one of them has."""
    ours, theirs = max(left.decisions, default=0), max(right.decisions, default=0)
    if ours == theirs:
        return ()
    longer = left if ours > theirs else right
    sequence = next(each for each in longer.decisions if each > min(ours, theirs))
    segment = next(w.place.segment for w in longer.windows if w.place.first <= sequence <= w.place.last)
    return (FirstDifference(segment, sequence),)
