"""The synchronous protocols: Pixazo's `{"output": address}`, and Segmind's picture in the body."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from server.errors import (
    GatewayRejectedRequest,
    GatewayReplyUnknown,
    GatewayUnavailable,
    SubmissionUnknown,
)
from server.gateway import synchronous
from server.gateway.protocol import Finished, Webhook
from server.gateway.refusals import SEGMIND
from server.gateway.synchronous import SyncBytesGateway, SyncUrlGateway
from tests.gateway.wire import Stream, model, speaking

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.gateway.connection import Connection
    from server.gateway.models import Model
    from server.gateway.protocol import GatewayProtocol

    Kind = Callable[[Connection], GatewayProtocol]

KLEIN = model("flux-2-klein-4b")
AURA = model("segmind-aura-flow")
both = pytest.mark.parametrize(
    ("kind", "asked"), [(SyncUrlGateway, KLEIN), (SyncBytesGateway, AURA)], ids=["url", "bytes"]
)
WEBP = b"RIFF\x04\0\0\0WEBP"


async def test_the_answer_names_the_result() -> None:
    reply = httpx.Response(200, json={"output": "https://pub.r2.dev/a.png"})
    async with speaking(SyncUrlGateway, reply) as (gateway, wire):
        answer = await gateway.submit(KLEIN, {"prompt": "a dog"})
    assert answer == Finished(media_urls=("https://pub.r2.dev/a.png",))
    assert wire.bodies == [{"prompt": "a dog"}]


@pytest.mark.parametrize("body", [{}, {"output": None}, {"output": ""}, {"output": ["x"]}])
async def test_an_answer_without_an_address_is_not_described(body: object) -> None:
    """It was paid for; it must not look like a refusal that cost nothing."""
    async with speaking(SyncUrlGateway, httpx.Response(200, json=body)) as (gateway, wire):
        with pytest.raises(GatewayReplyUnknown):
            await gateway.submit(KLEIN, {})
    assert len(wire.requests) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]"])
async def test_an_answer_that_cannot_be_read_is_unknown(body: bytes) -> None:
    async with speaking(SyncUrlGateway, httpx.Response(200, content=body)) as (gateway, _):
        with pytest.raises(SubmissionUnknown):
            await gateway.submit(KLEIN, {})


async def test_the_body_is_the_picture_and_a_header_counts_the_credits() -> None:
    headers = {"content-type": "image/webp", "x-remaining-credits": "41.5"}
    reply = httpx.Response(200, content=WEBP, headers=headers)
    async with speaking(SyncBytesGateway, reply, dialect=SEGMIND) as (gateway, wire):
        answer = await gateway.submit(AURA, {"prompt": "a card"})
    assert answer == Finished(body=WEBP, remaining_credits="41.5")
    assert wire.bodies == [{"prompt": "a card"}]


async def test_a_picture_is_taken_whatever_it_is_called() -> None:
    """And without the header; the bytes are looked at later."""
    reply = httpx.Response(200, content=WEBP, headers={"content-type": "application/octet-stream"})
    async with speaking(SyncBytesGateway, reply) as (gateway, _):
        assert await gateway.submit(AURA, {}) == Finished(body=WEBP)


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        ("application/json; charset=utf-8", b'{"image": "?"}', "application/json"),
        ("text/html", b"<html>", "text/html"),
        ("image/webp", b"", "nothing"),
    ],
)
async def test_what_is_no_picture_is_refused_by_name(kind: str, content: bytes, said: str) -> None:
    """One of the pages reads JSON in its example, in a form that no page shows."""
    reply = httpx.Response(200, content=content, headers={"content-type": kind})
    async with speaking(SyncBytesGateway, reply) as (gateway, wire):
        with pytest.raises(GatewayReplyUnknown, match=said):
            await gateway.submit(AURA, {})
    assert len(wire.requests) == 1


async def test_a_picture_has_a_limit_that_is_named() -> None:
    """The limit holds while it arrives, not after."""
    piece = bytes(8 << 20)
    reply = httpx.Response(200, stream=Stream(*[piece] * 9))
    async with speaking(SyncBytesGateway, reply) as (gateway, _):
        with pytest.raises(GatewayReplyUnknown, match="longer than 64 MiB"):
            await gateway.submit(AURA, {})


@both
async def test_a_picture_may_take_minutes(kind: Kind, asked: Model) -> None:
    """Giving up early would throw away what is being paid for."""
    async with speaking(kind, httpx.Response(500)) as (gateway, wire):
        with pytest.raises(GatewayUnavailable):
            await gateway.submit(asked, {})
    timeout = wire.requests[0].extensions["timeout"]
    assert timeout["read"] == synchronous._READ_TIMEOUT_S == 300.0
    assert timeout["connect"] == 5


@both
async def test_there_is_nothing_to_ask_later(kind: Kind, asked: Model) -> None:
    async with speaking(kind) as (gateway, wire):
        with pytest.raises(SubmissionUnknown):
            await gateway.status(asked, "any")
    assert wire.requests == []


@both
async def test_there_is_nobody_to_call_back(kind: Kind, asked: Model) -> None:
    """The pages of these models know no callbacks, so none is asked for."""
    async with speaking(kind, httpx.Response(400)) as (gateway, wire):
        with pytest.raises(GatewayRejectedRequest):
            await gateway.submit(asked, {}, webhook=Webhook(url="https://we.test/"))
    assert wire.bodies == [{}]
    assert not any(name.startswith("x-webhook") for name in wire.requests[0].headers)
