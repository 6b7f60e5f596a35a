"""No test measures the clock of the wall: a suite on a busy machine is green. The tests' own text is looked through."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parent
SHORTEST_SECONDS: Final = 60.0
"""What a wait for something that must come may be limited to; ``tests.patience`` says it for most."""
POLLS: Final = {
    "runtime/test_loopback_server.py": {0.05},  # silent so long between two bytes of a request that trickles in
    "testing/rehearsal/test_stream_faults.py": {0.3},  # the next change of a book comes whether or not it was seen
}
"""Waits that go on either way, by the file that has them."""
CLOCKS: Final = frozenset({"monotonic", "time", "perf_counter", "wall_time"})
_WAITS: Final = frozenset(
    {
        "HTTPConnection", "communicate", "create_connection", "get", "join", "run", "urlopen", "wait", "wait_for",
        "wait_for_function",
    }
)  # fmt: skip


def short_waits(tree: ast.AST) -> Iterator[tuple[int, float]]:
    """Line and seconds of each limit that a busy machine may pass, such as ``timeout=5`` and ``monotonic() + 5``."""
    for node in ast.walk(tree):
        for seconds in _limits(node):
            if seconds < SHORTEST_SECONDS:
                yield getattr(node, "lineno", 0), seconds


def _limits(node: ast.AST) -> Iterator[float]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            if name in _WAITS:
                yield from (_number(each.value) for each in node.keywords if each.arg == "timeout")
            if ast.unparse(node.func) == "asyncio.wait_for" and len(node.args) == 2:
                yield _number(node.args[1])
        case ast.BinOp(left=left, op=ast.Add(), right=right) if _is_clock(left):
            yield _number(right)


def quick_enough(tree: ast.AST) -> Iterator[int]:
    """Lines that compare how long something took with an upper bound: ``clock() - began < 5``."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=ast.BinOp(left=left, op=ast.Sub()), ops=[ast.Lt() | ast.LtE(), *_]) if _is_clock(
                left
            ):
                yield node.lineno


def _is_clock(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[]):
            return name in CLOCKS
    return False


def _number(node: ast.AST) -> float:
    """A literal; infinite where it is none, as names say what they are for."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
    return float("inf")


def test_nothing_must_be_quick() -> None:
    found: list[tuple[str, int]] = []
    for path in sorted(TESTS.rglob("*.py")):
        name, tree = path.relative_to(TESTS).as_posix(), ast.parse(path.read_text(encoding="utf-8"))
        polls = POLLS.get(name, set())
        found += ((name, line) for line, seconds in short_waits(tree) if seconds not in polls)
        found += ((name, line) for line in quick_enough(tree))
    assert found == []


def test_what_is_looked_for_is_found() -> None:
    tree = ast.parse(QUICK)
    assert [*short_waits(tree)] == [(1, 20.0), (2, 5.0), (3, 2.5)]
    assert [*quick_enough(tree)] == [4]


QUICK = """process.communicate(timeout=20)
asyncio.wait_for(done.wait(), 5)
end = time.monotonic() + 2.5
assert perf_counter() - began < 30
process.communicate(timeout=PATIENCE)
clock.wait(30)
assert monotonic() - began >= 0.4
"""
