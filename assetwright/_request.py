"""What a caller asks for as the contract's messages. The only place that writes them."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from google.protobuf import duration_pb2

from assetwright._wire import to_wire
from assetwright.enums import InputRole
from assetwright.records import Money
from assetwright.v1 import generation_service_pb2 as service
from assetwright.v1 import model_pb2, money_pb2, processing_pb2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from assetwright.options import GenerateOptions, ProcessOptions, Source
    from assetwright.processing import Box, Collision, Lod, Processing, Textures
    from assetwright.records import Asset, ParameterValue

__all__ = [
    "generate",
    "image_stage",
    "inputs",
    "parameter_value",
    "parameters",
    "process",
    "processing",
]

_ADDRESSES = ("http://", "https://")
_PLAIN = (
    "scale_factor",
    "height_m",
    "longest_side_m",
    "max_triangles",
    "max_vertices",
    "bake",
    "compute_normals",
    "compute_tangents",
    "weld",
    "prune",
    "thumbnail_px",
    "write_provenance",
)
_ENUMS = (
    "pivot",
    "budget_action",
    "engine_profile",
    "forward_axis",
    "decode",
    "lod_placement",
    "simplify_method",
)


def generate(
    model: str, options: GenerateOptions, *, inputs: Iterable[service.Input]
) -> service.GenerateRequest:
    """Return the request for a generation whose inputs are reachable already."""
    cost, limit_s = options.get("max_cost_usd"), options.get("max_duration_s")
    return service.GenerateRequest(
        request_id=_request_id(options),
        model=model,
        prompt=options.get("prompt"),
        inputs=inputs,
        parameters=parameters(options.get("parameters")),
        image_stage=image_stage(options.get("image_model"), options.get("image_parameters")),
        processing=processing(options.get("processing")),
        max_cost=None if cost is None else _money(Money.usd(cost)),
        labels=options.get("labels") or {},
        delivery=service.DELIVERY_ANNOUNCE,  # Bytes by DownloadAsset, which resumes.
        accept_unpriced=options.get("accept_unpriced"),
        max_duration=None if limit_s is None else _duration(limit_s),
    )


async def inputs(
    options: GenerateOptions, *, stored: Callable[[Source], Awaitable[Asset]]
) -> list[service.Input]:
    """Return the inputs by role; what is no address becomes an asset by `stored`."""
    given = {
        InputRole.SOURCE: options.get("image"),
        InputRole.MASK: options.get("mask"),
        InputRole.DATASET: options.get("dataset"),
    }
    found = []
    for role, source in given.items():
        if isinstance(source, str) and source.startswith(_ADDRESSES):
            found.append(service.Input(role=to_wire(role), url=source))
        elif source is not None:
            asset = await stored(source)
            found.append(service.Input(role=to_wire(role), asset_id=asset.asset_id))
    return found


def process(asset: Asset, options: ProcessOptions) -> service.ProcessRequest:
    """Return the request for post-processing."""
    return service.ProcessRequest(
        request_id=_request_id(options),
        asset_id=asset.asset_id,
        processing=processing(options.get("processing")),
        labels=options.get("labels") or {},
        delivery=service.DELIVERY_ANNOUNCE,
    )


def parameter_value(value: ParameterValue) -> model_pb2.ParameterValue:
    """Return a parameter's value with its own type."""
    if isinstance(value, bool):  # Before int, which bool is too.
        return model_pb2.ParameterValue(bool_value=value)
    if isinstance(value, int):
        return model_pb2.ParameterValue(int_value=value)
    if isinstance(value, float):
        return model_pb2.ParameterValue(float_value=value)
    return model_pb2.ParameterValue(string_value=value)


def parameters(values: Mapping[str, ParameterValue] | None) -> dict[str, model_pb2.ParameterValue]:
    """Return parameters by name."""
    return {name: parameter_value(value) for name, value in (values or {}).items()}


def image_stage(
    model: str | None, values: Mapping[str, ParameterValue] | None
) -> service.ImageStage | None:
    """Return the image stage; None when nothing of it is given."""
    if model is None and not values:
        return None
    return service.ImageStage(model=model or "", parameters=parameters(values))


def processing(options: Processing | None) -> processing_pb2.ProcessingOptions | None:
    """Return what to do with a model; None stays None."""
    if options is None:
        return None
    message = processing_pb2.ProcessingOptions(extract_textures=options.extract_textures)
    for name in _PLAIN:
        if (value := getattr(options, name)) is not None:
            setattr(message, name, value)
    for name in _ENUMS:
        if (member := getattr(options, name)) is not None:
            setattr(message, name, to_wire(member))
    _copy_parts(options, message)
    return message


def _copy_parts(options: Processing, message: processing_pb2.ProcessingOptions) -> None:
    if options.fit_box is not None:
        message.fit_box.CopyFrom(_box(options.fit_box))
    if options.textures is not None:
        message.textures.CopyFrom(_textures(options.textures))
    if options.collision is not None:
        message.collision.CopyFrom(_collision(options.collision))
    message.lods.extend(_lod(lod) for lod in options.lods)
    message.exports.extend(map(to_wire, options.exports))


def _box(box: Box) -> processing_pb2.Box:
    return processing_pb2.Box(width_m=box.width_m, height_m=box.height_m, depth_m=box.depth_m)


def _textures(textures: Textures) -> processing_pb2.TextureOptions:
    return processing_pb2.TextureOptions(
        max_size_px=textures.max_size_px,
        media_type=textures.media_type,
        packing=None if textures.packing is None else to_wire(textures.packing),
        alpha=None if textures.alpha is None else to_wire(textures.alpha),
    )


def _collision(collision: Collision) -> processing_pb2.CollisionOptions:
    return processing_pb2.CollisionOptions(
        kind=to_wire(collision.kind),
        max_parts=collision.max_parts,
        method=None if collision.method is None else to_wire(collision.method),
        placement=None if collision.placement is None else to_wire(collision.placement),
    )


def _lod(lod: Lod) -> processing_pb2.LodLevel:
    if lod.ratio is not None:
        return processing_pb2.LodLevel(ratio=lod.ratio)
    return processing_pb2.LodLevel(triangles=lod.triangles or 0)


def _money(amount: Money) -> money_pb2.Money:
    return money_pb2.Money(currency_code=amount.currency_code, amount_micros=amount.amount_micros)


def _duration(seconds: float) -> duration_pb2.Duration:
    duration = duration_pb2.Duration()
    duration.FromTimedelta(timedelta(seconds=seconds))
    return duration


def _request_id(options: ProcessOptions) -> str:
    """Return the caller's idempotency key, or a new one: without one, a retry would pay twice."""
    given = options.get("request_id")
    return str(uuid.uuid4()) if given is None else given
