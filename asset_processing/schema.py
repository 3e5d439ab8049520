"""The JSON Schema (2020-12) of report.json, from the dataclasses that write it."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Union, get_args, get_origin, get_type_hints

from asset_processing.report import Report

if TYPE_CHECKING:
    from asset_processing._fields import JsonObject

__all__ = ["report_schema"]

_PLAIN: dict[object, JsonObject] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
}


def report_schema() -> JsonObject:
    """Return the schema. A member with a default may be missing in reports of earlier releases."""
    known: dict[str, JsonObject] = {}
    _schema(Report, known)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Report of an asset, version 1",
        "$ref": "#/$defs/Report",
        "$defs": dict(sorted(known.items())),
    }


def _schema(kind: object, known: dict[str, JsonObject]) -> JsonObject:
    """Return the schema of a type; dataclasses and enums are added to ``known`` once."""
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if get_origin(kind) in (Union, UnionType):
        return {"anyOf": [_schema(arm, known) for arm in get_args(kind)]}
    if kind is type(None):
        return {"type": "null"}
    if get_origin(kind) is tuple:
        return _array(get_args(kind), known)
    if not isinstance(kind, type):
        raise TypeError(kind)
    if kind.__name__ not in known:
        known[kind.__name__] = {}  # Its place, should it hold itself.
        known[kind.__name__] = _object(kind, known) if is_dataclass(kind) else _choice(kind)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _array(arms: tuple[object, ...], known: dict[str, JsonObject]) -> JsonObject:
    if arms[-1] is Ellipsis:
        return {"type": "array", "items": _schema(arms[0], known)}
    items = [_schema(arm, known) for arm in arms]
    count = len(arms)
    return {"type": "array", "prefixItems": items, "minItems": count, "maxItems": count}


def _choice(kind: type) -> JsonObject:
    if not issubclass(kind, Enum):
        raise TypeError(kind)
    return {"description": _first(kind), "enum": [member.value for member in kind]}


def _object(kind: type, known: dict[str, JsonObject]) -> JsonObject:
    hints, about = get_type_hints(kind), _attributes(kind)
    return {
        "description": _first(kind),
        "type": "object",
        "properties": {
            field.name: {"description": about[field.name], **_schema(hints[field.name], known)}
            for field in fields(kind)
        },
        "required": [field.name for field in fields(kind) if field.default is MISSING],
    }


def _first(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n\n")[0].replace("\n", " ")


def _attributes(kind: type) -> dict[str, str]:
    """What the docstring says of each member."""
    lines = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2].splitlines()
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        text = line.strip()
        if line.startswith("    ") and not line.startswith("     "):
            name, _, rest = text.partition(":")
            found[name] = rest.strip()
        elif text:
            found[name] += f" {text}"
    return found
