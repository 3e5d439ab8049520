"""Which accessors share bytes in part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asset_processing.document import GlbDocument
from asset_processing.overlaps import first_overlap

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb, GlbBuilder


def _shared(built: GlbBuilder, *places: tuple[int, int, int]) -> tuple[int, int] | None:
    """Accessors of three floats in one view of 24 floats: first byte, stride, count."""
    views: dict[int, int] = {}
    start = len(built.binary)
    built.binary += bytes(96)
    first = len(built.json["accessors"])
    for offset, stride, count in places:
        if stride not in views:
            entry = {"buffer": 0, "byteOffset": start, "byteLength": 96, "byteStride": stride}
            views[stride] = built.add("bufferViews", **entry)
        built.add(
            "accessors",
            bufferView=views[stride],
            byteOffset=offset,
            componentType=5126,
            count=count,
            type="VEC3",
        )
    found = first_overlap(GlbDocument.parse(built.to_bytes()))
    return None if found is None else (found[0] - first, found[1] - first)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([(0, 12, 4), (48, 12, 4)], None),  # One behind the other.
        ([(0, 12, 4), (0, 12, 4)], None),  # The same.
        ([(0, 24, 4), (12, 24, 3)], None),  # Interleaved.
        ([(0, 24, 4), (12, 12, 1)], None),  # In the gap behind the first element.
        ([(0, 12, 8), (36, 12, 2)], (0, 1)),
        ([(36, 12, 2), (0, 12, 8)], (1, 0)),
        ([(0, 24, 3), (8, 24, 3)], (0, 1)),
        ([(0, 24, 4), (12, 12, 2)], (0, 1)),
        ([(0, 12, 8), (0, 12, 2)], (1, 0)),
    ],
)
def test_what_shares_bytes_in_part_is_found(
    glb: type[Glb], places: list[tuple[int, int, int]], expected: tuple[int, int] | None
) -> None:
    assert _shared(glb.box(), *places) == expected


@given(
    places=st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from([12, 24]), st.integers(1, 3)), max_size=4
    )
)
def test_nothing_that_shares_a_byte_is_missed(
    glb: type[Glb], places: list[tuple[int, int, int]]
) -> None:
    distinct = list({(4 * at, stride, count) for at, stride, count in places})
    taken = np.zeros(96, dtype=int)
    # Of one element the stride means nothing.
    for at, stride, count in {(a, s if c > 1 else 12, c) for a, s, c in distinct}:
        for element in range(count):
            taken[at + element * stride :][:12] += 1
    if taken.max() > 1:
        assert _shared(glb.box(), *distinct) is not None
