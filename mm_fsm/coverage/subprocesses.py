"""Records the processes that a test starts: those that find a directory in their environment and import ``mm_fsm``.

Nothing heavy is loaded before charts are: ours, or python-statemachine's. What was recorded is written when the process
ends by itself; a process that is killed, or forked without starting an interpreter, leaves nothing.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import re
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from mm_fsm.coverage.recorder import Recorder

VARIABLE: Final = "MM_FSM_COVERAGE"
"""Names the directory to write to; also read in ``mm_fsm/__init__.py``."""
_ENGINE: Final = "statemachine"
_CHARTS: Final = re.compile(rf"{_ENGINE}|mm_fsm\.(chart|testing)|mm_fsm\.coverage\.(?!plugin$|subprocesses$)\w+")
"""What brings charts, or imports what does. The one whose import begins first is complete before anything is recorded:
what records is built from all of them.
"""


class _OnImport:
    """Calls a function as soon as the first module of ``_CHARTS`` has been imported."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function = function

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """What the import system asks every finder."""
        if not _CHARTS.fullmatch(name):
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            loader: Any = spec.loader
            execute = loader.exec_module

            def execute_and_call(module: ModuleType) -> None:
                execute(module)
                if module.__name__ == name:  # one loader may be every module's, as pytest's is
                    loader.exec_module = execute
                    self._function()

            loader.exec_module = execute_and_call
        return spec


_armed: list[Callable[[], None]] = []
"""What takes the measurement of this process back."""


def record_this_process() -> None:
    """Record every chart of this process, from the moment that charts are imported."""
    if _ENGINE in sys.modules:
        _record()
        return
    trigger = _OnImport(_record)
    sys.meta_path.insert(0, trigger)
    _armed.append(lambda: sys.meta_path.remove(trigger) if trigger in sys.meta_path else None)


def leave_this_process() -> None:
    """Leave this process to somebody else who measures it."""
    while _armed:
        _armed.pop()()


def _record() -> None:
    from mm_fsm.coverage.recorder import Recorder  # noqa: PLC0415 - it imports the engine

    recorder = Recorder()
    recorder.start()
    directory, process = os.environ.get(VARIABLE, ""), os.getpid()

    def write() -> None:
        if os.getpid() == process:  # a fork ends with its parent's functions
            _write(recorder, directory)

    atexit.register(write)
    _armed.append(recorder.stop)
    _armed.append(lambda: atexit.unregister(write))


def _write(recorder: Recorder, directory: str) -> None:
    text = recorder.run().to_text()
    path = os.path.join(directory, f"{os.getpid()}-{os.urandom(8).hex()}.json")  # noqa: PTH118 - light
    try:
        with open(f"{path}.part", "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(text)
        os.replace(f"{path}.part", path)  # noqa: PTH105
    except OSError:  # the run is over and its directory gone
        return
