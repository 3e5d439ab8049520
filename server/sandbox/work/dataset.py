"""Read a training archive in memory, without trusting it."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from server.sandbox.errors import DatasetError, PictureError
from server.sandbox.paint import open_picture

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["DatasetLimits", "read_dataset"]

_MIB = 1024 * 1024
_THUMBNAIL = (64, 64)
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetLimits:
    """How much an archive may hold.

    Attributes:
        max_entries: Files and folders.
        max_entry_bytes: One file, unpacked.
        max_total_bytes: All pictures, unpacked.
        max_picture_pixels: One picture, decoded.
    """

    max_entries: int = 2000
    max_entry_bytes: int = 32 * _MIB
    max_total_bytes: int = 512 * _MIB
    max_picture_pixels: int = 40_000_000


def read_dataset(data: bytes, limits: DatasetLimits) -> tuple[Image.Image, ...]:
    """Read the pictures of a zip archive, or a single picture, as small RGB thumbnails.

    Nothing is written to disk. Other files, such as captions, are let be.

    Raises:
        DatasetError: The archive is damaged, too large, encrypted, or names a path outside itself.
        PictureError: It is neither archive nor picture, or a picture in it cannot be read.
    """
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return (_thumbnail(data, limits),)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            pictures = tuple(_thumbnails(archive, limits))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError):
        raise DatasetError("The archive could not be read.") from None
    if not pictures:
        raise DatasetError("The archive holds no PNG, JPEG or WebP picture.")
    return pictures


def _thumbnails(archive: zipfile.ZipFile, limits: DatasetLimits) -> list[Image.Image]:
    entries = archive.infolist()
    if len(entries) > limits.max_entries:
        raise DatasetError(f"The archive has more than {limits.max_entries} entries.")
    for entry in entries:
        _check(entry)
    found, total = [], 0
    for entry in sorted(entries, key=lambda entry: entry.filename):
        if entry.is_dir() or PurePosixPath(entry.filename).suffix.lower() not in _PICTURES:
            continue
        picture = _unpacked(archive, entry, limits)
        total += len(picture)
        if total > limits.max_total_bytes:
            raise DatasetError(f"The archive unpacks to more than {limits.max_total_bytes} bytes.")
        found.append(_thumbnail(picture, limits, name=entry.filename))
    return found


def _check(entry: zipfile.ZipInfo) -> None:
    """Refuse names that would leave the folder they are unpacked to, though nobody unpacks them."""
    name = entry.filename
    if name.startswith("/") or "\\" in name or ":" in name or ".." in PurePosixPath(name).parts:
        raise DatasetError("The archive names a path outside itself.")
    if entry.flag_bits & 1:
        raise DatasetError("The archive is encrypted.")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: DatasetLimits) -> bytes:
    """Read one more byte than allowed at most: an archive may lie about its sizes."""
    with archive.open(entry) as file:
        data = file.read(limits.max_entry_bytes + 1)
    if len(data) > limits.max_entry_bytes:
        raise DatasetError(f"A file in the archive is larger than {limits.max_entry_bytes} bytes.")
    return data


def _thumbnail(data: bytes, limits: DatasetLimits, *, name: str | None = None) -> Image.Image:
    try:
        picture = open_picture(data, max_pixels=limits.max_picture_pixels)
    except PictureError:
        if name is None:
            raise
        raise PictureError(f"The image '{name[:64]}' of the archive could not be read.") from None
    return picture.convert("RGB").resize(_THUMBNAIL)
