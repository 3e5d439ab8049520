"""Weld, prune, normals and tangents: what they add and take, and what stays as it was."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import trimesh

from asset_processing import Decode, ProcessingOptions, process
from asset_processing._rows import equal_rows
from asset_processing.accessors import integers, numbers, stored
from asset_processing.document import GlbDocument
from asset_processing.geometry import drawn
from asset_processing.operations.tangents import tangents_of
from asset_processing.primitives import primitives, stored_triangles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.asset_processing.conftest import Glb, GlbBuilder

_PLAIN = ProcessingOptions(decode=Decode.ALWAYS)
_WELD = ProcessingOptions(weld=True)
_PRUNE = ProcessingOptions(prune=True)
_ALL = ProcessingOptions(weld=True, prune=True, normals=True, tangents=True)


def _parsed(data: bytes, options: ProcessingOptions) -> GlbDocument:
    return GlbDocument.parse(process(data, options).glb)


def _soup(document: GlbDocument) -> list[tuple[str, bytes]]:
    """Every attribute of every corner of every triangle, in order, as bytes."""
    found = []
    for mesh in range(len(document.json.get("meshes", []))):
        for primitive in primitives(document, mesh):
            if primitive.mode < 4:
                continue
            triangles = stored_triangles(document, primitive)
            layers = [primitive.values["attributes"], *primitive.values.get("targets", [])]
            for number, layer in enumerate(layers):
                for name, index in layer.items():
                    rows = stored(document, index)[triangles]
                    digest = hashlib.sha256(np.ascontiguousarray(rows).tobytes()).digest()
                    found.append((f"{primitive.pointer} {number} {name}", digest))
    return found


def _animations(document: GlbDocument) -> list[object]:
    return [
        (
            channel["target"]["path"],
            document.json["nodes"][channel["target"]["node"]].get("name"),
            numbers(document, animation["samplers"][channel["sampler"]]["input"]).tolist(),
            numbers(document, animation["samplers"][channel["sampler"]]["output"]).tolist(),
        )
        for animation in document.json.get("animations", [])
        for channel in animation["channels"]
    ]


def _skins(document: GlbDocument) -> list[object]:
    return [
        (
            [document.json["nodes"][joint].get("name") for joint in skin["joints"]],
            numbers(document, skin["inverseBindMatrices"]).tolist(),
        )
        for skin in document.json.get("skins", [])
    ]


def _drawn_materials(document: GlbDocument) -> list[object]:
    """What each drawn primitive looks like, by content instead of by index."""

    def resolved(value: Any) -> Any:  # noqa: ANN401  # JSON.
        if isinstance(value, list):
            return [resolved(one) for one in value]
        if not isinstance(value, dict):
            return value
        found = {key: resolved(member) for key, member in value.items()}
        if isinstance(found.get("index"), int):
            texture = dict(document.json["textures"][found["index"]])
            if "source" in texture:
                image = document.images[texture["source"]]
                texture["source"] = hashlib.sha256(image.data).hexdigest()
            if "sampler" in texture:
                texture["sampler"] = document.json["samplers"][texture["sampler"]]
            found["index"] = texture
        return found

    return [
        resolved(document.json["materials"][primitive.values["material"]])
        for _, primitive in drawn(document)
        if "material" in primitive.values
    ]


@pytest.mark.parametrize("options", [_WELD, _PRUNE, ProcessingOptions(weld=True, prune=True)])
def test_weld_and_prune_draw_every_corner_of_every_sample_as_it_was(
    sample: Path, options: ProcessingOptions
) -> None:
    source = sample.read_bytes()
    before = _parsed(source, _PLAIN if options.weld else ProcessingOptions())
    after = _parsed(source, options)
    if options.prune and not options.weld and any(p.compressed for _, p in drawn(before)):
        assert len(after.to_bytes()) <= len(source)
        return
    assert _soup(after) == _soup(before)
    assert _animations(after) == _animations(before)
    assert _skins(after) == _skins(before)
    assert _drawn_materials(after) == _drawn_materials(before)
    for name in ("cameras", "extensions", "extras", "asset", "scene"):
        assert after.json.get(name) == before.json.get(name)


def test_everything_at_once_keeps_what_was_there(sample: Path) -> None:
    source = sample.read_bytes()
    before, after = _parsed(source, _PLAIN), _parsed(source, _ALL)
    assert set(_soup(before)) <= set(_soup(after))
    assert _animations(after) == _animations(before)
    assert _skins(after) == _skins(before)
    assert _drawn_materials(after) == _drawn_materials(before)
    codes = {issue.code.value for issue in process(source, _ALL).report.issues}
    assert "NO_NORMALS" not in codes


def test_pruning_twice_and_welding_twice_change_nothing(sample: Path) -> None:
    for options in (_PRUNE, _WELD):
        once = process(sample.read_bytes(), options).glb
        assert process(once, options).glb == once


def test_equal_vertices_become_one_and_seams_stay(glb: type[Glb]) -> None:
    built = glb.builder()
    points = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
    uvs = [[0, 0], [1, 0], [0, 1], [1, 0], [1, 1], [0.5, 1]]
    mesh = built.mesh(points, attributes={"TEXCOORD_0": built.accessor(uvs)})
    built.scene(built.add("nodes", mesh=mesh))
    document = _parsed(built.to_bytes(), _WELD)
    primitive = document.json["meshes"][0]["primitives"][0]
    assert integers(document, primitive["indices"])[:, 0].tolist() == [0, 1, 2, 1, 3, 4]
    assert document.accessors[primitive["attributes"]["POSITION"]].count == 5
    assert document.json["accessors"][primitive["attributes"]["POSITION"]]["max"] == [1, 1, 0]
    assert len(document.accessors) == 3


def test_vertices_that_no_index_names_leave(glb: type[Glb]) -> None:
    built = glb.builder()
    mesh = built.mesh([[9, 9, 9], [0, 0, 0], [1, 0, 0], [0, 1, 0]], [[1, 2, 3]])
    built.scene(built.add("nodes", mesh=mesh))
    document = _parsed(built.to_bytes(), _WELD)
    primitive = document.json["meshes"][0]["primitives"][0]
    assert numbers(document, primitive["attributes"]["POSITION"]).max() == 1


def test_primitives_that_share_vertices_keep_sharing_them(glb: type[Glb]) -> None:
    built = glb.box()
    first = built.json["meshes"][0]["primitives"][0]
    points = np.frombuffer(bytes(built.binary[:96]), "<f4").reshape(8, 3)
    twice = built.accessor(np.concatenate([points, points]))
    lower = built.accessor(np.arange(12, dtype="<u4") % 8, "<u4")
    upper = built.accessor(8 + np.arange(12, dtype="<u4") % 8, "<u4")
    first.update(attributes={"POSITION": twice}, indices=lower)
    built.json["meshes"][0]["primitives"].append(
        {"attributes": {"POSITION": twice}, "indices": upper}
    )
    document = _parsed(built.to_bytes(), _WELD)
    one, two = document.json["meshes"][0]["primitives"]
    assert one["attributes"] == two["attributes"]
    assert document.accessors[one["attributes"]["POSITION"]].count == 8
    assert numbers(document, one["indices"]).tolist() == numbers(document, two["indices"]).tolist()


@pytest.mark.parametrize("dtype", ["<f4", "<u2", "|u1"])
def test_equal_rows_are_those_that_numpy_finds(dtype: str) -> None:
    rng = np.random.default_rng(3)
    values = rng.integers(0, 4, (5000, 3)).astype(dtype)
    others = rng.integers(0, 3, (5000, 2)).astype("<f4")
    found = equal_rows([values, others])
    both = np.concatenate([values.astype("f8"), others.astype("f8")], axis=1)
    _, first, group = np.unique(both, axis=0, return_index=True, return_inverse=True)
    assert np.array_equal(found, first[group.ravel()])


def test_zero_and_minus_zero_are_two_vertices() -> None:
    assert equal_rows([np.array([[0.0], [-0.0], [0.0]], "<f4")]).tolist() == [0, 1, 0]


def _cluttered(glb: type[Glb]) -> GlbBuilder:
    """A box with a material, and beside it one of everything that nothing uses, and doubles."""
    built = glb.box()
    picture = glb.png(4, 4)
    for _ in range(2):
        built.add("samplers", magFilter=9729)
        built.image(picture)
    built.image(glb.png(2, 2) + b"never shown")
    for number in range(3):
        built.add("textures", source=number, sampler=min(number, 1))
    built.add("materials", normalTexture={"index": 0}, emissiveTexture={"index": 1})
    built.add("materials", name="unused", normalTexture={"index": 2})
    built.json["meshes"][0]["primitives"][0]["material"] = 0
    built.accessor([[5, 5, 5]])
    built.mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    built.add("nodes", name="nowhere", mesh=1)
    built.add("nodes", name="socket")
    built.json["nodes"][0]["children"] = [2]
    built.view(b"nobody reads this")
    built.json["extensionsUsed"] = ["KHR_materials_unlit"]
    return built


def test_what_nothing_uses_leaves_and_doubles_become_one(glb: type[Glb]) -> None:
    source = _cluttered(glb).to_bytes()
    document = _parsed(source, _PRUNE)
    counts = {name: len(value) for name, value in document.json.items() if isinstance(value, list)}
    assert counts == {
        "accessors": 2,
        "buffers": 1,
        "bufferViews": 3,
        "images": 1,
        "materials": 1,
        "meshes": 1,
        "nodes": 2,
        "samplers": 1,
        "scenes": 1,
        "textures": 1,
    }
    assert [node.get("name") for node in document.json["nodes"]] == [None, "socket"]
    assert document.json["materials"][0]["emissiveTexture"] == {"index": 0}
    assert b"nobody reads this" not in document.to_bytes()
    assert b"never shown" not in document.to_bytes()


def test_images_of_two_names_share_their_bytes(glb: type[Glb]) -> None:
    built = glb.box()
    for name in ("front", "back"):
        built.json.setdefault("textures", []).append({"source": built.image(glb.png(4, 4))})
        built.json["images"][-1]["name"] = name
    built.add("materials", normalTexture={"index": 0}, emissiveTexture={"index": 1})
    built.json["meshes"][0]["primitives"][0]["material"] = 0
    document = _parsed(built.to_bytes(), _PRUNE)
    assert [image["name"] for image in document.json["images"]] == ["front", "back"]
    assert len({image["bufferView"] for image in document.json["images"]}) == 1


def test_nothing_is_pruned_beside_an_unknown_extension_and_the_report_says_so(
    glb: type[Glb],
) -> None:
    built = _cluttered(glb)
    built.json["nodes"][0]["extensions"] = {"ACME_secret": {"accessor": 2}}
    source = built.to_bytes()
    asset = process(source, _PRUNE)
    assert asset.glb == source
    (issue,) = (i for i in asset.report.issues if i.code.value == "OPERATION_SKIPPED")
    assert "Not pruned" in issue.message


def test_a_file_with_nothing_to_prune_comes_out_as_it_is(glb: type[Glb]) -> None:
    source = glb.box().to_bytes()
    for options in (_PRUNE, _WELD, ProcessingOptions(tangents=True)):
        assert process(source, options).glb == source


def test_missing_normals_are_those_of_a_sphere(glb: type[Glb]) -> None:
    ball = trimesh.creation.icosphere(subdivisions=3)
    built = glb.builder()
    corners = ball.vertices[ball.faces].reshape(-1, 3)  # As a seam at every edge would leave it.
    built.scene(built.add("nodes", mesh=built.mesh(corners)))
    document = _parsed(built.to_bytes(), ProcessingOptions(normals=True))
    found = numbers(document, document.json["meshes"][0]["primitives"][0]["attributes"]["NORMAL"])
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-6
    assert ((found * corners).sum(axis=1)).min() > 0.9999


def test_how_a_square_is_cut_does_not_turn_its_corners(glb: type[Glb]) -> None:
    """A box's corner has three right angles, however its sides are cut into triangles."""
    built = glb.box(low=(-1, -1, -1), high=(1, 1, 1))
    document = _parsed(built.to_bytes(), ProcessingOptions(normals=True))
    attributes = document.json["meshes"][0]["primitives"][0]["attributes"]
    found, points = (numbers(document, attributes[name]) for name in ("NORMAL", "POSITION"))
    assert np.allclose(found, points / np.sqrt(3), atol=1e-6)


def test_a_vertex_without_a_triangle_still_has_a_unit_normal(glb: type[Glb]) -> None:
    built = glb.builder()
    points = [[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 3, 3]]
    built.scene(built.add("nodes", mesh=built.mesh(points, [[0, 1, 2]])))
    document = _parsed(built.to_bytes(), ProcessingOptions(normals=True))
    found = numbers(document, document.json["meshes"][0]["primitives"][0]["attributes"]["NORMAL"])
    assert found.tolist() == [[0, 1, 0]] * 4


def _grid(surface: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]) -> tuple[Any, Any, Any]:
    """Vertices, texture coordinates and triangles of a surface over the unit square."""
    u, v = (axis.ravel() for axis in np.meshgrid(np.linspace(0, 1, 17), np.linspace(0, 1, 17)))
    low = (np.arange(16)[:, None] * 17 + np.arange(16)).ravel()
    faces = np.concatenate(
        [np.stack([low, low + 1, low + 17], 1), np.stack([low + 1, low + 18, low + 17], 1)]
    )
    return surface(u, v), np.stack([u, v], 1), faces


def test_tangents_run_along_u_and_bitangents_against_v() -> None:
    """On a tilted plane they are known exactly; V runs down the picture, +Y of the map up."""
    across, down = np.array([2.0, 0, 1]), np.array([0.0, 3, 0])
    points, uvs, faces = _grid(lambda u, v: u[:, None] * across + v[:, None] * down)
    normal = np.cross(across, down) / np.linalg.norm(np.cross(across, down))
    found, sources, _ = tangents_of(points, np.tile(normal, (len(points), 1)), uvs, faces)
    assert len(sources) == len(points)
    assert np.allclose(found[:, :3], across / np.linalg.norm(across), atol=1e-6)
    bitangent = np.cross(normal, found[0, :3]) * found[0, 3]
    assert np.allclose(bitangent, -down / 3, atol=1e-6)


def test_a_mirrored_texture_splits_the_vertices_between(glb: type[Glb]) -> None:
    points = [[-1, 0, 0], [0, 0, 0], [1, 0, 0], [-1, 1, 0], [0, 1, 0], [1, 1, 0]]
    uvs = [[1, 1], [0, 1], [1, 1], [1, 0], [0, 0], [1, 0]]
    faces = [[0, 1, 3], [1, 4, 3], [1, 2, 4], [2, 5, 4]]
    built = glb.builder()
    mesh = built.mesh(
        points,
        faces,
        attributes={
            "NORMAL": built.accessor([[0, 0, 1]] * 6),
            "TEXCOORD_0": built.accessor(uvs),
        },
        material=built.add("materials", normalTexture={"index": 0}),
        targets=[{"POSITION": built.accessor([[0, 0, 1]] * 6)}],
    )
    built.add("textures", source=built.image(glb.png(2, 2)))
    built.scene(built.add("nodes", mesh=mesh))
    document = _parsed(built.to_bytes(), ProcessingOptions(tangents=True))
    (primitive,) = primitives(document, 0)
    read = {
        name: numbers(document, index) for name, index in primitive.values["attributes"].items()
    }
    assert len(read["POSITION"]) == 8
    triangles = stored_triangles(document, primitive)
    assert np.array_equal(read["POSITION"][triangles], np.array(points)[np.array(faces)])
    assert read["TANGENT"][triangles[:2]].reshape(-1, 4).tolist() == [[-1, 0, 0, -1]] * 6
    assert read["TANGENT"][triangles[2:]].reshape(-1, 4).tolist() == [[1, 0, 0, 1]] * 6
    target = primitive.values["targets"][0]["POSITION"]
    assert numbers(document, target).tolist() == [[0, 0, 1]] * 8


def test_recomputed_tangents_agree_with_those_that_a_sample_came_with(sample: Path) -> None:
    """Their exporters rounded, and cut quads otherwise: 19 of 20 corners to ten degrees."""
    document = _parsed(sample.read_bytes(), _PLAIN)
    for _, primitive in drawn(document):
        attributes = primitive.values["attributes"]
        if primitive.mode < 4 or not {"TANGENT", "NORMAL", "TEXCOORD_0"} <= set(attributes):
            continue
        read = {name: numbers(document, attributes[name]) for name in attributes}
        triangles = stored_triangles(document, primitive)
        found, _, faces = tangents_of(
            read["POSITION"], read["NORMAL"], read["TEXCOORD_0"], triangles
        )
        given = read["TANGENT"][triangles]
        assert np.array_equal(found[faces][..., 3], np.sign(given[..., 3]))
        cosines = (found[faces][..., :3] * given[..., :3]).sum(axis=-1)
        assert np.mean(cosines > np.cos(np.radians(10))) > 0.95


def test_every_tangent_is_a_unit_vector_across_its_normal() -> None:
    points, uvs, faces = _grid(lambda u, v: np.stack([u, v, np.sin(5 * u) * v], 1))
    normals = np.random.default_rng(1).normal(size=points.shape)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    uvs[:40] = 0.5  # Triangles without area in the texture.
    found, sources, _ = tangents_of(points, normals, uvs, faces)
    assert np.abs(np.linalg.norm(found[:, :3], axis=1) - 1).max() < 1e-5
    assert np.abs((found[:, :3] * normals[sources]).sum(axis=1)).max() < 1e-5
    assert set(found[:, 3]) <= {-1.0, 1.0}
