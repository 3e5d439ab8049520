"""What the strict parser lets through, refuses and keeps."""

from __future__ import annotations

import base64
import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from asset_processing import GlbTooLarge, InvalidGlb, Limits, process
from asset_processing.accessors import numbers
from asset_processing.document import GlbDocument

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.asset_processing.conftest import Glb, GlbBuilder

Edit = tuple[str, object]


def _set(document: Any, pointer: str, value: object) -> None:  # noqa: ANN401  # JSON.
    *path, last = pointer.strip("/").split("/")
    for key in path:
        if isinstance(document, list):
            document = document[int(key)]
        else:
            document = document.setdefault(key, {})
    document[int(last) if isinstance(document, list) else last] = value


def _rich(glb: type[Glb]) -> GlbBuilder:
    """A file with one of everything that indices point at."""
    built = glb.box()
    built.add("nodes", children=[], name="joint")
    built.add("skins", joints=[1], inverseBindMatrices=built.accessor([np.eye(4).ravel()]))
    built.add("images", bufferView=built.view(glb.png(4, 4)), mimeType="image/png")
    built.add("samplers")
    built.add("textures", source=0, sampler=0)
    built.add("materials", normalTexture={"index": 0})
    built.add("cameras", type="perspective", perspective={"yfov": 1, "znear": 1})
    times, turns = built.accessor([0.0]), built.accessor([[0.0, 0, 0, 1]])
    built.add(
        "animations",
        samplers=[{"input": times, "output": turns}],
        channels=[{"sampler": 0, "target": {"node": 1, "path": "rotation"}}],
    )
    return built


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/asset/version", "1.0"),
        ("/asset/version", 2),
        ("/extensionsUsed", [1]),
        ("/nodes", {}),
        ("/nodes/0", []),
        ("/nodes/0/mesh", -1),
        ("/nodes/0/mesh", True),
        ("/nodes/0/mesh", 0.0),
        ("/nodes/0/mesh", None),
        ("/nodes/0/mesh", 1),
        ("/nodes/0/skin", 9),
        ("/nodes/0/camera", 9),
        ("/nodes/0/name", 7),
        ("/nodes/0/children", [1, 1]),
        ("/nodes/0/children", [99]),
        ("/nodes/0/translation", [0, 0]),
        ("/nodes/0/scale", [1, 1, "1"]),
        ("/nodes/0/scale", [1, 1, 10**400]),
        ("/nodes/0/rotation", [0, 0, 0, 0]),
        ("/nodes/0/extensions", None),
        ("/scene", 1),
        ("/scenes/0/nodes", [5]),
        ("/meshes/0/primitives/0/indices", 99),
        ("/meshes/0/primitives/0/indices", 0),
        ("/meshes/0/primitives/0/material", 4),
        ("/meshes/0/primitives/0/mode", 7),
        ("/meshes/0/primitives/0/attributes/POSITION", 1),
        ("/meshes/0/primitives/0/attributes/JOINTS_0", 0),
        ("/skins/0/joints", [77]),
        ("/skins/0/inverseBindMatrices", 0),
        ("/textures/0/source", 1),
        ("/textures/0/sampler", 1),
        ("/textures/0/extensions/EXT_texture_webp/source", 3),
        ("/materials/0/normalTexture/index", 1),
        ("/materials/0/extensions/KHR_materials_sheen/sheenColorTexture/index", -1),
        ("/animations/0/samplers/0/input", 99),
        ("/animations/0/channels/0/sampler", 1),
        ("/animations/0/channels/0/target/node", 9),
        ("/images/0/bufferView", 99),
        ("/accessors/0/bufferView", -1),
        ("/accessors/0/byteOffset", 4),
        ("/accessors/0/count", 0),
        ("/accessors/0/count", "8"),
        ("/accessors/0/count", 2**70),
        ("/accessors/0/type", "VEC9"),
        ("/accessors/0/componentType", 5124),
        ("/accessors/0/normalized", 1),
        ("/accessors/0/min", [0, 0]),
        ("/bufferViews/0/buffer", 1),
        ("/bufferViews/0/byteLength", 0),
        ("/bufferViews/0/byteLength", 10**9),
        ("/bufferViews/0/byteOffset", -4),
        ("/bufferViews/0/byteStride", 0),
        ("/bufferViews/0/byteStride", 6),
        ("/bufferViews/0/byteStride", 8),
        ("/bufferViews/0/byteStride", 256),
        ("/buffers/0/byteLength", 10**9),
    ],
)
def test_a_broken_reference_is_refused_where_it_stands(
    glb: type[Glb], pointer: str, value: object
) -> None:
    built = _rich(glb)
    built.to_bytes()
    GlbDocument.parse(built.to_bytes())  # Nothing else is wrong with it.
    _set(built.json, pointer, value)
    with pytest.raises(InvalidGlb) as caught:
        GlbDocument.parse(built.to_bytes())
    assert str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "../other.bin",
        "other.bin",
        "http://127.0.0.1/x",
        "",
        "data:;base64,A",
        "data:text/plain,abc",
        "data:;base64",
    ],
)
@pytest.mark.parametrize("place", ["buffers", "images"])
def test_no_uri_is_ever_followed(glb: type[Glb], place: str, uri: str) -> None:
    built = glb.box()
    built.to_bytes()
    built.add(place, **({"byteLength": 1, "uri": uri} if place == "buffers" else {"uri": uri}))
    with pytest.raises(InvalidGlb, match=f"/{place}/"):
        GlbDocument.parse(built.to_bytes())


def test_a_data_uri_is_decoded_within_its_limit(glb: type[Glb]) -> None:
    built = glb.box()
    built.to_bytes()
    picture = glb.png(3, 5)
    built.add("images", uri="data:image/png;base64," + base64.b64encode(picture).decode())
    document = GlbDocument.parse(built.to_bytes())
    assert bytes(document.images[0].data) == picture
    assert (document.images[0].header.width, document.images[0].header.height) == (3, 5)
    with pytest.raises(GlbTooLarge, match="data: URIs"):
        GlbDocument.parse(built.to_bytes(), Limits(max_data_uri_bytes=8))


@pytest.mark.parametrize(
    ("change", "limits"),
    [
        (lambda j: j.update(nodes=[{} for _ in range(11)]), Limits(max_nodes=10)),
        (lambda j: j.update(materials=[{} for _ in range(11)]), Limits(max_entries=10)),
        (
            lambda j: j["nodes"].extend([{"children": [2]}, {"children": [3]}, {}]),
            Limits(max_node_depth=2),
        ),
        (lambda j: j["meshes"][0].update(primitives=[{}] * 3), Limits(max_primitives=2)),
        (lambda j: j["accessors"][0].update(bufferView=None), Limits(max_implicit_bytes=90)),
        (lambda _: None, Limits(max_accessor_bytes=100)),
    ],
)
def test_declared_counts_are_refused_before_anything_is_allocated(
    glb: type[Glb], change: Callable[[dict[str, Any]], None], limits: Limits
) -> None:
    built = glb.box()
    change(built.json)
    if built.json["accessors"][0].get("bufferView", 0) is None:
        del built.json["accessors"][0]["bufferView"]
    with pytest.raises(GlbTooLarge):
        GlbDocument.parse(built.to_bytes(), limits)


def test_nodes_that_draw_one_mesh_too_often_are_refused(glb: type[Glb]) -> None:
    """Instances cost nothing in the file and everything in memory."""
    built = glb.box()
    built.json["nodes"] = [{"mesh": 0} for _ in range(50)]
    built.json["scenes"] = [{"nodes": list(range(50))}]
    for limits in (Limits(max_draws=49), Limits(max_drawn_vertices=49 * (8 + 36))):
        with pytest.raises(GlbTooLarge, match="too often"):
            process(built.to_bytes(), limits=limits)


@pytest.mark.parametrize(
    "nodes",
    [
        [{"children": [0]}],
        [{"children": [1]}, {"children": [0]}],
        [{"children": [2]}, {"children": [2]}, {}],
    ],
)
def test_nodes_that_are_no_trees_are_refused(glb: type[Glb], nodes: list[object]) -> None:
    built = glb.box()
    built.json["nodes"] = nodes
    built.json["scenes"] = []
    del built.json["scene"]
    with pytest.raises(InvalidGlb, match=r"parents|circle"):
        GlbDocument.parse(built.to_bytes())


def test_an_untouched_document_is_its_source_and_an_edit_keeps_the_rest(glb: type[Glb]) -> None:
    built = _rich(glb)
    built.json["extras"] = {"é": [1.0, 1e5, 0.1, None], "kept": {"deep": True}}
    source = built.to_bytes()
    document = GlbDocument.parse(source)
    assert document.to_bytes() == source
    before = copy.deepcopy(document.json)
    document.edit_json()["nodes"][0]["name"] = "changed"
    after, binary = glb.unpack(document.to_bytes())
    before["nodes"][0]["name"] = "changed"
    assert after == before
    assert binary == glb.unpack(source)[1]


def test_editing_the_binary_chunk_leaves_the_source_and_the_json_alone(glb: type[Glb]) -> None:
    source = glb.box().to_bytes()
    kept = bytes(source)
    document = GlbDocument.parse(memoryview(source))
    document.edit_view(0)[0:4] = b"\0\0\x80?"
    assert source == kept
    written = document.to_bytes()
    assert glb.unpack(written)[0] == glb.unpack(source)[0]
    assert glb.positions(written)[0, 0] == 1
    assert numbers(document, 0)[0, 0] == 1  # What is read later sees the edit.
    changed = np.flatnonzero(np.frombuffer(written, np.uint8) != np.frombuffer(source, np.uint8))
    start = len(source) - len(glb.unpack(source)[1])
    assert set(changed) <= set(range(start, start + 4))
