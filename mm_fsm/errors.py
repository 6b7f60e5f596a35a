"""Every error the package raises on purpose: one base, a fitting builtin parent, and the data behind the message.

A message names the field, what was expected, what was found, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import ClassVar, Final


class MarketMakerError(Exception):
    """Base of every error raised on purpose by this package."""


class ChartDefinitionError(MarketMakerError, TypeError):
    """A chart's declaration is wrong; raised when its class is built, never while it trades."""

    def __init__(self, chart: str, problem: str, remedy: str) -> None:
        self.chart = chart
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{chart}: {problem} {remedy}")


class SettingsError(MarketMakerError, ValueError):
    """A setting is missing or wrong.

    Args:
        field: dotted name as written in a settings file, such as ``fees.maker_bps``.
        expected: what the field may be.
        found: what it was.
        remedy: what to do about it.
        words: the whole message, where one made of these would be hard to read.
    """

    noun: ClassVar[str] = "setting"
    """How a message calls the field."""

    def __init__(self, field: str, expected: str, found: object, remedy: str, *, words: str | None = None) -> None:
        self.field = field
        self.expected = expected
        self.found = found
        self.remedy = remedy
        super().__init__(words or f"{self.noun} {field!r}: expected {expected}, found {found!r}. {remedy}")

    @property
    def each(self) -> tuple[SettingsError, ...]:
        """Every refusal that this error stands for: itself, or several that were found together."""
        return (self,)


class OptionError(SettingsError):
    """An option or argument of the command line is missing or wrong."""

    noun = "option"


class FileError(SettingsError):
    """A file or directory cannot be read or written, or is of another kind."""

    noun = "file"


class VariableError(SettingsError):
    """An environment variable is missing or wrong."""

    noun = "environment variable"


class SeveralSettingsError(SettingsError):
    """Several settings are missing or wrong. The data are the first refusal's; the message has a line for each."""

    def __init__(self, errors: Iterable[SettingsError]) -> None:
        self._each = tuple(one for error in errors for one in error.each)
        first = self._each[0]
        super().__init__(first.field, first.expected, first.found, first.remedy)
        lines = "\n".join(f"  {error}" for error in self._each)
        self.args = (f"{len(self._each)} settings are wrong:\n{lines}",)

    @property
    def each(self) -> tuple[SettingsError, ...]:
        """Every refusal, in the order in which it was found."""
        return self._each


class Refusals:
    """Gathers what is refused, so that all of it can be told at once.

    ``with refusals.gathered(): ...`` keeps a ``SettingsError`` of the block and goes on after it; ``settle`` raises
    what was kept.
    """

    def __init__(self, errors: Iterable[SettingsError] = ()) -> None:
        self.errors = list(errors)

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep a refusal instead of letting it through."""
        try:
            yield
        except SettingsError as error:
            self.errors.append(error)

    def settle(self) -> None:
        """Raise what was kept.

        Raises:
            SettingsError: something was refused; ``SeveralSettingsError`` where there is more than one refusal.
        """
        if not self.errors:
            return
        if len(self.errors) == 1:
            raise self.errors[0]
        raise SeveralSettingsError(self.errors)


class FactRefusedError(MarketMakerError, ValueError):
    """A fact is malformed or impossible; books and state are exactly as they were before it.

    Args:
        fact: name of the fact's class.
        field: the field that is wrong.
        expected: what the field may be.
        found: what it was.
        remedy: what to do about it.
    """

    def __init__(
        self,
        fact: str,
        field: str,
        expected: str,
        found: object,
        remedy: str = "Drop the message and ask the venue again.",
    ) -> None:
        self.fact = fact
        self.field = field
        self.expected = expected
        self.found = found
        self.remedy = remedy
        super().__init__(f"{fact}.{field}: expected {expected}, found {found!r}. {remedy}")


class OrderLifecycleError(MarketMakerError, RuntimeError):
    """An order was asked to make a transition that its lifecycle does not declare."""

    def __init__(self, client_order_id: str, status: str, event: str) -> None:
        self.client_order_id = client_order_id
        self.status = status
        self.event = event
        super().__init__(
            f"order {client_order_id!r}: event {event!r} is not declared in status {status!r}. "
            "The order keeps its status; query it at the venue."
        )


class LedgerError(MarketMakerError, ArithmeticError):
    """The ledger cannot book something exactly, or its identity does not hold."""


class RecordingError(MarketMakerError, ValueError):
    """A recording cannot be read.

    Args:
        source: file name, without its directories.
        line: line number, counted from 1; 0 where the whole file is meant.
        problem: field, what was expected and what was found.
        remedy: what to do about it.
    """

    def __init__(self, source: str, line: int, problem: str, remedy: str) -> None:
        self.source = source
        self.line = line
        self.problem = problem
        self.remedy = remedy
        place = f"{source}, line {line}" if line else source
        super().__init__(f"{place}: {problem.removesuffix('.')}. {remedy}")


class JournalError(MarketMakerError, RuntimeError):
    """A journal cannot be read, written or continued.

    Args:
        journal: file name, without its directories.
        problem: what was expected and what was found.
        remedy: what to do about it.
    """

    def __init__(self, journal: str, problem: str, remedy: str) -> None:
        self.journal = journal
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"journal {journal}: {problem.removesuffix('.')}. {remedy}")


class PortError(MarketMakerError, OSError):
    """A port on 127.0.0.1 cannot be listened on.

    Args:
        port: the number that was wanted.
        problem: what the system said.
    """

    expected: Final = "one that can be listened on"
    remedy: Final = "Name another, or 0 for any free one."

    def __init__(self, port: int, problem: str) -> None:
        self.port = port
        self.problem = problem
        super().__init__(f"port {port}: expected {self.expected}, found {problem!r}. {self.remedy}")


class OwnershipError(MarketMakerError, RuntimeError):
    """Another process makes this market on this account already."""


class PluginError(MarketMakerError, LookupError):
    """A service or venue chosen by name is not there, or does not keep its protocol."""


class VenueError(MarketMakerError, ConnectionError):
    """A venue cannot be reached, or does not keep what its port promises."""
