"""A GLB of a crate, with a collision shape beside it or without one."""

from __future__ import annotations

import json
import struct

_SIZE = (1.0, 2.0, 0.5)
_JSON, _BIN = 0x4E4F534A, 0x004E4942


def crate(*, collision: bool) -> bytes:
    """Return a box of 1 x 2 x 0.5 m, its base at the origin, as a GLB."""
    corners = [
        (x * _SIZE[0] / 2, y * _SIZE[1], z * _SIZE[2] / 2)
        for x in (-1, 1)
        for y in (0, 1)
        for z in (-1, 1)
    ]
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    indices = [corner for a, b, c, d in quads for corner in (a, b, c, a, c, d)]
    places = struct.pack("<24f", *(value for corner in corners for value in corner))
    binary = places + struct.pack("<36H", *indices)
    names = ["Crate", "Crate-convcolonly"] if collision else ["Crate"]
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": list(range(len(names)))}],
        "nodes": [{"name": name, "mesh": 0} for name in names],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "buffers": [{"byteLength": len(binary)}],
        "bufferViews": [
            {"buffer": 0, "byteLength": len(places)},
            {"buffer": 0, "byteOffset": len(places), "byteLength": len(binary) - len(places)},
        ],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5126,
                "count": 8,
                "type": "VEC3",
                "min": [-_SIZE[0] / 2, 0.0, -_SIZE[2] / 2],
                "max": [_SIZE[0] / 2, _SIZE[1], _SIZE[2] / 2],
            },
            {"bufferView": 1, "componentType": 5123, "count": 36, "type": "SCALAR"},
        ],
    }
    text = json.dumps(document).encode()
    chunks = _chunk(_JSON, text, b" ") + _chunk(_BIN, binary, b"\0")
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _chunk(kind: int, data: bytes, padding: bytes) -> bytes:
    data += padding * (-len(data) % 4)
    return struct.pack("<II", len(data), kind) + data
