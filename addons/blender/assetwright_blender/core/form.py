"""A model's parameters as fields that an editor can draw, and their values as a request's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from ..wire.messages import InputRole, Model, ModelTask, Parameter, ParameterType, ParameterValue

__all__ = [
    "Choice",
    "Field",
    "Kind",
    "Value",
    "fields_of",
    "parameters",
    "takes_picture",
    "usable_models",
]

Value = bool | int | float | str
_INT_MIN, _INT_MAX = -(1 << 31), (1 << 31) - 1  # An editor's own whole numbers.
_TASKS = (ModelTask.IMAGE_TO_3D, ModelTask.TEXT_TO_IMAGE)


class Kind(Enum):
    """How a field is drawn."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    TEXT = "text"
    CHOICE = "choice"


@dataclass(frozen=True)
class Choice:
    """One of the values of a field: what is sent, and its text."""

    value: Value
    text: str


@dataclass(frozen=True)
class Field:
    """A parameter, ready to be drawn.

    Attributes:
        name: What is sent.
        label: For people.
        kind: How it is drawn.
        default: What it begins with.
        help: What it does.
        minimum: The lowest number; None for any.
        maximum: The highest number; None for any.
        choices: The values, where it is one of several.
        open_choice: Values that are not listed are taken too.
        has_default: The provider has a default; without one the field is sent only when it is
            switched on.
        required: It is always sent.
    """

    name: str
    label: str
    kind: Kind
    default: Value
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Choice, ...] = ()
    open_choice: bool = False
    has_default: bool = True
    required: bool = False

    @property
    def is_switched(self) -> bool:
        """Whether a switch says that it is sent."""
        return not self.has_default and not self.required and self.kind is not Kind.TEXT


def usable_models(models: list[Model]) -> tuple[list[Model], list[Model]]:
    """Return the models that make meshes, and those that draw the picture for them."""
    meshes, pictures = ([one for one in models if one.task == task] for task in _TASKS)
    return meshes, pictures


def takes_picture(model: Model) -> bool:
    """Tell whether the model starts from a picture."""
    return any(one.role == InputRole.SOURCE for one in model.inputs)


def fields_of(model: Model) -> list[Field]:
    """Return the model's parameters as fields, required ones first, but no fixed ones."""
    found = [_field(one) for one in model.parameters if one.required or not _is_fixed(one)]
    return sorted(found, key=lambda one: not one.required)


def parameters(fields: list[Field], values: dict[str, Value]) -> dict[str, ParameterValue]:
    """Return what to send: values that differ from the provider's default, and required ones.

    Args:
        fields: The model's.
        values: By name; fields that are switched off are absent.
    """
    sent = {}
    for field in fields:
        value = values.get(field.name)
        if isinstance(value, float):  # An editor's numbers have single precision, about 7 digits.
            value = float(f"{value:.7g}")
        if value is None or (value == "" and not field.required):
            continue
        if field.required or not field.has_default or value != field.default:
            sent[field.name] = _parameter_value(field, value)
    return sent


def _parameter_value(field: Field, value: Value) -> ParameterValue:
    choice = next((one for one in field.choices if one.text == value), None)
    value = choice.value if choice else value
    if isinstance(value, bool):
        return ParameterValue(bool_value=value)
    if isinstance(value, int):
        return ParameterValue(int_value=value)
    if isinstance(value, float):
        return ParameterValue(float_value=value)
    return ParameterValue(string_value=value)


def _plain(value: ParameterValue) -> Value:
    for one in (value.bool_value, value.int_value, value.float_value, value.string_value):
        if one is not None:
            return one
    return ""


def _is_fixed(parameter: Parameter) -> bool:
    return len(parameter.allowed_values) == 1 and not parameter.allows_unlisted_values


def _field(parameter: Parameter) -> Field:
    default = _plain(parameter.default_value) if parameter.default_value else None
    choices = tuple(Choice(_plain(one), _text(_plain(one))) for one in parameter.allowed_values)
    kinds: dict[int, Kind] = {
        ParameterType.BOOL: Kind.BOOL,
        ParameterType.INT: Kind.INT,
        ParameterType.FLOAT: Kind.FLOAT,
    }
    kind = kinds.get(parameter.type, Kind.TEXT)
    minimum, maximum = parameter.minimum, parameter.maximum
    if choices and not parameter.allows_unlisted_values and kind is not Kind.BOOL:
        kind = Kind.CHOICE
    if kind is Kind.INT:
        minimum = max(_INT_MIN, math.ceil(minimum)) if minimum is not None else None
        maximum = min(_INT_MAX, math.floor(maximum)) if maximum is not None else None
    return Field(
        name=parameter.name,
        label=parameter.name.replace("_", " ").capitalize(),
        kind=kind,
        default=_initial(kind, default, choices, minimum),
        help=parameter.help,
        minimum=minimum,
        maximum=maximum,
        choices=choices,
        open_choice=bool(choices) and parameter.allows_unlisted_values,
        has_default=default is not None,
        required=parameter.required,
    )


def _text(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _initial(
    kind: Kind, default: Value | None, choices: tuple[Choice, ...], minimum: float | None
) -> Value:
    if kind is Kind.CHOICE:
        return _text(default) if default is not None else choices[0].text
    if kind is Kind.BOOL:
        return bool(default)
    if kind is Kind.INT:
        wanted = default if default is not None else max(minimum or 0, 0)
        return min(max(int(wanted), _INT_MIN), _INT_MAX)
    if kind is Kind.FLOAT:
        return float(default if default is not None else max(minimum or 0.0, 0.0))
    return _text(default) if default is not None else ""
