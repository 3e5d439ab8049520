"""The second floor: grpc.aio with nothing of ours but the message, to tell its cost from ours.

No interceptors, options, database or blob store; `DownloadAsset` reads the file and yields.

    python benchmarks/_bare_server.py FILE [--tuned]

Prints its port.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from assetwright.v1 import asset_service_pb2 as pb
from assetwright.v1.asset_service_pb2_grpc import (
    AssetServiceServicer,
    add_AssetServiceServicer_to_server,
)
from server.rpc.chunks import CHUNK_BYTES
from server.rpc.server import tune_allocator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Bare(AssetServiceServicer):
    """Sends one file, whichever asset is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size_bytes = path.stat().st_size

    async def DownloadAsset(  # noqa: N802 - the contract's name
        self, request: pb.DownloadAssetRequest, context: object
    ) -> AsyncIterator[pb.DownloadAssetResponse]:
        """Read and send."""
        del request, context
        with self._path.open("rb") as file:
            for offset in range(0, self._size_bytes, CHUNK_BYTES):
                reply = pb.DownloadAssetResponse()
                reply.chunk.offset = offset
                reply.chunk.data = file.read(CHUNK_BYTES)
                yield reply


async def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--tuned", action="store_true")
    arguments = parser.parse_args()
    if arguments.tuned:
        tune_allocator()
    server = grpc.aio.server()
    add_AssetServiceServicer_to_server(Bare(arguments.file), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await server.stop(None)


if __name__ == "__main__":
    asyncio.run(main())
