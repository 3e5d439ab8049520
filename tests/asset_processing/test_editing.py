"""What editing a document leaves in the file, and what it takes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from asset_processing.accessors import integers, numbers
from asset_processing.document import GlbDocument

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb, GlbBuilder


def _textured(glb: type[Glb]) -> GlbBuilder:
    """A box and, behind it in the chunk, an image with a name that others would be mistaken for."""
    built = glb.box()
    built.image(glb.png(4, 4) + b"first")
    built.image(glb.png(8, 8) + b"second")
    built.add("textures", source=0)
    built.add("textures", source=1)
    built.add("materials", normalTexture={"index": 1}, emissiveTexture={"index": 0})
    built.json["meshes"][0]["primitives"][0]["material"] = 0
    return built


def _again(document: GlbDocument) -> GlbDocument:
    return GlbDocument.parse(document.to_bytes())


def test_added_data_is_read_back_and_the_rest_stays(glb: type[Glb]) -> None:
    source = _textured(glb).to_bytes()
    document = GlbDocument.parse(source)
    values = np.arange(24, dtype=np.float32).reshape(8, 3)
    added = document.add_accessor(values, target=34962, with_range=True)
    image = document.add_image(glb.png(2, 3), media_type="image/png", name="new")
    read = _again(document)
    assert np.array_equal(numbers(read, added), values)
    assert read.json["accessors"][added]["max"] == [21, 22, 23]
    assert bytes(read.images[image].data) == glb.png(2, 3)
    assert read.json["images"][image]["name"] == "new"
    _, binary = glb.unpack(source)
    assert glb.unpack(document.to_bytes())[1].startswith(binary)
    for number in range(2):
        assert read.images[number].data == GlbDocument.parse(source).images[number].data


@pytest.mark.parametrize("dtype", ["<i1", "<u1", "<i2", "<u2", "<u4", "<f4"])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_type_survives_and_vertices_begin_at_multiples_of_four(
    glb: type[Glb], dtype: str, width: int
) -> None:
    document = GlbDocument.parse(glb.box().to_bytes())
    values = np.arange(5 * width).reshape(5, width).astype(dtype)
    index = document.add_accessor(values, target=34962)
    read = _again(document)
    assert np.array_equal(numbers(read, index), values)
    view = read.json["bufferViews"][read.json["accessors"][index]["bufferView"]]
    stride = view.get("byteStride", values.itemsize * width)
    assert stride % 4 == 0
    assert view.get("byteOffset", 0) % 4 == 0


def test_what_glTF_cannot_hold_is_refused(glb: type[Glb]) -> None:  # noqa: N802  # Its name.
    document = GlbDocument.parse(glb.box().to_bytes())
    for values in (np.zeros(3), np.zeros((0, 3), "<f4"), np.zeros((2, 5), "<f4")):
        with pytest.raises(TypeError, match="cannot hold"):
            document.add_accessor(values)


def test_a_replaced_accessor_leaves_no_bytes_behind(glb: type[Glb]) -> None:
    source = _textured(glb).to_bytes()
    document = GlbDocument.parse(source)
    few = np.arange(9, dtype=np.float32).reshape(3, 3)
    document.replace_accessor(0, few, target=34962, with_range=True)
    document.replace_accessor(1, np.array([0, 1, 2], np.uint8), target=34963)
    read = _again(document)
    assert np.array_equal(numbers(read, 0), few)
    assert integers(read, 1)[:, 0].tolist() == [0, 1, 2]
    assert len(read.views) == 4
    used = sum(view.length for view in read.views)
    assert used <= read.json["buffers"][0]["byteLength"] <= used + 3 * len(read.views)
    before = GlbDocument.parse(source)
    assert [bytes(image.data) for image in read.images] == [bytes(i.data) for i in before.images]


def test_a_dropped_entry_leaves_with_all_that_only_it_used(glb: type[Glb]) -> None:
    document = GlbDocument.parse(_textured(glb).to_bytes())
    material = document.edit_json()["materials"][0]
    del material["emissiveTexture"]
    document.drop("textures", 0)
    read = _again(document)
    assert len(read.json["textures"]) == len(read.images) == 1
    assert bytes(read.images[0].data) == glb.png(8, 8) + b"second"
    assert read.json["materials"][0]["normalTexture"]["index"] == 0
    assert read.json["textures"][0]["source"] == 0
    assert b"first" not in document.to_bytes()


def test_what_is_still_used_stays_though_it_was_dropped(glb: type[Glb]) -> None:
    source = _textured(glb).to_bytes()
    document = GlbDocument.parse(source)
    for array in ("textures", "images", "accessors", "bufferViews", "meshes", "buffers"):
        document.drop(array, 0)
    assert glb.unpack(document.to_bytes()) == glb.unpack(source)


def test_nothing_is_dropped_beside_an_extension_whose_indices_are_not_known(
    glb: type[Glb],
) -> None:
    built = _textured(glb)
    built.json["materials"][0]["extensions"] = {"ACME_secret": {"view": 2}}
    source = built.to_bytes()
    document = GlbDocument.parse(source)
    del document.edit_json()["materials"][0]["emissiveTexture"]
    document.drop("textures", 0)
    read = _again(document)
    assert len(read.images) == 2
    assert glb.unpack(document.to_bytes())[1] == glb.unpack(source)[1]


def test_a_file_without_a_chunk_gets_one(glb: type[Glb]) -> None:
    built = glb.builder()
    built.add("nodes", name="alone")
    built.scene(0)
    document = GlbDocument.parse(built.to_bytes())
    index = document.add_accessor(np.array([[1, 2, 3]], np.float32))
    assert numbers(_again(document), index).tolist() == [[1, 2, 3]]


def test_a_data_uri_stays_behind_the_new_chunk(glb: type[Glb]) -> None:
    built = glb.box()
    built.json["buffers"] = [_as_uri(built)]
    built.binary = bytearray()
    document = GlbDocument.parse(built.to_bytes())
    before = numbers(document, 0)
    index = document.add_accessor(np.array([[1, 2, 3]], np.float32))
    read = _again(document)
    assert np.array_equal(numbers(read, 0), before)
    assert numbers(read, index).tolist() == [[1, 2, 3]]
    assert "uri" in read.json["buffers"][1]


def _as_uri(built: GlbBuilder) -> dict[str, Any]:
    import base64  # noqa: PLC0415

    text = base64.b64encode(bytes(built.binary)).decode()
    return {"byteLength": len(built.binary), "uri": f"data:;base64,{text}"}


def test_overlapping_views_see_one_edit(glb: type[Glb]) -> None:
    built = glb.box()
    built.add("bufferViews", buffer=0, byteOffset=12, byteLength=24)
    document = GlbDocument.parse(built.to_bytes())
    document.edit_view(0)[12:16] = b"\1\2\3\4"
    assert bytes(document.view_bytes(2)[:4]) == b"\1\2\3\4"
    assert bytes(_again(document).view_bytes(2)[:4]) == b"\1\2\3\4"


def test_an_accessor_added_to_any_sample_changes_nothing_else(sample: Path) -> None:
    document = GlbDocument.parse(sample.read_bytes())
    added = document.add_accessor(np.array([1.5, 2.5], np.float32))
    document.drop("accessors", added)
    read, first = _again(document), GlbDocument.parse(sample.read_bytes())
    assert read.json == first.json
    for index, view in enumerate(first.views):
        if not view.compressed:
            assert read.view_bytes(index) == first.view_bytes(index)
