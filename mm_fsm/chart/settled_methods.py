"""Guards that need not be asked again while nothing has happened that could change their answers.

A machine knows when nothing has: a fact changed nothing in the books but times, and the next time at which time alone
changes something has not come. A guard that promises to depend on nothing else is then as it was when the machine came
to rest. The promise is made for one method and for each method that it calls; an override does not inherit it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, Final, TypeVar

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_SETTLED_THROUGH: Final = "__settled_through__"
"""The attribute of a method that holds what ``settled`` declares."""


def settled(*through: str) -> Callable[[FunctionT], FunctionT]:
    """Promise that a method changes its answer only when the books change, or at the machine's wake time.

    It may read the books, but of what every market fact changes no more than whether data is fresh: no times, counts or
    estimates. ``through``: the replaceable methods it calls, as dotted names from its object; each must promise the
    same, or the promise does not hold.
    """

    def promise(function: FunctionT) -> FunctionT:
        setattr(function, _SETTLED_THROUGH, through)
        return function

    return promise


def is_settled(method: object) -> bool:
    """Whether a bound method promises it, and so does whatever it calls, on the objects that it has now."""
    through: tuple[str, ...] | None = getattr(method, _SETTLED_THROUGH, None)
    if through is None:
        return False
    owner = getattr(method, "__self__", None)
    return all(is_settled(reduce(_attribute, name.split("."), owner)) for name in through)


def _attribute(owner: object, name: str) -> object:
    return getattr(owner, name, None)
