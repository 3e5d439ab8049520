"""Scale: every length times the factor, and nothing else."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from asset_processing import InvalidOption, IssueCode, ProcessingOptions, process
from asset_processing.document import GlbDocument
from asset_processing.operations._placement import ROOT_NAME
from asset_processing.operations.scale import scale

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb, GlbBuilder


def _bounds(data: bytes) -> np.ndarray:
    """The bounds as trimesh, an independent reader, measures them."""
    return np.asarray(trimesh.load_scene(io.BytesIO(data), file_type="glb").bounds)


@pytest.mark.parametrize(
    ("options", "axis"),
    [
        (ProcessingOptions(height_m=1.8), 1),
        (ProcessingOptions(longest_side_m=1.8), 2),
    ],
)
def test_the_asked_length_is_what_another_reader_measures(
    glb: type[Glb], options: ProcessingOptions, axis: int
) -> None:
    asset = process(glb.box((1, 2, 3), (2, 4, 6)).to_bytes(), options)
    low, high = _bounds(asset.glb)
    assert (high - low)[axis] == pytest.approx(1.8, rel=1e-6)
    assert (high - low) / (high - low)[axis] == pytest.approx(
        np.array([1, 2, 3]) / np.array([1, 2, 3])[axis], rel=1e-6
    )
    assert asset.report.passed


def test_baking_multiplies_vertices_ranges_and_translations_alone(glb: type[Glb]) -> None:
    built = glb.box()
    built.json["nodes"][0].update(translation=[1, 0, -2], rotation=[0, 0, 0.6, 0.8])
    built.add("nodes", matrix=[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 4, 5, 6, 1])
    source = built.to_bytes()
    asset = process(source, ProcessingOptions(scale_factor=0.3))
    assert np.array_equal(
        glb.positions(asset.glb), (glb.positions(source).astype("f8") * 0.3).astype("f4")
    )
    before, binary = glb.unpack(source)
    after, changed = glb.unpack(asset.glb)
    assert changed[96:] == binary[96:]
    assert after["nodes"][0].pop("translation") == pytest.approx([0.3, 0, -0.6])
    assert after["nodes"][1]["matrix"][12:15] == pytest.approx([1.2, 1.5, 1.8])
    positions = glb.positions(asset.glb)
    assert after["accessors"][0].pop("min") == positions.min(axis=0).tolist()
    assert after["accessors"][0].pop("max") == positions.max(axis=0).tolist()
    after["nodes"][1]["matrix"][12:15] = [4, 5, 6]
    for document in (before, after):
        document["nodes"][0].pop("translation", None)
        document["accessors"][0].pop("min", None)
        document["accessors"][0].pop("max", None)
    assert after == before
    assert _bounds(asset.glb) == pytest.approx(_bounds(source) * 0.3, rel=1e-6)


def _interleaved(glb: type[Glb]) -> GlbBuilder:
    """Position, normal and colour in one view, and a second primitive on the same positions."""
    built = glb.builder()
    rows = np.zeros(4, dtype=[("p", "<f4", 3), ("n", "<f4", 3), ("c", "u1", 4)])
    rows["p"] = [[0, 0, 0], [2, 0, 0], [0, 4, 0], [0, 0, 8]]
    rows["n"] = (0, 0, 1)
    rows["c"] = 200
    view = built.view(rows.tobytes(), byteStride=28)
    common = {"bufferView": view, "count": 4}
    for offset, kind, component in ((0, "VEC3", 5126), (12, "VEC3", 5126), (24, "VEC4", 5121)):
        built.add("accessors", byteOffset=offset, type=kind, componentType=component, **common)
    built.add("accessors", byteOffset=0, type="VEC3", componentType=5126, **common)
    faces = built.accessor([0, 1, 2, 0, 2, 3], "<u4")
    attributes = {"POSITION": 0, "NORMAL": 1, "COLOR_0": 2}
    built.add(
        "meshes",
        primitives=[
            {"attributes": attributes, "indices": faces},
            {"attributes": {**attributes, "POSITION": 3}, "indices": faces},
            {"attributes": attributes},
        ],
    )
    return built.scene(built.add("nodes", mesh=0), built.add("nodes", mesh=0, scale=[1, 2, 1]))


def test_interleaved_positions_shared_by_accessors_primitives_and_nodes_scale_once(
    glb: type[Glb],
) -> None:
    source = _interleaved(glb).to_bytes()
    asset = process(source, ProcessingOptions(scale_factor=10))
    assert IssueCode.TRANSFORM_IN_ROOT_NODE not in {issue.code for issue in asset.report.issues}
    assert np.array_equal(glb.positions(asset.glb), glb.positions(source) * 10)
    before, after = (np.frombuffer(glb.unpack(data)[1], "u1") for data in (source, asset.glb))
    rows = slice(0, 4 * 28)
    kept = np.ones((4, 28), dtype=bool)
    kept[:, :12] = False
    assert np.array_equal(before[rows].reshape(4, 28)[kept], after[rows].reshape(4, 28)[kept])
    assert np.array_equal(before[4 * 28 :], after[4 * 28 :])
    ranges = [glb.unpack(asset.glb)[0]["accessors"][index]["max"] for index in (0, 3)]
    assert ranges == [[20, 40, 80]] * 2


@pytest.mark.parametrize(
    "entangle",
    [
        lambda b: b.json["accessors"].append(
            {**b.json["accessors"][0], "byteOffset": 12, "count": 3}
        ),
        lambda b: b.json["images"].append({"bufferView": 0, "mimeType": "image/png"}),
        lambda b: b.json["nodes"][0].update(extensions={"VENDOR_lengths": {"radius": 3}}),
        lambda b: b.json["scenes"].append({"nodes": [0]}),
        lambda b: b.json["cameras"].append({"type": "perspective"}),
    ],
    ids=["overlapping accessor", "image on positions", "unknown extension", "scenes", "camera"],
)
def test_what_is_not_simple_moves_by_a_node_and_keeps_every_byte(
    glb: type[Glb],
    entangle: object,
) -> None:
    built = glb.box()
    built.json.update(images=[], cameras=[])
    entangle(built)  # type: ignore[operator]
    source = built.to_bytes()
    document = GlbDocument.parse(source)
    assert scale(document, factor=2) is not None
    after, binary = glb.unpack(document.to_bytes())
    before, kept = glb.unpack(source)
    assert binary == kept
    assert after["nodes"] == [
        *before["nodes"],
        {"name": ROOT_NAME, "children": [0], "scale": [2.0, 2.0, 2.0]},
    ]
    assert all(scene["nodes"] == [1] for scene in after["scenes"])


def test_a_file_without_scenes_gets_the_one_that_was_measured(glb: type[Glb]) -> None:
    built = glb.box()
    built.add("cameras", type="perspective")
    del built.json["scene"], built.json["scenes"]
    asset = process(built.to_bytes(), ProcessingOptions(height_m=1))
    after, _ = glb.unpack(asset.glb)
    assert (after["scene"], after["scenes"]) == (0, [{"nodes": [1]}])
    assert asset.report.passed


def test_scenes_that_share_roots_stay_what_they_show(glb: type[Glb]) -> None:
    built = glb.box()
    built.add("nodes", mesh=0)
    built.add("nodes", mesh=0)
    built.json["scenes"] = [{"nodes": [0, 1]}, {"nodes": [1, 2]}]
    document = GlbDocument.parse(built.to_bytes())
    scale(document, factor=2)
    after, _ = glb.unpack(document.to_bytes())
    shown = [
        sorted(child for root in scene["nodes"] for child in after["nodes"][root]["children"])
        for scene in after["scenes"]
    ]
    assert shown == [[0, 1], [1, 2]]
    GlbDocument.parse(document.to_bytes())


@given(factor=st.floats(1e-3, 1e3))
def test_the_report_passes_exactly_because_the_file_measures_so(factor: float) -> None:
    data = trimesh.creation.icosphere(subdivisions=1).export(file_type="glb")
    asset = process(data, ProcessingOptions(scale_factor=factor))
    (check,) = (check for check in asset.report.checks if check.name == "scale_factor")
    assert check.passed
    assert check.measured == pytest.approx(factor, rel=1e-6)
    assert _bounds(asset.glb) == pytest.approx(_bounds(data) * factor, rel=1e-6)


def test_a_flat_asset_has_no_height_to_scale(glb: type[Glb]) -> None:
    built = glb.builder()
    mesh = built.mesh([[0, 1, 0], [1, 1, 0], [0, 1, 1]])
    built.scene(built.add("nodes", mesh=mesh))
    with pytest.raises(InvalidOption, match=r"measures 0\.0 m") as caught:
        process(built.to_bytes(), ProcessingOptions(height_m=1))
    assert caught.value.field == "height_m"
    assert process(built.to_bytes(), ProcessingOptions(longest_side_m=3)).report.passed


def test_a_scale_beyond_float32_is_refused(glb: type[Glb]) -> None:
    with pytest.raises(InvalidOption, match="float32"):
        process(glb.box().to_bytes(), ProcessingOptions(scale_factor=1e38))


def test_a_scale_of_one_changes_nothing(glb: type[Glb]) -> None:
    source = glb.box((0, 0, 0), (1, 2, 1)).to_bytes()
    assert process(source, ProcessingOptions(scale_factor=1)).glb == source
    assert process(source, ProcessingOptions(height_m=2)).glb == source


def test_positions_in_a_data_uri_move_by_a_node(glb: type[Glb], tmp_path: Path) -> None:
    import base64  # noqa: PLC0415

    built = glb.box()
    built.to_bytes()
    uri = "data:application/octet-stream;base64," + base64.b64encode(built.binary).decode()
    built.json["buffers"][0]["uri"] = uri
    built.binary.clear()
    asset = process(built.to_bytes(), ProcessingOptions(height_m=1))
    assert asset.report.passed
    assert glb.unpack(asset.glb)[0]["buffers"] == built.json["buffers"]
    assert not list(tmp_path.iterdir())
