"""The journal: one record for each step that moved something, durable before its intents leave; replay and checks."""

from mm_fsm.runtime.journal.beginning import begin_journal
from mm_fsm.runtime.journal.database import SCHEMA_VERSION, SegmentOrigin
from mm_fsm.runtime.journal.machine import JournaledMachine
from mm_fsm.runtime.journal.reader import JournalReader
from mm_fsm.runtime.journal.replaying import ReplayedStep, replay
from mm_fsm.runtime.journal.verification import Difference, VerifyReport, verify_run
from mm_fsm.runtime.journal.writer import Journal, JournalSettings, JournalStatus

__all__ = [
    "SCHEMA_VERSION",
    "Difference",
    "Journal",
    "JournalReader",
    "JournalSettings",
    "JournalStatus",
    "JournaledMachine",
    "ReplayedStep",
    "SegmentOrigin",
    "VerifyReport",
    "begin_journal",
    "replay",
    "verify_run",
]
