"""What a description of a model says, and how a request body is checked against it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from server.sandbox.errors import InvalidRequest
from server.sandbox.models.source import Source

if TYPE_CHECKING:
    from decimal import Decimal

    from server.sandbox.models.checks import Check
    from server.sandbox.work import Job

__all__ = [
    "Auth",
    "Body",
    "Currency",
    "Generation",
    "Model",
    "Parameter",
    "Protocol",
    "parse_generation",
    "seed_of",
]

_NAME_SHOWN = 64
_SEEDS = 2**31

Body: TypeAlias = Mapping[str, object]
"""A decoded request body whose fields have been checked."""


class Protocol(Enum):
    """How a model is talked to."""

    QUEUED = "queued"
    SYNCHRONOUS = "synchronous"
    BATCH = "batch"
    IMAGE = "image"


class Auth(Enum):
    """Which header carries the key."""

    SUBSCRIPTION = "Ocp-Apim-Subscription-Key"
    SECRET = "X-Secret-Key"  # noqa: S105  # A header's name.
    SEGMIND = "x-api-key"


class Currency(Enum):
    """What a model is paid in."""

    USD = "usd"
    CREDITS = "credits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One row of a page's parameter table.

    Attributes:
        check: Says what is wrong with a value.
        required: Whether it must be there.
        when_missing: The end of the sentence that says that it is not.
    """

    check: Check
    required: bool = False
    when_missing: str = "is required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model as its page describes it.

    Attributes:
        name: Unique here.
        model_id: What payloads and request ids call it; two models share `flux-dev`.
        page: Where it is described: the page's name, and the section where it has several.
        path: Where it is asked.
        protocol: How.
        auth: With which header.
        parameters: What may be asked.
        job: What the sandbox makes of a checked body.
        price: What a checked body costs.
        currency: In what.
        sources: The fields that hold inputs, in the order the job takes them.
        media_name: The name of a result: `{ext}`, `{ms}` and `{digits}` are filled in.
        media_type: What the payload says; `None` says what it really is.
        price_in_refusal: Whether the page's 402 names the price.
        hook_field: The body field that holds a webhook's address.
    """

    name: str
    model_id: str
    page: str
    path: str
    protocol: Protocol
    auth: Auth
    parameters: Mapping[str, Parameter] = field(repr=False)
    job: Callable[[Body], Job] = field(repr=False)
    price: Callable[[Body], Decimal] = field(repr=False)
    currency: Currency = Currency.USD
    sources: tuple[str, ...] = ()
    media_name: str = "output.{ext}"
    media_type: str | None = None
    price_in_refusal: bool = False
    hook_field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A checked request.

    Attributes:
        model: Which model is asked.
        body: The request body as it came.
        sources: The inputs, in the order the job takes them.
        job: What is to be made.
        price: What the published price table asks.
    """

    model: Model
    body: Body = field(repr=False)
    sources: tuple[Source, ...] = field(repr=False)
    job: Job
    price: Decimal


def parse_generation(body: object, model: Model) -> Generation:
    """Check a decoded request body.

    Raises:
        InvalidRequest: It is no object, lacks what is required, or has an unknown or ill-typed
            field.
    """
    if not isinstance(body, dict):
        raise InvalidRequest("The request body must be a JSON object")
    for name, parameter in model.parameters.items():
        if parameter.required and name not in body:
            raise InvalidRequest(f"{name} {parameter.when_missing}")
    for name, value in body.items():
        if name not in model.parameters:
            raise InvalidRequest(f"Unknown parameter '{name[:_NAME_SHOWN]}'")
        wrong = model.parameters[name].check(value)
        if wrong is not None:
            raise InvalidRequest(f"{name} {wrong}")
    return Generation(
        model=model,
        body=body,
        sources=tuple(_source(body[name]) for name in model.sources),
        job=model.job(body),
        price=model.price(body),
    )


def seed_of(body: Body) -> int:
    """Read the seed, or draw one, as pages with a seed say happens without it."""
    seed = body.get("seed")
    return seed if isinstance(seed, int) else secrets.randbelow(_SEEDS)


def _source(value: object) -> Source:
    """One input; of a list the first, since pages with lists say that no other is processed."""
    return Source.parse(str(value[0] if isinstance(value, list) else value))
