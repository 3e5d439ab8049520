"""Flux pro and pro 1.1: pictures from words. Source: the sections of those names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.sandbox.models.checks import (
    boolean,
    integer,
    integer_in,
    number,
    one_of,
    positive_integer,
)
from server.sandbox.models.common import (
    A_PROMPT,
    drawing,
    flat,
    optional,
    ratio_size,
    text_of,
)
from server.sandbox.models.spec import Auth, Model, Protocol

if TYPE_CHECKING:
    from server.sandbox.models.spec import Body

__all__ = ["FLUX_PRO", "FLUX_PRO_1_1", "IMAGE_SIZES", "image_size"]

# The page names the sizes without measures; these are what the names mean elsewhere.
IMAGE_SIZES = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}

_RATIOS = ("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21")
_UP_TO_2K = 2048


def image_size(body: Body) -> tuple[int, int]:
    """Read a size by its name."""
    return IMAGE_SIZES[text_of(body, "image_size", "landscape_4_3")]


def _ratio(body: Body) -> tuple[int, int]:
    across, down = text_of(body, "aspect_ratio", "16:9").split(":")
    return ratio_size(int(across), int(down), longest=_UP_TO_2K)


FLUX_PRO = Model(
    name="flux-pro",
    model_id="flux-pro",
    page="pixazo-flux: Flux Pro Text to Image",
    path="/flux-pro/v1/pro/textToImage",
    protocol=Protocol.QUEUED,
    auth=Auth.SUBSCRIPTION,
    parameters={"prompt": A_PROMPT}
    | optional(
        image_size=one_of(IMAGE_SIZES),
        num_inference_steps=positive_integer,
        guidance_scale=number,
        num_images=integer_in(1, 10),
        enable_safety_checker=boolean,
        output_format=one_of(("jpeg", "png")),
    ),
    job=drawing(image_size, usual="jpeg", count="num_images"),
    price=flat("0.03"),
    media_name="output.ext",
    media_type="application/octet-stream",
)

FLUX_PRO_1_1 = Model(
    name="flux-pro-1-1",
    model_id="flux-pro-1-1",
    page="pixazo-flux: Flux Pro 1.1 Text to Image",
    path="/pro1.1/v1/pro1.1ultra/generateRequest",
    protocol=Protocol.QUEUED,
    auth=Auth.SUBSCRIPTION,
    parameters={"prompt": A_PROMPT}
    | optional(
        seed=integer,
        sync_mode=boolean,
        num_images=integer_in(1, 10),
        enable_safety_checker=boolean,
        output_format=one_of(("jpeg", "png")),
        safety_tolerance=one_of(("1", "2", "3", "4", "5", "6")),
        enhance_prompt=boolean,
        aspect_ratio=one_of(_RATIOS),
        raw=boolean,
    ),
    job=drawing(_ratio, usual="jpeg", count="num_images", seeded=True),
    price=flat("0.08"),
    media_name="output.ext",
    media_type="application/octet-stream",
)
