"""Flux 1 schnell, answering at once and as a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.sandbox.models.checks import integer, integer_in, positive_integer, text
from server.sandbox.models.common import (
    A_PROMPT,
    MAX_SIDE,
    drawing,
    flat,
    integer_of,
    optional,
)
from server.sandbox.models.spec import Auth, Model, Protocol

if TYPE_CHECKING:
    from server.sandbox.models.spec import Body

__all__ = ["FLUX_1_SCHNELL", "FLUX_1_SCHNELL_BATCH"]

_MEDIA_NAME = "flux-schnell-cf/prompt-{ms}-{digits}.{ext}"


def _size(body: Body) -> tuple[int, int]:
    return integer_of(body, "width", 1024), integer_of(body, "height", 1024)


_DRAWN = drawing(_size, usual="png", seeded=True)
_SIZE_AND_SEED = optional(
    seed=integer, height=integer_in(1, MAX_SIDE), width=integer_in(1, MAX_SIDE)
)

FLUX_1_SCHNELL = Model(
    name="flux-1-schnell",
    model_id="flux-1-schnell",
    page="pixazo-flux: Flux 1 Schnell Text to Image",
    path="/flux-1-schnell/v1/getData",
    protocol=Protocol.SYNCHRONOUS,
    auth=Auth.SUBSCRIPTION,
    parameters={"prompt": A_PROMPT, **optional(num_steps=integer_in(1, 8)), **_SIZE_AND_SEED},
    job=_DRAWN,
    price=flat("0"),
    media_name=_MEDIA_NAME,
)

FLUX_1_SCHNELL_BATCH = Model(
    name="flux-1-schnell-batch",
    model_id="flux-1-schnell",
    page="pixazo-flux: Flux 1 Schnell Text to Image (Batch)",
    path="/flux-1-schnell/v1/getDataBatch",
    protocol=Protocol.BATCH,
    # The page's table of headers names the other kind as well; none of its requests sends it.
    auth=Auth.SECRET,
    parameters={
        "prompt": A_PROMPT,
        **optional(num_steps=positive_integer, webhook_url=text),
        **_SIZE_AND_SEED,
    },
    job=_DRAWN,
    price=flat("0"),
    media_name=_MEDIA_NAME,
    hook_field="webhook_url",
)
