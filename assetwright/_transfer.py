"""Bytes to the server and back, however often the connection breaks."""

from __future__ import annotations

import asyncio
import hashlib
import io
from contextlib import aclosing
from typing import TYPE_CHECKING

import grpc

from assetwright import _parse
from assetwright._status import interruption
from assetwright.errors import IntegrityError, ServerUnavailable
from assetwright.retry import Patience
from assetwright.v1 import asset_service_pb2 as asset_service

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from pathlib import Path

    from assetwright.records import Asset
    from assetwright.retry import RetryPolicy

    OpenUpload = Callable[
        [AsyncIterator[asset_service.UploadAssetRequest]],
        grpc.aio.StreamUnaryCall[
            asset_service.UploadAssetRequest, asset_service.UploadAssetResponse
        ],
    ]
    OpenDownload = Callable[
        [asset_service.DownloadAssetRequest],
        grpc.aio.UnaryStreamCall[
            asset_service.DownloadAssetRequest, asset_service.DownloadAssetResponse
        ],
    ]

__all__ = ["Downloads", "upload"]

_PIECE_BYTES = 256 * 1024  # The server's own chunk size, for the same reason (benchmarks/).


async def upload(
    source: Path | bytes, *, name: str | None, start: OpenUpload, policy: RetryPolicy
) -> Asset:
    """Store bytes; sending them again after a broken connection stores them once.

    Raises:
        OSError: The file cannot be read.
        AssetwrightError: The server refused, or was away for too long.
    """
    header = await asyncio.to_thread(_header, source, name)
    patience = Patience(policy)
    while True:
        try:
            response = await start(_upload_messages(source, header))
        except grpc.aio.AioRpcError as error:
            await patience.wait(interruption(error))
        else:
            return _parse.asset(response.asset)


class Downloads:
    """Fetches assets and proves that they arrived whole."""

    def __init__(self, start: OpenDownload, policy: RetryPolicy) -> None:
        self._start = start
        self._policy = policy

    async def read(self, asset: Asset) -> bytes:
        """Return an asset's bytes.

        Raises:
            IntegrityError: They differ from what the server announced.
            AssetwrightError: The server refused, or was away for too long.
        """
        received = bytearray()
        async with aclosing(self._pieces(asset, offset=0)) as pieces:
            async for piece in pieces:
                received += piece
        if len(received) != asset.size_bytes or _sha256(io.BytesIO(received)) != asset.sha256:
            raise _differs(asset)
        return bytes(received)

    async def save(self, asset: Asset, path: Path) -> None:
        """Write an asset to a file, which is there whole or not at all.

        What an earlier attempt left in ``path.part`` is continued. If that turns out to be of
        other bytes, everything is fetched afresh.

        Raises:
            IntegrityError: The bytes differ from what the server announced; nothing is kept.
            OSError: The file cannot be written.
            AssetwrightError: The server refused, or was away for too long; the part is kept.
        """
        part = path.with_name(path.name + ".part")
        kept = await asyncio.to_thread(_kept_bytes, part, asset.size_bytes)
        whole = await self._fetch(asset, part, offset=kept)
        if not whole and kept:
            whole = await self._fetch(asset, part, offset=0)
        if not whole:
            raise _differs(asset)
        await asyncio.to_thread(part.replace, path)

    async def _fetch(self, asset: Asset, part: Path, *, offset: int) -> bool:
        """Append what is missing; remove the file and return False if it is not the asset."""
        with await asyncio.to_thread(part.open, "ab") as file:
            async with aclosing(self._pieces(asset, offset=offset)) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(file.write, piece)
        whole = await asyncio.to_thread(_is_asset, part, asset)
        if not whole:
            await asyncio.to_thread(part.unlink)
        return whole

    async def _pieces(self, asset: Asset, *, offset: int) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from an offset on, over as many calls as it takes."""
        patience = Patience(self._policy)
        while offset < asset.size_bytes:
            request = asset_service.DownloadAssetRequest(asset_id=asset.asset_id, offset=offset)
            call = self._start(request)
            cause = ServerUnavailable("The download ended early.")
            messages = aiter(call)
            try:
                while (piece := await self._next(messages, offset)) is not None:
                    offset += len(piece)
                    patience.renew()
                    yield piece
            except grpc.aio.AioRpcError as error:
                cause = interruption(error)
            finally:
                call.cancel()
            if offset < asset.size_bytes:
                await patience.wait(cause)

    async def _next(
        self, messages: AsyncIterator[asset_service.DownloadAssetResponse], offset: int
    ) -> bytes | None:
        """Return the next bytes; None when the stream ended, fell silent or lost its place."""
        try:
            async with asyncio.timeout(self._policy.silence_s):
                async for message in messages:
                    if message.WhichOneof("item") == "chunk":
                        return message.chunk.data if message.chunk.offset == offset else None
        except TimeoutError:
            pass
        return None


def _header(source: Path | bytes, name: str | None) -> asset_service.UploadHeader:
    if isinstance(source, bytes):
        size_bytes, sha256 = len(source), _sha256(io.BytesIO(source))
    else:
        with source.open("rb") as file:
            size_bytes, sha256 = source.stat().st_size, _sha256(file)
        name = name or source.name
    return asset_service.UploadHeader(name=name, size_bytes=size_bytes, sha256=sha256)


async def _upload_messages(
    source: Path | bytes, header: asset_service.UploadHeader
) -> AsyncIterator[asset_service.UploadAssetRequest]:
    yield asset_service.UploadAssetRequest(header=header)
    with await asyncio.to_thread(_opened, source) as file:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield asset_service.UploadAssetRequest(data=piece)


def _opened(source: Path | bytes) -> io.BufferedIOBase:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _kept_bytes(part: Path, size_bytes: int) -> int:
    """Return how many bytes of an earlier attempt can be continued; remove what cannot."""
    if not part.exists():
        return 0
    if part.stat().st_size > size_bytes:
        part.unlink()
        return 0
    return part.stat().st_size


def _is_asset(path: Path, asset: Asset) -> bool:
    if path.stat().st_size != asset.size_bytes:
        return False
    with path.open("rb") as file:
        return _sha256(file) == asset.sha256


def _sha256(file: io.BufferedIOBase) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()


def _differs(asset: Asset) -> IntegrityError:
    return IntegrityError(
        f"The bytes of {asset.name} differ from the size or the hash that the server announced.",
        metadata={"asset_id": asset.asset_id, "name": asset.name, "sha256": asset.sha256},
    )
