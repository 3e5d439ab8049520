"""The real clients against a real socket: what exactly a lost connection proves."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import httpx
import pytest

from server.errors import AssetwrightError, GatewayUnavailable, SubmissionUnknown
from server.gateway.guard import CheckedResolver, MediaPolicy
from server.gateway.http import media_client
from server.gateway.models import Auth
from server.gateway.protocol import GatewayState, Submission
from server.gateway.providers import Gateways, Provider
from tests.gateway.wire import NOW, model

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from server.gateway.models import Model

PIXAL3D = model("pixal3d")
KLEIN = model("flux-2-klein-4b")
ACCEPTED = b'{"request_id": "pixal3d_1", "status": "QUEUED"}'


class Socket:
    """Reads one request after the other and answers each with the same bytes."""

    def __init__(self, answer: bytes, *, hang_up: bool) -> None:
        self._answer = answer
        self._hang_up = hang_up
        self.connections = 0
        self.requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line[15:])
                        for line in head.lower().split(b"\r\n")
                        if b"content-le" in line
                    ),
                    0,
                )
                await reader.readexactly(length)
                self.requests += 1
                writer.write(self._answer)
                await writer.drain()
                if self._hang_up:
                    break
        writer.close()


@contextlib.asynccontextmanager
async def _talking(
    answer: bytes, *, hang_up: bool = False
) -> AsyncIterator[tuple[Gateways, Socket]]:
    socket = Socket(answer, hang_up=hang_up)
    server = await asyncio.start_server(socket.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    provider = Provider(
        name="pixazo",
        base_url=f"http://127.0.0.1:{port}",
        keys={Auth.SUBSCRIPTION_KEY: "k"},
    )
    async with server, Gateways([provider], now=lambda: NOW) as gateways:
        yield gateways, socket


def _reply(content: bytes, *, stated: int | None = None, code: str = "200 OK") -> bytes:
    length = len(content) if stated is None else stated
    head = f"HTTP/1.1 {code}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    return head.encode() + content


async def test_each_paid_post_has_a_connection_of_its_own() -> None:
    """A kept one may be closed at the other end, and then nobody knows whether a POST arrived."""
    async with _talking(_reply(ACCEPTED, code="202 Accepted")) as (gateways, socket):
        gateway = gateways.protocol(PIXAL3D)
        for _ in range(3):
            assert await gateway.submit(PIXAL3D, {}) == Submission(request_id="pixal3d_1")
        assert (socket.connections, socket.requests) == (3, 3)
        for _ in range(3):
            assert (await gateway.status(PIXAL3D, "pixal3d_1")).state is GatewayState.QUEUED
        assert (socket.connections, socket.requests) == (4, 6)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 202 Acc",
        _reply(ACCEPTED, stated=len(ACCEPTED) + 1),
        _reply(b"", stated=10),
        b"not http at all\r\n\r\n",
    ],
)
@pytest.mark.parametrize("asked", [PIXAL3D, KLEIN], ids=lambda asked: asked.id)
async def test_a_gateway_that_hangs_up_leaves_the_request_unknown(
    answer: bytes,
    asked: Model,
) -> None:
    """It was read to its end before; it is never sent again."""
    async with _talking(answer, hang_up=True) as (gateways, socket):
        with pytest.raises(SubmissionUnknown):
            await gateways.protocol(asked).submit(asked, {"prompt": "x"})
        assert socket.requests == 1


async def test_where_nobody_listens_nothing_was_sent() -> None:
    provider = Provider(
        name="pixazo", base_url="http://127.0.0.1:9", keys={Auth.SUBSCRIPTION_KEY: "k"}
    )
    async with Gateways([provider], now=lambda: NOW) as gateways:
        gateway = gateways.protocol(PIXAL3D)
        with pytest.raises(GatewayUnavailable) as caught:
            await gateway.submit(PIXAL3D, {})
        assert caught.value.metadata["sent"] == "no"
        with pytest.raises(GatewayUnavailable):
            await gateway.status(PIXAL3D, "pixal3d_1")


async def test_a_question_to_a_gateway_that_hangs_up_can_be_asked_again() -> None:
    async with _talking(b"", hang_up=True) as (gateways, _):
        with pytest.raises(AssetwrightError) as caught:
            await gateways.protocol(PIXAL3D).status(PIXAL3D, "pixal3d_1")
    assert type(caught.value) is GatewayUnavailable


async def test_a_name_that_leads_home_is_not_connected_to() -> None:
    """The check is the connection's own resolver, so nothing can change in between."""
    async with _talking(_reply(b"{}")) as (gateways, socket):
        port = gateways._providers[0].base_url.rpartition(":")[2]
        for trusted, reached in (((), 0), (("localhost",), 1)):
            policy = MediaPolicy(allowed=["localhost"], trusted=trusted)
            async with media_client(CheckedResolver(policy)) as client:
                with contextlib.suppress(httpx.TransportError):
                    await client.get(f"http://localhost:{port}/")
            assert socket.requests == reached
