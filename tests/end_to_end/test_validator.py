"""Khronos' validator on what comes out: of a whole generation, and of asset processing alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from asset_processing import (
    AlphaAction,
    BudgetAction,
    CollisionKind,
    CollisionOptions,
    CollisionPlacement,
    Decode,
    EngineProfile,
    ForwardAxis,
    InvalidOption,
    Lod,
    LodPlacement,
    Pivot,
    ProcessingOptions,
    Provenance,
    TextureOptions,
    process,
)
from assetwright.v1 import asset_pb2, asset_service_pb2, model_pb2, processing_pb2
from assetwright.v1 import generation_service_pb2 as wire

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from assetwright.v1 import job_pb2
    from tests.conftest import Node, Server

_HEIGHT_M = 1.8
_ERROR = 0  # The validator's own number for the severity.


def _completed(server: Server, picture: Path) -> job_pb2.JobCompleted:
    request = wire.GenerateRequest(
        model="pixal3d",
        inputs=[
            wire.Input(role=model_pb2.INPUT_ROLE_SOURCE, inline_data=picture.read_bytes()),
        ],
        parameters={
            "decimation_target": model_pb2.ParameterValue(int_value=3000),
            "texture_size": model_pb2.ParameterValue(int_value=1024),
        },
        processing=processing_pb2.ProcessingOptions(
            height_m=_HEIGHT_M, pivot=processing_pb2.PIVOT_BASE
        ),
        delivery=wire.DELIVERY_ANNOUNCE,
    )
    *_, last = server.generation.Generate(request, timeout=50)
    assert last.event.WhichOneof("kind") == "completed", last
    return last.event.completed


def _saved(
    server: Server, completed: job_pb2.JobCompleted, role: asset_pb2.AssetRole, folder: Path
) -> Path:
    (asset,) = (asset for asset in completed.assets if asset.role == role)
    request = asset_service_pb2.DownloadAssetRequest(asset_id=asset.asset_id)
    _, *chunks = server.assets.DownloadAsset(request, timeout=30)
    path = folder / f"{asset_pb2.AssetRole.Name(role)}.glb"
    path.write_bytes(b"".join(message.chunk.data for message in chunks))
    return path


def test_a_generation_is_valid_before_and_after_processing(
    server: Server, node: Node, picture: Path, tmp_path: Path
) -> None:
    completed = _completed(server, picture)
    roles = (asset_pb2.ASSET_ROLE_SOURCE, asset_pb2.ASSET_ROLE_MODEL)
    files = [_saved(server, completed, role, tmp_path) for role in roles]
    for verdict in node.validate(*files):
        assert verdict["errors"] == 0, verdict

    bounds = completed.report.bounds_after
    assert bounds.max.y - bounds.min.y == pytest.approx(_HEIGHT_M, abs=1e-4)
    assert bounds.min.y == pytest.approx(0, abs=1e-6)
    (height,) = (check for check in completed.report.checks if check.name == "height_m")
    assert height.measured == pytest.approx(_HEIGHT_M, abs=1e-4)


def _errors(verdict: dict[str, Any]) -> Counter[str]:
    """Count each code of severity error."""
    return Counter(
        message["code"] for message in verdict["messages"] if message["severity"] == _ERROR
    )


_OPERATIONS = {
    "scale and pivot": ProcessingOptions(height_m=1.8, pivot=Pivot.BASE),
    "turn": ProcessingOptions(forward_axis=ForwardAxis.PLUS_X, scale_factor=0.1),
    "bake": ProcessingOptions(
        forward_axis=ForwardAxis.MINUS_X, longest_side_m=2, pivot=Pivot.CENTER, bake=True
    ),
    "decode": ProcessingOptions(decode=Decode.ALWAYS),
    "normals and tangents": ProcessingOptions(normals=True, tangents=True),
    "weld": ProcessingOptions(weld=True),
    "prune": ProcessingOptions(prune=True),
    "smaller textures": ProcessingOptions(textures=TextureOptions(max_size_px=64)),
    "WebP": ProcessingOptions(
        textures=TextureOptions(media_type="image/webp", alpha=AlphaAction.APPLY)
    ),
    "simplify": ProcessingOptions(max_triangles=500, budget_action=BudgetAction.ENFORCE),
    "simplify, levels of detail as nodes": ProcessingOptions(
        max_triangles=1000,
        budget_action=BudgetAction.ENFORCE,
        lods=(Lod(ratio=0.5), Lod(triangles=50)),
        lod_placement=LodPlacement.NODES,
    ),
    "provenance": ProcessingOptions(provenance=Provenance(model="m", seed=1)),
    **{
        f"{engine.value} with a box": ProcessingOptions(
            engine_profile=engine,
            collision=CollisionOptions(kind=CollisionKind.BOX, placement=CollisionPlacement.NODES),
        )
        for engine in (EngineProfile.GODOT, EngineProfile.UNREAL)
    },
    "everything": ProcessingOptions(
        scale_factor=3,
        pivot=Pivot.BASE,
        forward_axis=ForwardAxis.MINUS_Z,
        bake=True,
        decode=Decode.ALWAYS,
        normals=True,
        tangents=True,
        weld=True,
        prune=True,
    ),
}


def _processed(source: bytes, options: ProcessingOptions) -> bytes:
    try:
        return process(source, options).glb
    except InvalidOption:  # A flat sample has no height to scale.
        return process(source, replace(options, height_m=None, longest_side_m=1.8)).glb


@pytest.mark.samples
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", list(_OPERATIONS))
def test_no_operation_adds_an_error_to_any_sample(
    node: Node, samples: list[Path], tmp_path: Path, name: str
) -> None:
    """Some samples come with errors of their own; none gets another, nor one more of the same."""
    results = [tmp_path / path.name for path in samples]
    for path, result in zip(samples, results, strict=True):
        result.write_bytes(_processed(path.read_bytes(), _OPERATIONS[name]))
    verdicts = node.validate(*samples, *results)
    before, after = verdicts[: len(samples)], verdicts[len(samples) :]
    added = {
        path.stem: dict(more)
        for path, was, now in zip(samples, before, after, strict=True)
        if (more := _errors(now) - _errors(was))
    }
    assert added == {}
