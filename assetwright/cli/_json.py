"""Values as plain JSON: the names of the contract, times as ISO 8601, enums by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from pathlib import Path

from google.protobuf.message import Message

from assetwright.events import Event

__all__ = ["plain"]


def plain(value: object) -> object:
    """Return a value as dicts, lists, strings, numbers, booleans and None."""
    if isinstance(value, Message):
        return _message(value)
    if is_dataclass(value) and not isinstance(value, type):
        kind = {"kind": value.kind} if isinstance(value, Event) else {}
        return kind | {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return _scalar(value)


def _scalar(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def _message(message: Message) -> dict[str, object]:
    """Return a message by field name; what is absent is left out.

    The standard JSON form would turn 64-bit counts into strings.
    """
    found: dict[str, object] = {}
    for field in message.DESCRIPTOR.fields:
        if field.has_presence and not message.HasField(field.name):
            continue
        value = getattr(message, field.name)
        kind = field.enum_type
        names = None if kind is None else {v.number: v.name for v in kind.values}
        if isinstance(value, Iterable) and not isinstance(value, str | bytes):
            found[field.name] = [_field(part, names) for part in value]
        else:
            found[field.name] = _field(value, names)
    return found


def _field(value: object, names: Mapping[int, str] | None) -> object:
    """Return one value; one of an enum by its name without the prefix, such as ``passed``."""
    if names is None or not isinstance(value, int):
        return plain(value)
    prefix = names[0].removesuffix("UNSPECIFIED")
    return names.get(value, "UNKNOWN").removeprefix(prefix).lower()
