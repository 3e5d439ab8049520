"""What the bridge carries: metadata both ways, errors in mid-stream, a caller who leaves or stops.

Behind it is a gRPC server whose methods do what these tests need.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import pytest_asyncio
from google.protobuf import empty_pb2
from starlette.applications import Starlette
from starlette.routing import Route

from server.asgi import serve_asgi
from server.rpc.raw import RawCalls
from server.web import Bridge
from tests.web.caller import Line, line_to

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Context = grpc.aio.ServicerContext[bytes, bytes]

_CHUNK = b"x" * (256 << 10)


@dataclass
class Trickster:
    """A server's methods, and what they saw."""

    seen: dict[str, str | bytes] = field(default_factory=dict)
    sent: int = 0
    began: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def headers(self, request: bytes, context: Context) -> bytes:
        self.seen = dict(context.invocation_metadata() or ())
        self.seen["deadline"] = "" if context.time_remaining() is None else "set"
        await context.send_initial_metadata((("x-first", "1"), ("x-first-bin", b"\0\xff")))
        context.set_trailing_metadata((("x-last", "2"), ("x-last-bin", b"\xfe")))
        return request

    async def breaks(self, _request: bytes, context: Context) -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"
        await context.abort(grpc.StatusCode.DATA_LOSS, "the rest\nis lost: 100 %")

    async def silent(self, _request: bytes, context: Context) -> AsyncIterator[bytes]:
        await context.send_initial_metadata((("x-first", "1"),))
        self.began.set()
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            self.ended.set()

    async def flood(self, _request: bytes, _context: Context) -> AsyncIterator[bytes]:
        self.began.set()
        try:
            while True:
                self.sent += 1
                yield _CHUNK
        finally:
            self.ended.set()

    def handlers(self) -> dict[str, grpc.RpcMethodHandler[Any, Any]]:
        return {
            "Headers": grpc.unary_unary_rpc_method_handler(self.headers),
            "Breaks": grpc.unary_stream_rpc_method_handler(self.breaks),
            "Silent": grpc.unary_stream_rpc_method_handler(self.silent),
            "Flood": grpc.unary_stream_rpc_method_handler(self.flood),
        }


@dataclass(frozen=True)
class Behind:
    """What is behind the bridge."""

    trickster: Trickster
    server: grpc.aio.Server
    line: Line


@pytest_asyncio.fixture
async def behind() -> AsyncIterator[Behind]:
    """A bridge, a gRPC server behind it, a line to it."""
    async with bridged(Trickster()) as behind:
        yield behind


@contextlib.asynccontextmanager
async def bridged(trickster: Trickster) -> AsyncIterator[Behind]:
    server = grpc.aio.server()
    handler = grpc.method_handlers_generic_handler("t.T", trickster.handlers())
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    calls = RawCalls()
    calls.connect(f"127.0.0.1:{port}")
    bridge = Bridge(calls, max_message_bytes=1 << 20)
    app = Starlette(routes=[Route("/{service}/{method}", bridge, methods=["POST"])])
    async with (
        serve_asgi(app, host="127.0.0.1", port=0) as address,
        line_to(address) as line,
    ):
        yield Behind(trickster, server, line)
    await calls.close()
    await server.stop(None)


async def test_metadata_goes_both_ways(behind: Behind) -> None:
    reply = await behind.line.call(
        "/t.T/Headers",
        empty_pb2.Empty(),
        authorization="Bearer t",
        x_request_id="r-1",
        x_data_bin=base64.b64encode(b"\0\xffdata").decode().rstrip("="),
        grpc_timeout="20S",
        cookie="secret=1",
        sec_fetch_mode="cors",
    )
    seen = behind.trickster.seen
    assert (seen["authorization"], seen["x-request-id"]) == ("Bearer t", "r-1")
    assert seen["x-data-bin"] == b"\0\xffdata"
    assert seen["deadline"] == "set"
    assert not {"cookie", "sec-fetch-mode", "host", "content-type", "content-length"} & set(seen)
    assert (reply.headers["x-first"], reply.headers["x-first-bin"]) == ("1", "AP8")
    assert reply.trailers == {"grpc-status": "0", "x-last": "2", "x-last-bin": "/g"}


async def test_without_a_deadline_there_is_none(behind: Behind) -> None:
    assert (await behind.line.call("/t.T/Headers", empty_pb2.Empty())).code == 0
    assert behind.trickster.seen["deadline"] == ""


async def test_what_came_before_an_error_is_delivered_and_then_the_error(behind: Behind) -> None:
    reply = await behind.line.call("/t.T/Breaks", empty_pb2.Empty())
    assert reply.messages == [b"one", b"two"]
    assert reply.trailers == {
        "grpc-status": "15",
        "grpc-message": "the rest%0Ais lost: 100 %25",
    }


async def test_the_head_comes_before_the_first_message(behind: Behind) -> None:
    """A caller can show that it is connected long before there is anything to show."""
    await behind.line.begin("/t.T/Silent", empty_pb2.Empty())
    reply = await behind.line.head()
    assert (reply.status, reply.headers["x-first"]) == (200, "1")
    assert not behind.trickster.ended.is_set()


async def test_who_leaves_a_silent_stream_ends_it(behind: Behind) -> None:
    """Nothing is being sent, so nothing but the connection's end can tell it."""
    await behind.line.begin("/t.T/Silent", empty_pb2.Empty())
    await behind.line.head()
    behind.line.leave()
    await behind.trickster.ended.wait()


async def test_who_leaves_before_the_answer_began_ends_it(behind: Behind) -> None:
    await behind.line.begin("/t.T/Silent", empty_pb2.Empty())
    await behind.trickster.began.wait()
    behind.line.leave()
    await behind.trickster.ended.wait()


async def test_who_stops_reading_stops_the_server_and_leaving_ends_it(behind: Behind) -> None:
    """The buffers on the way fill; then the handler waits in `yield`, however long."""
    await behind.line.begin("/t.T/Flood", empty_pb2.Empty())
    await behind.trickster.began.wait()
    sent = -1
    while sent != behind.trickster.sent:  # It stands still over a while in which it could run.
        sent = behind.trickster.sent
        await asyncio.sleep(0.5)
    assert sent * len(_CHUNK) < 64 << 20
    assert not behind.trickster.ended.is_set()
    behind.line.leave()
    await behind.trickster.ended.wait()


async def test_a_deadline_ends_a_stream_on_both_sides(behind: Behind) -> None:
    reply = await behind.line.call("/t.T/Silent", empty_pb2.Empty(), grpc_timeout="50m")
    assert reply.code == 4
    await behind.trickster.ended.wait()


async def test_a_server_that_stops_ends_its_streams_with_a_status(behind: Behind) -> None:
    """A caller then knows that it must resume, and that nothing of what it has is wrong."""
    await behind.line.begin("/t.T/Silent", empty_pb2.Empty())
    reply = await behind.line.head()
    await behind.server.stop(None)
    async for _ in behind.line.pieces(reply):
        pass
    assert reply.code == 14


async def test_without_a_server_behind_a_call_is_unavailable(behind: Behind) -> None:
    await behind.server.stop(None)
    reply = await behind.line.call("/t.T/Headers", empty_pb2.Empty())
    assert (reply.status, reply.code) == (200, 14)


async def test_before_the_server_listens_a_call_is_told_to_come_again() -> None:
    app = Starlette(routes=[Route("/{service}/{method}", Bridge(RawCalls(), max_message_bytes=9))])
    async with serve_asgi(app, host="127.0.0.1", port=0) as address, line_to(address) as line:
        reply = await line.call("/t.T/Headers", empty_pb2.Empty())
        assert (reply.code, reply.reason) == (14, "DRAINING")
