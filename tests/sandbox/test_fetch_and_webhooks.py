"""The two ways in which a sandbox calls others: for the input picture, and to report."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client, Draw, PictureHost, Start


async def ended(client: Client, url: str) -> dict[str, Any]:
    request_id = (await client.submit(image_url=url)).json()["request_id"]
    found: dict[str, Any] = await client.end(request_id)
    return found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.png", "answered 404"),
        ("page.html", "could not be read"),
        ("big.png", "larger than 10000 bytes"),
        ("blank.png", "No subject"),
        ("loop", "too many redirects"),
        ("to-file", "unsafe address"),
    ],
)
async def test_a_bad_input_fails_with_a_message_that_says_why(
    start: Start, host: PictureHost, draw: type[Draw], name: str, message: str
) -> None:
    client = await start(max_picture_bytes=10_000)
    blank = draw.encoded(255 + 0 * draw.away_from(0, 0)[..., None].repeat(3, axis=2))
    host.files |= {"page.html": b"<html></html>", "big.png": bytes(10_001), "blank.png": blank}
    host.redirects |= {"loop": host.url("loop"), "to-file": "file:///etc/hostname"}
    found = await ended(client, host.url(name))
    assert (found["status"], found["output"]) == ("FAILED", None)
    assert message in found["error"]


async def test_an_address_where_nobody_answers_fails(start: Start) -> None:
    client = await start()
    found = await ended(client, "http://127.0.0.1:9/a.png")
    assert found["error"] == "The input could not be fetched: the address does not answer."


async def test_an_address_that_keeps_us_waiting_fails(start: Start) -> None:
    hung_up = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # Until the other side closes.
        writer.close()
        await writer.wait_closed()
        hung_up.set()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with server:
        client = await start(fetch_timeout_s=0.1)
        port = server.sockets[0].getsockname()[1]
        found = await ended(client, f"http://127.0.0.1:{port}/a.png")
        await hung_up.wait()
    assert "no complete answer within 0.1 s" in found["error"]


async def test_a_redirect_to_http_is_followed(start: Start, host: PictureHost) -> None:
    client = await start()
    host.redirects["moved.png"] = host.url("disc.png")
    assert (await ended(client, host.url("moved.png")))["status"] == "COMPLETED"


async def called_back(host: PictureHost, count: int) -> list[dict[str, Any]]:
    await host.wait_for_callbacks(count)
    found: list[dict[str, Any]] = host.callbacks
    return found


async def test_a_terminal_webhook_gets_the_status_payload_once(
    start: Start, host: PictureHost
) -> None:
    client = await start()
    await client.fault(fault="fail")
    reply = await client.submit(
        image_url=host.url("disc.png"), headers={"X-Webhook-URL": host.url("hook")}
    )
    end = await client.end(reply.json()["request_id"])
    assert await called_back(host, 1) == [end]


async def test_a_sync_webhook_hears_of_processing_too(start: Start, host: PictureHost) -> None:
    """On every poll of the gateway's own, the page says; here every 0.1 s instead of 15."""
    client = await start(min_work_s=0.25, sync_webhook_s=0.1)
    await client.fault(fault="fail")
    hook = {"X-Webhook-URL": host.url("hook"), "X-Webhook-Mode": "sync"}
    await client.submit(image_url=host.url("disc.png"), headers=hook)
    async with asyncio.timeout(10):
        while not host.callbacks or host.callbacks[-1]["status"] != "FAILED":
            await asyncio.sleep(0.02)
    seen = [one["status"] for one in host.callbacks]
    assert seen == ["PROCESSING"] * (len(seen) - 1) + ["FAILED"]
    assert len(seen) >= 3


async def test_a_failing_endpoint_is_called_again_with_the_same_payload(
    start: Start, host: PictureHost
) -> None:
    client = await start()
    host.callback_answers += [500, 503]
    await client.fault(fault="fail")
    await client.submit(image_url=host.url("disc.png"), headers={"X-Webhook-URL": host.url("hook")})
    first, second, third = await called_back(host, 3)
    assert first == second == third


async def test_a_duplicate_on_request_is_the_same_payload_again(
    start: Start, host: PictureHost
) -> None:
    """The page warns that it happens; a handler must tolerate it."""
    client = await start()
    await client.fault(fault="duplicate_webhook")
    await client.fault(fault="fail", count=2)
    hook = {"X-Webhook-URL": host.url("hook")}
    await client.submit(image_url=host.url("disc.png"), headers=hook)
    first, second = await called_back(host, 2)
    assert first == second
    await client.submit(image_url=host.url("disc.png"), headers=hook)
    await called_back(host, 3)
    assert len({one["request_id"] for one in host.callbacks}) == 2
