"""Protocol buffers' binary form, read and written by tables: proto3, what the contract uses.

Follows https://protobuf.dev/programming-guides/encoding/. Presence, oneofs, maps, packed and
unpacked numbers, merging of repeated sub-messages and unknown fields behave as google.protobuf's
do; depth, size and the number of values are limited, since the bytes come from elsewhere.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_VALUES",
    "DecodeError",
    "EncodeError",
    "Field",
    "Message",
    "decode",
    "encode",
]

MAX_DEPTH = 100  # google.protobuf's own limit.
MAX_BYTES = 4 << 20  # gRPC's default for one message.
MAX_VALUES = 200_000  # An empty sub-message is two bytes on the wire and two hundred in memory.

_VARINT, _FIXED64, _BYTES, _GROUP, _END_GROUP, _FIXED32 = range(6)
_MAX_FIELD = (1 << 29) - 1
_U32, _U64 = (1 << 32) - 1, (1 << 64) - 1
_WIRE = {"string": _BYTES, "bytes": _BYTES, "message": _BYTES, "double": _FIXED64}
_RANGES = {
    "int32": (-(1 << 31), (1 << 31) - 1),
    "enum": (-(1 << 31), (1 << 31) - 1),
    "int64": (-(1 << 63), (1 << 63) - 1),
    "uint32": (0, _U32),
    "uint64": (0, _U64),
}
_ZERO: dict[str, Any] = {"string": "", "bytes": b"", "bool": False, "double": 0.0}


class DecodeError(ValueError):
    """The bytes are no message of this kind, or exceed a limit."""


class EncodeError(ValueError):
    """A field has a value that its type cannot hold. The message names the field."""


@dataclass(frozen=True)
class Field:
    """One field of a message.

    Attributes:
        number: Its number on the wire.
        name: Its name in the contract.
        kind: Its type as in a .proto, or ``enum`` or ``message``; of a map, the values' type.
        of: The sub-message's class; None for other kinds.
        shape: ``one``, ``optional``, ``many`` or ``map``.
        key: A map's key type; empty otherwise.
        group: The oneof it belongs to; empty outside of one.
    """

    number: int
    name: str
    kind: str
    of: type[Message] | None = None
    shape: str = "one"
    key: str = ""
    group: str = ""


class Message:
    """What every message is: attributes, and the table that says which.

    A field without a value is None where the contract can tell that from zero: ``optional`` ones,
    sub-messages and the members of a oneof.
    """

    FIELDS: ClassVar[tuple[Field, ...]] = ()
    BY_NUMBER: ClassVar[dict[int, Field]] = {}

    def __init__(self, **values: object) -> None:
        for field in self.FIELDS:
            value = values.pop(field.name) if field.name in values else _initial(field)
            setattr(self, field.name, value)
        if values:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(values)}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]  # It changes.

    def __repr__(self) -> str:
        set_ones = (f"{name}={value!r}" for name, value in vars(self).items() if value)
        return f"{type(self).__name__}({', '.join(set_ones)})"

    def which(self, group: str) -> str | None:
        """Return the name of the oneof's member that has a value, or None."""
        for field in self.FIELDS:
            if field.group == group and getattr(self, field.name) is not None:
                return field.name
        return None


def _initial(field: Field) -> Any:  # noqa: ANN401  # By the table.
    if field.shape == "map":
        return {}
    if field.shape == "many":
        return []
    if field.shape == "optional" or field.group or field.of is not None:
        return None
    return _ZERO.get(field.kind, 0)


M = TypeVar("M", bound=Message)


def encode(message: Message) -> bytes:
    """Return the message's bytes: fields by number, map entries by key, zeros left out.

    Raises:
        EncodeError: A value does not fit its field.
    """
    out = bytearray()
    seen: set[str] = set()
    for field in message.FIELDS:
        value = getattr(message, field.name)
        if value is None:
            continue
        if field.group:
            if field.group in seen:
                raise EncodeError(f"{field.name}: another member of {field.group} is set too")
            seen.add(field.group)
        _write(out, field, value)
    return bytes(out)


def decode(kind: type[M], data: bytes) -> M:
    """Return the message of this kind that the bytes hold. Unknown fields are skipped.

    Raises:
        DecodeError: The bytes are malformed, or exceed MAX_BYTES, MAX_DEPTH or MAX_VALUES.
    """
    if len(data) > MAX_BYTES:
        raise DecodeError(f"The message has {len(data)} bytes; {MAX_BYTES} are the most.")
    message = kind()
    _Reader(data).message(message, 0, len(data), MAX_DEPTH)
    return message


def _write(out: bytearray, field: Field, value: Any) -> None:  # noqa: ANN401  # By the table.
    if field.shape == "map":
        for key in sorted(value):
            entry = bytearray()
            _scalar(entry, Field(1, field.name, field.key), key)
            _scalar(entry, Field(2, field.name, field.kind, field.of), value[key])
            _tag(out, field.number, _BYTES)
            _block(out, entry)
    elif field.shape == "many":
        if field.kind in _WIRE:
            for one in value:
                _scalar(out, field, one)
        elif value:
            packed = bytearray()
            for one in value:
                _varint(packed, _whole(field, one))
            _tag(out, field.number, _BYTES)
            _block(out, packed)
    elif (
        field.shape == "optional"
        or field.group
        or field.kind == "message"
        or not _is_default(value)
    ):
        _scalar(out, field, value)


def _is_default(value: object) -> bool:
    if isinstance(value, float):
        return struct.pack("<d", value) == bytes(8)  # -0.0 is another value.
    return not value


def _scalar(out: bytearray, field: Field, value: Any) -> None:  # noqa: ANN401  # By the table.
    _tag(out, field.number, _WIRE.get(field.kind, _VARINT))
    try:
        if field.kind == "string":
            _block(out, value.encode())
        elif field.kind == "bytes":
            _block(out, bytes(value))
        elif field.kind == "message":
            _block(out, encode(value))
        elif field.kind == "double":
            out += struct.pack("<d", value)
        else:
            _varint(out, _whole(field, value))
    except (AttributeError, TypeError, UnicodeEncodeError, struct.error) as wrong:
        raise EncodeError(f"{field.name}: {value!r:.80} is no {field.kind}") from wrong


def _whole(field: Field, value: object) -> int:
    if field.kind == "bool":
        return 1 if value else 0
    low, high = _RANGES[field.kind]
    if not isinstance(value, int) or not low <= value <= high:
        raise EncodeError(f"{field.name}: {value!r:.80} is no {field.kind}")
    return value & _U64


def _tag(out: bytearray, number: int, wire: int) -> None:
    _varint(out, number << 3 | wire)


def _block(out: bytearray, data: bytes | bytearray) -> None:
    _varint(out, len(data))
    out += data


def _varint(out: bytearray, value: int) -> None:
    while value >> 7:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


class _Reader:
    """Reads one top-level message; counts the values that it makes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = MAX_VALUES

    def message(self, message: Message, at: int, end: int, depth: int) -> None:
        """Read fields into the message."""
        while at < end:
            number, wire, at = self._read_tag(at, end)
            field = message.BY_NUMBER.get(number)
            if field is None:
                at = self._skip(number, wire, at, end, depth)
            elif wire == _WIRE.get(field.kind, _VARINT) and field.shape != "map":
                at = self._into(message, field, at, end, depth)
            elif wire == _BYTES and field.shape in ("map", "many"):
                start, at = self._span(at, end)
                if field.shape == "map":
                    self._entry(getattr(message, field.name), field, start, at, depth)
                elif not self._packed(getattr(message, field.name), field, start, at):
                    raise DecodeError(f"{field.name}: not a list of {field.kind}")
            else:
                at = self._skip(number, wire, at, end, depth)

    def _into(self, message: Message, field: Field, at: int, end: int, depth: int) -> int:
        if field.of is not None:
            start, at = self._span(at, end)
            present = getattr(message, field.name)
            value = field.of() if field.shape == "many" or present is None else present
            self._descend(value, start, at, depth)
        else:
            value, at = self._value(field.kind, at, end)
        self._count()
        if field.shape == "many":
            getattr(message, field.name).append(value)
            return at
        if field.group:
            for other in message.FIELDS:
                if other.group == field.group:
                    setattr(message, other.name, None)
        setattr(message, field.name, value)
        return at

    def _descend(self, message: Message, at: int, end: int, depth: int) -> None:
        if depth == 0:
            raise DecodeError(f"Messages are nested deeper than {MAX_DEPTH}.")
        self.message(message, at, end, depth - 1)

    def _entry(self, into: dict[Any, Any], field: Field, at: int, end: int, depth: int) -> None:
        if depth == 0:
            raise DecodeError(f"Messages are nested deeper than {MAX_DEPTH}.")
        key: Any = _ZERO.get(field.key, 0)
        value: Any = field.of() if field.of else _ZERO.get(field.kind, 0)
        known = True
        while at < end:
            number, wire, at = self._read_tag(at, end)
            if number == 1 and wire == _WIRE.get(field.key, _VARINT):
                key, at = self._value(field.key, at, end)
            elif number == 2 and wire == _WIRE.get(field.kind, _VARINT):  # noqa: PLR2004  # A map's.
                if field.of is None:
                    value, at = self._value(field.kind, at, end)
                else:
                    start, at = self._span(at, end)
                    self._descend(value, start, at, depth - 1)
            else:
                known = False
                at = self._skip(number, wire, at, end, depth - 1)
        self._count()
        if known:  # google.protobuf takes an entry with a third field for an unknown field.
            into[key] = value

    def _packed(self, into: list[Any], field: Field, at: int, end: int) -> bool:
        if field.kind in _WIRE:
            return False
        while at < end:
            value, at = self._value(field.kind, at, end)
            self._count()
            into.append(value)
        return True

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise DecodeError(f"The message holds more than {MAX_VALUES} values.")

    def _value(self, kind: str, at: int, end: int) -> tuple[Any, int]:
        if kind in ("string", "bytes"):
            start, at = self._span(at, end)
            data = self._data[start:at]
            try:
                return (data if kind == "bytes" else data.decode()), at
            except UnicodeDecodeError as wrong:
                raise DecodeError("A string is not UTF-8.") from wrong
        if kind == "double":
            if end - at < 8:  # noqa: PLR2004  # Bytes of a double.
                raise DecodeError("The message ends within a number.")
            return struct.unpack_from("<d", self._data, at)[0], at + 8
        number, at = self._read_varint(at, end)
        if kind == "bool":
            return number != 0, at
        if kind in ("uint32", "int32", "enum"):
            number &= _U32
        sign = 0 if kind[0] == "u" else 1 << (63 if kind == "int64" else 31)
        return (number ^ sign) - sign, at

    def _read_varint(self, at: int, end: int) -> tuple[int, int]:
        value = shift = 0
        while at < end and shift < 70:  # noqa: PLR2004  # Ten groups of seven bits.
            byte = self._data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004  # The last one's high bit is clear.
                return value & _U64, at
            shift += 7
        raise DecodeError("The message ends within a number, or a number does not end.")

    def _read_tag(self, at: int, end: int) -> tuple[int, int, int]:
        tag, after = self._read_varint(at, end)
        number = tag >> 3
        if not 1 <= number <= _MAX_FIELD or after - at > 5:  # noqa: PLR2004  # 32 bits.
            raise DecodeError("A field has no valid number.")
        return number, tag & 7, after

    def _span(self, at: int, end: int) -> tuple[int, int]:
        length, start = self._read_varint(at, end)
        if length > end - start:
            raise DecodeError("The message ends within a field.")
        return start, start + length

    def _skip(self, number: int, wire: int, at: int, end: int, depth: int) -> int:
        if wire == _VARINT:
            return self._read_varint(at, end)[1]
        if wire == _BYTES:
            return self._span(at, end)[1]
        if wire in (_FIXED32, _FIXED64):
            after = at + (4 if wire == _FIXED32 else 8)
            if after <= end:
                return after
        if wire == _GROUP:
            return self._skip_group(number, at, end, depth)
        raise DecodeError("The message ends within a field, or holds an unknown kind of field.")

    def _skip_group(self, number: int, at: int, end: int, depth: int) -> int:
        if depth == 0:
            raise DecodeError(f"Messages are nested deeper than {MAX_DEPTH}.")
        while at < end:
            inner, wire, at = self._read_tag(at, end)
            if wire == _END_GROUP:
                if inner != number:
                    break
                return at
            at = self._skip(inner, wire, at, end, depth - 1)
        raise DecodeError("A group does not end.")
