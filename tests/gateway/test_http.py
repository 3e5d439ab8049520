"""The clients: what they send by themselves, and how a reply is read."""

from __future__ import annotations

import contextlib
import json

import httpx
import pytest
from aiohttp import ThreadedResolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.errors import GatewayReplyUnknown
from server.gateway.http import (
    MAX_REPLY_BYTES,
    media_client,
    poll_client,
    read_object,
    submit_client,
)
from tests.gateway.wire import BASE, Stream


async def test_every_client_asks_for_plain_bytes_and_reads_no_environment() -> None:
    """A compressed reply has another length, and a proxy of this shell would see our keys."""
    for client in (submit_client(BASE), poll_client(BASE), media_client(ThreadedResolver())):
        async with client:
            assert client.headers["accept-encoding"] == "identity"
            assert not client.trust_env
            assert not client.follow_redirects
            assert not any("key" in name for name in client.headers)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200) | st.text(max_size=80).map(lambda text: json.dumps(text).encode()))
async def test_no_bytes_raise_anything_but_our_own(content: bytes) -> None:
    found: object = {}
    with contextlib.suppress(GatewayReplyUnknown):
        found = await read_object(httpx.Response(200, stream=Stream(content)))
    assert isinstance(found, dict)


@pytest.mark.parametrize(
    "content", [b"[" * 200_000, b"1" * 20_000, b"\xff\xfe", b'"text"', b"null", b"{"]
)
async def test_what_is_no_object_is_refused(content: bytes) -> None:
    with pytest.raises(GatewayReplyUnknown):
        await read_object(httpx.Response(200, stream=Stream(content)))


async def test_a_reply_has_a_limit_while_it_arrives() -> None:
    """An endless one is left after the first piece too many."""
    pieces = [b" " * (MAX_REPLY_BYTES // 2)] * 3
    with pytest.raises(GatewayReplyUnknown, match="longer than 1 MiB"):
        await read_object(httpx.Response(200, stream=Stream(*pieces, error=AssertionError())))
