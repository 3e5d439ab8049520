"""What a catalog file may get wrong although every single entry is well formed."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from server.gateway.values import ParameterType, value_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from server.gateway.models import Model, Parameter, PriceTable

__all__ = ["inconsistencies"]

_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_NUMBERS = (ParameterType.INT, ParameterType.FLOAT)


def inconsistencies(model: Model) -> Iterator[str]:
    """Say what in `model` contradicts itself, each with its place."""
    if not _ID.fullmatch(model.id):
        yield f"id: {model.id!r} has other characters than a-z, 0-9, '-' and '.', or too many."
    for name, path in (("path", model.path), ("status_path", model.status_path)):
        if path is not None and not path.startswith("/"):
            yield f"{name}: it must begin with a slash."
    if model.protocol.has_status_path != (model.status_path is not None):
        yield f"status_path: {model.protocol.value} models have one, and only they."
    if model.requires_prompt and model.prompt_field is None:
        yield "requires_prompt: it needs a prompt_field."
    yield from _doubles(model)
    for parameter in model.parameters:
        for problem in _parameter_problems(parameter):
            yield f"parameters[{parameter.name}].{problem}"
    yield from _price_problems(model, model.prices)


def _doubles(model: Model) -> Iterator[str]:
    """Every name of the body belongs to one thing, and every role to one input."""
    names = [one.name for one in model.parameters] + [one.field for one in model.inputs]
    names += [model.prompt_field] if model.prompt_field else []
    for name in _repeated(names):
        yield f"{name}: two things have this name."
    for role in _repeated([one.role.value for one in model.inputs]):
        yield f"inputs: two have the role {role}."


def _repeated(names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)


def _parameter_problems(parameter: Parameter) -> Iterator[str]:
    bounds = (parameter.minimum, parameter.maximum)
    if any(bound is not None for bound in bounds) and parameter.type not in _NUMBERS:
        yield "minimum: only numbers have a range."
    if None not in bounds and bounds[0] > bounds[1]:  # type: ignore[operator]  # Neither is None.
        yield "minimum: it is above the maximum."
    if parameter.open and not parameter.allowed:
        yield "open: it needs allowed values."
    if parameter.required and parameter.default is not None:
        yield "default: a required parameter has none."
    if len(set(parameter.allowed)) != len(parameter.allowed):
        yield "allowed: a value is listed twice."
    values = [("allowed", one) for one in parameter.allowed]
    values += [("default", parameter.default)] if parameter.default is not None else []
    for key, value in values:
        problem = value_problem(parameter, value)
        if problem is not None:
            yield f"{key}: {problem}"


def _price_problems(model: Model, prices: PriceTable) -> Iterator[str]:
    try:
        date.fromisoformat(prices.as_of)
    except ValueError:
        yield "prices.as_of: it is no date such as 2026-01-31."
    if prices.may_multiply is not None:
        multiplier = model.parameter(prices.may_multiply)
        if multiplier is None or multiplier.type is not ParameterType.INT:
            yield "prices.may_multiply: it names no whole-number parameter."
    for position, row in enumerate(prices.rows):
        if not row.usd.is_finite() or row.usd < 0:
            yield f"prices.rows[{position}].usd: it is no price."
        for name, value in row.when.items():
            parameter = model.parameter(name)
            if parameter is None:
                yield f"prices.rows[{position}].when: there is no parameter {name}."
            elif problem := value_problem(parameter, value):
                yield f"prices.rows[{position}].when[{name}]: {problem}"
