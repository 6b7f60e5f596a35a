"""How people and other processes reach a run: small files in its directory, so that nothing listens on a network.

A file ``pause`` pauses every market while it is there, a file ``stop`` ends the run in order; each may hold a reason.
``heartbeat`` is written while the run's loop turns, and ``operations.json`` says what runs where, for the watchdog.
``ended`` names a run that has ended in order; that a file is missing says nothing, for anybody may remove one.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from math import inf
from pathlib import Path
from time import time
from typing import Any, Final

from attrs import asdict, define, field, frozen

from mm_fsm.errors import FileError, SettingsError

PAUSE: Final = "pause"
STOP: Final = "stop"
HEARTBEAT: Final = "heartbeat"
ENDED: Final = "ended"
ABOUT: Final = "operations.json"
FOUND: Final = "watchdog.json"
BEAT_SECONDS: Final = 1.0
"""How often a run that turns says so."""
_LONGEST_REASON: Final = 200
_MEANT_FOR: Final = re.compile(r"for run (?P<run>[0-9a-f]{32})(\n|$)")
"""The first line of a stop that is meant for one run alone."""
_TOKEN_BYTES: Final = 16
_STATE: Final = 0
"""Of a process, in ``/proc/PID/stat``, counted from behind its name."""
_STARTED: Final = 19
"""When it started, in ticks since boot; counted in the same way."""
_NO_MORE: Final = frozenset({"Z", "X"})
"""States of a process that has ended and that its parent has not collected yet."""


@cache
def this_run() -> str:
    """A random name of this process as a run: its number is 1 in any container."""
    return os.urandom(_TOKEN_BYTES).hex()


@frozen(kw_only=True)
class RunningMarket:
    """One market of a run, as a watchdog needs it."""

    symbol: str
    account: str
    strategy_id: str
    journal: str
    """Absolute path; empty when there is none."""


@frozen(kw_only=True)
class RunDescription:
    """What runs, and who runs it."""

    settings: str | None
    """Absolute path of the settings file; None for shipped presets."""
    process: int
    host: str
    markets: tuple[RunningMarket, ...]
    run: str = ""
    """Random, another one for each run; empty in a file of an earlier version."""
    started: str = ""
    """When the process started, as ``process_start`` has it: its number may be another process's later."""

    def is_gone(self) -> bool:
        """Whether its process is no more. Of another machine's process nobody here can say so."""
        return is_dead(self.process, self.host, self.started)


def is_dead(process: int, host: str, started: str = "") -> bool:
    """Whether a process is known to be no more: of another machine's process nobody here knows."""
    return host == socket.gethostname() and not is_alive(process, started)


def process_start(process: int) -> str:
    """When a process of this machine started, in ticks since boot; empty where the system does not say."""
    found = _process_facts(process)
    return found[_STARTED] if found else ""


def is_alive(process: int, started: str = "") -> bool:
    """Whether this machine has such a process, and it has not ended.

    Args:
        process: its number.
        started: ``process_start`` of the one that is meant; empty means any with that number.
    """
    if found := _process_facts(process):
        return found[_STATE] not in _NO_MORE and started in {"", found[_STARTED]}
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _process_facts(process: int) -> list[str]:
    """Fields of ``/proc/PID/stat`` behind the name, which may hold anything; none where there is no such file."""
    try:
        found = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
    return found if len(found) > _STARTED else []


@frozen(kw_only=True)
class RescuedMarket:
    """What a watchdog found of one market of a run that had fallen silent."""

    run: str
    """Of the run: ``RunDescription.run``."""
    at: float
    """Seconds since 1970."""
    is_confirmed_empty: bool
    """Whether the venue's lists hold no order of the run's any more."""
    cancels: int


@frozen(kw_only=True)
class Wishes:
    """What files ask for: a reason, or None."""

    pause: str | None
    stop: str | None


@define
class OperationsDirectory:
    """The files of one run.

    Args:
        directory: where the run's results go.
    """

    directory: Path
    _beaten_at: float = field(default=0.0, init=False)

    def begin(self, settings: Path | None, markets: Sequence[RunningMarket]) -> None:
        """Say what runs; a stop that was meant for an earlier run is forgotten, a pause stays.

        Raises:
            SettingsError: the directory cannot be written to.
        """
        facts = RunDescription(
            settings=None if settings is None else str(settings.resolve()),
            process=os.getpid(),
            host=socket.gethostname(),
            markets=tuple(markets),
            run=this_run(),
            started=process_start(os.getpid()),
        )
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            for name in (STOP, FOUND, ENDED):
                (self.directory / name).unlink(missing_ok=True)
            self._replace(ABOUT, json.dumps(asdict(facts), indent=1))
        except OSError as error:
            raise self._unwritable(error) from error
        self._beaten_at = 0.0
        self.beat()

    def beat(self) -> None:
        """Say that the run is alive, once a second at most. Never raises: a full disk must not end a run."""
        now = time()
        if not 0 <= now - self._beaten_at < BEAT_SECONDS:
            self._beaten_at = now
            try:
                self._replace(HEARTBEAT, f"{now:.3f}")
            except OSError:
                self._beaten_at = 0.0

    def end(self) -> None:
        """The run has ended with every book confirmed empty, so that its silence means nothing. Never raises.

        Where that cannot be written, the run counts as silent, and a watchdog looks once too often.
        """
        try:
            self._replace(ENDED, this_run())
        except OSError:
            return
        for name in (HEARTBEAT, STOP):
            try:
                (self.directory / name).unlink(missing_ok=True)
            except OSError:
                continue

    def wishes(self) -> Wishes:
        """What is asked for now. A file that cannot be read asks all the same; a stop of another run does not."""
        return Wishes(pause=self._reason(PAUSE), stop=self._stop())

    def ask(self, what: str, reason: str, run: str | None = None) -> None:
        """Leave a file that pauses or stops the run.

        A stop names its run: one that begins while it is being written does not take it for its own. A pause stands
        for whatever runs there, over restarts, until it is taken back.

        Args:
            what: ``PAUSE`` or ``STOP``.
            reason: for people.
            run: the run that is meant, ``RunDescription.run``; by default the one that is there.

        Raises:
            SettingsError: no run has written to this directory, or it cannot be written to.
        """
        there = self.read().run
        meant = run or there
        text = f"for run {meant}\n{reason}" if what == STOP and meant else reason
        try:
            self._replace(what, text)
        except OSError as error:
            raise self._unwritable(error) from error

    def take_back(self, what: str) -> None:
        """Remove such a file; nothing happens when there is none.

        Raises:
            SettingsError: no run has written to this directory, or the file cannot be removed.
        """
        self.read()
        try:
            (self.directory / what).unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def read(self) -> RunDescription:
        """What runs, or ran last, here.

        Raises:
            SettingsError: no run has written to this directory.
        """
        path = self.directory / ABOUT
        try:
            found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            markets = tuple(RunningMarket(**market) for market in found["markets"])
            return RunDescription(**{**found, "markets": markets})
        except (OSError, ValueError, LookupError, TypeError):
            remedy = "Name what --out named, or runs/latest."
            raise FileError(str(self.directory), f"the directory of a run, with {ABOUT}", "none", remedy) from None

    def _unwritable(self, error: OSError) -> FileError:
        found = error.strerror or str(error)
        return FileError(str(self.directory), "a directory to write to", found, "Make room or access, or name another.")

    def note_rescue(self, found: Mapping[str, RescuedMarket]) -> None:
        """Keep what a watchdog found, by market, beside what it found before.

        Raises:
            OSError: the directory cannot be written to.
        """
        known = {**self.rescues(), **found}
        self._replace(FOUND, json.dumps({symbol: asdict(each) for symbol, each in known.items()}, indent=1))

    def rescues(self) -> Mapping[str, RescuedMarket]:
        """What a watchdog found of the run, by market; nothing where none had to act, or nobody can read it."""
        try:
            run = self.read().run
            entries: Mapping[str, Any] = json.loads((self.directory / FOUND).read_text(encoding="utf-8"))
            found = {symbol: RescuedMarket(**entry) for symbol, entry in entries.items()}
        except (SettingsError, OSError, ValueError, TypeError, AttributeError):
            return {}
        return {symbol: each for symbol, each in found.items() if each.run == run}

    def is_confirmed_empty(self) -> bool:
        """Whether a watchdog has found the book of every market of the run empty."""
        found = self.rescues()
        return bool(found) and all(
            each.symbol in found and found[each.symbol].is_confirmed_empty for each in self.read().markets
        )

    def has_ended(self) -> bool:
        """Whether the run that began last here has said that it ended in order."""
        text = self._text(ENDED)
        if not text:
            return False
        with suppress(SettingsError):
            return self.read().run == text.strip()
        return False

    def silent_seconds(self, now: float | None = None) -> float | None:
        """How long the run has not said that it is alive, infinite where no sign can be read; None once it has ended.

        No sign of life is no end: a disk may be full, and anybody may remove a file.

        Args:
            now: wall time, seconds since 1970; read from the host's clock without.
        """
        if self.has_ended():
            return None
        try:
            beaten_at = float((self.directory / HEARTBEAT).read_text(encoding="utf-8"))
            return max((time() if now is None else now) - beaten_at, 0.0)
        except (OSError, ValueError):
            return inf

    def _stop(self) -> str | None:
        """Why the run is to stop, if it is. A file that somebody wrote by hand names no run, and means this one."""
        text = self._text(STOP)
        meant = None if text is None else _MEANT_FOR.match(text)
        if text is None or meant is None:
            return self._reason(STOP)
        with suppress(SettingsError):  # where nobody can tell, a stop that is heeded costs less than one that is not
            if self.read().run != meant["run"]:
                return None
        return _shortened(text[meant.end() :], STOP)

    def _reason(self, name: str) -> str | None:
        text = self._text(name)
        return None if text is None else _shortened(text, name)

    def _text(self, name: str) -> str | None:
        try:
            return (self.directory / name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        except OSError:
            return ""

    def _replace(self, name: str, text: str) -> None:
        """Write a file in one step: whoever reads it finds the old or the new text."""
        fresh = self.directory / f".{name}-{os.getpid()}"
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self.directory / name)


def _shortened(reason: str, name: str) -> str:
    return reason.strip()[:_LONGEST_REASON] or f"a file {name!r} in the run's directory"
