"""What bytes are, told from the bytes alone."""

from __future__ import annotations

import io
import warnings

from PIL import Image, UnidentifiedImageError

__all__ = ["HEAD_BYTES", "is_picture", "media_type", "picture_problem", "suffix"]

HEAD_BYTES = 64
OCTETS = "application/octet-stream"
_SAFETENSORS = "application/x-safetensors"

_MAX_PIXELS = 8192 * 8192
_MAX_SAFETENSORS_HEADER = 100_000_000  # As the format's own readers allow.
_PICTURES = ("PNG", "JPEG", "WEBP")
_MAGIC = (
    (b"glTF", "model/gltf-binary"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\xabKTX 20\xbb\r\n\x1a\n", "image/ktx2"),
    (b"PK\x03\x04", "application/zip"),
    (b"{", "application/json"),
)
_SUFFIXES = {
    "model/gltf-binary": ".glb",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/ktx2": ".ktx2",
    "application/zip": ".zip",
    "application/json": ".json",
    _SAFETENSORS: ".safetensors",
}


def media_type(head: bytes) -> str:
    """Return the media type of bytes that begin with `head` (the first 64 suffice)."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    # safetensors: the length of a JSON object in eight bytes, then the object.
    if head[8:10] == b'{"' and int.from_bytes(head[:8], "little") < _MAX_SAFETENSORS_HEADER:
        return _SAFETENSORS
    return next((name for magic, name in _MAGIC if head.startswith(magic)), OCTETS)


def suffix(kind: str) -> str:
    """Return the ending of a file's name for a media type."""
    return _SUFFIXES.get(kind, ".bin")


def is_picture(kind: str) -> bool:
    """Tell whether a media type is a picture's."""
    return kind in ("image/png", "image/jpeg", "image/webp")


def picture_problem(data: bytes) -> str | None:
    """Return why `data` is no usable picture, or None. Reads the header, not the pixels."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # The pixel limit below is ours, and lower.
            with Image.open(io.BytesIO(data), formats=_PICTURES) as picture:
                width, height = picture.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return f"It is no picture that a model reads ({', '.join(_PICTURES)})."
    if width * height > _MAX_PIXELS:
        return f"It has {width} x {height} pixels; at most {_MAX_PIXELS} fit."
    return None
