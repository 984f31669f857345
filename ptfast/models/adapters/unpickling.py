"""A reader of pickles for arrays, texts, numbers and built-in containers, which runs nothing that a pickle names.

Python's own reader calls what it is told to and reserves memory for lengths that a file only claims. This one knows the
instructions that such content is written with, by any protocol, and its memory and time are bounded by the file's size.
"""

from __future__ import annotations

import codecs
import pickle
import struct
from collections.abc import Callable
from typing import Any

from ptfast.models.adapters.pickled_arrays import FUNCTIONS, PickledArray, PickledDtype, dictionary

_MAX_ARGUMENTS = 8


def unpickle(content: bytes) -> Any:
    """The object that a pickle describes.

    Args:
        content: The pickle, of any protocol.

    Returns:
        Built-in containers, texts and numbers; PickledArray for arrays, and text for bytes of protocols before 3.

    Raises:
        Exception: Of any kind; the pickle is damaged or holds something else.
    """
    machine = _Machine(content)
    while (opcode := machine.take(1)) != pickle.STOP:
        if opcode in _STEPS:
            _STEPS[opcode](machine)
        else:
            machine.stack.append(_value(machine, opcode))
    return machine.stack.pop()


class _Machine:
    """The content with a place in it, and the stack and memo that instructions work on."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.place = 0
        self.stack: list[Any] = []
        self.outer: list[list[Any]] = []  # stacks below marks
        self.memo: dict[int, Any] = {}
        self.bytes_left = len(content)  # a pickle may name the same bytes any number of times

    def take(self, count: int) -> bytes:
        if not 0 <= count <= len(self.content) - self.place:
            raise pickle.UnpicklingError("an end before its time")
        self.place += count
        return self.content[self.place - count : self.place]

    def line(self) -> bytes:
        return self.take(self.content.index(b"\n", self.place) + 1 - self.place)[:-1]

    def number(self, form: str) -> Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.outer.pop()
        return items

    def top(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise pickle.UnpicklingError(f"{type(self.stack[-1]).__name__} where a {kind.__name__} was expected")
        return self.stack[-1]

    def count(self, made: Any) -> None:
        """Takes the size of what was made from `bytes_left`."""
        if isinstance(made, dict):
            self.bytes_left -= len(made)
        if isinstance(made, PickledArray) and made.array is not None:
            self.bytes_left -= made.array.nbytes
        if self.bytes_left < 0:
            raise pickle.UnpicklingError("more than the file has bytes for")


def _value(m: _Machine, opcode: bytes) -> Any:
    """What an instruction holds that only puts a value onto the stack."""
    if opcode in _CONSTANTS:
        return _CONSTANTS[opcode]()
    if opcode in _NUMBERS:
        return m.number(_NUMBERS[opcode])
    if opcode in _LINES:
        return _LINES[opcode](m.line())
    if opcode not in _SIZED:
        raise pickle.UnpicklingError(f"the instruction {opcode!r}, which is not permitted")
    form, read = _SIZED[opcode]
    return read(m.take(m.number(form)))


def _mark(m: _Machine) -> None:
    m.outer.append(m.stack)
    m.stack = []


def _tuple(size: int) -> Callable[[_Machine], None]:
    def make(m: _Machine) -> None:
        if len(m.stack) < size:
            raise pickle.UnpicklingError("a tuple of too little")
        m.stack[-size:] = [tuple(m.stack[-size:])]

    return make


def _tuple_since_mark(m: _Machine) -> None:
    items = m.since_mark()
    m.stack.append(tuple(items))


def _list_since_mark(m: _Machine) -> None:
    items = m.since_mark()
    m.stack.append(items)


def _dict_since_mark(m: _Machine) -> None:
    items = m.since_mark()
    m.stack.append({})
    _set_items(m, items)


def _set_items(m: _Machine, items: list[Any]) -> None:
    m.top(dict).update(dictionary(zip(items[::2], items[1::2], strict=True)))


def _set_item(m: _Machine) -> None:
    value, key = m.stack.pop(), m.stack.pop()
    _set_items(m, [key, value])


def _append(m: _Machine) -> None:
    item = m.stack.pop()
    m.top(list).append(item)


def _append_items(m: _Machine) -> None:
    items = m.since_mark()
    m.top(list).extend(items)


def _global(m: _Machine, module: Any, name: Any) -> None:
    if not isinstance(module, str) or not isinstance(name, str) or (module, name) not in FUNCTIONS:
        raise pickle.UnpicklingError(f"{module}.{name}, which is not permitted")
    m.stack.append(FUNCTIONS[module, name])


def _stack_global(m: _Machine) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    _global(m, module, name)


def _reduce(m: _Machine) -> None:
    arguments, function = m.stack.pop(), m.stack.pop()
    if not any(function is permitted for permitted in FUNCTIONS.values()):
        raise pickle.UnpicklingError(f"a call of {type(function).__name__}, which is not permitted")
    if not isinstance(arguments, tuple) or len(arguments) > _MAX_ARGUMENTS:
        raise pickle.UnpicklingError("a call with other arguments than NumPy's")
    m.stack.append(function(*arguments))
    m.count(m.stack[-1])


def _build(m: _Machine) -> None:
    state, target = m.stack.pop(), m.stack[-1]
    if not isinstance(target, PickledDtype | PickledArray):
        raise pickle.UnpicklingError(f"a changed {type(target).__name__}, which is not permitted")
    target.build(state)
    m.count(target)


def _memoize(m: _Machine, index: int) -> None:
    m.memo[index] = m.stack[-1]


def _integer(line: bytes) -> int:
    return line == b"01" if line in (b"00", b"01") else int(line.removesuffix(b"L"))


def _unquoted(line: bytes) -> str:
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in b"'\"":
        raise pickle.UnpicklingError("a text without quotes")
    return codecs.escape_decode(line[1:-1])[0].decode("latin1")


def _long(content: bytes) -> int:
    return int.from_bytes(content, "little", signed=True)


def _as_latin1(content: bytes) -> str:
    return content.decode("latin1")


def _as_utf8(content: bytes) -> str:
    return content.decode("utf-8", "surrogatepass")


_CONSTANTS: dict[bytes, Callable[[], Any]] = {
    pickle.NONE: lambda: None, pickle.NEWTRUE: lambda: True, pickle.NEWFALSE: lambda: False,
    pickle.EMPTY_LIST: list, pickle.EMPTY_TUPLE: tuple, pickle.EMPTY_DICT: dict,
}  # fmt: skip
_NUMBERS = {pickle.BININT: "<i", pickle.BININT1: "<B", pickle.BININT2: "<H", pickle.BINFLOAT: ">d"}
_LINES: dict[bytes, Callable[[bytes], Any]] = {
    pickle.INT: _integer, pickle.LONG: _integer, pickle.FLOAT: float, pickle.STRING: _unquoted,
    pickle.UNICODE: lambda line: line.decode("raw-unicode-escape"),
}  # fmt: skip
_SIZED: dict[bytes, tuple[str, Callable[[bytes], Any]]] = {
    pickle.LONG1: ("<B", _long), pickle.LONG4: ("<i", _long),
    pickle.BINSTRING: ("<i", _as_latin1), pickle.SHORT_BINSTRING: ("<B", _as_latin1),
    pickle.BINUNICODE: ("<I", _as_utf8), pickle.SHORT_BINUNICODE: ("<B", _as_utf8),
    pickle.BINUNICODE8: ("<Q", _as_utf8),
    pickle.BINBYTES: ("<I", bytes), pickle.SHORT_BINBYTES: ("<B", bytes), pickle.BINBYTES8: ("<Q", bytes),
    pickle.BYTEARRAY8: ("<Q", bytes),
}  # fmt: skip
_STEPS: dict[bytes, Callable[[_Machine], Any]] = {
    pickle.PROTO: lambda m: m.take(1),
    pickle.FRAME: lambda m: m.take(8),
    pickle.MARK: _mark,
    pickle.POP: lambda m: m.stack.pop() if m.stack else m.since_mark(),
    pickle.POP_MARK: _Machine.since_mark,
    pickle.DUP: lambda m: m.stack.append(m.stack[-1]),
    pickle.TUPLE: _tuple_since_mark,
    pickle.TUPLE1: _tuple(1),
    pickle.TUPLE2: _tuple(2),
    pickle.TUPLE3: _tuple(3),
    pickle.LIST: _list_since_mark,
    pickle.DICT: _dict_since_mark,
    pickle.APPEND: _append,
    pickle.APPENDS: _append_items,
    pickle.SETITEM: _set_item,
    pickle.SETITEMS: lambda m: _set_items(m, m.since_mark()),
    pickle.GLOBAL: lambda m: _global(m, m.line().decode("latin1"), m.line().decode("latin1")),
    pickle.STACK_GLOBAL: _stack_global,
    pickle.REDUCE: _reduce,
    pickle.BUILD: _build,
    pickle.PUT: lambda m: _memoize(m, int(m.line())),
    pickle.BINPUT: lambda m: _memoize(m, m.number("<B")),
    pickle.LONG_BINPUT: lambda m: _memoize(m, m.number("<I")),
    pickle.MEMOIZE: lambda m: _memoize(m, len(m.memo)),
    pickle.GET: lambda m: m.stack.append(m.memo[int(m.line())]),
    pickle.BINGET: lambda m: m.stack.append(m.memo[m.number("<B")]),
    pickle.LONG_BINGET: lambda m: m.stack.append(m.memo[m.number("<I")]),
}
