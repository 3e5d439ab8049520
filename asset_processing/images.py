"""What an image's own first bytes say: its format and its size. Nothing is decoded.

The declared ``mimeType`` is never trusted. Formats: PNG (RFC 2083, 3.2 and 4.1.1), JPEG (ITU T.81,
B.2.2), WebP (RFC 9649), KTX2 (Khronos KTX 2.0, section 3).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["UNKNOWN", "ImageHeader", "read_header"]

UNKNOWN = "application/octet-stream"

_KTX2_MAGIC = b"\xabKTX 20\xbb\r\n\x1a\n"
# Start-of-frame markers: 0xC0 to 0xCF without DHT (C4), JPG (C8) and DAC (CC).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MAX_SEGMENTS = 4096  # Cameras write some dozens before the frame; hostile files, millions.
_BARE = frozenset(range(0xD0, 0xD9)) | {0x01}  # Markers without a length.


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Format and size of an image.

    Attributes:
        media_type: ``image/png``, ``image/jpeg``, ``image/webp``, ``image/ktx2`` or `UNKNOWN`.
        width: Pixels; None where the header is unknown or broken.
        height: Pixels; None where ``width`` is.
    """

    media_type: str
    width: int | None = None
    height: int | None = None

    @property
    def pixels(self) -> int:
        """Width x height; 0 where they are unknown."""
        return (self.width or 0) * (self.height or 0)


def read_header(data: bytes | memoryview) -> ImageHeader:
    """Return what the first bytes of an image say. Broken headers have no size."""
    view = memoryview(data)
    head = bytes(view[:32])
    for matches, media_type, read_size in _FORMATS:
        if matches(head):
            try:
                width, height = read_size(view)
            except (struct.error, IndexError):
                return ImageHeader(media_type)
            return ImageHeader(media_type, width, height)
    return ImageHeader(UNKNOWN)


def _png_size(data: memoryview) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _ktx2_size(data: memoryview) -> tuple[int, int]:
    width, height = struct.unpack_from("<II", data, 20)
    return width, max(height, 1)  # 0 is a one-dimensional texture.


def _webp_size(data: memoryview) -> tuple[int, int]:
    kind = bytes(data[12:16])
    if kind == b"VP8X":
        packed = bytes(data[24:30])
        if len(packed) < 6:  # noqa: PLR2004  # Two numbers of three bytes.
            raise IndexError
        return 1 + int.from_bytes(packed[:3], "little"), 1 + int.from_bytes(packed[3:], "little")
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind != b"VP8 ":
        raise IndexError
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg_size(data: memoryview) -> tuple[int, int]:
    position = 2
    for _ in range(_MAX_SEGMENTS):
        if data[position] != 0xFF:  # noqa: PLR2004  # Every marker begins so.
            raise IndexError
        marker = data[position + 1]
        if marker == 0xFF:  # noqa: PLR2004  # A fill byte.
            position += 1
        elif marker in _BARE:
            position += 2
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return width, height
        else:
            (length,) = struct.unpack_from(">H", data, position + 2)
            position += 2 + length
    raise IndexError


_FORMATS: tuple[
    tuple[Callable[[bytes], bool], str, Callable[[memoryview], tuple[int, int]]], ...
] = (
    (lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), "image/png", _png_size),
    (lambda head: head.startswith(b"\xff\xd8\xff"), "image/jpeg", _jpeg_size),
    (lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP", "image/webp", _webp_size),
    (lambda head: head.startswith(_KTX2_MAGIC), "image/ktx2", _ktx2_size),
)
