"""Runs generated tests as pytest would, and keeps what comes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def outcomes(test: Callable[[Any], None], only: str = "") -> dict[str, BaseException | None]:
    """What each case of a generated test raises, by its id; cases that pytest would skip are left out.

    Args:
        test: the generated test.
        only: cases are run whose id has this in it.
    """
    (mark,) = [mark for mark in test.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    found: dict[str, BaseException | None] = {}
    for case in mark.args[1]:
        if only not in case.id or any(mark.name == "skip" for mark in case.marks):
            continue
        try:
            test(*case.values)
        except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - whatever the case raises is its outcome
            found[case.id] = error
        else:
            found[case.id] = None
    return found


def failures(test: Callable[[Any], None], only: str = "") -> dict[str, str]:
    """What each case that fails says, by its id."""
    return {name: str(error) for name, error in outcomes(test, only).items() if error is not None}
