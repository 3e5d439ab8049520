"""Promises kept on files that other programs wrote, and named errors on hostile ones."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import trimesh

from asset_processing import InvalidOption, Pivot, ProcessingError, ProcessingOptions, process
from asset_processing.document import GlbDocument
from asset_processing.geometry import drawn, posed
from asset_processing.operations._placement import ROOT_NAME
from asset_processing.skinning import Rig

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb

_ROOT = Path(__file__).parents[2]
SAMPLES = Path(os.environ.get("ASSETWRIGHT_SAMPLES", _ROOT.parent / "shared" / "samples"))
_OPERATIONS = {
    "nothing": ProcessingOptions(),
    "factor": ProcessingOptions(scale_factor=0.37),
    "height": ProcessingOptions(height_m=1.8),
    "longest": ProcessingOptions(longest_side_m=5),
    "center": ProcessingOptions(pivot=Pivot.CENTER),
    "base": ProcessingOptions(pivot=Pivot.BASE),
    "both": ProcessingOptions(scale_factor=2.5, pivot=Pivot.BASE),
}
# What trimesh reads wrongly, or draws otherwise: skins and morph targets at rest, integers,
# compression, instances, points and lines.
_BEYOND_TRIMESH = {
    "BoxDraco",
    "BoxMeshopt",
    "DracoSparseMesh",
    "Fox",
    "Fox_quantized",
    "instancing",
    "pirate",
    "quad_skin",
}


def _process(path: Path, options: ProcessingOptions) -> tuple[bytes, bytes]:
    source = path.read_bytes()
    try:
        asset = process(source, options)
    except InvalidOption as error:
        assert error.field == "height_m"  # noqa: PT017  # Flat samples have none to scale.
        pytest.skip("the sample has no height")
    assert asset.report.passed
    return source, asset.glb


def _position_bytes(document: dict[str, Any], length: int) -> np.ndarray:
    """Mark the bytes of float positions, by the letter of the specification."""
    marked = np.zeros(length, dtype=bool)
    for mesh in document["meshes"]:
        for primitive in mesh["primitives"]:
            entry = document["accessors"][primitive["attributes"]["POSITION"]]
            if "bufferView" not in entry or entry["componentType"] != 5126:
                continue
            view = document["bufferViews"][entry["bufferView"]]
            start = view.get("byteOffset", 0) + entry.get("byteOffset", 0)
            for vertex in range(entry["count"]):
                begin = start + vertex * view.get("byteStride", 12)
                marked[begin : begin + 12] = True
    return marked


def _without_placement(document: dict[str, Any]) -> dict[str, Any]:
    """What must never change: all but positions' ranges, translations and our own root."""
    positions = {p["attributes"]["POSITION"] for m in document["meshes"] for p in m["primitives"]}
    for index in positions:
        document["accessors"][index].pop("min", None)
        document["accessors"][index].pop("max", None)
    document["nodes"] = [node for node in document["nodes"] if node.get("name") != ROOT_NAME]
    for node in document["nodes"]:
        node.pop("translation", None)
        node.get("matrix", [])[12:15] = []
    for scene in document["scenes"]:
        del scene["nodes"]
    return document


@pytest.mark.parametrize("name", list(_OPERATIONS))
def test_only_what_moves_changes(glb: type[Glb], sample: Path, name: str) -> None:
    source, result = _process(sample, _OPERATIONS[name])
    before, binary = glb.unpack(source)
    after, changed = glb.unpack(result)
    old, new = np.frombuffer(binary, "u1"), np.frombuffer(changed, "u1")
    assert len(old) == len(new)
    assert not (old != new)[~_position_bytes(before, len(old))].any()
    assert _without_placement(after) == _without_placement(before)
    if name == "nothing":
        assert result == source


def test_images_skins_and_animations_come_out_byte_for_byte(sample: Path) -> None:
    source, result = _process(sample, _OPERATIONS["both"])

    def digests(data: bytes) -> list[str]:
        document = GlbDocument.parse(data)
        positions = {
            document.accessors[p["attributes"]["POSITION"]].view
            for mesh in document.json["meshes"]
            for p in mesh["primitives"]
        }
        views = [
            document.view_bytes(index)
            for index, view in enumerate(document.views)
            if index not in positions and not view.compressed
        ]
        images = [image.data for image in document.images]
        return [hashlib.sha256(part).hexdigest() for part in (*views, *images)]

    assert digests(result) == digests(source)


def _world(data: bytes) -> np.ndarray:
    """Every vertex where it is drawn, skins and morph targets applied; compressed ones left out."""
    document = GlbDocument.parse(data)
    found = [np.empty((0, 3))]
    rig = Rig(document)
    for draw, primitive in drawn(document):
        if not primitive.compressed:
            points, matrices = posed(document, draw, primitive, rig)
            found += [points @ matrix[:3, :3].T + matrix[:3, 3] for matrix in matrices[:10]]
    return np.concatenate(found)


def test_every_vertex_is_scaled_and_shifted_alike(sample: Path) -> None:
    source, result = _process(sample, _OPERATIONS["both"])
    before, after = _world(source) * 2.5, _world(result)
    assert before.shape == after.shape
    if len(before):
        span = np.abs(before).max()
        assert np.abs((after - before) - (after - before)[0]).max() <= 1e-5 * span


def test_trimesh_measures_the_same_bounds(sample: Path) -> None:
    if sample.stem in _BEYOND_TRIMESH:
        pytest.skip("trimesh reads it otherwise")
    for data in _process(sample, _OPERATIONS["both"]):
        measured = process(data).report.bounds_after
        expected = trimesh.load_scene(io.BytesIO(data), file_type="glb").bounds
        assert np.allclose([measured.min, measured.max], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.timeout(30)
def test_a_hostile_file_gives_a_named_error_or_an_honest_result(hostile_sample: Path) -> None:
    source = hostile_sample.read_bytes()
    for options in (_OPERATIONS["nothing"], _OPERATIONS["both"]):
        try:
            asset = process(source, options)
        except ProcessingError as error:
            assert str(error).endswith(".")  # noqa: PT017
        else:
            sides = asset.report.bounds_after.size
            assert np.isfinite(sides).all()
            unreadable = any(texture.width is None for texture in asset.report.textures)
            assert asset.report.passed != unreadable


@pytest.mark.samples
@pytest.mark.timeout(300)
def test_the_table_of_hostile_samples_is_what_the_code_does() -> None:
    """Within 10 s each, and 1 GiB for all; the tool says which line is stale."""
    folder = SAMPLES / "hostile"
    if not folder.is_dir():
        pytest.skip("needs shared/samples or ASSETWRIGHT_SAMPLES")
    tool = _ROOT / "tools" / "write_hostile_input.py"
    done = subprocess.run(  # noqa: S603  # Ours.
        [sys.executable, str(tool), str(folder), "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=290,
    )
    assert done.returncode == 0, done.stderr
