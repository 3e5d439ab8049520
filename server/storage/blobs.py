"""What a home for bytes can do. Blobs are named by their SHA-256 and never change."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self

from server.storage.faults import told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

__all__ = ["Blob", "BlobMissing", "BlobReader", "BlobWriter", "Blobs", "StoredBlob"]


class BlobMissing(Exception):
    """No blob has this hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Stored bytes."""

    sha256: str  # Lower-case hexadecimal.
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlob:
    """A blob as a listing shows it."""

    blob: Blob
    stored_at: datetime  # When it was stored last; storing the same bytes again counts.


class BlobReader:
    """Shows a blob's bytes.

    They are mapped, not read: they come from the page cache, without a call into the kernel and
    without a hop to a thread, which costs several times as much (benchmarks/README.md, "Reading in
    the handler").
    """

    def __init__(self, bytes_: memoryview) -> None:
        self._bytes = bytes_

    @property
    def size_bytes(self) -> int:
        """How many there are."""
        return len(self._bytes)

    def view(self, offset: int, size: int) -> memoryview:
        """Return `size` bytes from an offset on, fewer at the end. Let go of it before the blob."""
        return self._bytes[offset : offset + size]

    def read(self, size: int) -> bytes:
        """Return a copy of the first `size` bytes, fewer when there are fewer."""
        return bytes(self._bytes[:size])


class BlobWriter:
    """Takes bytes piece by piece; `commit` makes them a blob, leaving without it discards them."""

    def __init__(
        self, *, file: BinaryIO, path: Path, keep: Callable[[Path, Blob], Awaitable[None]]
    ) -> None:
        self._file = file
        self._path = path
        self._keep = keep
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> None:
        """Append `data`.

        Raises:
            DiskFull: There is no space left.
            StorageUnavailable: The folder fails.
        """
        with told():
            self._file.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)

    @property
    def sha256(self) -> str:
        """The hash of what was written so far."""
        return self._hash.hexdigest()

    async def commit(self) -> Blob:
        """Make what was written a blob.

        Raises:
            DiskFull: There is no space left.
            StorageUnavailable: The place does not take it.
        """
        blob = Blob(sha256=self.sha256, size_bytes=self.size_bytes)
        with told():
            await asyncio.to_thread(self._close)
        await self._keep(self._path, blob)
        return blob

    def _close(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()  # Windows cannot rename an open file.

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with told():
            self._path.unlink(missing_ok=True)
            self._file.close()


class Blobs(Protocol):
    """A home for bytes: written whole or not at all, checked before they are shown.

    Besides what is listed, each method raises `StorageUnavailable` when the place does not answer,
    and those that write raise `DiskFull` when there is no space left.
    """

    @property
    def free_bytes(self) -> int:
        """Free space on the disk that work and blobs, or copies of them, need."""

    def scratch(self) -> AbstractContextManager[Path]:
        """Lend an empty folder of this machine that is removed afterwards."""

    def writer(self) -> BlobWriter:
        """Begin a blob of unknown length."""

    async def put(self, data: bytes) -> Blob:
        """Store bytes that are in memory."""

    async def put_file(self, path: Path) -> Blob:
        """Store a copy of a file."""

    async def exists(self, sha256: str) -> bool:
        """Tell whether a blob is there."""

    async def describe(self, sha256: str) -> Blob:
        """Return a stored blob by its hash.

        Raises:
            BlobMissing: There is none with this hash.
        """

    def open(self, sha256: str) -> AbstractAsyncContextManager[BlobReader]:
        """Open a blob.

        Raises:
            BlobMissing: There is none with this hash.
            AssetCorrupt: The bytes have another hash.
        """

    def local_copy(self, sha256: str) -> AbstractAsyncContextManager[Path]:
        """Lend a blob as a file of this machine that must not be changed.

        Raises:
            BlobMissing: There is none with this hash.
            AssetCorrupt: The bytes have another hash.
        """

    def list(self) -> AsyncIterator[StoredBlob]:
        """Yield every blob, in no order."""

    async def delete(self, sha256: str, *, unless_stored_since: datetime) -> bool:
        """Remove a blob, unless it was stored (again) since a time; tell whether it is gone."""
