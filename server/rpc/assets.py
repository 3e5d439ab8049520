"""AssetService: bytes in, bytes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assetwright.v1 import asset_service_pb2 as pb
from assetwright.v1 import asset_service_pb2_grpc as pb_grpc
from server.errors import InvalidRequest, Violation
from server.rpc import requests
from server.rpc.chunks import download_chunks
from server.rpc.replies import asset_message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc

    from server.jobs.admission import Admission
    from server.jobs.library import AssetLibrary
    from server.storage import BlobWriter

    Context = grpc.aio.ServicerContext[Any, Any]

__all__ = ["AssetServicer"]


class AssetServicer(pb_grpc.AssetServiceServicer):
    """Translates calls for the asset library."""

    def __init__(
        self, *, library: AssetLibrary, admission: Admission, max_upload_bytes: int
    ) -> None:
        self._library = library
        self._admission = admission
        self._max_upload_bytes = max_upload_bytes

    async def UploadAsset(  # noqa: N802 - the contract's name
        self, request_iterator: AsyncIterator[pb.UploadAssetRequest], context: Context
    ) -> pb.UploadAssetResponse:
        """See the contract."""
        del context
        await self._admission.check_disk()
        header = await _header(request_iterator)
        async with self._library.writer() as writer:
            async for message in request_iterator:
                if message.WhichOneof("part") != "data":
                    raise _wrong("header", "It comes once, first; data follows.")
                writer.write(message.data)
                if writer.size_bytes > self._max_upload_bytes:
                    raise _wrong(
                        "data",
                        f"There are more than {self._max_upload_bytes} bytes "
                        "(ASSETWRIGHT_MAX_UPLOAD_BYTES).",
                    )
            _check_upload(header, writer)
            blob = await writer.commit()
        name = header.name if header.HasField("name") else "upload"
        asset = await self._library.add_upload(blob, name=name)
        return pb.UploadAssetResponse(asset=asset_message(asset))

    async def DownloadAsset(  # type: ignore[override]  # noqa: N802 - see `server.rpc.chunks`
        self, request: pb.DownloadAssetRequest, context: Context
    ) -> AsyncIterator[pb.DownloadAssetResponse | bytes]:
        """See the contract."""
        del context
        asset = await self._library.get(request.asset_id)
        async with self._library.open(asset, offset=request.offset) as reader:
            yield pb.DownloadAssetResponse(asset=asset_message(asset))
            for chunk in download_chunks(asset, reader, offset=request.offset):
                yield chunk

    async def GetAsset(  # noqa: N802 - the contract's name
        self, request: pb.GetAssetRequest, context: Context
    ) -> pb.GetAssetResponse:
        """See the contract."""
        del context
        return pb.GetAssetResponse(asset=asset_message(await self._library.get(request.asset_id)))

    async def ListAssets(  # noqa: N802 - the contract's name
        self, request: pb.ListAssetsRequest, context: Context
    ) -> pb.ListAssetsResponse:
        """See the contract."""
        del context
        query = requests.asset_query(request)
        if query is None:
            return pb.ListAssetsResponse()
        page = await self._library.list(query)
        return pb.ListAssetsResponse(
            assets=map(asset_message, page.items), next_page_token=page.next_token
        )


async def _header(messages: AsyncIterator[pb.UploadAssetRequest]) -> pb.UploadHeader:
    async for message in messages:
        if message.WhichOneof("part") != "header":
            raise _wrong("header", "The first message must be the header.")
        return message.header
    raise _wrong("header", "The upload has no messages.")


def _check_upload(header: pb.UploadHeader, writer: BlobWriter) -> None:
    problems = []
    if writer.size_bytes == 0:
        problems.append(Violation("data", "The upload is empty."))
    if header.HasField("size_bytes") and header.size_bytes != writer.size_bytes:
        message = f"It says {header.size_bytes}; {writer.size_bytes} bytes arrived."
        problems.append(Violation("header.size_bytes", message))
    if header.HasField("sha256") and header.sha256 != writer.sha256:
        message = f"It differs from what arrived, {writer.sha256}."
        problems.append(Violation("header.sha256", message))
    if problems:
        raise InvalidRequest(*problems)


def _wrong(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(Violation(field, message))
