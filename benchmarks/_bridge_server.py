"""The real bridge before a gRPC server that tells when its handlers end.

    python benchmarks/_bridge_server.py

Prints its address, then the moment (nanoseconds of the monotonic clock) at which each call ended.
`/bench.B/Silent` says one message and waits; `/bench.B/Flood` says messages for ever.
"""

from __future__ import annotations

import asyncio
import json
import signal
import time
from typing import TYPE_CHECKING, Any

import grpc
from starlette.applications import Starlette
from starlette.routing import Route

from server.asgi import serve_asgi
from server.log import LogFormat, configure_logging
from server.rpc.chunks import CHUNK_BYTES
from server.rpc.raw import RawCalls
from server.rpc.server import MAX_REQUEST_BYTES, tune_allocator
from server.web import Bridge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def tell(answer: object) -> None:
    """Print an answer for the parent."""
    print(json.dumps(answer), flush=True)


async def silent(_request: bytes, _context: object) -> AsyncIterator[bytes]:
    """Say one message, and wait for the end."""
    try:
        yield b"one"
        await asyncio.Event().wait()
    finally:
        tell(time.monotonic_ns())


async def flood(_request: bytes, _context: object) -> AsyncIterator[bytes]:
    """Say messages as fast as they are taken."""
    chunk = bytes(CHUNK_BYTES)
    try:
        while True:
            yield chunk
    finally:
        tell(time.monotonic_ns())


async def main() -> None:
    """Serve until ended."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    server = grpc.aio.server()
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Silent": grpc.unary_stream_rpc_method_handler(silent),
        "Flood": grpc.unary_stream_rpc_method_handler(flood),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.B", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    calls = RawCalls()
    calls.connect(f"127.0.0.1:{port}")
    bridge = Bridge(calls, max_message_bytes=MAX_REQUEST_BYTES)
    app = Starlette(routes=[Route("/{service}/{method}", bridge, methods=["POST"])])
    async with serve_asgi(app, host="127.0.0.1", port=0) as address:
        tell(address)
        await stop.wait()
    await calls.close()
    await server.stop(None)


if __name__ == "__main__":
    configure_logging(level="ERROR", form=LogFormat.TEXT)
    tune_allocator()
    asyncio.run(main())
