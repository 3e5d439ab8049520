"""Compressed, quantized and sparse vertices become plain ones that say the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import DracoPy
import meshopt
import numpy as np
import pytest

from asset_processing import Decode, InvalidGlb, ProcessingOptions, process
from asset_processing.accessors import integers, numbers
from asset_processing.document import GlbDocument
from asset_processing.draco import DracoError, decode_draco
from asset_processing.geometry import bounds_of
from asset_processing.operations.decode import decode, is_plain

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb, GlbBuilder

_DECODED = ProcessingOptions(decode=Decode.ALWAYS)
_CODECS = {
    "KHR_draco_mesh_compression",
    "EXT_meshopt_compression",
    "KHR_meshopt_compression",
    "KHR_mesh_quantization",
}


def test_every_sample_becomes_plain_and_draws_the_same(sample: Path) -> None:
    source = sample.read_bytes()
    first = GlbDocument.parse(source)
    asset = process(source, _DECODED)
    document = GlbDocument.parse(asset.glb)
    assert is_plain(document)
    assert not _CODECS & set(document.json.get("extensionsUsed", []))
    if is_plain(first) and not _CODECS & set(first.json.get("extensionsUsed", [])):
        assert asset.glb == source
    before = process(source).report
    report = asset.report
    assert np.allclose(report.bounds_after.min, before.bounds_after.min, rtol=1e-3, atol=1e-3)
    assert np.allclose(report.bounds_after.max, before.bounds_after.max, rtol=1e-3, atol=1e-3)
    assert report.counts.triangles == before.counts.triangles
    assert report.counts.gpu_vertices == before.counts.gpu_vertices
    assert report.counts.unique_positions is not None
    assert [texture.sha256 for texture in report.textures] == [
        texture.sha256 for texture in before.textures
    ]


def _meshopt_box(glb: type[Glb], *, mode: str = "TRIANGLES") -> tuple[GlbBuilder, GlbBuilder]:
    """A box, and the same one with its two views compressed and a fallback buffer."""
    plain = glb.box()
    built = glb.box()
    built.json["bufferViews"][0]["byteStride"] = 12
    packed = bytearray()
    places = []
    for index, (count, stride, kind) in enumerate(((8, 12, "ATTRIBUTES"), (36, 4, mode))):
        view = built.json["bufferViews"][index]
        data = bytes(built.binary[view["byteOffset"] :][: view["byteLength"]])
        values = (
            np.frombuffer(data, np.uint8).reshape(count, stride)
            if kind == "ATTRIBUTES"
            else np.frombuffer(data, "<u4")
        )
        encoded = meshopt.encode_gltf_buffer(values, kind)
        places.append((len(packed), len(encoded), count, stride, kind))
        packed += encoded + b"\0" * (-len(encoded) % 4)
    for index, (start, length, count, stride, kind) in enumerate(places):
        built.json["bufferViews"][index]["buffer"] = 1
        built.json["bufferViews"][index]["extensions"] = {
            "EXT_meshopt_compression": {
                "buffer": 0,
                "byteOffset": start,
                "byteLength": length,
                "byteStride": stride,
                "count": count,
                "mode": kind,
            }
        }
    fallback = {"EXT_meshopt_compression": {"fallback": True}}
    built.json["buffers"] = [
        {"byteLength": len(packed)},
        {"byteLength": len(built.binary), "extensions": fallback},
    ]
    built.json["extensionsUsed"] = built.json["extensionsRequired"] = ["EXT_meshopt_compression"]
    built.binary = packed
    return plain, built


@pytest.mark.parametrize("mode", ["TRIANGLES", "INDICES"])
def test_meshopt_gives_back_what_was_compressed(glb: type[Glb], mode: str) -> None:
    plain, built = _meshopt_box(glb, mode=mode)
    expected = GlbDocument.parse(plain.to_bytes())
    document = GlbDocument.parse(process(built.to_bytes(), _DECODED).glb)
    assert np.array_equal(numbers(document, 0), numbers(expected, 0))
    found = integers(document, 1).reshape(-1, 3)
    wanted = integers(expected, 1).reshape(-1, 3)
    # The triangle codec may turn a triangle's corners, but keeps the way around.
    turned = [np.roll(found, shift, axis=1) for shift in range(3)]
    assert np.any([(one == wanted).all(axis=1) for one in turned], axis=0).all()
    assert len(document.buffers) == 1
    assert document.json["buffers"][0]["byteLength"] == 96 + 144
    assert "extensionsUsed" not in document.json


def _wreck(built: GlbBuilder, **changes: object) -> bytes:
    extension = built.json["bufferViews"][0]["extensions"]["EXT_meshopt_compression"]
    extension.update(changes)
    return built.to_bytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 9},
        {"count": 2**40},
        {"byteStride": 16},
        {"mode": "LINES"},
        {"mode": 3},
        {"filter": "BLUR"},
        {"byteLength": 7},
        {"mode": "TRIANGLES"},
    ],
)
def test_broken_meshopt_is_named(glb: type[Glb], changes: dict[str, object]) -> None:
    with pytest.raises(InvalidGlb, match="/bufferViews/0"):
        process(_wreck(_meshopt_box(glb)[1], **changes), _DECODED)


def _draco_box(glb: type[Glb]) -> GlbBuilder:
    built = glb.box()
    points = np.frombuffer(bytes(built.binary[:96]), "<f4").reshape(8, 3)
    faces = np.frombuffer(bytes(built.binary[96:240]), "<u4").reshape(12, 3)
    data = DracoPy.encode(points, faces, preserve_order=True, quantization_bits=16)
    built.json["bufferViews"] = []
    built.binary = bytearray()
    view = built.view(data)
    primitive = built.json["meshes"][0]["primitives"][0]
    primitive["extensions"] = {
        "KHR_draco_mesh_compression": {"bufferView": view, "attributes": {"POSITION": 0}}
    }
    for accessor in built.json["accessors"]:
        del accessor["bufferView"]
    built.json["extensionsUsed"] = built.json["extensionsRequired"] = ["KHR_draco_mesh_compression"]
    return built


def test_draco_gives_back_what_was_compressed(glb: type[Glb]) -> None:
    expected = GlbDocument.parse(glb.box().to_bytes())
    asset = process(_draco_box(glb).to_bytes(), _DECODED)
    document = GlbDocument.parse(asset.glb)
    attributes = document.json["meshes"][0]["primitives"][0]
    positions = numbers(document, attributes["attributes"]["POSITION"])
    faces = integers(document, attributes["indices"]).reshape(-1, 3)
    corners = numbers(expected, 0)[integers(expected, 1).reshape(-1, 3)]
    assert np.allclose(positions[faces], corners, atol=1e-3)
    assert asset.report.topology is not None
    assert asset.report.topology.watertight
    assert len(document.views) == len(document.accessors) == 2


@pytest.mark.parametrize(
    ("counts", "complaint"),
    [({"triangles": 11, "vertices": 8}, "accessors say"), ({"triangles": 12, "vertices": 7}, "8")],
)
def test_draco_that_is_not_what_the_accessors_say_is_refused_before_it_is_decoded(
    glb: type[Glb], counts: dict[str, int], complaint: str
) -> None:
    built = _draco_box(glb)
    with pytest.raises(DracoError, match=complaint):
        decode_draco(bytes(built.binary), **counts)


@pytest.mark.parametrize("length", [0, 4, 10, 11, 12, 13, 20, 40])
def test_cut_off_draco_is_named(glb: type[Glb], length: int) -> None:
    data = bytes(_draco_box(glb).binary)[:length]
    with pytest.raises(DracoError):
        decode_draco(data, triangles=12, vertices=8)


def test_every_broken_byte_of_draco_is_named_or_harmless(glb: type[Glb]) -> None:
    data = bytes(_draco_box(glb).binary)
    for place in range(len(data)):
        for value in (0, 0x7F, 0xFF):
            broken = data[:place] + bytes([value]) + data[place + 1 :]
            try:
                faces, values = decode_draco(broken, triangles=12, vertices=8)
            except DracoError:
                continue
            assert faces.shape == (12, 3)
            assert all(len(rows) == 8 for rows in values.values())


@pytest.mark.parametrize(
    ("path", "value"),
    [("bufferView", 9), ("attributes", {}), ("attributes", {"POSITION": "0"}), ("bufferView", -1)],
)
def test_a_broken_draco_extension_is_named(glb: type[Glb], path: str, value: object) -> None:
    built = _draco_box(glb)
    primitive = built.json["meshes"][0]["primitives"][0]
    primitive["extensions"]["KHR_draco_mesh_compression"][path] = value
    with pytest.raises(InvalidGlb, match="KHR_draco_mesh_compression"):
        process(built.to_bytes(), _DECODED)


def _quantized_box(glb: type[Glb]) -> GlbBuilder:
    built = glb.box(low=(-1, -1, -1), high=(1, 1, 1), scale=[2, 2, 2])
    points = np.frombuffer(bytes(built.binary[:96]), "<f4").reshape(8, 3)
    padded = np.zeros((8, 4), "<i2")
    padded[:, :3] = np.round(points * 32767)
    view = built.view(padded.tobytes(), byteStride=8)
    built.json["accessors"][0].update(
        bufferView=view, componentType=5122, normalized=True, min=[-32767] * 3, max=[32767] * 3
    )
    built.json["extensionsUsed"] = built.json["extensionsRequired"] = ["KHR_mesh_quantization"]
    return built


def test_quantized_positions_become_floats_under_the_same_node(glb: type[Glb]) -> None:
    asset = process(_quantized_box(glb).to_bytes(), _DECODED)
    document = GlbDocument.parse(asset.glb)
    assert document.json["nodes"][0]["scale"] == [2, 2, 2]
    assert np.abs(numbers(document, 0)).tolist() == [[1, 1, 1]] * 8
    assert document.json["accessors"][0]["min"] == [-1, -1, -1]
    assert bounds_of(document).size == (4, 4, 4)


def test_a_sparse_accessor_becomes_a_full_one(glb: type[Glb]) -> None:
    built = glb.box()
    changed: dict[str, Any] = {
        "count": 1,
        "indices": {
            "bufferView": built.view(np.array([7], "<u2").tobytes()),
            "componentType": 5123,
        },
        "values": {"bufferView": built.view(np.array([9, 9, 9], "<f4").tobytes())},
    }
    built.json["accessors"][0].update(sparse=changed, max=[9, 9, 9])
    source = built.to_bytes()
    expected = numbers(GlbDocument.parse(source), 0)
    document = GlbDocument.parse(process(source, _DECODED).glb)
    assert np.array_equal(numbers(document, 0), expected)
    assert document.json["accessors"][0]["max"] == [9, 9, 9]
    assert len(document.views) == 2


def test_nothing_is_decoded_that_nobody_needs(glb: type[Glb]) -> None:
    source = _quantized_box(glb).to_bytes()
    assert process(source).glb == source
    never = replace(_DECODED, decode=Decode.NEVER, weld=True)
    assert b"KHR_mesh_quantization" in process(source, never).glb


def test_decoding_twice_changes_nothing(sample: Path) -> None:
    once = process(sample.read_bytes(), _DECODED).glb
    document = GlbDocument.parse(once)
    decode(document)
    assert document.to_bytes() == once
