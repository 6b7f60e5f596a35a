"""One process a market and account: a lock that the second process finds held, with the name of who holds it.

The lock is the operating system's own on a small file, so it ends with the process, however that ends. It binds the
processes that use the same directory; others are noticed by their orders (``FaultCode.OWNERSHIP``).
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
from pathlib import Path
from typing import Any, Final, Self

from attrs import frozen

from mm_fsm.errors import OwnershipError
from mm_fsm.venues.port import VenueTerms

STATE_HOME: Final = "XDG_STATE_HOME"
"""Environment variable that names the directory for what programs of one user keep; ``~/.local/state`` without it."""


def market_directory(terms: VenueTerms, results: Path) -> Path:
    """Where the lock and the journal of a market lie: where every run of the user that could make it finds them.

    An account that outlives the process is one for all processes of the user, wherever they write their results; a
    journal that a later run does not find is a position and orders that it does not know of. An account that ends
    with its process is this process's own, and what two could share is only the directory of the ``results``.
    """
    if not terms.outlives_process:
        return results
    home = Path(os.environ.get(STATE_HOME, ""))
    state = home if home.is_absolute() else Path.home() / ".local" / "state"
    return state / "mm-fsm" / _file_name(terms.account) / _file_name(terms.instrument.symbol)


def _file_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip(".-") or "unnamed"


def market_owned(terms: VenueTerms, results: Path, run: str) -> Ownership:
    """The right to make the market that ``terms`` are about, for a run that writes to ``results``.

    Raises:
        OwnershipError: another process holds it; the message says which. Or the lock cannot be written.
    """
    return Ownership(market_directory(terms, results), terms.account, terms.instrument.symbol, run)


@frozen
class Holder:
    """Who holds a market, or held it last."""

    process: int
    host: str
    run: str
    """The token of its run."""


class Ownership:
    """The right to make one market on one account, held until ``release``.

    Args:
        directory: where the locks of this account's processes are; made when it is not there.
        account: name of the account, such as ``binance-main``.
        symbol: the market.
        run: the token of the run that wants it.

    Raises:
        OwnershipError: another process holds it; the message says which. Or the lock cannot be written.
    """

    def __init__(self, directory: Path, account: str, symbol: str, run: str) -> None:
        self.path: Final = _lock_path(directory, account, symbol)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _unusable(self.path, error) from error
        try:
            self._take(f"market {symbol!r} on account {account!r}", run)
        except BaseException:
            os.close(self._file)
            raise

    def _take(self, what: str, run: str) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            entry = {"process": os.getpid(), "host": socket.gethostname(), "run": run}
            os.truncate(self._file, 0)
            os.pwrite(self._file, json.dumps(entry).encode(), 0)
        except BlockingIOError as error:
            raise OwnershipError(
                f"{what}: expected nobody to quote it, found that {_holder(self.path)} does (lock {self.path}). "
                "Stop that process first, or give this one another account or market."
            ) from error
        except OSError as error:
            raise _unusable(self.path, error) from error

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _unusable(path: Path, error: OSError) -> OwnershipError:
    return OwnershipError(
        f"lock {path}: expected a file that can be written and locked, found {(error.strerror or str(error)).lower()}. "
        "Name another directory, or make room or access in this one."
    )


def _lock_path(directory: Path, account: str, symbol: str) -> Path:
    return directory / f"{_file_name(f'{account}-{symbol}')}.lock"


def last_holder(directory: Path, account: str, symbol: str) -> Holder | None:
    """Who holds a market, or held it last; None where nobody has said so. Arguments are those of ``Ownership``."""
    return _read(_lock_path(directory, account, symbol))


def _read(path: Path) -> Holder | None:
    try:
        entry: Any = json.loads(path.read_text(encoding="utf-8"))
        return Holder(process=int(entry["process"]), host=str(entry["host"]), run=str(entry["run"]))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _holder(path: Path) -> str:
    found = _read(path)
    if found is None:
        return "a process that has not said its name yet"
    return f"process {found.process} on {found.host} (run {found.run})"
