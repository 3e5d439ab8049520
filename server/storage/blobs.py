"""Content-addressed bytes in a local folder, each written whole or not at all.

```text
ROOT/sha256/ab/abcdef...   a blob, named by its hash, never changed
ROOT/scratch/              unfinished writes and work in progress, emptied at start
```

Other homes for the bytes (S3 and its kin) fit behind the same methods: nothing above asks for a
path except `local_copy` and `scratch`, which promise no more than a file on this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import mmap
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType

__all__ = ["Blob", "BlobMissing", "BlobReader", "BlobStore", "BlobWriter"]

_COPY_BYTES = 1 << 20


class BlobMissing(Exception):
    """No blob has this hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Stored bytes."""

    sha256: str  # Lower-case hexadecimal.
    size_bytes: int


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

    def __init__(self, store: BlobStore, file: BinaryIO, path: Path) -> None:
        self._store = store
        self._file = file
        self._path = path
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> None:
        """Append `data`."""
        self._file.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)

    @property
    def sha256(self) -> str:
        """The hash of what was written so far."""
        return self._hash.hexdigest()

    async def commit(self) -> Blob:
        """Make what was written a blob."""
        blob = Blob(sha256=self.sha256, size_bytes=self.size_bytes)
        await asyncio.to_thread(self._store._settle, self._file, self._path, blob)  # noqa: SLF001 - one class in two
        return blob

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


class BlobStore:
    """The blobs of one data folder."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / "sha256"
        self._scratch = root / "scratch"
        shutil.rmtree(self._scratch, ignore_errors=True)
        for folder in (self._blobs, self._scratch):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def free_bytes(self) -> int:
        """Free space where the blobs are."""
        return shutil.disk_usage(self._blobs).free

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """Lend an empty folder that is removed afterwards."""
        with tempfile.TemporaryDirectory(dir=self._scratch, ignore_cleanup_errors=True) as folder:
            yield Path(folder)

    def writer(self) -> BlobWriter:
        """Begin a blob of unknown length."""
        handle, name = tempfile.mkstemp(dir=self._scratch)
        return BlobWriter(self, os.fdopen(handle, "wb"), Path(name))

    async def put(self, data: bytes) -> Blob:
        """Store bytes that are in memory."""
        async with self.writer() as writer:
            writer.write(data)
            return await writer.commit()

    async def put_file(self, path: Path) -> Blob:
        """Store a copy of a file."""
        return await asyncio.to_thread(self._put_file, path)

    def exists(self, sha256: str) -> bool:
        """Tell whether a blob is there."""
        return self._path(sha256).exists()

    def describe(self, sha256: str) -> Blob:
        """Return a stored blob by its hash.

        Raises:
            BlobMissing: There is none with this hash.
        """
        try:
            return Blob(sha256=sha256, size_bytes=self._path(sha256).stat().st_size)
        except FileNotFoundError as exc:
            raise BlobMissing(sha256) from exc

    @contextlib.contextmanager
    def open(self, sha256: str) -> Iterator[BlobReader]:
        """Open a blob.

        Raises:
            BlobMissing: There is none with this hash.
        """
        try:
            file = self._path(sha256).open("rb")
        except FileNotFoundError as exc:
            raise BlobMissing(sha256) from exc
        with file:
            if os.fstat(file.fileno()).st_size == 0:  # Nothing cannot be mapped.
                yield BlobReader(memoryview(b""))
                return
            with (
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
                memoryview(mapped) as view,
            ):
                yield BlobReader(view)

    @contextlib.asynccontextmanager
    async def local_copy(self, sha256: str) -> AsyncIterator[Path]:
        """Lend a blob as a file that must not be changed.

        Raises:
            BlobMissing: There is none with this hash.
        """
        path = self._path(sha256)
        if not path.exists():
            raise BlobMissing(sha256)
        yield path

    def _path(self, sha256: str) -> Path:
        return self._blobs / sha256[:2] / sha256

    def _put_file(self, path: Path) -> Blob:
        digest = hashlib.sha256()
        handle, name = tempfile.mkstemp(dir=self._scratch)
        try:
            with path.open("rb") as source, os.fdopen(handle, "wb") as copy:
                while piece := source.read(_COPY_BYTES):
                    digest.update(piece)
                    copy.write(piece)
                blob = Blob(sha256=digest.hexdigest(), size_bytes=copy.tell())
                self._settle(copy, Path(name), blob)
        finally:
            Path(name).unlink(missing_ok=True)
        return blob

    def _settle(self, file: BinaryIO, path: Path, blob: Blob) -> None:
        """Give a complete file its place. Bytes first, then the name, then the folder's entry."""
        file.flush()
        os.fsync(file.fileno())
        target = self._path(blob.sha256)
        if target.exists():
            return
        target.parent.mkdir(exist_ok=True)
        file.close()  # Windows cannot rename an open file.
        path.replace(target)
        _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows has no handle of a folder; NTFS journals the rename.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
