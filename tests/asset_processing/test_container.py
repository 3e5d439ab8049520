"""The container is read strictly: nothing but ProcessingError comes out of a broken one."""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING

import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from asset_processing import GlbTooLarge, InvalidGlb, Limits, ProcessingError, process
from asset_processing.container import split
from asset_processing.document import GlbDocument

if TYPE_CHECKING:
    from tests.asset_processing.conftest import Glb

# A small GLB with a skin, a texture and an animation's worth of indices to go wrong.
VALID = trimesh.creation.box().export(file_type="glb")  # Not ours: the writer is independent.


@given(end=st.integers(0, len(VALID) - 1))
def test_a_truncated_file_is_refused(end: int) -> None:
    with pytest.raises(InvalidGlb):
        GlbDocument.parse(VALID[:end])


@given(tail=st.binary(min_size=1, max_size=20))
def test_bytes_behind_the_declared_end_are_refused(tail: bytes) -> None:
    with pytest.raises(InvalidGlb, match="declares"):
        GlbDocument.parse(VALID + tail)


@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=8
    )
)
def test_a_damaged_file_gives_a_named_error_or_a_result(edits: list[tuple[int, int]]) -> None:
    damaged = bytearray(VALID)
    for position, value in edits:
        damaged[position] = value
    with contextlib.suppress(ProcessingError):
        process(bytes(damaged))


@given(data=st.binary(max_size=64))
def test_any_bytes_behind_a_header_give_a_named_error(data: bytes) -> None:
    header = struct.pack("<4sII", b"glTF", 2, 12 + len(data))
    with pytest.raises(InvalidGlb):
        GlbDocument.parse(header + data)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b'{"a": -Infinity}', "no JSON number"),
        (b'{"a": [1e999]}', "/a/0 is too large"),
        (b'{"a": 1, "a": 2}', "same name twice"),
        (b'{"a": "\\ud800"}', "not valid Unicode"),
        (b'{"\\ud800": 1}', "not valid Unicode"),
        (b'{"a": "\xff"}', "cannot be read"),
        (b'{"a": ' + b"9" * 5000 + b"}", "cannot be read"),
        (b"[1]", "must hold an object"),
        (b"", "cannot be read"),
        (b"{} {}", "cannot be read"),
    ],
)
def test_json_that_two_readers_could_read_differently_is_refused(
    glb: type[Glb], text: bytes, complaint: str
) -> None:
    with pytest.raises(InvalidGlb, match=complaint):
        GlbDocument.parse(glb.pack(text, b""))


@pytest.mark.parametrize("depth", [65, 5_000, 200_000])
def test_deep_json_is_refused_before_it_can_exhaust_the_stack(glb: type[Glb], depth: int) -> None:
    with pytest.raises(GlbTooLarge, match="nested"):
        GlbDocument.parse(glb.pack(b'{"a":' + b"[" * depth + b"]" * depth + b"}", b""))


def test_unknown_chunks_are_kept_and_misplaced_ones_refused(glb: type[Glb]) -> None:
    plain = glb.box().to_bytes()
    extra = struct.pack("<II", 4, 0x12345678) + b"kept"
    longer = struct.pack("<4sII", b"glTF", 2, len(plain) + len(extra)) + plain[12:] + extra
    document = GlbDocument.parse(longer)
    document.edit_json()["extras"] = "changed"
    assert document.to_bytes().endswith(extra)
    (length,) = struct.unpack_from("<I", plain, 12)
    between = plain[12 : 20 + length] + extra + plain[20 + length :]
    misplaced = struct.pack("<4sII", b"glTF", 2, len(between) + 12) + between
    with pytest.raises(InvalidGlb, match="BIN chunk must follow"):
        GlbDocument.parse(misplaced)


def test_file_and_json_have_limits(glb: type[Glb]) -> None:
    data = memoryview(glb.box().to_bytes())
    with pytest.raises(GlbTooLarge, match="file has"):
        split(data, limits=Limits(max_file_bytes=len(data) - 1))
    with pytest.raises(GlbTooLarge, match="JSON chunk has"):
        split(data, limits=Limits(max_json_bytes=100))
    assert split(data, limits=Limits(max_file_bytes=len(data))).bin_length > 0
