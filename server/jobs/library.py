"""Assets: stored bytes with a name and a role."""

from __future__ import annotations

import contextlib
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from server.errors import AssetNotFound, PositionOutOfRange
from server.jobs.media_types import HEAD_BYTES, media_type
from server.jobs.model import Asset, AssetRole
from server.storage import BlobMissing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from server.jobs.store import AssetQuery, Page, Store
    from server.storage import Blob, BlobReader, Blobs, BlobWriter

__all__ = ["AssetLibrary"]

_MAX_NAME = 120
_UNSAFE = re.compile(r"[^\w.\- ]+")


class AssetLibrary:
    """Keeps bytes in the blob store and what they are in the database."""

    def __init__(self, *, store: Store, blobs: Blobs, now: Callable[[], datetime]) -> None:
        self._store = store
        self._blobs = blobs
        self._now = now

    @property
    def blobs(self) -> Blobs:
        """The bytes."""
        return self._blobs

    def writer(self) -> BlobWriter:
        """Begin an upload."""
        return self._blobs.writer()

    async def add_upload(self, blob: Blob, *, name: str) -> Asset:
        """Make stored bytes an asset, or return the upload that has them already."""
        asset = await self.describe(
            blob, role=AssetRole.UPLOAD, name=_safe_name(name), job_id=None, sandbox=False
        )
        return await self._store.add_asset(asset)

    async def describe(
        self, blob: Blob, *, role: AssetRole, name: str, job_id: str | None, sandbox: bool
    ) -> Asset:
        """Return the asset that stored bytes are, not yet in the database."""
        async with self._blobs.open(blob.sha256) as reader:
            kind = media_type(reader.read(HEAD_BYTES))
        return Asset(
            id=f"ast_{secrets.token_hex(12)}",
            role=role,
            name=name,
            media_type=kind,
            size_bytes=blob.size_bytes,
            sha256=blob.sha256,
            created_at=self._now(),
            sandbox=sandbox,
            job_id=job_id,
        )

    async def get(self, asset_id: str) -> Asset:
        """Return an asset.

        Raises:
            AssetNotFound: There is none.
        """
        return await self._store.asset(asset_id)

    async def stored_bytes(self) -> int:
        """Return how many bytes all assets have; the same bytes count once."""
        return await self._store.asset_bytes()

    async def list(self, query: AssetQuery) -> Page[Asset]:
        """Return a page of assets."""
        return await self._store.assets(query)

    @contextlib.asynccontextmanager
    async def open(self, asset: Asset, *, offset: int = 0) -> AsyncIterator[BlobReader]:
        """Open an asset's bytes, to be shown from an offset on.

        Raises:
            PositionOutOfRange: The offset lies beyond the end.
            AssetNotFound: The bytes are gone.
            AssetCorrupt: The bytes are not what was stored.
        """
        if offset > asset.size_bytes:
            raise PositionOutOfRange(
                f"offset {offset} lies beyond the asset's {asset.size_bytes} bytes.",
                offset=str(offset),
                size_bytes=str(asset.size_bytes),
            )
        try:
            async with self._blobs.open(asset.sha256) as reader:
                yield reader
        except BlobMissing:
            raise _gone(asset) from None

    async def read(self, asset: Asset) -> bytes:
        """Return all bytes of a small asset.

        Raises:
            AssetNotFound: The bytes are gone.
        """
        async with self.open(asset) as reader:
            return reader.read(asset.size_bytes)

    @contextlib.asynccontextmanager
    async def local_copy(self, asset: Asset) -> AsyncIterator[Path]:
        """Lend an asset as a file.

        Raises:
            AssetNotFound: The bytes are gone.
            AssetCorrupt: The bytes are not what was stored.
        """
        try:
            async with self._blobs.local_copy(asset.sha256) as path:
                yield path
        except BlobMissing:
            raise _gone(asset) from None


def _gone(asset: Asset) -> AssetNotFound:
    return AssetNotFound(f"The bytes of asset {asset.id!r} are gone.", asset_id=asset.id)


def _safe_name(name: str) -> str:
    """Return the last part of a path, without what some platform forbids."""
    last = _UNSAFE.sub("_", Path(name.replace("\\", "/")).name)[-_MAX_NAME:].strip(" .")
    return last or "upload"
