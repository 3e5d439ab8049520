"""Pixal3D: a mesh from a picture."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from server.sandbox.mesh import MeshOptions
from server.sandbox.models.checks import (
    boolean,
    integer,
    number,
    one_of_integers,
    positive_integer,
    positive_number,
)
from server.sandbox.models.common import AN_ADDRESS, integer_of, number_of, optional
from server.sandbox.models.spec import Auth, Model, Protocol
from server.sandbox.work.jobs import MeshJob

if TYPE_CHECKING:
    from server.sandbox.models.spec import Body

__all__ = ["PIXAL3D"]

_PRICES = {1024: Decimal("0.30"), 2048: Decimal("0.42"), 4096: Decimal("0.42")}
_DEFAULTS = MeshOptions()


def _price(body: Body) -> Decimal:
    """By `texture_size`: the page's rows 1024p, 2048p and 4096p fit this parameter alone.

    That is a reading; the page does not say so.
    """
    return _PRICES[integer_of(body, "texture_size", _DEFAULTS.texture_size)]


def _job(body: Body) -> MeshJob:
    seed = body.get("seed")
    return MeshJob(
        options=MeshOptions(
            decimation_target=integer_of(body, "decimation_target", _DEFAULTS.decimation_target),
            texture_size=integer_of(body, "texture_size", _DEFAULTS.texture_size),
            mesh_scale=number_of(body, "mesh_scale", _DEFAULTS.mesh_scale),
            seed=seed if isinstance(seed, int) else None,
        )
    )


PIXAL3D = Model(
    name="pixal3d",
    model_id="pixal3d",
    page="pixazo-pixal3d",
    path="/pixal3d/v1/pixal3d-request",
    protocol=Protocol.QUEUED,
    auth=Auth.SUBSCRIPTION,
    # The page gives no ranges; that counts and the scale are greater than zero is the sandbox's
    # own rule, since nothing could be made otherwise.
    parameters={"image_url": AN_ADDRESS}
    | optional(
        seed=integer,
        resolution=one_of_integers(1024, 1536),
        ss_guidance_strength=number,
        ss_guidance_rescale=number,
        ss_sampling_steps=positive_integer,
        ss_rescale_t=number,
        shape_slat_guidance_strength=number,
        shape_slat_guidance_rescale=number,
        shape_slat_sampling_steps=positive_integer,
        shape_slat_rescale_t=number,
        tex_slat_guidance_strength=number,
        tex_slat_guidance_rescale=number,
        tex_slat_sampling_steps=positive_integer,
        tex_slat_rescale_t=number,
        mesh_scale=positive_number,
        max_num_tokens=positive_integer,
        decimation_target=positive_integer,
        texture_size=one_of_integers(1024, 2048, 4096),
        remesh=boolean,
    ),
    job=_job,
    price=_price,
    sources=("image_url",),
    media_type="model/glb",
)
