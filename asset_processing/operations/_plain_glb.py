"""A GLB of nothing but triangles, for shapes that get a file of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from asset_processing.container import encode_header, encode_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asset_processing._fields import JsonObject
    from asset_processing.operations.collision import Shape

__all__ = ["plain_glb"]

_BIN = b"BIN\0"
_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_FLOAT, _UNSIGNED_INT = 5126, 5125


def plain_glb(shapes: Sequence[tuple[str, Shape]]) -> bytes:
    """Return a GLB with a node and a mesh for each named shape, in metres, without materials."""
    binary = bytearray()
    document: JsonObject = {
        "asset": {"version": "2.0", "generator": "Assetwright"},
        "scene": 0,
        "scenes": [{"nodes": list(range(len(shapes)))}],
        "nodes": [],
        "meshes": [],
        "accessors": [],
        "bufferViews": [],
    }
    for number, (name, shape) in enumerate(shapes):
        points = shape.points.astype("<f4")
        indices = shape.faces.astype("<u4").reshape(-1)
        document["nodes"].append({"name": name, "mesh": number})
        primitive = {"attributes": {"POSITION": 2 * number}, "indices": 2 * number + 1}
        document["meshes"].append({"name": name, "primitives": [primitive]})
        for data, target in ((points, _ARRAY_BUFFER), (indices, _ELEMENT_ARRAY_BUFFER)):
            view = {"buffer": 0, "byteOffset": len(binary), "byteLength": data.nbytes}
            document["bufferViews"].append({**view, "target": target})
            binary += data.tobytes()
        document["accessors"] += [
            {
                "bufferView": 2 * number,
                "componentType": _FLOAT,
                "type": "VEC3",
                "count": len(points),
                "min": [float(value) for value in points.min(axis=0)],
                "max": [float(value) for value in points.max(axis=0)],
            },
            {
                "bufferView": 2 * number + 1,
                "componentType": _UNSIGNED_INT,
                "type": "SCALAR",
                "count": len(indices),
            },
        ]
    document["buffers"] = [{"byteLength": len(binary)}]
    body = encode_json(document)
    chunk = np.uint32(len(binary)).tobytes() + _BIN + bytes(binary)
    return encode_header(len(body) + len(chunk)) + bytes(body) + chunk
