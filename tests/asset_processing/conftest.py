"""GLBs made in the test, and the samples that lie beside the checkout."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import trimesh

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_ROOT = Path(__file__).parents[2]
SAMPLES = Path(os.environ.get("ASSETWRIGHT_SAMPLES", _ROOT.parent / "shared" / "samples"))
_COMPONENTS = {"b": 5120, "B": 5121, "h": 5122, "H": 5123, "I": 5125, "f": 5126}
_KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class GlbBuilder:
    """Writes a GLB piece by piece, with no code in common with the package."""

    def __init__(self) -> None:
        self.json: dict[str, Any] = {"asset": {"version": "2.0", "generator": "a test"}}
        self.binary = bytearray()

    def add(self, array: str, **entry: object) -> int:
        """Append an entry to a top-level array and return its index."""
        self.json.setdefault(array, []).append(entry)
        return len(self.json[array]) - 1

    def view(self, data: bytes, **entry: object) -> int:
        """Append bytes to the binary chunk, at a multiple of four."""
        start = len(self.binary)
        self.binary += data + b"\0" * (-len(data) % 4)
        return self.add("bufferViews", buffer=0, byteOffset=start, byteLength=len(data), **entry)

    def accessor(self, values: ArrayLike, dtype: str = "<f4", **entry: object) -> int:
        """Append numbers with their range; ``entry`` overrides what is declared."""
        array = np.asarray(values, dtype=dtype)
        rows = array.reshape(len(array), -1)
        return self.add(
            "accessors",
            **{
                "bufferView": self.view(array.tobytes()),
                "componentType": _COMPONENTS[array.dtype.char],
                "count": len(array),
                "type": _KINDS[rows.shape[1]],
                "min": rows.min(axis=0).tolist(),
                "max": rows.max(axis=0).tolist(),
                **entry,
            },
        )

    def mesh(self, positions: ArrayLike, faces: ArrayLike | None = None, **extra: object) -> int:
        """A mesh of one primitive; ``attributes`` adds to its POSITION."""
        attributes = {"POSITION": self.accessor(positions), **extra.pop("attributes", {})}  # type: ignore[dict-item]
        primitive: dict[str, object] = {"attributes": attributes, **extra}
        if faces is not None:
            primitive["indices"] = self.accessor(np.asarray(faces).reshape(-1), "<u4")
        return self.add("meshes", primitives=[primitive])

    def image(self, data: bytes, mime: str = "image/png") -> int:
        """Append an image in a view of its own."""
        return self.add("images", bufferView=self.view(data), mimeType=mime)

    def scene(self, *roots: int) -> GlbBuilder:
        """Append a scene and show the first one."""
        self.add("scenes", nodes=list(roots))
        self.json["scene"] = 0
        return self

    def to_bytes(self) -> bytes:
        """Return the file; the JSON may have been changed by hand before."""
        if self.binary:
            self.json.setdefault("buffers", [{"byteLength": len(self.binary)}])
        return pack(json.dumps(self.json).encode(), bytes(self.binary))


def pack(text: bytes, binary: bytes) -> bytes:
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    if binary:
        chunks += struct.pack("<II", len(binary), 0x004E4942) + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def unpack(glb: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack_from("<I", glb, 12)
    return json.loads(glb[20 : 20 + length]), glb[28 + length :]


def png(width: int, height: int) -> bytes:
    """The first bytes of a PNG; nothing that only looks at headers needs more."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\6\0\0\0"


class Glb:
    """The helpers above, for tests that cannot import this file."""

    builder = GlbBuilder
    pack = staticmethod(pack)
    unpack = staticmethod(unpack)
    png = staticmethod(png)

    @staticmethod
    def box(low: ArrayLike = (1, 2, 3), high: ArrayLike = (2, 4, 6), **node: object) -> GlbBuilder:
        """A closed box as the only node."""
        built = GlbBuilder()
        box = trimesh.creation.box(bounds=[low, high])
        return built.scene(built.add("nodes", mesh=built.mesh(box.vertices, box.faces), **node))

    @staticmethod
    def positions(glb: bytes, accessor: int = 0) -> NDArray[np.float32]:
        """A float VEC3 accessor's values, read without the package."""
        document, binary = unpack(glb)
        entry = document["accessors"][accessor]
        view = document["bufferViews"][entry["bufferView"]]
        return np.ndarray(
            (entry["count"], 3),
            "<f4",
            binary,
            view.get("byteOffset", 0) + entry.get("byteOffset", 0),
            (view.get("byteStride", 12), 4),
        )


@pytest.fixture(scope="session")
def glb() -> type[Glb]:
    return Glb


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test each sample by the name it asks for, or skip it where there are none.

    With each sample in each operation they take longer than all else: `make test-samples`.
    """
    for name, folder in (("sample", SAMPLES), ("hostile_sample", SAMPLES / "hostile")):
        if name not in metafunc.fixturenames:
            continue
        found = sorted(folder.glob("*.glb"))
        skipped = pytest.mark.skip(reason="needs shared/samples or ASSETWRIGHT_SAMPLES")
        metafunc.parametrize(
            name,
            [pytest.param(path, marks=pytest.mark.samples) for path in found]
            or [pytest.param(None, marks=[pytest.mark.samples, skipped])],
            ids=[path.stem for path in found] or ["absent"],
        )
