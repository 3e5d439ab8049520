"""The records and the fetched files, on disk: one JSON a job, one file an asset."""

from __future__ import annotations

import hashlib
import json
import os
import re
from typing import TYPE_CHECKING

from .record import from_json, to_json

if TYPE_CHECKING:
    from pathlib import Path

    from .record import Record

__all__ = ["Store"]

_SUFFIXES = {
    "model/gltf-binary": ".glb",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
}
_HASH = re.compile(r"[0-9a-f]{64}")


class Store:
    """A folder of the user's. Writing is atomic; a file that cannot be read is left alone."""

    def __init__(self, folder: Path) -> None:
        self._jobs = folder / "jobs"
        self._assets = folder / "assets"

    def load(self) -> list[Record]:
        """Return the records, oldest first."""
        found = []
        for path in self._jobs.glob("*.json"):
            try:
                found.append(from_json(json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, TypeError, KeyError):
                continue
        return sorted(found, key=lambda record: record.created_s)

    def save(self, record: Record) -> None:
        """Keep a record.

        Raises:
            OSError: The disk is full or the folder is not ours.
        """
        self._jobs.mkdir(parents=True, exist_ok=True)
        path = self._jobs / f"{record.request_id}.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(to_json(record)), encoding="utf-8")
        os.replace(fresh, path)  # noqa: PTH105  # One call for both systems' atomic rename.

    def forget(self, request_id: str) -> None:
        """Drop a record."""
        (self._jobs / f"{request_id}.json").unlink(missing_ok=True)

    def keep_picture(self, data: bytes) -> str:
        """Keep a picture until its job has been sent, and return its SHA-256.

        Raises:
            OSError: As `save`.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.asset_path(sha256, "")
        path.parent.mkdir(parents=True, exist_ok=True)
        # Another job may be reading it just now, so it is never written in place.
        if not path.exists() or path.read_bytes() != data:
            fresh = path.with_suffix(".new")
            fresh.write_bytes(data)
            os.replace(fresh, path)  # noqa: PTH105  # As above.
        return sha256

    def asset_path(self, sha256: str, media_type: str) -> Path:
        """Return where an asset's bytes belong.

        Raises:
            ValueError: That is no SHA-256.
        """
        if not _HASH.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is no SHA-256")
        return self._assets / f"{sha256}{_SUFFIXES.get(media_type, '.bin')}"
