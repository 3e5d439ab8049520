"""Uploads by plain HTTP: `PUT /v1/uploads/{id}`, resumable by offset (docs/grpc-web.md).

The same as `UploadAsset` with the same checks and the same result, for callers that cannot stream
over gRPC-Web. The caller chooses the id, so that a broken connection loses neither the place nor,
when only the last answer was lost, the asset.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.responses import JSONResponse, Response

from server.errors import AssetNotFound, InvalidRequest, PositionOutOfRange, Violation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Self

    from starlette.requests import Request

    from server.jobs.library import AssetLibrary
    from server.jobs.model import Asset
    from server.web.partials import Partial, Partials
    from server.web.plain import Plain

__all__ = ["Uploads"]

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_RANGE = re.compile(r"bytes (?:([0-9]{1,15})-([0-9]{1,15})|\*)/([0-9]{1,15})")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What a request says about the bytes in it.

    Attributes:
        first: The position of its first byte; None asks how far the upload is.
        size_bytes: How many bytes there are in it; None: as many as come.
        total_bytes: How many the whole upload has; None: it ends with this request.
        whole: It is the whole upload, which begins anew.
    """

    first: int | None
    size_bytes: int | None
    total_bytes: int | None
    whole: bool

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read the headers.

        Raises:
            InvalidRequest: Content-Range is not of its form.
        """
        text = request.headers.get("content-range")
        length = request.headers.get("content-length")
        if text is None:
            size = None if length is None else int(length)
            return cls(first=0, size_bytes=size, total_bytes=size, whole=True)
        match = _RANGE.fullmatch(text)
        if match is None:
            raise _wrong("Content-Range", "It is bytes FIRST-LAST/TOTAL, or bytes */TOTAL.")
        total = int(match[3])
        if match[1] is None:
            return cls(first=None, size_bytes=0, total_bytes=total, whole=False)
        first, last = int(match[1]), int(match[2])
        if not first <= last < total:
            raise _wrong("Content-Range", "FIRST is not above LAST, and LAST below TOTAL.")
        return cls(first=first, size_bytes=last - first + 1, total_bytes=total, whole=False)


class Uploads:
    """Handles the requests; `Plain` stands around each."""

    def __init__(
        self,
        *,
        library: AssetLibrary,
        partials: Partials,
        plain: Plain,
        check_disk: Callable[[], Awaitable[None]],
        max_bytes: int,
    ) -> None:
        self._library = library
        self._partials = partials
        self._plain = plain
        self._check_disk = check_disk
        self._max_bytes = max_bytes

    async def put(self, request: Request) -> Response:
        """Take bytes; answer 201 with the asset when they are all there, else 202."""
        upload_id = _id(request)
        sha256 = _sha256(request)
        part = _Part.of(request)
        self._check_size(part.total_bytes or 0)
        if (asset := await self._finished(upload_id)) is not None:
            return _created(asset)
        await self._check_disk()
        async with self._partials.hold(upload_id) as partial:
            return await self._take(request, partial, part, sha256)

    async def head(self, request: Request) -> Response:
        """Say how far an upload is."""
        upload_id = _id(request)
        if (asset := await self._finished(upload_id)) is not None:
            answer = _created(asset)
            answer.status_code = 200
            return answer
        offset = self._partials.offset(upload_id)
        if offset is None:
            raise AssetNotFound("There is no such upload, or it has expired.", upload=upload_id)
        return _reached(offset, status=200)

    async def delete(self, request: Request) -> Response:
        """Forget an upload; an asset that it has become stays."""
        await self._partials.discard(_id(request))
        return Response(status_code=204)

    async def _take(
        self, request: Request, partial: Partial, part: _Part, sha256: str | None
    ) -> Response:
        if part.whole:
            partial.cut(0)
        if part.first is not None and part.first != partial.offset:
            return self._misplaced(partial.offset, part.first)
        await self._receive(request, partial, part)
        if part.total_bytes is not None and partial.offset < part.total_bytes:
            return _reached(partial.offset, status=202)
        asset = await self._finish(partial, request, sha256)
        partial.finish(asset.id)
        return _created(asset)

    async def _receive(self, request: Request, partial: Partial, part: _Part) -> None:
        """Append the request's bytes; what came before its end is kept."""
        begin = partial.offset
        try:
            async with partial.patience:
                async for piece in request.stream():
                    partial.write(piece)
                    self._check_size(partial.offset)
        except TimeoutError:
            raise _wrong("body", "It stopped coming, or went on in another request.") from None
        finally:
            partial.flush()
        came = partial.offset - begin
        if part.size_bytes is not None and came != part.size_bytes:
            partial.cut(begin)
            raise _wrong("body", f"It holds {came} bytes; {part.size_bytes} were said.")

    async def _finish(self, partial: Partial, request: Request, sha256: str | None) -> Asset:
        if partial.offset == 0:
            partial.discard()
            raise _wrong("body", "The upload is empty.")
        async with self._library.writer() as writer:
            with partial.path.open("rb") as file:
                while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
                    await asyncio.to_thread(writer.write, piece)
            if sha256 is not None and writer.sha256 != sha256:
                partial.discard()
                raise _wrong(
                    "Upload-Sha256", f"It differs from what arrived, {writer.sha256}; begin anew."
                )
            blob = await writer.commit()
        name = unquote(request.headers.get("upload-name", "upload"), errors="replace")
        return await self._library.add_upload(blob, name=name)

    async def _finished(self, upload_id: str) -> Asset | None:
        asset_id = self._partials.asset_id(upload_id)
        with contextlib.suppress(AssetNotFound):  # It was deleted since.
            return None if asset_id is None else await self._library.get(asset_id)
        return None

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self._max_bytes:
            message = f"There are more than {self._max_bytes} bytes (ASSETWRIGHT_MAX_UPLOAD_BYTES)."
            raise _wrong("body", message)

    def _misplaced(self, offset: int, first: int) -> Response:
        error = PositionOutOfRange(
            f"The upload goes on at byte {offset}, not at {first}.", offset=str(offset)
        )
        answer = self._plain.refusal(error)
        answer.headers["upload-offset"] = str(offset)
        return answer


def _id(request: Request) -> str:
    upload_id: str = request.path_params["upload_id"]
    if not _ID.fullmatch(upload_id):
        raise _wrong("upload_id", "It is 8 to 64 letters, digits, '_' and '-'; a UUID does well.")
    return upload_id


def _sha256(request: Request) -> str | None:
    text = request.headers.get("upload-sha256")
    if text is not None and not _SHA256.fullmatch(text):
        raise _wrong("Upload-Sha256", "It is 64 lower-case hexadecimal digits.")
    return text


def _reached(offset: int, *, status: int) -> Response:
    headers = {"upload-offset": str(offset), "cache-control": "no-store"}
    return JSONResponse({"offset": offset}, status_code=status, headers=headers)


def _created(asset: Asset) -> Response:
    told = {
        "asset_id": asset.id,
        "name": asset.name,
        "media_type": asset.media_type,
        "size_bytes": asset.size_bytes,
        "sha256": asset.sha256,
    }
    headers = {
        "location": f"/v1/assets/{asset.id}",
        "upload-offset": str(asset.size_bytes),
        "cache-control": "no-store",
    }
    return JSONResponse({"asset": told}, status_code=201, headers=headers)


def _wrong(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(Violation(field, message))
