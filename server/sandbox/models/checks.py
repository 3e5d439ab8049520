"""What pages ask of values. A check says what is wrong as the end of a sentence, or `None`.

The wording follows the validation errors that Pixazo's Flux page shows for image restoration.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from server.sandbox.errors import InvalidRequest
from server.sandbox.models.source import Source

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "NEEDS_URL",
    "Check",
    "boolean",
    "integer",
    "integer_in",
    "list_of",
    "matching",
    "non_negative_integer",
    "number",
    "number_in",
    "one_of",
    "one_of_integers",
    "positive_integer",
    "positive_number",
    "text",
    "url",
    "url_list",
    "url_or_base64",
]

Check: TypeAlias = Callable[[object], str | None]

NEEDS_URL = "is required and must be a string URL"
_SHORTEST_BASE64 = 64  # No picture is shorter; a word that is no address is not mistaken for one.


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def integer(value: object) -> str | None:
    """Any integer."""
    return None if _whole(value) else "must be an integer"


def positive_integer(value: object) -> str | None:
    """One or more."""
    good = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return None if good else "must be an integer greater than 0"


def non_negative_integer(value: object) -> str | None:
    """Zero or more."""
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return None if good else "must be a non-negative integer"


def integer_in(low: int, high: int) -> Check:
    """An integer from `low` to `high`."""

    def check(value: object) -> str | None:
        good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return None if good else f"must be an integer in [{low}, {high}]"

    return check


def number(value: object) -> str | None:
    """Any finite number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return None if math.isfinite(value) else "must be a number"
        except OverflowError:  # JSON knows integers that no float can hold.
            return "must be a number"
    return "must be a number"


def positive_number(value: object) -> str | None:
    """A finite number above zero."""
    if number(value) is not None or not isinstance(value, int | float) or value <= 0:
        return "must be a number greater than 0"
    return None


def number_in(low: float, high: float) -> Check:
    """A number from `low` to `high`."""

    def check(value: object) -> str | None:
        if number(value) is None and isinstance(value, int | float) and low <= value <= high:
            return None
        return f"must be a number in [{low:g}, {high:g}]"

    return check


def boolean(value: object) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else "must be a boolean"


def text(value: object) -> str | None:
    """Any string."""
    return None if isinstance(value, str) else "must be a string"


def one_of(allowed: Collection[str]) -> Check:
    """One of several strings."""
    listed = ", ".join(allowed)
    return lambda value: (
        None if isinstance(value, str) and value in allowed else f"must be one of: {listed}"
    )


def one_of_integers(*allowed: int) -> Check:
    """One of several integers."""
    listed = ", ".join(map(str, allowed))
    return lambda value: None if _whole(value) and value in allowed else f"must be one of: {listed}"


def matching(pattern: str, expected: str) -> Check:
    """A string of a form, which `expected` names."""
    return lambda value: (
        None if isinstance(value, str) and re.fullmatch(pattern, value) else f"must be {expected}"
    )


def url(value: object) -> str | None:
    """An http or https address."""
    if not isinstance(value, str):
        return NEEDS_URL
    try:
        parts = urlsplit(value)
    except ValueError:
        return "must be a valid URL"
    good = parts.scheme in {"http", "https"} and parts.hostname
    return None if good else "must be a valid URL"


def url_list(value: object) -> str | None:
    """At least one address."""
    if not isinstance(value, list) or not value:
        return "is required and must be an array of string URLs"
    return None if all(url(one) is None for one in value) else "must hold valid URLs only"


def url_or_base64(value: object) -> str | None:
    """An address, a data URI, or base64."""
    if url(value) is None:
        return None
    if isinstance(value, str) and len(value) >= _SHORTEST_BASE64:
        try:
            return None if Source.parse(value).data else "must be a valid URL or base64"
        except InvalidRequest:
            return "must be a valid URL or base64"
    return "is required and must be a string URL or base64"


def list_of(allowed: Collection[str]) -> Check:
    """A list of known strings."""
    single = one_of(allowed)
    return lambda value: (
        None
        if isinstance(value, list) and all(single(one) is None for one in value)
        else f"must be a list of: {', '.join(allowed)}"
    )
