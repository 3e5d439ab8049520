"""Accessors decode to the numbers glTF 2.0 gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from asset_processing import InvalidGlb, UnsupportedGlb, process
from asset_processing.accessors import integers, numbers
from asset_processing.document import GlbDocument

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb


@pytest.mark.parametrize(
    ("dtype", "stored", "expected"),
    [
        ("i1", [-128, -127, 0, 127], [-1, -1, 0, 1]),
        ("u1", [0, 51, 255], [0, 0.2, 1]),
        ("<i2", [-32768, -32767, 32767], [-1, -1, 1]),
        ("<u2", [0, 13107, 65535], [0, 0.2, 1]),
    ],
)
def test_normalized_integers_become_fractions(
    glb: type[Glb], dtype: str, stored: list[int], expected: list[float]
) -> None:
    """The equations of glTF 2.0, section 3.11; the most negative value is clamped."""
    built = glb.box()
    index = built.accessor(stored, dtype, normalized=True)
    found = numbers(GlbDocument.parse(built.to_bytes()), index)
    assert found[:, 0] == pytest.approx(expected, abs=1e-12)


def test_sparse_elements_replace_zeros_or_stored_ones(glb: type[Glb]) -> None:
    built = glb.box()
    places = built.view(np.array([1, 3], "<u2").tobytes())
    values = built.view(np.array([[7, 8, 9], [4, 5, 6]], "<f4").tobytes())
    sparse = {
        "count": 2,
        "indices": {"bufferView": places, "componentType": 5123},
        "values": {"bufferView": values},
    }
    bare = built.add("accessors", componentType=5126, type="VEC3", count=4, sparse=sparse)
    backed = built.accessor(np.ones((4, 3)), sparse=sparse)
    document = GlbDocument.parse(built.to_bytes())
    for index, base in ((bare, 0), (backed, 1)):
        expected = [[base] * 3, [7, 8, 9], [base] * 3, [4, 5, 6]]
        assert numbers(document, index).tolist() == expected
    built.json["accessors"][bare]["count"] = 3
    with pytest.raises(InvalidGlb, match="stay below the count"):
        numbers(GlbDocument.parse(built.to_bytes()), bare)


def test_interleaved_attributes_are_read_with_their_stride(glb: type[Glb]) -> None:
    rows = np.arange(40, dtype="<f4").reshape(5, 8)
    built = glb.box()
    view = built.view(rows.tobytes(), byteStride=32)
    index = built.add(
        "accessors", bufferView=view, byteOffset=12, componentType=5126, type="VEC3", count=5
    )
    document = GlbDocument.parse(built.to_bytes())
    assert np.array_equal(numbers(document, index), rows[:, 3:6])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_positions_that_are_not_finite_are_refused(glb: type[Glb], value: float) -> None:
    built = glb.box()
    built.binary[4:8] = np.array([value], "<f4").tobytes()
    with pytest.raises(InvalidGlb, match="/accessors/0"):
        process(built.to_bytes())


def test_an_index_behind_the_last_vertex_is_refused(glb: type[Glb]) -> None:
    """Native mesh code crashes the process on one."""
    built = glb.box()
    start = built.json["bufferViews"][1]["byteOffset"]
    built.binary[start : start + 4] = np.array([8], "<u4").tobytes()
    with pytest.raises(InvalidGlb, match="names vertex 8, but there are only 8"):
        process(built.to_bytes())


def test_what_cannot_be_decoded_says_so(glb: type[Glb]) -> None:
    built = glb.box()
    built.json["bufferViews"][0]["extensions"] = {
        "EXT_meshopt_compression": {"buffer": 0, "byteLength": 8}
    }
    document = GlbDocument.parse(built.to_bytes())
    with pytest.raises(UnsupportedGlb, match="meshopt"):
        numbers(document, 0)
    with pytest.raises(InvalidGlb, match="must hold integers"):
        integers(GlbDocument.parse(glb.box().to_bytes()), 0)
