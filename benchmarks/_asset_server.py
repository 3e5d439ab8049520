"""The real gRPC server, with a download whose chunk size and way of reading can be chosen.

    python benchmarks/_asset_server.py FOLDER FILE --chunk BYTES [--threaded]

Prints its port and the asset's id.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from _house import listening, open_house

from assetwright.v1 import asset_service_pb2 as pb
from server.rpc.assets import AssetServicer
from server.rpc.chunks import download_chunks
from server.rpc.replies import asset_message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def servicer(*, chunk_bytes: int, threaded: bool) -> type[AssetServicer]:
    """Return the production's servicer with another `DownloadAsset`."""

    class Variant(AssetServicer):
        async def DownloadAsset(  # noqa: N802 - the contract's name
            self, request: pb.DownloadAssetRequest, context: object
        ) -> AsyncIterator[pb.DownloadAssetResponse | bytes]:
            """See `server.rpc.assets`; the same but for the two choices."""
            del context
            asset = await self._library.get(request.asset_id)
            async with self._library.open(asset, offset=request.offset) as reader:
                yield pb.DownloadAssetResponse(asset=asset_message(asset))
                chunks = download_chunks(
                    asset, reader, offset=request.offset, chunk_bytes=chunk_bytes
                )
                if not threaded:
                    for chunk in chunks:
                        yield chunk
                while threaded and (chunk := await asyncio.to_thread(next, chunks, None)):
                    yield chunk

    return Variant


async def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--chunk", type=int, required=True)
    parser.add_argument("--threaded", action="store_true")
    arguments = parser.parse_args()
    variant = servicer(chunk_bytes=arguments.chunk, threaded=arguments.threaded)
    with open_house(arguments.folder) as house:
        blob = await house.library.blobs.put_file(arguments.file)
        asset = await house.library.add_upload(blob, name="model.glb")
        async with listening(house, variant) as port:
            print(json.dumps({"port": port, "asset_id": asset.id}), flush=True)
            await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main())
