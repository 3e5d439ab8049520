"""Image headers are read from the first bytes, as Pillow would read them."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from asset_processing.images import UNKNOWN, ImageHeader, read_header


def _encoded(width: int, height: int, form: str, **options: object) -> bytes:
    target = io.BytesIO()
    mode = "RGBA" if options.pop("alpha", None) else "RGB"
    Image.new(mode, (width, height), (9, 8, 7)).save(target, form, **options)
    return target.getvalue()


@pytest.mark.parametrize(
    ("form", "options", "media_type"),
    [
        ("PNG", {}, "image/png"),
        ("JPEG", {}, "image/jpeg"),
        ("JPEG", {"progressive": True, "comment": b"x" * 3000}, "image/jpeg"),
        ("WEBP", {}, "image/webp"),
        ("WEBP", {"lossless": True}, "image/webp"),
        ("WEBP", {"alpha": True, "exif": b"Exif\0\0"}, "image/webp"),
    ],
)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (300, 7), (1, 513)])
def test_size_and_format_are_those_pillow_wrote(
    form: str, options: dict[str, object], media_type: str, width: int, height: int
) -> None:
    data = _encoded(width, height, form, **options)
    assert read_header(data) == ImageHeader(media_type, width, height)


def test_ktx2_is_known_by_its_header() -> None:
    data = b"\xabKTX 20\xbb\r\n\x1a\n" + struct.pack("<IIII", 0, 1, 64, 32) + bytes(52)
    assert read_header(data) == ImageHeader("image/ktx2", 64, 32)


@pytest.mark.parametrize("form", ["GIF", "TIFF", "BMP"])
def test_other_formats_are_unknown(form: str) -> None:
    assert read_header(_encoded(4, 4, form)) == ImageHeader(UNKNOWN)


@given(
    head=st.sampled_from(
        [
            b"",
            b"\x89PNG\r\n\x1a\n",
            b"\xff\xd8\xff",
            b"RIFF\0\0\0\0WEBP",
            b"\xabKTX 20\xbb\r\n\x1a\n",
        ]
    ),
    tail=st.binary(max_size=64),
)
def test_broken_headers_have_no_size_and_raise_nothing(head: bytes, tail: bytes) -> None:
    header = read_header(head + tail)
    assert (header.width is None) == (header.height is None)


def test_a_jpeg_of_endless_segments_is_given_up() -> None:
    """Each is legal; a hostile file has millions of them."""
    data = b"\xff\xd8" + b"\xff\xe0\0\2" * 2_000_000
    assert read_header(data) == ImageHeader("image/jpeg")
