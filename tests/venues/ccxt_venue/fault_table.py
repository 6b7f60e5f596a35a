"""Lets every fault of the menu strike, one after the other, and prints what was seen, as a table for the docs.

``python docs/site/written_parts.py faults`` puts it into its page.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable
from typing import Final

from loguru import logger

from tests.venues.ccxt_venue.fault_cases import CASES, Case, Seen, go_through
from tests.venues.ccxt_venue.mixes import say, silence_ccxt

COLUMNS: Final = ("injected", "strikes", "shows within", "it showed after", "settled by", "it was settled after")
HEAD: Final = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


def stated(case: Case) -> str:
    """When it must show, in words."""
    if case.within is None:
        return "nothing is wrong" if case.shows is None else "with the next fill"
    return "at once" if case.within == 0 else f"{case.within:g} s"


def fixed_cells(case: Case) -> tuple[str, str, str, str]:
    """What a row says whatever a run sees: injected, strikes, shows within, settled by."""
    return f"`{case.kind.value}`", case.where.value, stated(case), case.settled


def row(seen: Seen) -> str:
    """One row of the table."""
    injected, where, within, settled = fixed_cells(seen.case)
    shown = "-" if seen.shown_after is None else f"{seen.shown_after:.2f} s"
    cells = (injected, where, within, shown, settled, f"{seen.settled_after:.1f} s")
    return f"| {' | '.join(cells)} |"


def table(rows: Iterable[Seen]) -> str:
    """The whole table, in the menu's order."""
    return "\n".join((HEAD, *map(row, rows)))


async def run(cases: Iterable[Case]) -> list[Seen]:
    """Let each strike in turn: side by side they would wait for each other."""
    asyncio.get_running_loop().set_exception_handler(silence_ccxt)
    found = []
    for case in cases:
        found.append(await go_through(case))
        say(row(found[-1]))
    return found


def main() -> int:
    """Run every case, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    options = parser.parse_args()
    logger.remove()
    sys.stdout.write(table(asyncio.run(run(case for case in CASES if options.only in case.name))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
