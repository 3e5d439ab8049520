"""Images as arrays and back. Only what must change is ever decoded.

Pillow reads and writes the three formats; its other decoders, some of which start programs, are
never asked.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

    from asset_processing.document import Image

__all__ = [
    "DECODABLE",
    "Pixels",
    "Undecodable",
    "decode",
    "encode",
    "has_alpha_channel",
    "is_lossless",
]

Pixels: TypeAlias = NDArray[np.uint8]
"""Shape (height, width, channels), with 3 channels or 4; the first row is the upper one."""

_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
DECODABLE = frozenset(_FORMATS)
"""Media types that `decode` reads."""

_PNG_DEPTH, _PNG_KIND = 24, 25  # Offsets in the file (PNG, 11.2.2).
_PNG_WITH_ALPHA = frozenset({4, 6})
_WEBP_ALPHA = 0x10  # Of the VP8X flags (RFC 9649, 2.7).
_JPEG_QUALITY = 92
_WEBP_QUALITY = 90
_STRIP = 256  # Rows converted at once.
_PNG_LEVEL = 3  # Level 6 takes four times as long for 15 % fewer bytes.


class Undecodable(Exception):
    """The pixels cannot be had; the message says why, as part of a sentence."""


def decode(image: Image, *, to_look: bool = False) -> Pixels:
    """Return an image's pixels, 8 bits each; grey and palettes become colours.

    Args:
        image: The image.
        to_look: Whether the pixels are only looked at, so that 16 bits may become 8.

    Raises:
        Undecodable: The format is not one of ours, the file is broken, or 16 bits would be lost.
    """
    from PIL import Image as Pillow  # noqa: PLC0415  # Most files decode no image.

    header = image.header
    name = _FORMATS.get(header.media_type)
    if name is None or header.width is None:
        raise Undecodable(f"it is {header.media_type}")
    if _is_deep(image) and not to_look:
        raise Undecodable("it has 16 bits per channel, which would be lost")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Pillow.open(io.BytesIO(image.data), formats=[name]) as opened:
                if opened.size != (header.width, header.height):
                    raise Undecodable("its header contradicts itself")
                return _read(opened, "RGBA" if opened.has_transparency_data else "RGB")
    except (OSError, SyntaxError, ValueError, Warning, Pillow.DecompressionBombError) as exc:
        raise Undecodable("its bytes are broken") from exc


def _read(opened: PillowImage, mode: str) -> Pixels:
    """Return an image's pixels, strip by strip: a copy of the largest one takes 256 MiB."""
    width, height = opened.size
    found = np.empty((height, width, len(mode)), np.uint8)
    for top in range(0, height, _STRIP):
        strip = opened.crop((0, top, width, min(top + _STRIP, height)))
        rows = found[top : top + _STRIP]
        if strip.mode.startswith("I"):  # Pillow would cut instead of scaling.
            rows[...] = (np.asarray(strip).astype(np.uint32) >> 8)[..., None]
        else:
            rows[...] = np.asarray(strip if strip.mode == mode else strip.convert(mode))
    return found


def encode(pixels: Pixels, *, media_type: str, lossless: bool) -> bytes:
    """Return pixels as a file. The same pixels always give the same bytes.

    Args:
        pixels: The pixels; for JPEG without alpha.
        media_type: PNG, JPEG or WebP.
        lossless: For WebP; PNG is always lossless and JPEG never.
    """
    from PIL import Image as Pillow  # noqa: PLC0415  # Most files decode no image.

    beside = io.BytesIO()
    picture = Pillow.fromarray(pixels)
    if media_type == "image/png":
        picture.save(beside, "PNG", compress_level=_PNG_LEVEL)
    elif media_type == "image/jpeg":
        picture.save(beside, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    else:
        # Exact: the colours under transparent pixels count where the material is opaque.
        picture.save(beside, "WEBP", quality=_WEBP_QUALITY, lossless=lossless, exact=True)
    return beside.getvalue()


def is_lossless(image: Image) -> bool:
    """Tell whether the format of an image keeps every pixel."""
    return image.header.media_type == "image/png" or bytes(image.data[12:16]) == b"VP8L"


def has_alpha_channel(image: Image) -> bool:
    """Tell by its first bytes whether an image can be transparent anywhere."""
    data = image.data
    if image.header.media_type == "image/png":
        if len(data) <= _PNG_KIND:
            return False
        # A palette or a key colour declares transparency in tRNS, which stands before IDAT.
        before = bytes(data[:4096]).partition(b"IDAT")[0]
        return data[_PNG_KIND] in _PNG_WITH_ALPHA or b"tRNS" in before
    if image.header.media_type != "image/webp":
        return False
    kind = bytes(data[12:16])
    if kind == b"VP8L":
        return bool(data[24] & 0x10)  # Width and height take 28 bits, alpha the next.
    return kind == b"VP8X" and bool(data[20] & _WEBP_ALPHA)


def _is_deep(image: Image) -> bool:
    is_png = image.header.media_type == "image/png"
    return is_png and image.data[_PNG_DEPTH] > 8  # noqa: PLR2004  # Bits.
