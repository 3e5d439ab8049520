"""A real gRPC server on loopback that plays a script, and a client connected to it."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest

from assetwright import Client
from assetwright.v1 import asset_service_pb2_grpc as assets_grpc
from assetwright.v1 import generation_service_pb2_grpc as generation_grpc

sys.path.insert(0, str(Path(__file__).parent))  # Tests import what they share by name.

from scripted_server import PATIENT, ScriptedServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from assetwright import RetryPolicy


@pytest.fixture
def script() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture
async def connect(script: ScriptedServer) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    """Serve the script, and return what connects to it."""
    server = grpc.aio.server()
    generation_grpc.add_GenerationServiceServicer_to_server(script, server)
    assets_grpc.add_AssetServiceServicer_to_server(script, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with AsyncExitStack() as stack:

        async def open_client(retry: RetryPolicy = PATIENT, **options: object) -> Client:
            client = Client(f"127.0.0.1:{port}", retry=retry, **options)
            return await stack.enter_async_context(client)

        yield open_client
    await server.stop(0)
