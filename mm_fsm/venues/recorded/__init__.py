"""Recorded markets: readers of files that stream their events in order of exchange time.

- ``opening``: from files to the recording that reads them, by what they contain.
- ``tardis``: CSV files of quotes and trades in the columns of Tardis.dev.
- ``binance``: raw captures of Binance futures streams.
- ``recording``: what both have in common; ``files``, ``fields`` and ``ordering`` are what they stand on.
"""

from mm_fsm.venues.recorded.binance import BinanceRecording
from mm_fsm.venues.recorded.opening import open_recording
from mm_fsm.venues.recorded.recording import RecordedEvent, Recording, RecordingInfo
from mm_fsm.venues.recorded.tardis import TardisRecording

__all__ = ["BinanceRecording", "RecordedEvent", "Recording", "RecordingInfo", "TardisRecording", "open_recording"]
