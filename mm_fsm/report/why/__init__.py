"""Why a side was not quoted, and which setting would have had to differ by how little.

``accounts`` replay a journal and account for both sides' time; ``answers`` put the machine back to the first step of a
stretch and search for the smallest changes with which that step quotes the side. ``LastSteps`` and
``explain_last_step`` do the same for a machine that runs.
"""

from mm_fsm.report.why.accounts import Account, read_account
from mm_fsm.report.why.answers import Answer, answerer_for
from mm_fsm.report.why.last_steps import CapturedSteps, LastSteps, explain_last_step

__all__ = [
    "Account",
    "Answer",
    "CapturedSteps",
    "LastSteps",
    "answerer_for",
    "explain_last_step",
    "read_account",
]
