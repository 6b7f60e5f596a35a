"""A market-making framework whose behaviour is one declared state machine.

Facts go in, intents come out, and between them one declared machine decides; everything that does I/O is an adapter.

Layers, from the top; imports point down only:

=================  ====================================================================================
cli                composition root: settings become a machine, its services and a venue
testing            tests made from a chart: paths, faults, models; the rehearsal exchange
coverage           measures and shows what a test suite exercises of a chart; the pytest plugin
watching           what others learn of a run: metrics for Prometheus, alerts to people
report             results as files and tables
diagram            pictures and tables of charts
search             calibration and tuning on recordings
runtime            runs one machine or many, in event time or wall time; settings files; journal and recovery
venues             where orders go and markets come from: paper, recordings, ccxt, a host's own connection
machine            the market maker's chart; stepper, desk and bookkeeper, which a machine has
services           prices, orders, inventory, risk: small, pure, replaceable
books              what one machine knows: market, own orders, ledger, figures, and the facts that change them
estimators         what is estimated from the market's flow
core               values: clock, messages, instrument, settings, decisions
chart              declared state machines, safe to subclass; the table and the engine that run them
errors             every error raised on purpose
=================  ====================================================================================

Every public name is loaded from its module when it is first used: importing the state machine library takes several
times as long as starting the interpreter, so ``import mm_fsm`` loads no other module. The names stand in
``__init__.pyi``, which type checkers read as it is: a new one is one line there.
"""

from os import environ as _environ  # loaded before anything else is


def _read_table(path: str) -> dict[str, str]:
    """Name and module of each line ``from module import name as name``; ``import *`` stands for a package's own."""
    modules = {}
    for line in __loader__.get_data(path).decode().splitlines():
        words = line.split()
        if words[:1] != ["from"]:
            continue
        if words[3] == "*":
            place = words[1].replace(".", "/").removeprefix("mm_fsm/")
            modules.update(_read_table(f"{__path__[0]}/{place}/__init__.py"))
        else:
            modules[words[3]] = words[1]
    return modules


_MODULES = _read_table(f"{__file__}i")
"""The module of each public name, from the stub, and for facts from their own table."""
__all__ = sorted(_MODULES)  # noqa: PLE0605 - read from the stub

if "MM_FSM_COVERAGE" in _environ:  # a test that measures coverage has started this process
    from mm_fsm.coverage.subprocesses import record_this_process

    record_this_process()


def __getattr__(name: str) -> object:
    """Load a public name from its module, once."""
    if name == "__version__":
        from importlib.metadata import version

        value = version("mm-fsm")
    elif name in _MODULES:
        from importlib import import_module

        value = getattr(import_module(_MODULES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
