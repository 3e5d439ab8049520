"""Other programs read the exports, and the report says what they lack."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
import trimesh

from asset_processing import (
    CollisionKind,
    CollisionOptions,
    ExportFormat,
    IssueCode,
    OutputKind,
    ProcessedAsset,
    ProcessingOptions,
    process,
)
from asset_processing.document import GlbDocument
from asset_processing.pixels import encode

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb, GlbBuilder

_ALL = tuple(ExportFormat)


def _crate(glb: type[Glb]) -> GlbBuilder:
    """A textured unit box that a node makes two metres high and shifts."""
    built = glb.builder()
    box = trimesh.creation.box([1, 1, 1])
    colors = np.random.default_rng(2).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    image = built.image(encode(colors, media_type="image/png", lossless=True))
    built.add("textures", source=image)
    surface = {"baseColorTexture": {"index": 0}, "metallicFactor": 0, "roughnessFactor": 0.5}
    built.add("materials", name="Wood", pbrMetallicRoughness=surface)
    attributes = {
        "NORMAL": built.accessor(np.tile([0, 0, 1], (8, 1))),
        "TEXCOORD_0": built.accessor(np.linspace(0, 0.75, 16).reshape(8, 2)),
    }
    mesh = built.mesh(box.vertices, box.faces, attributes=attributes, material=0)
    node = built.add("nodes", mesh=mesh, name="Big crate", scale=[1, 2, 1], translation=[5, 0, 0])
    return built.scene(node)


def _exported(built: GlbBuilder, *kinds: ExportFormat) -> dict[str, bytes]:
    asset = process(built.to_bytes(), ProcessingOptions(exports=kinds))
    assert {output.kind for output in asset.outputs} == {OutputKind.EXPORT}
    return {output.name: bytes(output.data) for output in asset.outputs}


def _loses(asset: ProcessedAsset) -> dict[str, tuple[str, ...]]:
    return {output.name: output.loses for output in asset.report.outputs}


@pytest.mark.parametrize("kind", [ExportFormat.STL, ExportFormat.PLY])
def test_trimesh_reads_the_box_where_it_stands(glb: type[Glb], kind: ExportFormat) -> None:
    ((name, data),) = _exported(_crate(glb), kind).items()
    assert name == f"exports/model.{kind.value}"
    mesh = trimesh.load_mesh(io.BytesIO(data), file_type=kind.value)
    assert mesh.bounds == pytest.approx(np.array([[4.5, -1, -0.5], [5.5, 1, 0.5]]))
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(2)


def test_a_ply_has_normals_coordinates_and_colours(glb: type[Glb]) -> None:
    built = _crate(glb)
    painted = np.tile([1, 0.5, 0], (8, 1))
    attributes = built.json["meshes"][0]["primitives"][0]["attributes"]
    attributes["COLOR_0"] = built.accessor(painted)
    (data,) = _exported(built, ExportFormat.PLY).values()
    mesh = trimesh.load_mesh(io.BytesIO(data), file_type="ply", process=False)
    raw = mesh.metadata["_ply_raw"]["vertex"]["data"]
    for name, value in (("nz", 1), ("red", 255), ("green", 128), ("blue", 0)):
        assert (raw[name] == value).all()
    assert raw["s"] == pytest.approx(np.linspace(0, 0.75, 16)[::2])
    assert raw["t"] == pytest.approx(1 - np.linspace(0, 0.75, 16)[1::2])


def test_an_obj_comes_with_its_material_and_picture(glb: type[Glb]) -> None:
    built = _crate(glb)
    (data,) = _exported(built, ExportFormat.OBJ).values()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    source = GlbDocument.parse(built.to_bytes())
    assert files["textures/base_color.png"] == bytes(source.images[0].data)
    mesh = trimesh.load_mesh(
        io.BytesIO(files["model.obj"]),
        file_type="obj",
        resolver=trimesh.resolvers.ZipResolver({n: io.BytesIO(d) for n, d in files.items()}),
    )
    assert mesh.bounds == pytest.approx(np.array([[4.5, -1, -0.5], [5.5, 1, 0.5]]))
    assert mesh.volume == pytest.approx(2)
    assert mesh.visual.material.image.size == (8, 8)
    assert mesh.visual.uv.min() >= 0
    text = files["model.mtl"].decode()
    assert "map_Kd textures/base_color.png" in text
    assert "Pr 0.5" in text
    assert b"o Big_crate\n" in files["model.obj"]


def test_a_gltf_with_separate_files_is_the_same_model(glb: type[Glb]) -> None:
    built = _crate(glb)
    (data,) = _exported(built, ExportFormat.GLTF).values()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert set(files) == {"model.gltf", "model.bin", "textures/base_color.png"}
    body = json.loads(files["model.gltf"])
    assert body["images"] == [{"uri": "textures/base_color.png"}]
    assert body["buffers"] == [{"byteLength": len(files["model.bin"]), "uri": "model.bin"}]
    source = GlbDocument.parse(built.to_bytes())
    assert files["textures/base_color.png"] == bytes(source.images[0].data)
    assert files["textures/base_color.png"] not in files["model.bin"]
    resolver = trimesh.resolvers.ZipResolver({n: io.BytesIO(d) for n, d in files.items()})
    scene = trimesh.load_scene(io.BytesIO(files["model.gltf"]), file_type="gltf", resolver=resolver)
    assert scene.bounds == pytest.approx(np.array([[4.5, -1, -0.5], [5.5, 1, 0.5]]))


def test_the_same_model_gives_the_same_files(glb: type[Glb]) -> None:
    assert _exported(_crate(glb), *_ALL) == _exported(_crate(glb), *_ALL)
    assert list(_exported(_crate(glb), *_ALL, ExportFormat.STL)) == [
        "exports/model.obj.zip",
        "exports/model.stl",
        "exports/model.ply",
        "exports/model.gltf.zip",
    ]


def test_names_in_the_file_cannot_break_a_line(glb: type[Glb]) -> None:
    built = _crate(glb)
    built.json["nodes"][0]["name"] = "evil\nv 9 9 9\r../x"
    (data,) = _exported(built, ExportFormat.OBJ).values()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        lines = archive.read("model.obj").decode().splitlines()
    assert "o evil_v_9_9_9_.._x" in lines
    assert sum(line.startswith("v ") for line in lines) == 8


def test_the_report_says_what_each_format_lacks(glb: type[Glb]) -> None:
    built = _crate(glb)
    built.add("cameras", type="perspective", perspective={"yfov": 1, "znear": 0.1})
    built.json["extensionsUsed"] = ["KHR_materials_unlit"]
    asset = process(built.to_bytes(), ProcessingOptions(exports=_ALL))
    loses = _loses(asset)
    assert loses["exports/model.gltf.zip"] == ()
    for name in ("obj.zip", "stl", "ply"):
        assert {"cameras", "extension KHR_materials_unlit"} <= set(loses[f"exports/model.{name}"])
    assert "textures" in loses["exports/model.stl"]
    assert "textures" not in loses["exports/model.obj.zip"]
    assert "exports/model.stl" in asset.report.to_text()
    assert "without cameras" in asset.report.to_text()


def test_collision_nodes_are_not_exported_with_the_model(glb: type[Glb]) -> None:
    from asset_processing import CollisionPlacement  # noqa: PLC0415

    box = CollisionOptions(kind=CollisionKind.BOX, placement=CollisionPlacement.NODES)
    options = ProcessingOptions(exports=(ExportFormat.STL,), collision=box)
    (output,) = process(_crate(glb).to_bytes(), options).outputs
    assert int.from_bytes(bytes(output.data)[80:84], "little") == 12


def test_every_sample_is_exported_or_says_why_not(sample: Path) -> None:
    asset = process(sample.read_bytes(), ProcessingOptions(exports=_ALL))
    missing = [issue for issue in asset.report.issues if issue.code is IssueCode.EXPORT_NOT_MADE]
    assert len(asset.outputs) == (1 if missing else 4)
    for output in asset.outputs:
        if output.name.endswith(".stl"):
            mesh = trimesh.load_mesh(io.BytesIO(bytes(output.data)), file_type="stl")
            bounds = [asset.report.bounds_after.min, asset.report.bounds_after.max]
            if asset.report.counts.primitives == asset.report.counts.meshes:
                assert mesh.bounds == pytest.approx(np.array(bounds), rel=1e-4, abs=1e-4)
