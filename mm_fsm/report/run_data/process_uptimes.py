"""Time with quotes on both sides as each machine of a run counted it, one after the other: none counts another's."""

from __future__ import annotations

from attrs import define, field

from mm_fsm.machine.quote_uptime import QuoteUptime


@define
class _Counted:
    """One machine's count, and where it stood when the following of it began."""

    uptime: QuoteUptime
    both_resting: int
    both_live: int


@define(eq=False)
class ProcessUptimes:
    """The counts of every process, or machine after a restart, that made the market while it was followed."""

    _counts: list[_Counted] = field(factory=list, init=False)

    def follow(self, uptime: QuoteUptime, now: int) -> None:
        """A machine makes the market from now on, nanoseconds: another one, or the last one as its record has it."""
        last = self._counts[-1] if self._counts else None
        if last is not None and uptime is last.uptime:
            return
        began_at = uptime.began_at
        if last is None or began_at is None or began_at >= now:
            self._counts.append(_Counted(uptime, uptime.both_resting, uptime.both_live))
        else:
            last.uptime = uptime

    def both_resting(self) -> int:
        """Nanoseconds with quotes on both sides in the venue's book."""
        return sum(each.uptime.both_resting - each.both_resting for each in self._counts)

    def both_live(self) -> int:
        """The same by the machine's own books."""
        return sum(each.uptime.both_live - each.both_live for each in self._counts)
