"""Which home the bytes have, from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import obstore
import structlog
from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from server.buckets import STORE_FAILURES, BucketAccess, open_bucket
from server.settings import SettingsError
from server.storage.cache import BlobCache
from server.storage.faults import bucket_failed
from server.storage.folder import BlobFolder
from server.storage.local import LocalBlobs
from server.storage.remote import RemoteBlobs
from server.storage.scratch import Scratch

if TYPE_CHECKING:
    from pathlib import Path

    from obstore.store import S3Store

    from server.settings import Settings
    from server.storage.blobs import Blobs

__all__ = ["open_blobs"]

_log = structlog.get_logger()

_LONGEST_WRITE_S = 86_400.0
_PATIENCE_S = 10.0  # For questions and reads: whoever asks can ask again.
_WRITE_PATIENCE_S = 120.0  # A result is paid for, and its link at the gateway expires.
_NO_PLACE = (FileNotFoundError, PermissionDeniedError, UnauthenticatedError)


async def open_blobs(settings: Settings) -> Blobs:
    """Return where assets' bytes are kept.

    A bucket is tried once; one that does not answer now may do so later.

    Raises:
        SettingsError: There can be no such place, or it refuses this server.
    """
    own = settings.folder / "blobs"
    if isinstance(settings.assets, str):
        return await _remote(settings, settings.assets, own)
    scratch = Scratch(own / "scratch")
    if settings.assets is None:
        return LocalBlobs(BlobFolder(own), scratch)
    try:
        folder = BlobFolder(settings.assets, incoming_max_age_s=_LONGEST_WRITE_S)
    except OSError as exc:
        raise SettingsError(
            f"ASSETWRIGHT_ASSETS: {settings.assets} cannot be used: {exc.strerror}."
        ) from exc
    return LocalBlobs(folder, scratch)


async def _remote(settings: Settings, url: str, own: Path) -> RemoteBlobs:
    access = BucketAccess.of(settings)
    try:
        store = open_bucket(url, access, patience_s=_PATIENCE_S)
        patient = open_bucket(url, access, patience_s=_WRITE_PATIENCE_S)
    except ValueError as exc:
        raise SettingsError(f"ASSETWRIGHT_ASSETS, AWS_ENDPOINT, AWS_REGION: {exc}.") from None
    await _try(store)
    cache = BlobCache(BlobFolder(own / "cache"), max_bytes=settings.asset_cache_bytes)
    return RemoteBlobs(store=store, patient=patient, cache=cache, scratch=Scratch(own / "scratch"))


async def _try(store: S3Store) -> None:
    """Write an object, so that what cannot work is told before something is paid."""
    try:
        await obstore.put_async(store, "writable", b"")
    except _NO_PLACE as exc:
        raise SettingsError(str(bucket_failed(exc))) from None
    except STORE_FAILURES as exc:
        _log.warning("assets_bucket_silent", error=type(exc).__name__)
