"""Issues: one table, every code of which some file deserves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from asset_processing import IssueCode, Pivot, ProcessingOptions, process
from asset_processing.document import GlbDocument
from asset_processing.findings import find_issues
from asset_processing.issues import ISSUES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.asset_processing.conftest import Glb, GlbBuilder

WEBP = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\x07\xc0\x01\0" + bytes(8)
KTX2 = b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(8) + b"\x08\0\0\0\x08\0\0\0" + bytes(40)


def test_the_table_is_total() -> None:
    """A code without an entry would fail only on the file that deserves it."""
    assert set(ISSUES) == set(IssueCode)
    assert all(meaning.endswith(".") for _, meaning in ISSUES.values())


def _draco(built: GlbBuilder) -> None:
    extension = {"KHR_draco_mesh_compression": {"bufferView": 0, "attributes": {"POSITION": 0}}}
    built.json["meshes"][0]["primitives"][0]["extensions"] = extension


def _quantize(built: GlbBuilder) -> None:
    index = built.accessor(np.eye(3) * 4, "<i2")
    built.json["meshes"][0]["primitives"] = [{"attributes": {"POSITION": index}}]


def _texture(built: GlbBuilder, data: bytes, mime: str) -> None:
    built.add("textures", source=built.image(data, mime))
    built.add("materials", normalTexture={"index": len(built.json["textures"]) - 1, "texCoord": 1})


def _faces(built: GlbBuilder, *faces: list[int]) -> None:
    index = built.accessor(np.array(faces).ravel(), "<u4")
    built.json["meshes"][0]["primitives"][0]["indices"] = index


def _overlap(built: GlbBuilder) -> None:
    """Read the positions from the second vertex on as well."""
    first = built.json["meshes"][0]["primitives"][0]["attributes"]["POSITION"]
    shared = {**built.json["accessors"][first], "byteOffset": 12, "count": 3}
    built.json["accessors"].append(shared)


_DESERVED: dict[IssueCode, Callable[[GlbBuilder], object]] = {
    IssueCode.DEGENERATE_FACES: lambda b: _faces(b, [0, 1, 2], [3, 3, 1]),
    IssueCode.GEOMETRY_COMPRESSED: _draco,
    IssueCode.IMAGE_UNREADABLE: lambda b: _texture(b, b"GIF89a", "image/png"),
    IssueCode.IMAGE_UNUSED: lambda b: b.image(WEBP),
    IssueCode.MIME_MISMATCH: lambda b: _texture(b, WEBP, "image/png"),
    IssueCode.MULTIPLE_SCENES: lambda b: b.json["scenes"].append({}),
    IssueCode.NON_MANIFOLD: lambda b: _faces(b, [0, 1, 2], [0, 1, 3], [0, 1, 4]),
    IssueCode.NON_POWER_OF_TWO: lambda b: _texture(
        b, WEBP.replace(b"\x2f\x07", b"\x2f\x06"), "image/webp"
    ),
    IssueCode.NOT_WATERTIGHT: lambda b: _faces(b, [0, 1, 2]),
    IssueCode.NO_NORMALS: lambda _: None,
    IssueCode.NO_SCENE: lambda b: [b.json.pop(name) for name in ("scene", "scenes")],
    IssueCode.NO_UVS: lambda b: [
        _texture(b, WEBP, "image/webp"),
        b.json["meshes"][0]["primitives"][0].update(material=0),
    ],
    IssueCode.OVERLAPPING_VIEWS: _overlap,
    IssueCode.QUANTIZED: _quantize,
    IssueCode.TEXTURE_KTX2: lambda b: _texture(b, KTX2, "image/ktx2"),
    IssueCode.TEXTURE_WEBP: lambda b: _texture(b, WEBP, "image/webp"),
    IssueCode.TRANSFORM_IN_ROOT_NODE: lambda b: b.add("cameras", type="perspective"),
    IssueCode.UNKNOWN_REQUIRED_EXTENSION: lambda b: b.json.update(extensionsRequired=["VENDOR_x"]),
}
# What operations find is asserted where they are tested.
_OF_STEPS = {
    IssueCode.ALPHA_MODE_PROPOSED,
    IssueCode.ALPHA_MODE_SET,
    IssueCode.ALPHA_UNUSED,
    IssueCode.EXPORT_NOT_MADE,
    IssueCode.NOT_REBAKED,
    IssueCode.OPERATION_SKIPPED,
    IssueCode.PROVENANCE_NOT_WRITTEN,
    IssueCode.SIMPLIFIED,
    IssueCode.TEXTURE_NOT_CONVERTED,
    IssueCode.TEXTURE_NOT_PACKED,
    IssueCode.THUMBNAIL_NOT_MADE,
}


@pytest.mark.parametrize("code", list(_DESERVED), ids=lambda code: code.value)
def test_a_file_that_deserves_an_issue_gets_it_and_a_clean_one_does_not(
    glb: type[Glb], code: IssueCode
) -> None:
    def found(built: GlbBuilder) -> set[IssueCode]:
        options = ProcessingOptions(pivot=Pivot.CENTER)
        return {issue.code for issue in process(built.to_bytes(), options).report.issues}

    clean = glb.box()
    normals = clean.accessor(np.tile([0, 0, 1], (8, 1)))
    clean.json["meshes"][0]["primitives"][0]["attributes"]["NORMAL"] = normals
    assert found(clean) == set()
    built = glb.box()
    _DESERVED[code](built)
    assert code in found(built)


def test_what_was_too_large_to_measure_is_said(glb: type[Glb]) -> None:
    document = GlbDocument.parse(glb.box().to_bytes())
    issues = find_issues(document, textures=(), topology=None, moved_by_node=None)
    assert IssueCode.TOPOLOGY_SKIPPED in {issue.code for issue in issues}
    assert set(_DESERVED) == set(IssueCode) - {IssueCode.TOPOLOGY_SKIPPED} - _OF_STEPS


def test_an_issue_that_is_everywhere_is_told_once_with_its_first_place(glb: type[Glb]) -> None:
    built = glb.box()
    built.json["meshes"][0]["primitives"] *= 7
    issues = process(built.to_bytes()).report.issues
    (issue,) = (issue for issue in issues if issue.code is IssueCode.NO_NORMALS)
    assert issue.pointer == "/meshes/0/primitives/0"
    assert "Found 7 times" in issue.message
