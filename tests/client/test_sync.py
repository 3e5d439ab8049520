"""The blocking client works without a loop of the caller's, and beside one."""

from __future__ import annotations

import threading
from concurrent import futures
from typing import TYPE_CHECKING

import grpc
import pytest
from scripted_server import ACCEPTED, completed

from assetwright import SyncClient
from assetwright.errors import NotFound
from assetwright.v1 import generation_service_pb2 as generation
from assetwright.v1 import generation_service_pb2_grpc as generation_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator


class BlockingServer(generation_grpc.GenerationServiceServicer):
    """A server with threads: a second asyncio server would share gRPC's poller with the client."""

    def __init__(self) -> None:
        self.left = threading.Event()

    def Generate(  # noqa: N802
        self, request: generation.GenerateRequest, context: grpc.ServicerContext
    ) -> Iterator[generation.GenerateResponse]:
        """Complete at once, but for the model that never does."""
        context.add_callback(self.left.set)
        yield generation.GenerateResponse(event=ACCEPTED)
        if request.model == "endless":
            self.left.wait(10)
        else:
            yield generation.GenerateResponse(event=completed(2))

    def GetJob(  # noqa: N802
        self, _request: generation.GetJobRequest, context: grpc.ServicerContext
    ) -> generation.GetJobResponse:
        """Know no job."""
        context.abort(grpc.StatusCode.NOT_FOUND, "No such job.")


@pytest.fixture
def server() -> Iterator[tuple[BlockingServer, str]]:
    with futures.ThreadPoolExecutor(max_workers=4) as pool:
        grpc_server = grpc.server(pool)
        servicer = BlockingServer()
        generation_grpc.add_GenerationServiceServicer_to_server(servicer, grpc_server)
        port = grpc_server.add_insecure_port("127.0.0.1:0")
        grpc_server.start()
        yield servicer, f"127.0.0.1:{port}"
        grpc_server.stop(0).wait()


def test_a_generator_yields_the_log(server: tuple[BlockingServer, str]) -> None:
    with SyncClient(server[1]) as client:
        assert [event.sequence for event in client.generate("pixal3d")] == [1, 2]
        assert client.create("pixal3d").sequence == 2


def test_closing_the_generator_detaches(server: tuple[BlockingServer, str]) -> None:
    servicer, address = server
    with SyncClient(address) as client:
        events = client.generate("endless")
        assert next(events).sequence == 1
        events.close()
        assert servicer.left.wait(5)


def test_errors_are_the_same_and_the_thread_ends(server: tuple[BlockingServer, str]) -> None:
    client = SyncClient(server[1])
    with pytest.raises(NotFound, match="No such job"):
        client.get_job("job-1")
    client.close()
    client.close()
    assert not client._thread.is_alive()


def test_a_client_that_cannot_be_made_leaves_no_thread() -> None:
    before = set(threading.enumerate())  # Of other tests some may end meanwhile.
    with pytest.raises(AttributeError):
        SyncClient(None)  # type: ignore[arg-type]
    assert set(threading.enumerate()) <= before
