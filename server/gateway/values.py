"""What a parameter's value may be, and what may stand in a request's body."""

from __future__ import annotations

import math
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from server.gateway.models import Parameter

__all__ = ["MAX_STRING", "BodyValue", "ParameterType", "ParameterValue", "value_problem"]

ParameterValue = bool | int | float | str
BodyValue = ParameterValue | list[str]

MAX_STRING = 8192
_INT_END = 1 << 63  # The contract's whole numbers have 64 bits.


class ParameterType(Enum):
    """The type of a parameter."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STRING = "string"


_TYPE_NAMES = {
    ParameterType.BOOL: "true or false",
    ParameterType.INT: "a whole number",
    ParameterType.FLOAT: "a number",
    ParameterType.STRING: "text",
}


def value_problem(parameter: Parameter, value: ParameterValue) -> str | None:
    """Return what is wrong with a value for `parameter`, in a sentence."""
    if not _fits(parameter.type, value):
        return f"It is {_TYPE_NAMES[parameter.type]}, not {value!r:.100}."
    if parameter.allowed and not parameter.open and value not in parameter.allowed:
        listed = ", ".join(str(one) for one in parameter.allowed)
        return f"It is one of {listed}; not {value!s:.100}."
    if isinstance(value, str):
        return "It is too long." if len(value) > MAX_STRING else None
    if parameter.minimum is not None and value < parameter.minimum:
        return f"It is at least {parameter.minimum:g}, not {value}."
    if parameter.maximum is not None and value > parameter.maximum:
        return f"It is at most {parameter.maximum:g}, not {value}."
    return None


def _fits(kind: ParameterType, value: ParameterValue) -> bool:
    match kind:
        case ParameterType.BOOL:
            return isinstance(value, bool)
        case ParameterType.INT:
            return _is_int(value)
        case ParameterType.FLOAT:
            return _is_int(value) or (isinstance(value, float) and math.isfinite(value))
        case ParameterType.STRING:
            return isinstance(value, str)


def _is_int(value: ParameterValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_INT_END <= value < _INT_END
