"""Recorded markets: readers of files that stream their events in order of the time at which they are shown.

- ``opening``: from files to the recording that reads them, by what they contain.
- ``recording``: one market's events in one order; ``ordering`` and ``soundness`` are what it does to them.
- ``tardis``, ``binance``, ``binance_public``, ``hftbacktest`` and ``parquet``: the kinds of files; they stand on
  ``layout``, ``rows``, ``depth`` and ``making``. ``writing`` writes them.
- ``kind``: what settings say of them.
- ``reading``: what is forgiven, and the count of what was passed over.
- ``prepared``: events that are kept, so that the same files need not be read again.
- ``files`` and ``fields``: bytes to lines, and text to exact values.
"""

from mm_fsm.venues.recorded.layout import RecordedEvent, RecordingInfo
from mm_fsm.venues.recorded.opening import open_recording
from mm_fsm.venues.recorded.prepared import PreparedFiles
from mm_fsm.venues.recorded.reading import Fault, Order, ReadingSettings
from mm_fsm.venues.recorded.recording import Recording

__all__ = [
    "Fault",
    "Order",
    "PreparedFiles",
    "ReadingSettings",
    "RecordedEvent",
    "Recording",
    "RecordingInfo",
    "open_recording",
]
