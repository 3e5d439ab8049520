"""Typed, bounds-checked reading of the file's JSON, with the place of every complaint."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from asset_processing.errors import InvalidGlb

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Fields", "JsonObject", "is_integer", "pointer_to"]

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object of the glTF document. It stays inside this package."""


def is_integer(value: object) -> bool:
    """Tell whether a JSON value is an integer; ``true`` is not, though Python thinks so."""
    return isinstance(value, int) and not isinstance(value, bool)


def pointer_to(pointer: str, key: str | int) -> str:
    """Return the RFC 6901 pointer of a member of the value at ``pointer``."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object and where in the file it stands.

    Every method raises `InvalidGlb` with the JSON pointer of the value it refuses.
    """

    values: JsonObject
    pointer: str

    def refuse(self, key: str, complaint: str) -> InvalidGlb:
        """Return the error for the member ``key``."""
        pointer = pointer_to(self.pointer, key)
        return InvalidGlb(f"{pointer} {complaint}", pointer=pointer)

    def integer(self, key: str, *, default: int | None = None, minimum: int = 0) -> int:
        """Read an integer >= ``minimum``. Without a default it must be there."""
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.refuse(key, "must be an integer.")
        if value < minimum:
            raise self.refuse(key, f"is {value}; it must be at least {minimum}.")
        return value

    def index(self, key: str, *, below: int) -> int | None:
        """Read an optional index into an array of ``below`` entries."""
        if key not in self.values:
            return None
        value = self.integer(key)
        if value >= below:
            raise self.refuse(key, f"is {value}, but there are only {below} entries.")
        return value

    def required_index(self, key: str, *, below: int) -> int:
        """Read an index that must be there."""
        value = self.index(key, below=below)
        if value is None:
            raise self.refuse(key, "is missing.")
        return value

    def indices(self, key: str, *, below: int) -> list[int]:
        """Read an optional array of distinct indices."""
        found = self.array(key)
        for position, value in enumerate(found):
            if not is_integer(value) or not 0 <= value < below:
                raise self.refuse(f"{key}/{position}", f"is no index into {below} entries.")
        if len(set(found)) != len(found):
            raise self.refuse(key, "names an entry twice.")
        return list(found)

    def array(self, key: str) -> list[Any]:
        """Read an optional array; absent is empty."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            raise self.refuse(key, "must be an array.")
        return value

    def numbers(self, key: str, *, count: int | None = None) -> list[float] | None:
        """Read an optional array of finite numbers, ``count`` of them where that is given."""
        if key not in self.values:
            return None
        found = self.array(key)
        if count is not None and len(found) != count:
            raise self.refuse(key, f"must hold {count} numbers, not {len(found)}.")
        for position, value in enumerate(found):
            if not (is_integer(value) or isinstance(value, float)) or not _is_finite(value):
                raise self.refuse(f"{key}/{position}", "must be a finite number.")
        return [float(value) for value in found]

    def string(self, key: str) -> str | None:
        """Read an optional string."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, str):
            raise self.refuse(key, "must be a string.")
        return value

    def boolean(self, key: str) -> bool:
        """Read an optional boolean; absent is False."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise self.refuse(key, "must be true or false.")
        return value

    def child(self, key: str) -> Fields | None:
        """Read an optional object."""
        if key not in self.values:
            return None
        value = self.values[key]
        if not isinstance(value, dict):
            raise self.refuse(key, "must be an object.")
        return Fields(value, pointer_to(self.pointer, key))

    def children(self, key: str) -> Iterator[Fields]:
        """Read an optional array of objects, one after the other."""
        place = pointer_to(self.pointer, key)
        for position, value in enumerate(self.array(key)):
            if not isinstance(value, dict):
                raise self.refuse(f"{key}/{position}", "must be an object.")
            yield Fields(value, pointer_to(place, position))

    def extension(self, name: str) -> Fields | None:
        """Read the extension ``name`` of this object, where it has one."""
        extensions = self.child("extensions")
        return extensions.child(name) if extensions else None


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # An integer of hundreds of digits.
        return False
