"""The two Flux 2 pro trainers. Source: both sections named "LoRA Trainer"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.sandbox.models.checks import positive_integer, positive_number, url_or_base64
from server.sandbox.models.common import UNPUBLISHED, flat, integer_of, number_of, optional
from server.sandbox.models.spec import Auth, Model, Parameter, Protocol
from server.sandbox.work.jobs import TrainJob

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from server.sandbox.models.spec import Body

__all__ = ["FLUX_2_PRO_IMAGE_TO_IMAGE_TRAINER", "FLUX_2_PRO_TEXT_TO_IMAGE_TRAINER"]

# Neither section gives defaults; these are the sandbox's own.
_STEPS = 1000
_LEARNING_RATE = 5e-5


def _trainer(direction: str, number: int, price: Callable[[Body], Decimal]) -> Model:
    name = f"flux-2-pro-{direction}-trainer-{number}"
    return Model(
        name=name,
        model_id=name,
        page=f"pixazo-flux: Flux 2 Pro (LoRA Trainer), {direction}",
        path=f"/{name}/v1/flux-2-pro-{direction}-trainer-request",
        protocol=Protocol.QUEUED,
        auth=Auth.SUBSCRIPTION,
        parameters={
            "image_data_url": Parameter(
                check=url_or_base64,
                required=True,
                when_missing="is required and must be a string URL or base64",
            )
        }
        | optional(steps=positive_integer, learning_rate=positive_number),
        job=lambda body: TrainJob(
            base=name,
            steps=integer_of(body, "steps", _STEPS),
            learning_rate=number_of(body, "learning_rate", _LEARNING_RATE),
        ),
        price=price,
        sources=("image_data_url",),
        media_name="output.ext",
        media_type="application/octet-stream",
    )


FLUX_2_PRO_TEXT_TO_IMAGE_TRAINER = _trainer("text-to-image", 712, flat("8"))
FLUX_2_PRO_IMAGE_TO_IMAGE_TRAINER = _trainer("image-to-image", 831, UNPUBLISHED)
