"""Hostile, damaged and unusual pictures."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from server.sandbox.errors import PictureError
from server.sandbox.mesh.picture import decode_picture

LIMIT = 1_000_000


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>Not found</html>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0" + bytes(40),
        b"RIFF\x10\x00\x00\x00WEBPVP8 ",
        saved(Image.new("RGB", (8, 8)), "GIF"),
        saved(Image.new("RGB", (8, 8)), "TIFF"),
        saved(Image.effect_noise((64, 64), 90), "PNG")[:900],
    ],
)
def test_what_is_no_complete_png_jpeg_or_webp_could_not_be_read(data: bytes) -> None:
    with pytest.raises(PictureError, match="could not be read"):
        decode_picture(data, max_pixels=LIMIT)


def test_a_bomb_is_refused_by_its_header_alone() -> None:
    """A header that promises 60 000 x 60 000 pixels, and no data."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk
    data += struct.pack(">I", zlib.crc32(chunk)) + struct.pack(">I", 0) + b"IDAT" + bytes(4)
    with pytest.raises(PictureError):
        decode_picture(data, max_pixels=LIMIT)


def test_too_many_pixels_are_named_in_the_message() -> None:
    with pytest.raises(PictureError, match="2000 x 1000"):
        decode_picture(saved(Image.new("RGB", (2000, 1000)), "PNG"), max_pixels=LIMIT)


@given(st.binary(max_size=300), st.integers(0, 2000))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damage_is_an_error_of_ours_or_a_picture(damage: bytes, at: int) -> None:
    good = bytearray(saved(Image.effect_noise((40, 40), 50), "JPEG"))
    good[at : at + len(damage)] = damage
    try:
        decode_picture(bytes(good), max_pixels=LIMIT)
    except PictureError:
        return


def test_the_exif_orientation_is_applied() -> None:
    """Orientation 6 shows the stored left edge at the top."""
    stored = np.zeros((600, 800, 3), dtype=np.uint8)
    stored[:, :400] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    shown = decode_picture(saved(Image.fromarray(stored), "JPEG", exif=exif), max_pixels=LIMIT)
    assert shown.colours.shape[:2] == (800, 600)
    assert shown.colours[:300].mean() > 0.95
    assert shown.colours[500:].mean() < 0.05


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"])
def test_every_pixel_format_becomes_colours_in_range(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    found = decode_picture(saved(Image.new(mode, (600, 600)), kind), max_pixels=LIMIT)
    assert found.colours.shape == (600, 600, 3)
    assert 0 <= found.colours.min() <= found.colours.max() <= 1
    assert (found.alpha is not None) == (mode in {"LA", "RGBA"})


def test_a_palette_with_a_transparent_entry_has_alpha() -> None:
    image = Image.new("P", (600, 600), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.paste(1, (100, 100, 300, 300))
    found = decode_picture(saved(image, "PNG", transparency=0), max_pixels=LIMIT)
    assert found.alpha is not None
    assert found.alpha[0, 0] == 0
    assert found.alpha[200, 200] == 1


@pytest.mark.parametrize("size", [(1, 1), (3000, 2), (64, 48)])
def test_odd_sizes_come_to_working_size(size: tuple[int, int]) -> None:
    found = decode_picture(saved(Image.new("RGB", size), "PNG"), max_pixels=LIMIT)
    assert 512 <= max(found.colours.shape[:2]) <= 1536
