"""Blobs in a folder: this machine's own, or a share that many nodes mount."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING

from server.storage.blobs import Blob, BlobMissing, BlobReader, BlobWriter
from server.storage.faults import told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from datetime import datetime
    from pathlib import Path

    from server.storage.blobs import StoredBlob
    from server.storage.folder import BlobFolder
    from server.storage.scratch import Scratch

__all__ = ["LocalBlobs"]


class LocalBlobs:
    """Fulfils `server.storage.Blobs` with a folder."""

    def __init__(self, folder: BlobFolder, scratch: Scratch) -> None:
        self._folder = folder
        self._scratch = scratch

    @property
    def free_bytes(self) -> int:
        """See `Blobs.free_bytes`."""
        with told():
            return min(shutil.disk_usage(self._folder.place).free, self._scratch.free_bytes)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """See `Blobs.scratch`."""
        with self._scratch.folder() as folder:
            yield folder

    def writer(self) -> BlobWriter:
        """See `Blobs.writer`."""
        with told():
            file, path = self._folder.new_file()
        return BlobWriter(file=file, path=path, keep=self._keep)

    async def put(self, data: bytes) -> Blob:
        """See `Blobs.put`."""
        async with self.writer() as writer:
            writer.write(data)
            return await writer.commit()

    async def put_file(self, path: Path) -> Blob:
        """See `Blobs.put_file`."""
        with told():
            return await asyncio.to_thread(self._put_file, path)

    async def exists(self, sha256: str) -> bool:
        """See `Blobs.exists`."""
        try:
            await self.describe(sha256)
        except BlobMissing:
            return False
        return True

    async def describe(self, sha256: str) -> Blob:
        """See `Blobs.describe`."""
        with told():
            return Blob(sha256=sha256, size_bytes=self._folder.size(sha256))

    @contextlib.asynccontextmanager
    async def open(self, sha256: str) -> AsyncIterator[BlobReader]:
        """See `Blobs.open`."""
        await self._checked(sha256)
        with contextlib.ExitStack() as stack:
            with told():
                reader = stack.enter_context(self._folder.mapped(sha256))
            yield reader

    @contextlib.asynccontextmanager
    async def local_copy(self, sha256: str) -> AsyncIterator[Path]:
        """See `Blobs.local_copy`."""
        yield await self._checked(sha256)

    async def list(self) -> AsyncIterator[StoredBlob]:
        """See `Blobs.list`."""
        with told():
            found = await asyncio.to_thread(self._folder.list)
        for one in found:
            yield one

    async def delete(self, sha256: str, *, unless_stored_since: datetime) -> bool:
        """See `Blobs.delete`."""
        with told():
            try:
                if self._folder.stored_at(sha256) >= unless_stored_since:
                    return False
            except BlobMissing:
                return True
            self._folder.delete(sha256)
        return True

    async def _checked(self, sha256: str) -> Path:
        """Return a blob's file; a thread is needed for its first time alone."""
        with told():
            if self._folder.is_sound(sha256):
                return self._folder.check(sha256)
            return await asyncio.to_thread(self._folder.check, sha256)

    async def _keep(self, path: Path, blob: Blob) -> None:
        with told():
            await asyncio.to_thread(self._folder.keep, path, blob)

    def _put_file(self, path: Path) -> Blob:
        copy, blob = self._folder.copy(path)
        try:
            self._folder.keep(copy, blob)
        finally:
            copy.unlink(missing_ok=True)
        return blob
