"""How local bytes reach a gateway: from a bucket, from this server's own port, or in the request.

The first that is configured is taken, in this order:

* a bucket of the S3 kind: it needs no open port here, and outlives a restart of this server;
* the server's own public upload address (`links`);
* a data URI in the request itself, where the model's input takes one.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol, Self

import obstore
from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from server.buckets import STORE_FAILURES, open_bucket
from server.errors import InputNotReachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from obstore.store import S3Store

    from server.buckets import BucketAccess
    from server.gateway.links import InputLinks
    from server.gateway.models import InputSpec

__all__ = [
    "Bucket",
    "BucketPublisher",
    "InlinePublisher",
    "LinkPublisher",
    "LocalInput",
    "Publisher",
    "publisher_for",
]

_LIFE = timedelta(hours=24)  # As long as the links to our own port.
_MOST_INLINE_BYTES = 8 << 20  # Our choice: a third more as base64, and no page names a limit.

_ANSWER_S = 30.0  # For a question without a body.
_PATIENCE_S = 60.0
_PARTS_AT_ONCE = 4  # A slow line uploads all of them at once.

_BUCKET = "ASSETWRIGHT_INPUT_BUCKET"
_SETTINGS = f"ASSETWRIGHT_PUBLIC_URL, {_BUCKET}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalInput:
    """Stored bytes that a gateway is to read."""

    sha256: str
    size_bytes: int
    media_type: str  # Told from the bytes.
    as_file: Callable[[], AbstractAsyncContextManager[Path]]


class Publisher(Protocol):
    """Makes local inputs reachable for a gateway."""

    def refuse_unreachable(self, spec: InputSpec) -> None:
        """Refuse what can never work.

        Raises:
            InputNotReachable: No local bytes can be given to this input of a model.
        """

    async def check(self) -> None:
        """Find out whether it would work now, before something is paid that counts on it.

        Raises:
            InputNotReachable: It would not; the message says what to check.
        """

    async def address(self, local: LocalInput, spec: InputSpec) -> str:
        """Return what to write into a request for these bytes. It is a secret: never log it.

        Raises:
            InputNotReachable: They cannot be made reachable; the message says what to check.
        """


class Bucket:
    """A place of the S3 kind, in which objects are named by what they hold."""

    def __init__(self, store: S3Store) -> None:
        self._store = store

    @classmethod
    def at(cls, url: str, access: BucketAccess) -> Self:
        """Open `s3://bucket/prefix`.

        Raises:
            ValueError: They name no place.
        """
        return cls(open_bucket(url, access, patience_s=_PATIENCE_S))

    async def holds(self, name: str, *, size_bytes: int) -> bool:
        """Tell whether an object is there, and whole."""
        try:
            async with asyncio.timeout(_ANSWER_S):
                found = await obstore.head_async(self._store, name)
        except FileNotFoundError:
            return False
        except PermissionDeniedError:
            return False  # S3 says so of what is missing, to those who may not list.
        return found["size"] == size_bytes

    async def put(self, name: str, content: Path | bytes, *, media_type: str) -> None:
        """Write an object."""
        await obstore.put_async(
            self._store,
            name,
            content,
            attributes={"Content-Type": media_type},
            max_concurrency=_PARTS_AT_ONCE,
        )

    async def link(self, name: str) -> str:
        """Return an address at which anybody may read an object for a day."""
        async with asyncio.timeout(_ANSWER_S):  # Credentials may have to be fetched for it.
            return await obstore.sign_async(self._store, "GET", name, _LIFE)


@dataclass(frozen=True, slots=True)
class BucketPublisher:
    """Uploads an input once and hands out presigned links to it."""

    bucket: Bucket

    def refuse_unreachable(self, spec: InputSpec) -> None:
        """Refuse nothing: every input takes an address."""

    async def check(self) -> None:
        """Write an object without content."""
        try:
            await self.bucket.put(
                sha256(b"").hexdigest(), b"", media_type="application/octet-stream"
            )
        except STORE_FAILURES as exc:
            raise _bucket_failed(exc) from None

    async def address(self, local: LocalInput, spec: InputSpec) -> str:  # noqa: ARG002 - every input takes an address
        """Return a presigned link, after the upload if the bucket does not have the bytes yet."""
        async with local.as_file() as path:
            try:
                if not await self.bucket.holds(local.sha256, size_bytes=local.size_bytes):
                    await self.bucket.put(local.sha256, path, media_type=local.media_type)
                return await self.bucket.link(local.sha256)
            except STORE_FAILURES as exc:
                # Not `from exc`: S3's answer repeats the key's id and the text it signed.
                raise _bucket_failed(exc) from None


@dataclass(frozen=True, slots=True)
class LinkPublisher:
    """Hands out signed links to this server's own port."""

    links: InputLinks

    def refuse_unreachable(self, spec: InputSpec) -> None:
        """Refuse nothing: every input takes an address."""

    async def check(self) -> None:
        """Find nothing: whether the internet reaches us cannot be seen from here."""

    async def address(self, local: LocalInput, spec: InputSpec) -> str:  # noqa: ARG002 - every input takes an address
        """Return a signed link."""
        return self.links.link(local.sha256)


@dataclass(frozen=True, slots=True)
class InlinePublisher:
    """Writes the bytes into the request where the model takes that; no setting is needed."""

    max_bytes: int = _MOST_INLINE_BYTES

    def refuse_unreachable(self, spec: InputSpec) -> None:
        """Refuse inputs that take an address alone."""
        if not spec.data_uri:
            raise InputNotReachable(
                "The gateway cannot fetch local files from this server: set "
                f"ASSETWRIGHT_PUBLIC_URL or {_BUCKET}, or send a public address.",
                settings=_SETTINGS,
            )

    async def check(self) -> None:
        """Find nothing: it needs nobody else."""

    async def address(self, local: LocalInput, spec: InputSpec) -> str:
        """Return a data URI."""
        self.refuse_unreachable(spec)
        if local.size_bytes > self.max_bytes:
            raise InputNotReachable(
                f"The input has {local.size_bytes} bytes; at most {self.max_bytes} fit into the "
                f"request itself. For larger ones set ASSETWRIGHT_PUBLIC_URL or {_BUCKET}.",
                settings=_SETTINGS,
                size_bytes=str(local.size_bytes),
                max_bytes=str(self.max_bytes),
            )
        async with local.as_file() as path:
            return await asyncio.to_thread(_data_uri, path, local.media_type)


def publisher_for(*, bucket: Bucket | None, links: InputLinks) -> Publisher:
    """Return the first way that is configured."""
    if bucket is not None:
        return BucketPublisher(bucket)
    return LinkPublisher(links) if links.available else InlinePublisher()


def _data_uri(path: Path, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _bucket_failed(error: Exception) -> InputNotReachable:
    """Say what to check. What the bucket answered stays out: it may quote credentials."""
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        message = (
            "The bucket for inputs refuses this server: check AWS_ACCESS_KEY_ID and "
            f"AWS_SECRET_ACCESS_KEY, and that they may read and write in {_BUCKET}."
        )
    elif isinstance(error, FileNotFoundError):
        message = (
            f"The bucket for inputs does not exist: check {_BUCKET}, AWS_ENDPOINT and AWS_REGION."
        )
    else:
        message = (
            "The bucket for inputs does not answer: check AWS_ENDPOINT and AWS_REGION, and that "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set."
        )
    return InputNotReachable(message, settings=_BUCKET)
