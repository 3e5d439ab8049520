"""Blobs in a bucket of the S3 kind, with copies of those in use on this machine.

```text
s3://BUCKET/PREFIX/sha256/ab/abcdef...
```

An object appears when its upload is complete, so a blob is there whole or not at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO

import obstore

from server.buckets import STORE_FAILURES
from server.errors import AssetCorrupt
from server.storage.blobs import Blob, BlobMissing, BlobReader, BlobWriter, StoredBlob
from server.storage.faults import bucket_failed, corrupt, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from obstore import ObjectMeta
    from obstore.store import ObjectStore

    from server.storage.cache import BlobCache
    from server.storage.scratch import Scratch

__all__ = ["RemoteBlobs"]

_PIECE_BYTES = 1 << 20
_PARTS_AT_ONCE = 4
_PART_BYTES = 5 << 20
_TYPE = {"Content-Type": "application/octet-stream"}
_ROOT = "sha256"
_HASH_CHARS = 64
# Storing the same bytes again renews the object's time, which sweepers look at, but not each time:
# they leave alone for an hour what no row names yet.
_RENEW_AFTER = timedelta(minutes=10)


class RemoteBlobs:
    """Fulfils `server.storage.Blobs` with a bucket.

    `store` answers questions and gives up soon; `patient` takes writes, for which somebody may
    have paid, and gives up late.
    """

    def __init__(
        self,
        *,
        store: ObjectStore,
        patient: ObjectStore,
        cache: BlobCache,
        scratch: Scratch,
    ) -> None:
        self._store = store
        self._patient = patient
        self._cache = cache
        self._scratch = scratch
        self._doubtful: set[str] = set()  # Found changed in the bucket.
        self._fetching: dict[str, asyncio.Lock] = {}

    @property
    def free_bytes(self) -> int:
        """See `Blobs.free_bytes`."""
        with told():
            return self._scratch.free_bytes

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """See `Blobs.scratch`."""
        with self._scratch.folder() as folder:
            yield folder

    def writer(self) -> BlobWriter:
        """See `Blobs.writer`."""
        with told():
            file, path = self._cache.folder.new_file()
        return BlobWriter(file=file, path=path, keep=self._keep)

    async def put(self, data: bytes) -> Blob:
        """See `Blobs.put`."""
        async with self.writer() as writer:
            writer.write(data)
            return await writer.commit()

    async def put_file(self, path: Path) -> Blob:
        """See `Blobs.put_file`."""
        with told():
            copy, blob = await asyncio.to_thread(self._cache.folder.copy, path)
        try:
            await self._keep(copy, blob)
        finally:
            copy.unlink(missing_ok=True)
        return blob

    async def exists(self, sha256: str) -> bool:
        """See `Blobs.exists`."""
        return sha256 in self._cache or await self._head(sha256) is not None

    async def describe(self, sha256: str) -> Blob:
        """See `Blobs.describe`."""
        if sha256 in self._cache:
            with told(), contextlib.suppress(BlobMissing):
                return Blob(sha256=sha256, size_bytes=self._cache.folder.size(sha256))
        stored = await self._head(sha256)
        if stored is None:
            raise BlobMissing(sha256)
        return stored.blob

    @contextlib.asynccontextmanager
    async def open(self, sha256: str) -> AsyncIterator[BlobReader]:
        """See `Blobs.open`."""
        with self._cache.in_use(sha256):
            await self._here(sha256)
            with self._cache.folder.mapped(sha256) as reader:
                yield reader

    @contextlib.asynccontextmanager
    async def local_copy(self, sha256: str) -> AsyncIterator[Path]:
        """See `Blobs.local_copy`."""
        with self._cache.in_use(sha256):
            yield await self._here(sha256)

    async def list(self) -> AsyncIterator[StoredBlob]:
        """See `Blobs.list`."""
        try:
            async for batch in obstore.list(self._store, _ROOT):
                for meta in batch:
                    name = meta["path"].rpartition("/")[2]
                    if len(name) == _HASH_CHARS:
                        yield _stored(name, meta)
        except STORE_FAILURES as exc:
            raise bucket_failed(exc) from None

    async def delete(self, sha256: str, *, unless_stored_since: datetime) -> bool:
        """See `Blobs.delete`."""
        stored = await self._head(sha256)
        if stored is not None:
            if stored.stored_at >= unless_stored_since:
                return False
            try:
                await obstore.delete_async(self._store, _name(sha256))
            except FileNotFoundError:
                pass  # Another node was quicker.
            except STORE_FAILURES as exc:
                raise bucket_failed(exc) from None
        self._cache.drop(sha256)
        return True

    async def _head(self, sha256: str) -> StoredBlob | None:
        try:
            return _stored(sha256, await obstore.head_async(self._store, _name(sha256)))
        except FileNotFoundError:
            return None
        except STORE_FAILURES as exc:
            raise bucket_failed(exc) from None

    async def _here(self, sha256: str) -> Path:
        """Return a copy on this machine, fetched if need be, once for all who ask."""
        if (path := await self._copy(sha256)) is not None:
            return path
        lock = self._fetching.setdefault(sha256, asyncio.Lock())
        try:
            async with lock:
                if (path := await self._copy(sha256)) is not None:
                    return path  # Somebody else has fetched it meanwhile.
                return await self._fetch(sha256)
        finally:
            if not lock.locked():
                self._fetching.pop(sha256, None)

    async def _copy(self, sha256: str) -> Path | None:
        """Return the copy on this machine; a changed one is dropped."""
        folder = self._cache.folder
        try:
            with told():
                if folder.is_sound(sha256):
                    return folder.check(sha256)
                return await asyncio.to_thread(folder.check, sha256)
        except BlobMissing:
            return None
        except AssetCorrupt:
            self._cache.drop(sha256)
            return None

    async def _fetch(self, sha256: str) -> Path:
        with told():
            file, path = self._cache.folder.new_file()
        try:
            blob = await self._receive(sha256, file)
            if blob.sha256 != sha256:
                self._doubtful.add(sha256)
                raise corrupt(sha256)
            with told():
                await asyncio.to_thread(self._cache.add, path, blob)
                return self._cache.folder.check(sha256)
        finally:
            file.close()
            path.unlink(missing_ok=True)

    async def _receive(self, sha256: str, file: BinaryIO) -> Blob:
        """Write an object to a file; return what it turned out to be."""
        digest, size = hashlib.sha256(), 0
        try:
            found = await obstore.get_async(self._store, _name(sha256))
            self._cache.make_room(found.meta["size"])
            async for piece in found.stream(min_chunk_size=_PIECE_BYTES):
                with told():
                    file.write(piece)
                digest.update(piece)
                size += len(piece)
        except FileNotFoundError:
            raise BlobMissing(sha256) from None
        except STORE_FAILURES as exc:
            raise bucket_failed(exc) from None
        with told():
            file.close()
        return Blob(sha256=digest.hexdigest(), size_bytes=size)

    async def _keep(self, path: Path, blob: Blob) -> None:
        """Upload a complete file, then keep it as a copy."""
        if await self._must_upload(blob):
            try:
                await obstore.put_async(
                    self._patient,
                    _name(blob.sha256),
                    path,
                    attributes=_TYPE,
                    chunk_size=_PART_BYTES,
                    max_concurrency=_PARTS_AT_ONCE,
                )
            except STORE_FAILURES as exc:
                raise bucket_failed(exc) from None
            self._doubtful.discard(blob.sha256)
        self._cache.make_room(blob.size_bytes)
        with told():
            await asyncio.to_thread(self._cache.add, path, blob)

    async def _must_upload(self, blob: Blob) -> bool:
        if blob.sha256 in self._doubtful:
            return True
        stored = await self._head(blob.sha256)
        if stored is None or stored.blob != blob:
            return True
        return datetime.now(UTC) - stored.stored_at > _RENEW_AFTER


def _name(sha256: str) -> str:
    return f"{_ROOT}/{sha256[:2]}/{sha256}"


def _stored(sha256: str, meta: ObjectMeta) -> StoredBlob:
    blob = Blob(sha256=sha256, size_bytes=meta["size"])
    return StoredBlob(blob=blob, stored_at=meta["last_modified"])
