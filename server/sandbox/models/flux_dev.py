"""Flux dev and its relatives that start from a picture: edit, fill, restore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.sandbox.models.checks import (
    boolean,
    integer,
    integer_in,
    list_of,
    non_negative_integer,
    number,
    number_in,
    one_of,
    positive_integer,
    text,
)
from server.sandbox.models.common import (
    A_PROMPT,
    AN_ADDRESS,
    drawing,
    flat,
    number_of,
    optional,
    output_of,
    text_of,
)
from server.sandbox.models.flux_pro import IMAGE_SIZES, image_size
from server.sandbox.models.spec import Auth, Model, Protocol, seed_of
from server.sandbox.work.jobs import EditJob, FillJob, RestoreJob

if TYPE_CHECKING:
    from server.sandbox.models.spec import Body

__all__ = [
    "FLUX_DEV_IMAGE_TO_IMAGE",
    "FLUX_DEV_TEXT_TO_IMAGE",
    "FLUX_FILL_DEV",
    "FLUX_KONTEXT_RESTORE",
]

_USUAL_STRENGTH = 0.8  # The page gives no default.
_MEGAPIXEL = 1024 * 1024
_RESOLUTIONS = {"0.25": _MEGAPIXEL // 4, "1": _MEGAPIXEL, "match_input": None}

_SHARED = optional(
    num_inference_steps=positive_integer,
    guidance_scale=number,
    num_images=integer_in(1, 10),
    enable_safety_checker=boolean,
    output_format=one_of(("jpeg", "png")),
    acceleration=one_of(("none", "regular", "high")),
)


def _edit(body: Body) -> EditJob:
    return EditJob(
        prompt=text_of(body, "prompt"),
        strength=number_of(body, "strength", _USUAL_STRENGTH),
        size=None,
        seed=0,
        output=output_of(body, usual="jpeg", count="num_images"),
    )


def _fill(body: Body) -> FillJob:
    return FillJob(
        prompt=text_of(body, "prompt"),
        pixels=_RESOLUTIONS[text_of(body, "megapixels", "1")],
        seed=seed_of(body),
        output=output_of({"output_quality": 80} | dict(body), usual="webp", count="num_outputs"),
    )


FLUX_DEV_TEXT_TO_IMAGE = Model(
    name="flux-dev-text-to-image",
    model_id="flux-dev",
    page="pixazo-flux: Flux Dev Text to Image",
    path="/flux-dev/v1/dev/textToImage",
    protocol=Protocol.QUEUED,
    auth=Auth.SUBSCRIPTION,
    parameters={"prompt": A_PROMPT, **optional(image_size=one_of(IMAGE_SIZES)), **_SHARED},
    job=drawing(image_size, usual="jpeg", count="num_images"),
    price=flat("0.025"),
    media_name="output.ext",
    media_type="application/octet-stream",
)

FLUX_DEV_IMAGE_TO_IMAGE = Model(
    name="flux-dev-image-to-image",
    model_id="flux-dev",
    page="pixazo-flux: Flux Dev Image to Image",
    path="/flux-dev/v1/dev/imageToImage",
    protocol=Protocol.QUEUED,
    auth=Auth.SUBSCRIPTION,
    parameters={
        "image_url": AN_ADDRESS,
        "prompt": A_PROMPT,
        **optional(strength=number_in(0, 1)),
        **_SHARED,
    },
    job=_edit,
    price=flat("0.025"),
    sources=("image_url",),
    media_name="output.ext",
    media_type="application/octet-stream",
)

FLUX_FILL_DEV = Model(
    name="flux-fill-dev",
    model_id="flux-fill-dev",
    page="pixazo-flux: Flux Fill Dev",
    path="/flux-fill-dev/v1/flux-fill/generate",
    protocol=Protocol.QUEUED,
    auth=Auth.SUBSCRIPTION,
    parameters={"prompt": A_PROMPT, "image": AN_ADDRESS, "mask": AN_ADDRESS}
    | optional(
        seed=integer,
        guidance=number,
        num_outputs=integer_in(1, 4),
        num_inference_steps=positive_integer,
        megapixels=one_of(_RESOLUTIONS),
        output_format=one_of(("webp", "jpg", "png")),
        output_quality=integer_in(0, 100),
        lora_scale=number,
        disable_safety_checker=boolean,
    ),
    job=_fill,
    price=flat("0.04"),
    sources=("image", "mask"),
    price_in_refusal=True,
)

FLUX_KONTEXT_RESTORE = Model(
    name="flux-kontext-restore-image",
    model_id="flux-kontext-restore-image",
    page="pixazo-flux: Flux Kontext Image Restoration",
    path="/flux-kontext-restore-image/v1/flux-kontext-restore-image/generate",
    protocol=Protocol.QUEUED,
    auth=Auth.SUBSCRIPTION,
    parameters={"input_image": AN_ADDRESS}
    | optional(
        seed=non_negative_integer,
        output_format=one_of(("jpg", "png")),
        safety_tolerance=integer_in(0, 2),
        # The example request has these two; the table of parameters does not.
        webhook=text,
        webhook_events_filter=list_of(("completed", "failed")),
    ),
    job=lambda body: RestoreJob(output=output_of(body, usual="png")),
    price=flat("0.04"),
    sources=("input_image",),
    hook_field="webhook",
)
