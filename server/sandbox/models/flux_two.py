"""Flux 2: pro in both directions, klein, and dev."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from server.sandbox.models.checks import (
    Check,
    boolean,
    integer_in,
    matching,
    one_of,
    one_of_integers,
    positive_integer,
    url_list,
)
from server.sandbox.models.common import (
    A_PROMPT,
    MAX_SIDE,
    UNPUBLISHED,
    drawing,
    flat,
    integer_of,
    optional,
    output_of,
    ratio_size,
    text_of,
)
from server.sandbox.models.spec import Auth, Model, Parameter, Protocol
from server.sandbox.work.jobs import EditJob

if TYPE_CHECKING:
    from server.sandbox.models.spec import Body

__all__ = [
    "FLUX_2_DEV",
    "FLUX_2_KLEIN",
    "FLUX_2_PRO_IMAGE_TO_IMAGE",
    "FLUX_2_PRO_TEXT_TO_IMAGE",
]

_SHAPES = (
    "portrait_4_5", "portrait_9_16", "square_1_1",
    "landscape_3_2", "landscape_4_3", "landscape_16_9", "landscape_21_9",
)  # fmt: skip
_LONGEST = 1024  # The page names ratios without measures.
_STRENGTH = 0.8  # The page has no such parameter.
_KLEIN_SIDES = (512, 1024, 1448, 2048)
_KLEIN_PRICES = {
    512: Decimal("0.0003"), 1024: Decimal("0.0007"),
    1448: Decimal("0.0014"), 2048: Decimal("0.0028"),
}  # fmt: skip

_AUTO = "auto"
_wxh = matching(r"auto|\d{1,5}x\d{1,5}", 'auto or a size such as "1024x1024"')


def _shape(body: Body) -> tuple[int, int]:
    across, down = text_of(body, "image_size", "landscape_4_3").split("_")[1:]
    return ratio_size(int(across), int(down), longest=_LONGEST)


def _auto_or_size(value: object) -> str | None:
    wrong = _wxh(value)
    if wrong is None and value != _AUTO:
        sides = [int(side) for side in str(value).split("x")]
        wrong = None if all(1 <= side <= MAX_SIDE for side in sides) else "is out of range"
    return wrong


def _edit(body: Body) -> EditJob:
    asked = text_of(body, "image_size", _AUTO)
    size = None
    if asked != _AUTO:
        width, height = asked.split("x")
        size = (int(width), int(height))
    return EditJob(
        prompt=text_of(body, "prompt"),
        strength=_STRENGTH,
        size=size,
        seed=0,
        output=output_of(body, usual="jpeg"),
    )


def _square(body: Body) -> tuple[int, int]:
    return integer_of(body, "width", 1024), integer_of(body, "height", 1024)


def _klein_price(body: Body) -> Decimal:
    """By the smallest published square that holds as many pixels; a reading for other shapes."""
    width, height = _square(body)
    side = next(side for side in _KLEIN_SIDES if side * side >= width * height)
    return _KLEIN_PRICES[side]


def _sides(check: Check) -> dict[str, Parameter]:
    return optional(steps=positive_integer, width=check, height=check)


_SAFETY = optional(enable_safety_checker=boolean, output_format=one_of(("jpeg", "png", "webp")))

FLUX_2_PRO_TEXT_TO_IMAGE = Model(
    name="flux-2-pro-text-to-image-799",
    model_id="flux-2-pro-text-to-image-799",
    page="pixazo-flux: Flux 2 Pro Text to Image",
    path="/flux-2-pro-text-to-image-799/v1/flux-2-pro-text-to-image-request",
    protocol=Protocol.QUEUED,
    auth=Auth.SUBSCRIPTION,
    parameters={
        "prompt": A_PROMPT,
        **optional(image_size=one_of(_SHAPES), safety_tolerance=integer_in(1, 4)),
        **_SAFETY,
    },
    job=drawing(_shape, usual="jpeg"),
    price=flat("0.06"),
    media_name="output.ext",
    media_type="application/octet-stream",
)

FLUX_2_PRO_IMAGE_TO_IMAGE = Model(
    name="flux-2-pro-image-to-image-866",
    model_id="flux-2-pro-image-to-image-866",
    page="pixazo-flux: Flux 2 Pro Image to Image (Image Editing)",
    path="/flux-2-pro-image-to-image-866/v1/flux-2-pro-image-to-image-request",
    protocol=Protocol.QUEUED,
    auth=Auth.SUBSCRIPTION,
    parameters={
        "prompt": A_PROMPT,
        "image_urls": Parameter(check=url_list, required=True),
        **optional(image_size=_auto_or_size, safety_tolerance=one_of(("1", "2", "3"))),
        **_SAFETY,
    },
    job=_edit,
    price=UNPUBLISHED,
    sources=("image_urls",),
    media_name="output.ext",
    media_type="application/octet-stream",
)

FLUX_2_KLEIN = Model(
    name="flux-2-klein-4b",
    model_id="flux-2-klein-4b",
    page="pixazo-flux: Flux 2 Klein Text to Image",
    path="/flux-2-klein-4b/v1/generateImage",
    protocol=Protocol.SYNCHRONOUS,
    auth=Auth.SUBSCRIPTION,
    parameters={"prompt": A_PROMPT, **_sides(one_of_integers(*_KLEIN_SIDES))},
    job=drawing(_square, usual="png"),
    price=_klein_price,
    media_name="flux-2-klein-4b/{ms}-{digits}.{ext}",
)

FLUX_2_DEV = Model(
    name="flux-2-dev",
    model_id="flux-2-dev",
    page="pixazo-flux: Flux 2 Dev Text to Image",
    path="/generateT2I",
    protocol=Protocol.SYNCHRONOUS,
    auth=Auth.SECRET,
    parameters={"prompt": A_PROMPT, **_sides(integer_in(1, MAX_SIDE))},
    job=drawing(_square, usual="png"),
    price=UNPUBLISHED,
    media_name="flux-2-dev-cf/{ms}-{digits}.{ext}",
)
