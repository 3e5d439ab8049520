"""Broken files of our own making: a named error or a sound result, never anything else.

A short run is part of the tests; ``make fuzz`` is a long one.
"""

from __future__ import annotations

import copy
import json
import os
import struct
from typing import TYPE_CHECKING, Any

import DracoPy
import meshopt
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from asset_processing import (
    Decode,
    ForwardAxis,
    Limits,
    Pivot,
    ProcessingError,
    ProcessingOptions,
    process,
)
from asset_processing.document import GlbDocument

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb

_EXAMPLES = int(os.environ.get("ASSETWRIGHT_FUZZ_EXAMPLES", "120"))
_LIMITS = Limits(
    max_accessor_bytes=1 << 24,
    max_implicit_bytes=1 << 20,
    max_drawn_vertices=100_000,
    max_instances=1000,
    max_draws=1000,
)
_OPTIONS = (
    ProcessingOptions(),
    ProcessingOptions(height_m=1.8, pivot=Pivot.BASE, forward_axis=ForwardAxis.PLUS_X),
    ProcessingOptions(
        scale_factor=0.5,
        pivot=Pivot.CENTER,
        forward_axis=ForwardAxis.MINUS_Z,
        bake=True,
        weld=True,
        prune=True,
        normals=True,
        tangents=True,
        decode=Decode.ALWAYS,
    ),
    ProcessingOptions(prune=True, longest_side_m=1e-3),
)
_NASTY = st.one_of(
    st.sampled_from(
        [None, True, -1, 0, 1, 2, 3, 255, 2**31, 2**53, -0.5, 1e-320, 1e38, 1e300, "", "POSITION"]
    ),
    st.sampled_from([[], {}, [0], [[]], [1e300] * 16, [0.0] * 16, [0, 0, 0, 0], {"index": 7}]),
)
Mutation = tuple[int, object]


def _rich(glb: type[Glb]) -> bytes:
    """A skinned, animated, morphed, textured, instanced file with a sparse accessor."""
    built = glb.box()
    primitive = built.json["meshes"][0]["primitives"][0]
    primitive["attributes"].update(
        NORMAL=built.accessor([[0, 0, 1.0]] * 8),
        TEXCOORD_0=built.accessor(np.linspace(0, 1, 16).reshape(8, 2)),
        JOINTS_0=built.accessor([[0, 1, 0, 0]] * 8, "|u1"),
        WEIGHTS_0=built.accessor([[0.5, 0.5, 0, 0]] * 8),
    )
    primitive["targets"] = [{"POSITION": built.accessor([[0, 0.1, 0]] * 8)}]
    built.json["meshes"][0]["weights"] = [0.5]
    primitive["material"] = built.add("materials", normalTexture={"index": 0})
    built.add("textures", source=built.image(glb.png(4, 4)), sampler=built.add("samplers"))
    joints = [built.add("nodes", translation=[0, 1, 0]), built.add("nodes", rotation=[0, 0, 0, 1])]
    built.json["nodes"][0].update(skin=0, children=joints)
    matrices = built.accessor([np.eye(4).ravel()] * 2)
    built.add("skins", joints=joints, inverseBindMatrices=matrices)
    times, moves = built.accessor([0.0, 1.0]), built.accessor([[0.0, 0, 0], [1, 0, 0]])
    built.add(
        "animations",
        samplers=[{"input": times, "output": moves}],
        channels=[{"sampler": 0, "target": {"node": 1, "path": "translation"}}],
    )
    instances = {"TRANSLATION": built.accessor([[0, 0, 0], [2, 0, 0]])}
    second = built.mesh([[0, 0, 0], [1, 0, 0], [0, 1, 0]])
    built.json["accessors"][
        built.json["meshes"][second]["primitives"][0]["attributes"]["POSITION"]
    ]["sparse"] = {
        "count": 1,
        "indices": {"bufferView": built.view(b"\2\0"), "componentType": 5123},
        "values": {"bufferView": built.view(struct.pack("<3f", 0, 2, 0))},
    }
    extensions = {"EXT_mesh_gpu_instancing": {"attributes": instances}}
    built.json["nodes"].append({"mesh": second, "extensions": extensions})
    built.json["scenes"][0]["nodes"].append(len(built.json["nodes"]) - 1)
    return built.to_bytes()


def _draco(glb: type[Glb]) -> bytes:
    built = glb.box()
    points = np.frombuffer(bytes(built.binary[:96]), "<f4").reshape(8, 3)
    faces = np.frombuffer(bytes(built.binary[96:240]), "<u4").reshape(12, 3)
    built.json["bufferViews"], built.binary = [], bytearray()
    view = built.view(DracoPy.encode(points, faces, preserve_order=True))
    built.json["meshes"][0]["primitives"][0]["extensions"] = {
        "KHR_draco_mesh_compression": {"bufferView": view, "attributes": {"POSITION": 0}}
    }
    for accessor in built.json["accessors"]:
        del accessor["bufferView"]
    return built.to_bytes()


def _meshopt(glb: type[Glb]) -> bytes:
    built = glb.box()
    points = np.frombuffer(bytes(built.binary[:96]), np.uint8).reshape(8, 12)
    data = meshopt.encode_gltf_buffer(points, "ATTRIBUTES")
    start = len(built.binary)
    built.binary += data + b"\0" * (-len(data) % 4)
    built.json["bufferViews"][0]["extensions"] = {
        "EXT_meshopt_compression": {
            "buffer": 0,
            "byteOffset": start,
            "byteLength": len(data),
            "byteStride": 12,
            "count": 8,
            "mode": "ATTRIBUTES",
        }
    }
    return built.to_bytes()


@pytest.fixture(scope="module")
def corpus(glb: type[Glb]) -> list[bytes]:
    found = [glb.box().to_bytes(), _rich(glb), _draco(glb), _meshopt(glb)]
    for data in found:
        for options in _OPTIONS:
            process(data, options)
    return found


def _places(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path to every member of a JSON document."""
    pairs: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    found = [(*path, key) for key, _ in pairs]
    for key, member in pairs:
        found += _places(member, (*path, key))
    return found


def _mutated(glb: type[Glb], data: bytes, changes: list[Mutation], bits: list[Mutation]) -> bytes:
    """Change members of the JSON, then bytes of the binary chunk."""
    document, binary = glb.unpack(data)
    for place, value in changes:
        places = _places(document)
        *path, last = places[place % len(places)]
        holder: Any = document
        for key in path:
            holder = holder[key]
        holder[last] = copy.deepcopy(value)
    content = bytearray(binary)
    for place, value in bits:
        if content:
            content[place % len(content)] = int(str(value))
    return glb.pack(json.dumps(document).encode(), bytes(content))


def _survives(data: bytes) -> None:
    for options in _OPTIONS:
        try:
            asset = process(data, options, limits=_LIMITS)
        except ProcessingError as error:
            assert str(error).endswith(".")  # noqa: PT017
            continue
        bounds = asset.report.bounds_after
        assert np.isfinite([bounds.min, bounds.max]).all()
        GlbDocument.parse(asset.glb, _LIMITS)


_fuzzed = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=_EXAMPLES <= 1000,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_changes = st.lists(st.tuples(st.integers(0, 500), _NASTY), max_size=3)
_bits = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6)


@_fuzzed
@given(which=st.integers(0, 3), changes=_changes, bits=_bits)
@example(which=0, changes=[], bits=[(3, 0x7F), (2, 0x80)])  # A position that is infinite.
@example(which=1, changes=[], bits=[(3, 0x7E)])  # One near the largest float32.
def test_changed_members_and_bytes_give_a_named_error_or_a_sound_file(
    glb: type[Glb], corpus: list[bytes], which: int, changes: list[Mutation], bits: list[Mutation]
) -> None:
    _survives(_mutated(glb, corpus[which], changes, bits))


@_fuzzed
@given(which=st.integers(0, 3), cut=st.integers(0, 4000), extra=st.binary(max_size=8))
def test_cut_and_prolonged_files_give_a_named_error_or_a_sound_file(
    corpus: list[bytes], which: int, cut: int, extra: bytes
) -> None:
    data = corpus[which]
    _survives(data[: cut % (len(data) + 1)] + extra)


@_fuzzed
@given(which=st.integers(0, 3), places=_bits)
def test_changed_bytes_anywhere_give_a_named_error_or_a_sound_file(
    corpus: list[bytes], which: int, places: list[Mutation]
) -> None:
    data = bytearray(corpus[which])
    for place, value in places:
        data[place % len(data)] = int(str(value))
    _survives(bytes(data))
