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
from typing import Any, Final

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


def find_function(owner: type, name: str) -> FunctionType | None:
    """The plain method ``name`` of ``owner``, or None when it is absent or something else."""
    found = inspect.getattr_static(owner, name, None)
    return found if isinstance(found, FunctionType) else None


def service_calls(owner: type, method_name: str) -> tuple[str, ...]:
    """The services that a method calls, itself or through other methods of its class: ``role.method``, in code order.

    Methods are looked up on ``owner``, so an override in a subclass is seen.
    """
    reading = _Reading(owner)
    reading.read_member(method_name)
    return tuple(reading.calls)


class _Reading:
    """One walk through the methods that can be reached from one method of a class."""

    def __init__(self, owner: type) -> None:
        self.calls: dict[str, None] = {}
        self._owner = owner
        self._answers: dict[CodeType, Path] = {}

    def read_member(self, name: str, after: type | None = None) -> Path:
        """Read the method or property ``name``, searching behind ``after``; answer what a property returns."""
        classes = self._owner.__mro__
        for cls in classes[classes.index(after) + 1 if after else 0 :]:
            if name in vars(cls):
                member = vars(cls)[name]
                answer: Path = None
                for function in _functions_of(member):
                    answer = self._read_function(function, cls)
                return answer if isinstance(member, (property, cached_property)) else None
        return None

    def _read_function(self, function: FunctionType, cls: type) -> Path:
        code = function.__code__
        if code not in self._answers:
            self._answers[code] = None
            first = code.co_varnames[:1] if code.co_argcount else ()
            self._answers[code] = _CodeReading(self, cls, dict.fromkeys(first, _MACHINE)).read(code)
        return self._answers[code]


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
        self._reading = reading
        self._cls = cls
        self._names = names
        self._stack: list[Path] = []
        self._returned: Path = None

    def read(self, code: CodeType) -> Path:
        """Note every service call; answer what the code returns."""
        for instruction in dis.get_instructions(code):
            self._follow(instruction)
        return self._returned

    def _follow(self, instruction: dis.Instruction) -> None:
        operation, argument = instruction.opname, instruction.argval
        if accesses := _LOCAL_ACCESS.findall(operation):
            self._follow_names(accesses, argument if isinstance(argument, tuple) else (argument,))
        elif operation in {"LOAD_ATTR", "LOAD_METHOD"}:
            self._stack.append(self._attribute(self._pop(), argument))
        elif operation == "LOAD_CONST":
            self._stack.append(None)
            if isinstance(argument, CodeType):
                known = {name: self._names.get(name) for name in argument.co_freevars}
                _CodeReading(self._reading, self._cls, known).read(argument)
        elif operation == "RETURN_VALUE":
            self._returned = self._pop()
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
        if value == _SUPER:
            return self._reading.read_member(name, after=self._cls)
        if value == _MACHINE and name != SERVICES_ATTRIBUTE:
            return self._reading.read_member(name)
        if len(value) < _LENGTH_WITH_ROLE:
            return (*value, name)
        self._reading.calls[f"{value[1]}.{name}"] = None
        return None
