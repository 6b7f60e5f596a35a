"""Reports are of market makers: which of them wrote a journal, or that none did."""

from __future__ import annotations

from mm_fsm.errors import JournalError
from mm_fsm.machine.quoting import QuotingMachine
from mm_fsm.runtime.journal.database import SegmentRow
from mm_fsm.runtime.journal.reader import JournalReader
from mm_fsm.runtime.journal.replaying import recorded_class


def recorded_market_maker(reader: JournalReader, segment: SegmentRow) -> type[QuotingMachine]:
    """The class that wrote a segment.

    Raises:
        JournalError: it is not there, or quotes no two sides.
    """
    found = recorded_class(reader, segment)
    if not issubclass(found, QuotingMachine):
        raise JournalError(
            reader.path.name,
            f"expected a market maker's, found that {found.__qualname__} wrote it, which has no sides to be quoted.",
            "Look at its steps with mm-fsm inspect.",
        )
    return found
