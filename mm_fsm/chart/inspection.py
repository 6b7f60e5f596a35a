"""What a method does, read from its compiled code: which services it calls. So a diagram cannot drift from it.

What is followed: ``self.services.role.method``, also through a local name given to the services or to one role
(``risk = self.services.risk``), through other methods and properties of the machine, overrides and ``super()``
included, through decorators that use ``functools.wraps``, and in nested functions and comprehensions.

What is not: services handed to another function as an argument, unpacked from a tuple or a loop, chosen by a
condition, or fetched with ``getattr``. Call such a service in full where the diagram should show it.
"""

from __future__ import annotations

import dis
import inspect
import re
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any, Final, NamedTuple

SERVICES_ATTRIBUTE = "services"
"""A machine reaches its services as ``self.services.<role>.<method>``."""

Path = tuple[str, ...] | None
"""What a value is: the machine is (), its services ("services",), one of them ("services", role), else None."""

_MACHINE: Final = ()
_SUPER: Final = ("super",)
_LENGTH_WITH_ROLE: Final = 2
_LOCAL_ACCESS: Final = re.compile(r"(LOAD|STORE)_(?:FAST|DEREF)")
"""Later interpreters join two of these in one instruction, with both names as its argument."""
_WITHOUT_EFFECT: Final = frozenset({"NOP", "PRECALL", "CACHE", "EXTENDED_ARG"})


class _Found(NamedTuple):
    """What reading a function gives: the services it calls, and what it returns."""

    calls: tuple[str, ...] = ()
    returned: Path = None


def find_function(owner: type, name: str) -> FunctionType | None:
    """The plain method ``name`` of ``owner``, or None when it is absent or something else."""
    found = inspect.getattr_static(owner, name, None)
    return found if isinstance(found, FunctionType) else None


def service_calls(owner: type, method_name: str) -> tuple[str, ...]:
    """The services that a method calls, itself or through other methods of its class, as ``role.method``.

    Methods are looked up on ``owner``, so an override in a subclass is seen. Each call stands once, in the order of
    the source text, which interpreters agree on where they order compiled code differently.
    """
    return tuple(dict.fromkeys(_Reading(owner).read_member(method_name).calls))


class _Reading:
    """One walk through the methods that can be reached from one method of a class."""

    def __init__(self, owner: type) -> None:
        self._owner = owner
        self._found: dict[CodeType, _Found] = {}

    def read_member(self, name: str, after: type | None = None) -> _Found:
        """Read the method or property ``name``, searching behind ``after`` in the order of inheritance."""
        classes = self._owner.__mro__
        for cls in classes[classes.index(after) + 1 if after else 0 :]:
            if name in vars(cls):
                member = vars(cls)[name]
                found = [self._read_function(function, cls) for function in _functions_of(member)]
                calls = tuple(call for one in found for call in one.calls)
                is_value = isinstance(member, (property, cached_property))
                return _Found(calls, found[-1].returned if found and is_value else None)
        return _Found()

    def _read_function(self, function: FunctionType, cls: type) -> _Found:
        code = function.__code__
        if code not in self._found:
            self._found[code] = _Found()
            machine = code.co_varnames[:1] if code.co_argcount else ()
            reading = _CodeReading(self, cls, dict.fromkeys(machine, _MACHINE))
            reading.read(code)
            calls = tuple(call for _, calls in sorted(reading.calls, key=lambda placed: placed[0]) for call in calls)
            self._found[code] = _Found(calls, reading.returned)
        return self._found[code]


def _functions_of(member: object) -> list[FunctionType]:
    """The plain functions behind a class attribute, the outermost decorator first."""
    function: object = member
    if isinstance(member, property):
        function = member.fget
    elif isinstance(member, cached_property):
        function = member.func
    functions = []
    while isinstance(function, FunctionType):
        functions.append(function)
        function = getattr(function, "__wrapped__", None)
    return functions


class _CodeReading:
    """One pass over one code object, with what is known of its local names and of the top of its stack."""

    def __init__(self, reading: _Reading, cls: type, names: dict[str, Path]) -> None:
        self.calls: list[tuple[tuple[int, int], tuple[str, ...]]] = []
        """Services called, each with line and column in the source text."""
        self.returned: Path = None
        self._reading = reading
        self._cls = cls
        self._names = names
        self._stack: list[Path] = []
        self._place = (0, 0)

    def read(self, code: CodeType) -> None:
        """Follow every instruction."""
        for instruction in dis.get_instructions(code):
            if instruction.is_jump_target:
                # The values that two ways leave here differ.
                self._stack.clear()
            if instruction.positions is not None:
                self._place = (instruction.positions.end_lineno or 0, instruction.positions.end_col_offset or 0)
            self._follow(instruction.opname, instruction.argval)

    def _follow(self, operation: str, argument: Any) -> None:
        if accesses := _LOCAL_ACCESS.findall(operation):
            self._follow_names(accesses, argument if isinstance(argument, tuple) else (argument,))
        elif operation in {"LOAD_ATTR", "LOAD_METHOD"}:
            self._stack.append(self._attribute(self._pop(), argument))
        elif operation == "LOAD_CONST":
            self._stack.append(None)
            if isinstance(argument, CodeType):
                known = {name: self._names.get(name) for name in argument.co_freevars}
                nested = _CodeReading(self._reading, self._cls, known)
                nested.read(argument)
                self.calls += nested.calls
        elif operation == "RETURN_VALUE":
            self.returned = self._pop()
        elif operation not in _WITHOUT_EFFECT:
            self._stack = self._left_by(operation, argument)

    def _follow_names(self, accesses: list[str], names: tuple[str, ...]) -> None:
        for access, name in zip(accesses, names, strict=True):
            if access == "LOAD":
                self._stack.append(self._names.get(name))
            else:
                self._names[name] = self._pop()

    def _left_by(self, operation: str, argument: Any) -> list[Path]:
        """The top of the stack after an instruction; nothing is known of it after most of them."""
        stack = self._stack
        if operation == "LOAD_GLOBAL":
            return [*stack, _SUPER if argument == "super" else None]
        if operation == "COPY":
            return [*stack, stack[-argument] if argument <= len(stack) else None]
        if operation == "CALL" and stack[-1 - argument : len(stack) - argument] == [_SUPER]:
            return [_SUPER]
        if operation == "LOAD_SUPER_ATTR":
            return [self._attribute(_SUPER, argument)]
        return []

    def _pop(self) -> Path:
        return self._stack.pop() if self._stack else None

    def _attribute(self, value: Path, name: str) -> Path:
        if value is None:
            return None
        if value == _SUPER or (value == _MACHINE and name != SERVICES_ATTRIBUTE):
            found = self._reading.read_member(name, after=self._cls if value == _SUPER else None)
            self.calls.append((self._place, found.calls))
            return found.returned
        if len(value) < _LENGTH_WITH_ROLE:
            return (*value, name)
        self.calls.append((self._place, (f"{value[1]}.{name}",)))
        return None
