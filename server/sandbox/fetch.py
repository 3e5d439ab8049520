"""Fetch inputs, without trusting what answers."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import httpx

from server.sandbox.errors import InputError

__all__ = ["FetchError", "fetch_input"]

_MOST_REDIRECTS = 5


class FetchError(InputError):
    """The input could not be fetched."""


async def fetch_input(
    http: httpx.AsyncClient, url: str, *, max_bytes: int, timeout_s: float
) -> bytes:
    """Download at most `max_bytes` within `timeout_s` seconds.

    Redirects are followed up to five times, to http and https alone, and never from https down to
    http.

    Raises:
        FetchError: The address does not answer with it.
    """
    try:
        async with asyncio.timeout(timeout_s):
            return await _follow(http, httpx.URL(url), max_bytes=max_bytes)
    except TimeoutError:
        raise FetchError(
            f"The input could not be fetched: no complete answer within {timeout_s:g} s."
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
        raise FetchError("The input could not be fetched: the address does not answer.") from None


async def _follow(http: httpx.AsyncClient, url: httpx.URL, *, max_bytes: int) -> bytes:
    for _ in range(_MOST_REDIRECTS + 1):
        async with http.stream("GET", url, follow_redirects=False) as reply:
            if not reply.has_redirect_location:
                return await _read(reply, max_bytes=max_bytes)
            url = _redirected(url, reply.headers["location"])
    raise FetchError("The input could not be fetched: too many redirects.")


def _redirected(url: httpx.URL, location: str) -> httpx.URL:
    target = url.join(location)
    if target.scheme not in {"http", "https"} or (url.scheme, target.scheme) == ("https", "http"):
        raise FetchError("The input could not be fetched: it redirects to an unsafe address.")
    return target


async def _read(reply: httpx.Response, *, max_bytes: int) -> bytes:
    if reply.status_code != HTTPStatus.OK:
        raise FetchError(
            f"The input could not be fetched: the address answered {reply.status_code}."
        )
    data = bytearray()
    async for chunk in reply.aiter_bytes():
        data += chunk
        if len(data) > max_bytes:
            raise FetchError(f"The input is larger than {max_bytes} bytes.")
    return bytes(data)
