"""Check a request against the catalog, and say it in the model's own words."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from server.errors import Violation
from server.gateway.values import MAX_STRING, ParameterType, value_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from server.gateway.models import InputRole, Model, ParameterValue
    from server.gateway.values import BodyValue

__all__ = ["check_parameters", "check_request", "nearest", "request_body", "warnings"]


def check_request(
    model: Model,
    *,
    prompt: str | None,
    roles: Iterable[InputRole],
    parameters: Mapping[str, ParameterValue],
) -> list[Violation]:
    """Return everything that is wrong with a request for `model`."""
    return [
        *_check_prompt(model, prompt),
        *_check_roles(model, tuple(roles)),
        *_check_parameters(model, parameters),
        *_missing_parameters(model, parameters),
    ]


def check_parameters(model: Model, parameters: Mapping[str, ParameterValue]) -> list[Violation]:
    """Return everything that is wrong with the given parameters alone."""
    return list(_check_parameters(model, parameters))


def warnings(model: Model, parameters: Mapping[str, ParameterValue]) -> list[str]:
    """Return what a caller should know about checked parameters before they cost anything."""
    return [
        f"The page of {model.id} does not list {value!r:.100} for {name}; the provider decides."
        for name, value in parameters.items()
        if (parameter := model.parameter(name)) is not None
        and parameter.open
        and value not in parameter.allowed
    ]


def request_body(
    model: Model,
    *,
    prompt: str | None,
    addresses: Mapping[InputRole, str],
    parameters: Mapping[str, ParameterValue],
) -> dict[str, BodyValue]:
    """Return the JSON body of a checked request, with the model's own field names.

    What was not given is left out, so that the provider's own defaults hold.
    """
    body: dict[str, BodyValue] = {}
    if prompt is not None and model.prompt_field is not None:
        body[model.prompt_field] = prompt
    for spec in model.inputs:
        if spec.role in addresses:
            address = addresses[spec.role]
            body[spec.field] = [address] if spec.as_list else address
    for name, value in parameters.items():
        parameter = model.parameter(name)
        is_float = parameter is not None and parameter.type is ParameterType.FLOAT
        body[name] = float(value) if is_float else value
    return body


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like `name`, if one is like it at all."""
    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def _check_prompt(model: Model, prompt: str | None) -> Iterator[Violation]:
    if prompt is None:
        if model.requires_prompt:
            yield Violation("prompt", f"The model {model.id} needs a prompt.")
    elif model.prompt_field is None:
        yield Violation("prompt", f"The model {model.id} takes no prompt; leave it out.")
    elif not prompt.strip():
        yield Violation("prompt", "It is empty.")
    elif len(prompt) > MAX_STRING:
        yield Violation("prompt", f"It has {len(prompt)} characters; at most {MAX_STRING} fit.")


def _check_roles(model: Model, roles: tuple[InputRole, ...]) -> Iterator[Violation]:
    for position, role in enumerate(roles):
        if model.input(role) is None:
            taken = ", ".join(spec.role.name for spec in model.inputs) or "none"
            yield Violation(
                f"inputs[{position}].role",
                f"The model {model.id} takes no {role.name} input; it takes: {taken}.",
            )
        elif role in roles[:position]:
            yield Violation(f"inputs[{position}].role", f"{role.name} is given twice.")
    for spec in model.inputs:
        if spec.required and spec.role not in roles:
            yield Violation("inputs", f"The model {model.id} needs a {spec.role.name} input.")


def _check_parameters(
    model: Model, parameters: Mapping[str, ParameterValue]
) -> Iterator[Violation]:
    for name, value in parameters.items():
        parameter = model.parameter(name)
        if parameter is None:
            yield Violation(f"parameters[{name}]", _unknown(model, name))
        elif problem := value_problem(parameter, value):
            yield Violation(f"parameters[{name}]", problem)


def _missing_parameters(
    model: Model, parameters: Mapping[str, ParameterValue]
) -> Iterator[Violation]:
    for parameter in model.parameters:
        if parameter.required and parameter.name not in parameters:
            yield Violation(
                f"parameters[{parameter.name}]", f"The model {model.id} needs this parameter."
            )


def _unknown(model: Model, name: str) -> str:
    if name == model.prompt_field:
        return "Send it as the prompt of the request."
    for spec in model.inputs:
        if name == spec.field:
            return f"Send it as the {spec.role.name} input."
    known = [parameter.name for parameter in model.parameters]
    guess = nearest(name, known)
    hint = f"Did you mean {guess}?" if guess else f"It takes: {', '.join(known) or 'none'}."
    return f"The model {model.id} has no such parameter. {hint}"
