"""Tests from charts: paths, sneak paths, faults, models and mutants. For our machines and python-statemachine's.

=================  ====================================================================================
fsm_paths          the shortest set of paths that meets a criterion, as parameters of a test
sneak_tests        every event in every state that does not accept it
fault_tests        every guard and callback raises in every place
model_test         hypothesis looks for a sequence that breaks an invariant
mutants            small changes of a chart, which a suite should notice; ``judge_mutants`` tries them
MachineHarness     a market maker, its venue and its time, to write such tests by hand
RealDriver, Way    how a real machine is made to go where a path should lead
=================  ====================================================================================

Every name is loaded from its module when it is first used: the pytest plugin lives here, and must load nothing else.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mm_fsm.testing.forced import ForcedMachine
    from mm_fsm.testing.generated import fault_tests, fsm_paths, sneak_tests
    from mm_fsm.testing.harness import MachineHarness, quick_settings
    from mm_fsm.testing.invariants import MARKET_MAKER_INVARIANTS
    from mm_fsm.testing.model import model_test
    from mm_fsm.testing.mutant import Mutant, mutants
    from mm_fsm.testing.mutated import applied
    from mm_fsm.testing.mutation import MutationResult, judge_mutants
    from mm_fsm.testing.paths import PathCriterion, find_paths
    from mm_fsm.testing.problems import GenerationError, PathNotTakenError
    from mm_fsm.testing.real import RealDriver, Way
    from mm_fsm.testing.ways import MARKET_MAKER_WAYS, MarketMakerHost, market_maker_driver

__all__ = [
    "MARKET_MAKER_INVARIANTS",
    "MARKET_MAKER_WAYS",
    "ForcedMachine",
    "GenerationError",
    "MachineHarness",
    "MarketMakerHost",
    "Mutant",
    "MutationResult",
    "PathCriterion",
    "PathNotTakenError",
    "RealDriver",
    "Way",
    "applied",
    "fault_tests",
    "find_paths",
    "fsm_paths",
    "judge_mutants",
    "market_maker_driver",
    "model_test",
    "mutants",
    "quick_settings",
    "sneak_tests",
]

_MODULES = {
    "MARKET_MAKER_INVARIANTS": "invariants",
    "MARKET_MAKER_WAYS": "ways",
    "ForcedMachine": "forced",
    "GenerationError": "problems",
    "MachineHarness": "harness",
    "MarketMakerHost": "ways",
    "Mutant": "mutant",
    "MutationResult": "mutation",
    "PathCriterion": "paths",
    "PathNotTakenError": "problems",
    "RealDriver": "real",
    "Way": "real",
    "applied": "mutated",
    "fault_tests": "generated",
    "find_paths": "paths",
    "fsm_paths": "generated",
    "judge_mutants": "mutation",
    "market_maker_driver": "ways",
    "model_test": "model",
    "mutants": "mutant",
    "quick_settings": "harness",
    "sneak_tests": "generated",
}

if not TYPE_CHECKING:  # so that a type checker refuses a name that is not listed

    def __getattr__(name: str) -> object:
        """Load a public name from its module, once."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value
