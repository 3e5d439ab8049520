"""Copies of remote blobs on this machine, up to a number of bytes."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from server.storage.blobs import Blob
    from server.storage.folder import BlobFolder

__all__ = ["BlobCache"]


class BlobCache:
    """Keeps what was used last. Only what is in use now may exceed the bound."""

    def __init__(self, folder: BlobFolder, *, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        stored = sorted(folder.list(), key=lambda one: one.stored_at)
        self._sizes = {one.blob.sha256: one.blob.size_bytes for one in stored}
        self._used: Counter[str] = Counter()
        self._make_room(0)

    @property
    def size_bytes(self) -> int:
        """How many bytes are kept."""
        return sum(self._sizes.values())

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._sizes

    @contextlib.contextmanager
    def in_use(self, sha256: str) -> Iterator[None]:
        """Keep a blob, once it is there, for as long as the context is open."""
        self._used[sha256] += 1
        try:
            if sha256 in self._sizes:
                self._sizes[sha256] = self._sizes.pop(sha256)  # Used last, dropped last.
            yield
        finally:
            self._used[sha256] -= 1
            if not self._used[sha256]:
                del self._used[sha256]
            self._make_room(0)

    def make_room(self, size_bytes: int) -> None:
        """Drop what was not used for longest until so many bytes fit."""
        self._make_room(size_bytes)

    def add(self, file: Path, blob: Blob) -> None:
        """Take a complete file; blocks."""
        self.folder.keep(file, blob)
        self._sizes[blob.sha256] = blob.size_bytes

    def drop(self, sha256: str) -> None:
        """Forget a blob."""
        self._sizes.pop(sha256, None)
        self.folder.delete(sha256)

    def _make_room(self, size_bytes: int) -> None:
        excess = self.size_bytes + size_bytes - self._max_bytes
        for sha256, size in list(self._sizes.items()):
            if excess <= 0:
                return
            if sha256 not in self._used:
                self.drop(sha256)
                excess -= size
