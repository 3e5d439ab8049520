"""What goes wrong where bytes are kept, in the server's own words."""

from __future__ import annotations

import contextlib
import errno
from typing import TYPE_CHECKING

from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from server.errors import AssetCorrupt, DiskFull, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["bucket_failed", "corrupt", "told"]

_RETRY_S = "5"
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Tell a failure of a folder as the server's own.

    Raises:
        DiskFull: There is no space left.
        StorageUnavailable: Anything else that a disk or a share can do.
    """
    try:
        yield
    except OSError as exc:
        if exc.errno in _FULL:
            raise DiskFull("The disk for assets is full.") from exc
        raise StorageUnavailable(
            f"The folder for assets fails: {exc.strerror}.", retry_after_s=_RETRY_S
        ) from exc


def corrupt(sha256: str) -> AssetCorrupt:
    """Return the error for bytes that are not what their name says."""
    return AssetCorrupt(f"The blob {sha256} has been changed where it is kept.", sha256=sha256)


def bucket_failed(error: Exception) -> StorageUnavailable:
    """Say what to check. What the bucket answered stays out: it may quote credentials."""
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        message = (
            "The bucket for assets refuses this server: check AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, and that they may read, write, list and delete below "
            "ASSETWRIGHT_ASSETS."
        )
    elif isinstance(error, FileNotFoundError):
        message = (
            "The bucket for assets does not exist: check ASSETWRIGHT_ASSETS, AWS_ENDPOINT and "
            "AWS_REGION."
        )
    else:
        message = (
            "The bucket for assets does not answer: check AWS_ENDPOINT and AWS_REGION, and that "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set."
        )
    return StorageUnavailable(message, retry_after_s=_RETRY_S)
