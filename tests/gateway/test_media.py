"""Fetching a result that was paid for: whole, from where it stopped, and from nowhere else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import httpx
import pytest

from server.errors import MediaUnavailable
from server.gateway.guard import MediaPolicy
from server.gateway.media import MediaFetcher
from tests.gateway.wire import Stream, Wire

if TYPE_CHECKING:
    from tests.gateway.wire import Answer

URL = "https://pub.r2.dev/output.glb"
CONTENT = bytes(range(256)) * 40
POLICY = MediaPolicy(allowed=["*.r2.dev"], trusted=[])
BROKEN = httpx.ReadError("broke")


class _Memory:
    def __init__(self) -> None:
        self.data = b""

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def write(self, data: bytes) -> None:
        self.data += data


def _whole(upto: int | None = None, **headers: str) -> httpx.Response:
    """Answer with everything, or break off after `upto` bytes."""
    error = None if upto is None else BROKEN
    named = {"content-length": str(len(CONTENT)), **headers}
    pieces = [CONTENT[:upto][at : at + 1000] for at in range(0, len(CONTENT[:upto]), 1000)]
    return httpx.Response(200, headers=named, stream=Stream(*pieces, error=error))


def _rest(start: int, upto: int | None = None) -> httpx.Response:
    headers = {"content-range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"}
    error = None if upto is None else BROKEN
    return httpx.Response(206, headers=headers, stream=Stream(CONTENT[start:upto], error=error))


async def _fetch(
    *answers: Answer, url: str = URL, max_bytes: int = 1 << 20
) -> tuple[bytes, Wire, list[tuple[int, int | None]]]:
    wire, sink, progress = Wire(*answers), _Memory(), []
    async with httpx.AsyncClient(transport=httpx.MockTransport(wire)) as client:
        fetcher = MediaFetcher(client, POLICY, max_bytes=max_bytes, retry_pause_s=0)
        await fetcher.fetch(url, sink, progress=lambda done, total: progress.append((done, total)))
    return sink.data, wire, progress


async def _unavailable(*answers: Answer, url: str = URL, max_bytes: int = 1 << 20) -> str:
    with pytest.raises(MediaUnavailable) as caught:
        await _fetch(*answers, url=url, max_bytes=max_bytes)
    return str(caught.value)


async def test_a_result_arrives_whole_and_its_progress_is_measured() -> None:
    data, wire, progress = await _fetch(_whole())
    assert data == CONTENT
    assert "range" not in wire.requests[0].headers
    assert progress[0] == (1000, len(CONTENT))
    assert progress[-1] == (len(CONTENT), len(CONTENT))
    assert progress == sorted(progress)


async def test_a_broken_transfer_goes_on_where_it_stopped() -> None:
    data, wire, _ = await _fetch(_whole(upto=3000), _rest(3000, upto=7000), _rest(7000))
    assert data == CONTENT
    ranges = [one.headers.get("range") for one in wire.requests]
    assert ranges == [None, "bytes=3000-", "bytes=7000-"]


async def test_a_host_without_ranges_sends_all_again_and_nothing_doubles() -> None:
    data, _, progress = await _fetch(_whole(upto=2500), _whole(upto=1000), _whole())
    assert data == CONTENT
    assert progress == sorted(progress)


async def test_an_end_before_the_stated_length_is_no_end() -> None:
    """Some hosts close cleanly where they should have gone on."""
    short = httpx.Response(
        200, headers={"content-length": str(len(CONTENT))}, stream=Stream(CONTENT[:100])
    )
    data, _, _ = await _fetch(short, _rest(100))
    assert data == CONTENT


async def test_without_a_stated_length_the_end_is_the_end() -> None:
    data, _, progress = await _fetch(httpx.Response(200, stream=Stream(CONTENT)))
    assert data == CONTENT
    assert progress == [(len(CONTENT), None)]


@pytest.mark.parametrize("length", ["\u00b2", "9" * 5000, "-5", "x"])
async def test_a_length_that_is_none_is_not_stated(length: str) -> None:
    reply = httpx.Response(
        200, headers=[(b"content-length", length.encode("latin-1"))], stream=Stream(CONTENT)
    )
    data, _, progress = await _fetch(reply)
    assert data == CONTENT
    assert progress[-1] == (len(CONTENT), None)


async def test_a_wrong_range_is_not_appended() -> None:
    data, wire, _ = await _fetch(_whole(upto=3000), _rest(2000), _rest(3000))
    assert data == CONTENT
    assert len(wire.requests) == 3


@pytest.mark.parametrize("code", [403, 404, 500, 503])
async def test_a_result_may_take_a_moment_to_appear(code: int) -> None:
    """Asking again costs nothing, and it was paid for."""
    data, _, _ = await _fetch(httpx.Response(code), httpx.ConnectError("no"), _whole())
    assert data == CONTENT


async def test_it_gives_up_after_some_tries_and_says_why() -> None:
    said = await _unavailable(*[httpx.Response(403) for _ in range(5)])
    assert "5 tries" in said
    assert "403" in said


async def test_a_result_above_the_limit_is_refused_before_it_is_fetched() -> None:
    said = await _unavailable(_whole(), max_bytes=len(CONTENT) - 1)
    assert "ASSETWRIGHT_MAX_MEDIA_BYTES" in said
    (data, *_) = await _fetch(_whole(), max_bytes=len(CONTENT))
    assert data == CONTENT


async def test_a_result_that_hides_its_length_is_left_at_the_limit() -> None:
    endless = httpx.Response(200, stream=Stream(*[bytes(1000)] * 5, error=AssertionError()))
    assert "larger than 4500" in await _unavailable(endless, max_bytes=4500)


def _redirect(to: str, code: int = 302) -> httpx.Response:
    return httpx.Response(code, headers={"location": to})


async def test_a_redirect_is_followed_to_a_listed_host() -> None:
    data, wire, _ = await _fetch(_redirect("https://other.r2.dev/x"), _redirect("/y"), _whole())
    assert data == CONTENT
    assert [str(one.url) for one in wire.requests] == [
        URL,
        "https://other.r2.dev/x",
        "https://other.r2.dev/y",
    ]


@pytest.mark.parametrize(
    "to",
    [
        "http://pub.r2.dev/x",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/x",
        "//evil.test/x",
        "file:///etc/passwd",
    ],
)
async def test_a_redirect_cannot_lead_where_the_first_link_could_not(to: str) -> None:
    """Each step is checked; nothing is sent to the forbidden place."""
    await _unavailable(_redirect(to))


@pytest.mark.parametrize("to", ["https://[::1", "https://0177.0.0.1/", "https://\u0000/"])
async def test_a_redirect_to_no_address_is_a_failed_try(to: str) -> None:
    data, _, _ = await _fetch(_redirect(to), _whole())
    assert data == CONTENT


async def test_redirects_end() -> None:
    said = await _unavailable(*[_redirect(URL) for _ in range(4)])
    assert re.search("redirects more than 3", said)


@pytest.mark.parametrize("url", ["http://pub.r2.dev/a", "https://evil.test/a", "https://[::1", "x"])
async def test_a_link_that_the_policy_refuses_is_never_asked_for(url: str) -> None:
    """No answer is scripted, so a request would fail the test."""
    await _unavailable(url=url)
