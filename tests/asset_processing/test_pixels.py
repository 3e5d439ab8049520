"""Pixels go in and out; what cannot be decoded says why."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow

from asset_processing.document import Image
from asset_processing.images import read_header
from asset_processing.pixels import (
    Undecodable,
    decode,
    encode,
    has_alpha_channel,
    is_lossless,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb

_TYPES = ("image/png", "image/jpeg", "image/webp")


def _image(data: bytes) -> Image:
    return Image(read_header(data), memoryview(data), None)


def _saved(picture: Pillow.Image, kind: str, **how: object) -> Image:
    beside = io.BytesIO()
    picture.save(beside, kind, **how)
    return _image(beside.getvalue())


def _noise(channels: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (5, 8, channels), dtype=np.uint8)


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("media_type", ["image/png", "image/webp"])
def test_lossless_formats_keep_every_pixel(media_type: str, channels: int) -> None:
    """Also the colours of pixels that nobody sees."""
    pixels = _noise(channels)
    if channels == 4:
        pixels[..., 3] = [0, 1, 128, 254, 255, 0, 0, 255]
    image = _image(encode(pixels, media_type=media_type, lossless=True))
    assert image.header.media_type == media_type
    assert is_lossless(image)
    assert has_alpha_channel(image) is (channels == 4)
    assert np.array_equal(decode(image), pixels)


@pytest.mark.parametrize("media_type", ["image/jpeg", "image/webp"])
def test_lossy_formats_stay_near(media_type: str) -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    pixels = np.stack([np.tile(ramp, (64, 1))] * 3, axis=2)
    image = _image(encode(pixels, media_type=media_type, lossless=False))
    assert not is_lossless(image)
    assert not has_alpha_channel(image)
    assert np.abs(decode(image).astype(int) - pixels).mean() < 2


def test_grey_palettes_and_key_colours_become_colours() -> None:
    grey = Pillow.fromarray(_noise(3)[..., 0])
    assert decode(_saved(grey, "PNG")).shape == (5, 8, 3)
    palette = Pillow.fromarray(_noise(3)).quantize(16)
    keyed = _saved(palette, "PNG", transparency=3)
    assert has_alpha_channel(keyed)
    assert set(decode(keyed)[..., 3].flat) <= {0, 255}
    assert not has_alpha_channel(_saved(palette, "PNG"))


def test_lossy_webp_says_whether_it_has_alpha() -> None:
    pixels = _noise(4)
    assert has_alpha_channel(_saved(Pillow.fromarray(pixels), "WEBP", quality=80))
    assert not has_alpha_channel(_saved(Pillow.fromarray(pixels[..., :3]), "WEBP", quality=80))


@pytest.mark.parametrize("media_type", _TYPES)
def test_truncated_files_are_named_broken(media_type: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encode(noise, media_type=media_type, lossless=True)
    with pytest.raises(Undecodable, match="broken"):
        decode(_image(data[: len(data) // 2]))


def test_headers_that_promise_what_is_not_there_are_refused(glb: type[Glb]) -> None:
    with pytest.raises(Undecodable, match="broken"):
        decode(_image(glb.png(4, 4)))
    for data in (b"GIF89a....", b"\xabKTX 20\xbb\r\n\x1a\n" + struct.pack("<6I", *[8] * 6)):
        with pytest.raises(Undecodable, match="it is "):
            decode(_image(data))


def test_sixteen_bits_are_not_thrown_away() -> None:
    deep = Pillow.fromarray(np.full((4, 4), 40_000, dtype=np.uint16))
    with pytest.raises(Undecodable, match="16 bits"):
        decode(_saved(deep, "PNG"))
    looked = decode(_saved(deep, "PNG"), to_look=True)
    assert (looked == 40_000 >> 8).all()


def test_every_readable_picture_of_the_samples_decodes_to_its_size(sample: Path) -> None:
    from asset_processing.document import GlbDocument  # noqa: PLC0415

    for image in GlbDocument.parse(sample.read_bytes()).images:
        if image.header.media_type in _TYPES:
            pixels = decode(image, to_look=True)
            assert pixels.shape[:2] == (image.header.height, image.header.width)
            assert has_alpha_channel(image) is (pixels.shape[2] == 4)
