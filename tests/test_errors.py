"""Messages of the package's errors: each part a sentence of its own."""

from __future__ import annotations

import pytest

from mm_fsm.errors import JournalError


@pytest.mark.parametrize("problem", ["step 3 is refused", "step 3 is refused."])
def test_what_is_wrong_with_a_journal_and_what_to_do_are_two_sentences(problem: str) -> None:
    error = JournalError("run.journal", problem, "Use another version.")
    assert str(error) == "journal run.journal: step 3 is refused. Use another version."
