"""Making message classes and enums from the lines of ``messages.py``."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any

from .codec import Field, Message

if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["build"]


def build(into: MutableMapping[str, Any], lines: str) -> None:
    """Put the classes that the lines describe into a module's names.

    A message comes after those that it holds.
    """
    tables: dict[str, list[Field]] = {}
    fields: list[Field] = []
    for line in lines.split("\n"):
        word, _, rest = line.partition(" ")
        if word == "enum":
            name, *values = rest.split()
            pairs = (value.split("=") for value in values)
            into[name] = IntEnum(name, [(one, int(number)) for one, number in pairs])
        elif word == "message":
            _finish(into, tables)
            fields = tables[rest] = []
        elif word:
            fields.append(_field(into, int(word), *rest.split()))
    _finish(into, tables)


def _field(
    names: MutableMapping[str, Any],
    number: int,
    name: str,
    kind: str,
    shape: str = "one",
    key: str = "-",
    group: str = "",
) -> Field:
    of = names.get(kind)
    return Field(
        number, name, "message" if of else kind, of, shape, "" if key == "-" else key, group
    )


def _finish(into: MutableMapping[str, Any], tables: dict[str, list[Field]]) -> None:
    while tables:
        name, fields = tables.popitem()
        numbers = {field.number: field for field in fields}
        into[name] = type(name, (Message,), {"FIELDS": tuple(fields), "BY_NUMBER": numbers})
