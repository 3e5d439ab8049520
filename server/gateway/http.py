"""The HTTP clients towards a gateway, one for each kind of request.

Three clients, since one cannot be right for all:

* `submit_client` is plain httpx with a fresh connection for each paid POST. A kept connection may
  have been closed by the other side, and then nobody can tell whether the POST arrived. Its
  exceptions must be exact: httpx's own transport raises ConnectError and ConnectTimeout only while
  it connects. (httpx-aiohttp 0.2 maps a server that hung up in mid-request to ConnectTimeout: it
  must never carry a paid POST.)
* `poll_client` is httpx on aiohttp's connection pool: httpx 0.28's own HTTP/1.1 pool falls to about
  25 polls a second with 1,000 jobs waiting, and leaks slots when requests are cancelled
  (encode/httpcore 1035 and 1093).
* `media_client` carries no key and connects only to addresses that were checked (`guard`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from server.errors import GatewayReplyUnknown

if TYPE_CHECKING:
    import ssl

    from aiohttp.abc import AbstractResolver

__all__ = [
    "MAX_REPLY_BYTES",
    "TIMEOUT",
    "JsonObject",
    "media_client",
    "poll_client",
    "read_body",
    "read_object",
    "submit_client",
]

JsonObject = dict[str, object]

MAX_REPLY_BYTES = 1 << 20
# Identity: the length is known, ranges mean what they say, and no bomb can unfold.
_IDENTITY = {"accept-encoding": "identity"}
TIMEOUT = httpx.Timeout(connect=5, read=30, write=30, pool=10)
_MEDIA_TIMEOUT = httpx.Timeout(connect=10, read=60, write=10, pool=60)
_MAX_SUBMISSIONS = 16  # Below the 32 in flight from which httpx's pool slows down.
_MAX_POLLS = 64
_MAX_DOWNLOADS = 16
_KEEP_ALIVE_S = 60  # Longer than the pause between two polls, or each would pay for a handshake.


def submit_client(base_url: str) -> httpx.AsyncClient:
    """Return a client for paid POSTs, which never reuses a connection and carries no key."""
    limits = httpx.Limits(max_connections=_MAX_SUBMISSIONS, max_keepalive_connections=0)
    return httpx.AsyncClient(
        base_url=base_url,
        headers=_IDENTITY,
        timeout=TIMEOUT,
        limits=limits,
        trust_env=False,
        verify=_tls_context(),
    )


def poll_client(base_url: str) -> httpx.AsyncClient:
    """Return a client for status requests, which carries no key."""
    return httpx.AsyncClient(
        base_url=base_url,
        headers=_IDENTITY,
        timeout=TIMEOUT,
        transport=_aiohttp_transport(limit=_MAX_POLLS, resolver=None),
        trust_env=False,
    )


def media_client(resolver: AbstractResolver) -> httpx.AsyncClient:
    """Return a client for results, which carries no key and resolves by `resolver`."""
    return httpx.AsyncClient(
        headers=_IDENTITY,
        timeout=_MEDIA_TIMEOUT,
        transport=_aiohttp_transport(limit=_MAX_DOWNLOADS, resolver=resolver),
        trust_env=False,
        follow_redirects=False,
    )


async def read_body(reply: httpx.Response, *, max_bytes: int) -> bytes:
    """Read a streamed reply, decoded, up to `max_bytes`.

    Raises:
        GatewayReplyUnknown: It is larger.
        httpx.HTTPError: It broke off.
    """
    body = bytearray()
    async for piece in reply.aiter_bytes():
        body += piece
        if len(body) > max_bytes:
            raise GatewayReplyUnknown(
                f"The gateway's reply is longer than {max_bytes >> 20} MiB.",
                status_code=str(reply.status_code),
            )
    return bytes(body)


async def read_object(reply: httpx.Response) -> JsonObject:
    """Read a streamed reply's JSON object, up to 1 MiB.

    Raises:
        GatewayReplyUnknown: It is larger, or no JSON object.
        httpx.HTTPError: It broke off.
    """
    body = await read_body(reply, max_bytes=MAX_REPLY_BYTES)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise GatewayReplyUnknown(
            "The gateway's reply is no JSON.", status_code=str(reply.status_code)
        ) from exc
    if not isinstance(value, dict):
        raise GatewayReplyUnknown(
            "The gateway's reply is no JSON object.", status_code=str(reply.status_code)
        )
    return value


def _tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # Honours SSL_CERT_FILE, for networks with a CA of their own.


def _aiohttp_transport(*, limit: int, resolver: AbstractResolver | None) -> AiohttpTransport:
    tls = _tls_context()

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=limit, keepalive_timeout=_KEEP_ALIVE_S, ssl=tls, resolver=resolver
        )
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(verify=tls, client=session, trust_env=False)
