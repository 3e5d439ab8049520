"""Fetching an asset to disk: resumed where it broke, and checked by its hash."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ..wire.errors import CallError
from ..wire.messages import DownloadAssetRequest, DownloadAssetResponse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..wire.calls import Server, Stream
    from ..wire.messages import Asset

__all__ = ["fetch", "is_whole"]

_BLOCK = 1 << 20


def is_whole(path: Path, asset: Asset) -> bool:
    """Tell whether the file is there with the asset's bytes."""
    return (
        path.exists() and path.stat().st_size == asset.size_bytes and _hash(path)[0] == asset.sha256
    )


def fetch(
    server: Server,
    asset: Asset,
    path: Path,
    *,
    tell: Callable[[float], None],
    watch: Callable[[Stream[DownloadAssetResponse]], None],
) -> None:
    """Fetch the asset's bytes into the file, beginning where an earlier try stopped.

    Args:
        server: Who has it.
        asset: What to fetch.
        path: Where it goes; until it is whole, its bytes are in ``path.part``.
        tell: Called with the share that is there.
        watch: Called with the stream, to cancel it by.

    Raises:
        CallError: The download broke; what came is kept. With condition ``FILE_DAMAGED`` the
            bytes were wrong and are gone.
        OSError: The disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(path.suffix + ".part")
    _, have = _hash(part) if part.exists() else ("", 0)
    if have > asset.size_bytes:
        part.unlink()
        have = 0
    request = DownloadAssetRequest(asset_id=asset.asset_id, offset=have)
    with (
        server.stream("AssetService/DownloadAsset", request, DownloadAssetResponse) as stream,
        part.open("ab") as out,
    ):
        watch(stream)
        for message in stream:
            chunk = message.chunk
            if chunk is None:
                continue
            if chunk.offset != have:
                raise CallError("DATA_LOSS", "A piece is missing.", condition="CONNECTION_LOST")
            out.write(chunk.data)
            have += len(chunk.data)
            tell(have / max(asset.size_bytes, 1))
    digest, size = _hash(part)
    if digest != asset.sha256 or size != asset.size_bytes:
        part.unlink()
        wrong = f"{size} bytes with SHA-256 {digest}, instead of {asset.size_bytes}, {asset.sha256}"
        raise CallError("DATA_LOSS", wrong, condition="FILE_DAMAGED")
    part.replace(path)


def _hash(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size
