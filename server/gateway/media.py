"""Fetch a finished result: at once, to disk, resumed by range, checked for length."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Protocol

import httpx

from server.errors import MediaUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.gateway.guard import MediaPolicy

__all__ = ["MediaFetcher", "Sink"]

_MAX_REDIRECTS = 3
_TRIES = 5
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")
_LENGTH = re.compile(r"[0-9]{1,18}")


class Sink(Protocol):
    """Where the bytes go."""

    @property
    def size_bytes(self) -> int:
        """How many it has."""

    def write(self, data: bytes) -> object:
        """Append."""


class _Interrupted(Exception):
    """The transfer broke off; it may go on from where it stopped. The message says how."""


class MediaFetcher:
    """Fetches results without the gateway's key, from checked addresses only."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        policy: MediaPolicy,
        *,
        max_bytes: int,
        retry_pause_s: float = 1.0,
    ) -> None:
        self._client = client
        self._policy = policy
        self._max_bytes = max_bytes
        self._retry_pause_s = retry_pause_s

    async def fetch(
        self, url: str, sink: Sink, *, progress: Callable[[int, int | None], None]
    ) -> None:
        """Fetch `url` into `sink`.

        Args:
            url: As the gateway named it.
            sink: Empty at the start.
            progress: Called with the bytes done and in all, the latter None when not stated.

        Raises:
            MediaUnavailable: It is gone, too large, forbidden by the policy, or broke off again
                and again.
        """
        for attempt in range(_TRIES):
            try:
                await self._transfer(url, sink, progress)
            except (_Interrupted, httpx.HTTPError) as exc:
                if attempt == _TRIES - 1:
                    how = exc if isinstance(exc, _Interrupted) else "The connection broke."
                    raise MediaUnavailable(
                        f"The result could not be fetched in {_TRIES} tries. {how}",
                        done_bytes=str(sink.size_bytes),
                    ) from exc
                await asyncio.sleep(self._retry_pause_s * 2**attempt)
            else:
                return

    async def _transfer(
        self, url: str, sink: Sink, progress: Callable[[int, int | None], None]
    ) -> None:
        offset = sink.size_bytes
        reply = await self._open(url, offset=offset)
        try:
            total = self._check_head(reply, offset=offset)
            # A host that knows no ranges sends everything again: pass over what is here already.
            known = offset if reply.status_code == httpx.codes.OK else 0
            async for piece in reply.aiter_raw():
                fresh = piece[known:]
                known -= len(piece) - len(fresh)
                if sink.size_bytes + len(fresh) > self._max_bytes:
                    raise self._too_large()
                sink.write(fresh)
                progress(sink.size_bytes, total)
        finally:
            await reply.aclose()
        if total is not None and sink.size_bytes != total:
            raise _Interrupted(f"It ended after {sink.size_bytes} of {total} bytes.")

    async def _open(self, url: str, *, offset: int) -> httpx.Response:
        headers = {"range": f"bytes={offset}-"} if offset else {}
        target = _parsed(url)
        for _ in range(_MAX_REDIRECTS + 1):
            self._policy.check(target)
            request = self._client.build_request("GET", target, headers=headers)
            reply = await self._client.send(request, stream=True)
            if not reply.has_redirect_location:
                return reply
            await reply.aclose()
            target = target.join(reply.headers["location"])
        raise MediaUnavailable(f"The result redirects more than {_MAX_REDIRECTS} times.")

    def _check_head(self, reply: httpx.Response, *, offset: int) -> int | None:
        """Return the whole length, if stated."""
        code = reply.status_code
        match = _CONTENT_RANGE.fullmatch(reply.headers.get("content-range", ""))
        length = reply.headers.get("content-length", "")
        if code == httpx.codes.OK:
            total = int(length) if _LENGTH.fullmatch(length) else None
        elif code == httpx.codes.PARTIAL_CONTENT and match and int(match[1]) == offset:
            total = None if match[2] == "*" else int(match[2])
        else:
            # Even a 404 is tried again: a new result may take a moment to reach the provider's
            # edge, asking costs nothing, and it was paid for.
            raise _Interrupted(f"Its host answers {code}; the link may have expired.")
        if total is not None and total > self._max_bytes:
            raise self._too_large()
        return total

    def _too_large(self) -> MediaUnavailable:
        return MediaUnavailable(
            f"The result is larger than {self._max_bytes} bytes (ASSETWRIGHT_MAX_MEDIA_BYTES).",
            limit_bytes=str(self._max_bytes),
        )


def _parsed(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL as exc:
        raise MediaUnavailable("The gateway's link is no address.") from exc
