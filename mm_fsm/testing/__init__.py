"""Tests made from a chart: paths, events where they do not fit, faults wherever something can raise, random moves.

From below; the last four do not know each other, nor do ``paths`` and ``subjects``:

============  ==========================================================================================================
problems      what can be wrong with a chart, and with a machine on its way
driving       which answers of the guards single out an edge; drivers: ``forced``, ``real``
paths         the graph, the shortest walks through it, plans, and the tests: ``fsm_paths``, ``sneak_tests``
subjects      what tests have to know of one kind of machine; how it gets from any state to any other
faults        what raises, and where; what must hold then; the test: ``fault_tests``
market_maker  the subject that ships: how a market maker is made, what it is told, what must hold of its books
models        moves, and a machine under them held against the definition; the tests: ``model_test``, ``replay``
rehearsal     an exchange on loopback that answers as Binance spot does, with faults on order and a log that judges
============  ==========================================================================================================

Mutants of a chart come from ``mm_fsm.coverage.mutation``, where the option ``--fsm-mutate`` has them from, too.
"""

from importlib import import_module

_lines = [line.split() for line in __loader__.get_data(f"{__file__}i").decode().splitlines()]
_MODULES = {words[3]: words[1] for words in _lines if words[:1] == ["from"]}
"""The module of each public name, from the stub: ``from module import name as name``."""
__all__ = sorted(_MODULES)  # noqa: PLE0605 - read from the stub


def __getattr__(name: str) -> object:
    """Load a public name from its module, once: who rehearses needs no test library."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
