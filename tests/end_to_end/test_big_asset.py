"""Large files travel in small messages: no client has to raise gRPC's limits."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from itertools import accumulate
from typing import TYPE_CHECKING

import pytest

from assetwright.v1 import asset_pb2, asset_service_pb2, processing_pb2
from assetwright.v1 import generation_service_pb2 as wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Server

_MIB = 1 << 20
_PAYLOAD_BYTES = 60 * _MIB
_TRIANGLE = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 2, 0)
_MAX_CHUNK_BYTES = 256 * 1024


@pytest.fixture(scope="module")
def payload() -> bytes:
    """Bytes of which no two pieces are alike, so that a swapped or doubled chunk shows."""
    return random.Random(0).randbytes(_PAYLOAD_BYTES)  # noqa: S311  # No secret.


@pytest.fixture(scope="module")
def big_glb(payload: bytes) -> bytes:
    """A triangle of height 2, and beside it a view that nothing uses, which glTF allows."""
    size = len(_TRIANGLE) + len(payload)
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5126,
                "count": 3,
                "type": "VEC3",
                "min": [0, 0, 0],
                "max": [1, 2, 0],
            }
        ],
        "bufferViews": [
            {"buffer": 0, "byteLength": len(_TRIANGLE)},
            {"buffer": 0, "byteOffset": len(_TRIANGLE), "byteLength": len(payload)},
        ],
        "buffers": [{"byteLength": size}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    return b"".join(
        (
            struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + size),
            struct.pack("<I4s", len(text), b"JSON"),
            text,
            struct.pack("<I4s", size, b"BIN\0"),
            _TRIANGLE,
            payload,
        )
    )


def _uploaded(server: Server, data: bytes) -> asset_pb2.Asset:
    def messages() -> Iterator[asset_service_pb2.UploadAssetRequest]:
        header = asset_service_pb2.UploadHeader(
            name="big.glb", size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
        )
        yield asset_service_pb2.UploadAssetRequest(header=header)
        for start in range(0, len(data), _MIB):
            yield asset_service_pb2.UploadAssetRequest(data=data[start : start + _MIB])

    return server.assets.UploadAsset(messages(), timeout=50).asset


def test_a_model_of_60_mib_goes_through_with_the_default_limits(
    server: Server, big_glb: bytes, payload: bytes
) -> None:
    """The channel has no options, so it refuses any message above 4 MiB."""
    upload = _uploaded(server, big_glb)
    assert upload.size_bytes == len(big_glb)
    request = wire.ProcessRequest(
        asset_id=upload.asset_id,
        processing=processing_pb2.ProcessingOptions(height_m=0.5),
        delivery=wire.DELIVERY_STREAM,
    )
    events = [message.event for message in server.generation.Process(request, timeout=50)]

    log = [event for event in events if event.sequence]
    assert [event.sequence for event in log] == list(range(1, len(log) + 1))
    assert log[-1].WhichOneof("kind") == "completed", log[-1]
    (model,) = (a for a in log[-1].completed.assets if a.role == asset_pb2.ASSET_ROLE_MODEL)

    chunks = [event.chunk for event in events if event.WhichOneof("kind") == "chunk"]
    assert {chunk.asset_id for chunk in chunks} == {model.asset_id}
    assert all(0 < len(chunk.data) <= _MAX_CHUNK_BYTES for chunk in chunks)
    ends = accumulate((len(chunk.data) for chunk in chunks), initial=0)
    assert [chunk.offset for chunk in chunks] == list(ends)[:-1]
    received = b"".join(chunk.data for chunk in chunks)
    assert len(received) == model.size_bytes
    assert hashlib.sha256(received).hexdigest() == model.sha256
    assert payload in received
    assert received != big_glb
