"""AuraFlow, at both gateways."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from server.sandbox.models.checks import (
    boolean,
    integer,
    integer_in,
    number,
    number_in,
    one_of,
    positive_integer,
    text,
)
from server.sandbox.models.common import A_PROMPT, drawing, flat, integer_of, optional
from server.sandbox.models.spec import Auth, Currency, Model, Protocol

if TYPE_CHECKING:
    from server.sandbox.models.spec import Body

__all__ = ["AURAFLOW_V03", "AURA_FLOW"]

_CREDITS_PER_PICTURE = Decimal("0.01")  # The page names no figure; this one is the sandbox's own.


def _size(body: Body) -> tuple[int, int]:
    return integer_of(body, "width", 1024), integer_of(body, "height", 1024)


AURAFLOW_V03 = Model(
    name="auraflow-v0-3-512",
    model_id="auraflow-v0-3-512",
    page="pixazo-auraflow",
    path="/auraflow-v0-3-512/v1/auraflow-v0-3-request",
    protocol=Protocol.QUEUED,
    auth=Auth.SUBSCRIPTION,
    parameters={"prompt": A_PROMPT}
    | optional(
        num_images=integer_in(1, 10),  # No bound on the page; without one a request never ends.
        guidance_scale=number,
        num_inference_steps=positive_integer,
        expand_prompt=boolean,
    ),
    job=drawing(lambda _: (1024, 1024), usual="png", count="num_images"),
    price=flat("0.001"),
    media_name="output.ext",
    media_type="application/octet-stream",
)

AURA_FLOW = Model(
    name="aura-flow",
    model_id="aura-flow",
    page="segmind-aura-flow-json, segmind-aura-flow-form",
    path="/v1/aura-flow",
    protocol=Protocol.IMAGE,
    auth=Auth.SEGMIND,
    parameters=optional(
        prompt=text,
        negative_prompt=text,
        cfg=number_in(0, 20),
        seed=integer,
        shift=number_in(0, 10),
        steps=integer_in(1, 100),
        width=integer_in(512, 2048),
        height=integer_in(512, 2048),
        sampler=text,  # The page lists 11 of 28.
        scheduler=one_of(
            ("normal", "karras", "exponential", "sgm_uniform", "simple", "ddim_uniform")
        ),
        output_format=one_of(("webp", "jpg", "png")),
        output_quality=integer_in(0, 100),
        number_of_images=integer_in(1, 10),
    ),
    # The answer's body is one picture, however many are asked for.
    job=drawing(_size, usual="webp", seeded=True),
    price=lambda body: _CREDITS_PER_PICTURE * integer_of(body, "number_of_images", 1),
    currency=Currency.CREDITS,
)
