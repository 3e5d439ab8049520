"""`GET /v1/assets/{id}`: an asset's bytes as a plain file, whole or by range."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from server.errors import PositionOutOfRange
from server.web.lending import Lending

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from server.jobs.library import AssetLibrary
    from server.jobs.model import Asset
    from server.storage import BlobReader
    from server.web.plain import Plain

__all__ = ["AssetFiles"]

_RANGE = re.compile(r"bytes=(?:([0-9]{1,15})-([0-9]{0,15})|-([0-9]{1,15}))")
_CHUNK_BYTES = 256 * 1024  # As a download's over gRPC, for the same reason.


class AssetFiles:
    """Handles the requests; `Plain` stands around each."""

    def __init__(self, *, library: AssetLibrary, plain: Plain) -> None:
        self._library = library
        self._plain = plain

    async def get(self, request: Request) -> Response:
        """Send an asset, or the range that is asked for."""
        asset = await self._library.get(request.path_params["asset_id"])
        headers = _headers(asset)
        if _names(request.headers.get("if-none-match", ""), asset):
            return Response(status_code=304, headers=headers)
        begin, end = 0, asset.size_bytes
        wanted = _RANGE.fullmatch(request.headers.get("range", ""))
        partial = wanted is not None and _names(request.headers.get("if-range", "*"), asset)
        if wanted is not None and partial:
            found = _span(wanted, asset.size_bytes)
            if found is None:
                return self._beyond(asset, wanted[0])
            begin, end = found
            headers["content-range"] = f"bytes {begin}-{end - 1}/{asset.size_bytes}"
        headers["content-length"] = str(end - begin)
        status = 206 if partial else 200
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers)
        async with AsyncExitStack() as stack:
            reader = await stack.enter_async_context(self._library.open(asset))
            pieces = _pieces(reader, begin, end)
            response = StreamingResponse(pieces, status_code=status, headers=headers)
            return Lending(response, stack.pop_all())

    def _beyond(self, asset: Asset, wanted: str) -> Response:
        error = PositionOutOfRange(
            f"{wanted} lies beyond the asset's {asset.size_bytes} bytes.",
            size_bytes=str(asset.size_bytes),
        )
        answer = self._plain.refusal(error)
        answer.headers["content-range"] = f"bytes */{asset.size_bytes}"
        return answer


def _headers(asset: Asset) -> dict[str, str]:
    return {
        "content-type": asset.media_type,
        "etag": f'"{asset.sha256}"',
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=31536000, immutable",
        "content-disposition": f"attachment; filename*=UTF-8''{quote(asset.name, safe='')}",
        "x-content-type-options": "nosniff",
    }


def _names(condition: str, asset: Asset) -> bool:
    """Tell whether a list of entity tags names the asset; a weak tag names the same bytes here."""
    tags = {tag.strip().removeprefix("W/") for tag in condition.split(",")}
    return "*" in tags or f'"{asset.sha256}"' in tags


def _span(wanted: re.Match[str], size: int) -> tuple[int, int] | None:
    """Return begin and end of a range (RFC 9110, section 14.1.2); None when it has no byte."""
    first, last, count = wanted.groups()
    if count is not None:
        return (max(size - int(count), 0), size) if int(count) and size else None
    end = min(int(last) + 1, size) if last else size
    return (int(first), end) if int(first) < end else None


async def _pieces(reader: BlobReader, begin: int, end: int) -> AsyncIterator[bytes]:
    for start in range(begin, end, _CHUNK_BYTES):
        yield bytes(reader.view(start, min(_CHUNK_BYTES, end - start)))
        # Writing to a socket that takes everything suspends nothing; others wait, and so does the
        # news that the caller has left.
        await asyncio.sleep(0)
