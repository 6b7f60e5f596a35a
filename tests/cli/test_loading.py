"""How the program loads."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import gc, sys
from mm_fsm.cli import main
before = gc.get_threshold()
sys.argv = ["mm-fsm", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print(gc.get_threshold() == before)
"""


def test_cycles_are_sought_as_in_any_program_once_everything_is_loaded() -> None:
    """A command that goes on for days would otherwise keep hundreds of thousands of objects that nobody needs."""
    said = subprocess.check_output([sys.executable, "-c", _PROGRAM, "--version"], text=True)
    assert said.splitlines()[-1] == "True"
