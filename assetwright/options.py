"""The keyword arguments that several methods share, as types."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from decimal import Decimal
    from typing import TypeAlias

    from assetwright.processing import Processing
    from assetwright.records import Asset, ParameterValue

    Source: TypeAlias = Asset | bytes | str | os.PathLike[str]

__all__ = ["GenerateOptions", "ProcessOptions"]


class ProcessOptions(TypedDict, total=False):
    """What `Client.process` takes beside the model.

    Attributes:
        processing: What to do with the model; absent: measure and extract textures.
        labels: Free labels to find the job by.
        request_id: The idempotency key; absent: a new UUID.
    """

    processing: Processing | None
    labels: Mapping[str, str] | None
    request_id: str | None


class GenerateOptions(ProcessOptions, total=False):
    """What `Client.generate` takes beside the model.

    Attributes:
        prompt: What to make, in words.
        image: The picture to start from: an http(s) address, a path, bytes or an `Asset`.
        mask: The mask: white is painted anew. As image.
        dataset: The archive to train from. As image.
        parameters: Values by parameter name; what is absent has the model's default.
        image_model: Makes the picture from the prompt first, with this text-to-image model.
        image_parameters: The values for it.
        max_cost_usd: Refuse when the highest price is above it, in US dollars.
        accept_unpriced: Accept a model whose provider publishes no price.
        max_duration_s: Give up after this many seconds; the gateway may still charge.
    """

    prompt: str | None
    image: Source | None
    mask: Source | None
    dataset: Source | None
    parameters: Mapping[str, ParameterValue] | None
    image_model: str | None
    image_parameters: Mapping[str, ParameterValue] | None
    max_cost_usd: Decimal | float | str | None
    accept_unpriced: bool | None
    max_duration_s: float | None
