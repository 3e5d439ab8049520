"""Field by field what the published page of Pixal3D says, over real HTTP."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import PictureHost, Start

ID = r"pixal3d_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
WITH_MILLISECONDS = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
WITH_SECONDS = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


async def test_submit_answers_202_with_exactly_the_published_fields(
    start: Start, host: PictureHost
) -> None:
    client = await start()
    reply = await client.submit(image_url=host.url("disc.png"))
    body = reply.json()
    assert reply.status_code == 202
    assert list(body) == ["request_id", "status", "polling_url"]
    assert re.fullmatch(ID, body["request_id"])
    assert body["status"] == "QUEUED"
    base = client.sandbox.base_url
    assert body["polling_url"] == f"{base}/v2/requests/status/{body['request_id']}"


async def test_polling_url_follows_the_address_the_submit_came_in_on(
    start: Start, host: PictureHost
) -> None:
    """A caller behind another name must get a link that works for it."""
    client = await start()
    reply = await client.submit(image_url=host.url("disc.png"), headers={"Host": "box.test:81"})
    assert reply.json()["polling_url"].startswith("http://box.test:81/v2/requests/status/pixal3d_")


async def test_a_completed_request_has_the_published_payload(
    start: Start, host: PictureHost
) -> None:
    client = await start()
    request_id = (await client.submit(image_url=host.url("disc.png"))).json()["request_id"]
    found = await client.end(request_id)
    assert list(found) == [
        "request_id", "status", "model_id", "error", "output",
        "created_at", "updated_at", "completed_at",
    ]  # fmt: skip
    assert found["request_id"] == request_id
    assert (found["status"], found["model_id"], found["error"]) == ("COMPLETED", "pixal3d", None)
    assert list(found["output"]) == ["media_url", "media_type"]
    assert found["output"]["media_type"] == "model/glb"
    assert re.fullmatch(WITH_MILLISECONDS, found["created_at"])
    assert re.fullmatch(WITH_SECONDS, found["updated_at"])
    assert found["completed_at"] == found["updated_at"]


async def test_the_media_link_serves_the_glb_whole_by_range_and_to_head(
    start: Start, host: PictureHost
) -> None:
    client = await start()
    request_id = (await client.submit(image_url=host.url("disc.png"))).json()["request_id"]
    (url,) = (await client.end(request_id))["output"]["media_url"]
    async with httpx.AsyncClient(trust_env=False) as public:  # No key: it is a public link.
        whole = await public.get(url)
        part = await public.get(url, headers={"Range": "bytes=100-"})
        beyond = await public.get(url, headers={"Range": f"bytes={len(whole.content)}-"})
        head = await public.head(url)
    assert whole.content[:4] == b"glTF"
    assert int(whole.headers["content-length"]) == len(whole.content)
    assert whole.headers["content-type"] == "model/gltf-binary"
    assert (part.status_code, part.content) == (206, whole.content[100:])
    assert beyond.status_code == 416
    assert head.headers["content-length"] == whole.headers["content-length"]


async def test_a_waiting_request_is_queued_then_processing(start: Start, host: PictureHost) -> None:
    client = await start(queue_s=0.25)
    await client.fault(fault="slow", on="result", delay_s=30)
    request_id = (await client.submit(image_url=host.url("disc.png"))).json()["request_id"]
    seen = [await client.status(request_id)]
    while seen[-1]["status"] == "QUEUED":
        seen.append(await client.status(request_id))
    assert seen[0]["status"] == "QUEUED"
    assert seen[-1]["status"] == "PROCESSING"
    assert all(one["output"] is None and one["completed_at"] is None for one in seen)


async def test_a_link_expires(start: Start, host: PictureHost) -> None:
    now = datetime(2026, 5, 22, 13, 17, 32, 110_000, tzinfo=UTC)
    shift = timedelta(0)
    client = await start(media_ttl_s=60.0, clock=lambda: now + shift)
    request_id = (await client.submit(image_url=host.url("disc.png"))).json()["request_id"]
    found = await client.end(request_id)
    (url,) = found["output"]["media_url"]
    assert found["created_at"] == "2026-05-22T13:17:32.110Z"  # The page's own example.
    assert found["completed_at"] == "2026-05-22 13:17:32"
    shift = timedelta(seconds=59)
    assert (await client.http.get(url)).status_code == 200
    shift = timedelta(seconds=60)
    assert (await client.http.get(url)).status_code == 404


@pytest.mark.parametrize("path", ["/pixal3d/v1/pixal3d-request", "/v2/requests/status/pixal3d_1"])
async def test_a_missing_or_wrong_key_is_401(start: Start, path: str) -> None:
    client = await start(accepted_keys=frozenset({"right"}))
    method = "POST" if path.endswith("request") else "GET"
    for key in ({}, {"Ocp-Apim-Subscription-Key": "wrong"}):
        async with httpx.AsyncClient(base_url=client.sandbox.base_url, trust_env=False) as http:
            reply = await http.request(method, path, headers=key)
        assert reply.status_code == 401
        assert reply.json()["error"] == "Unauthorized"
    assert client.sandbox.submissions() == ()


async def test_an_unknown_request_is_404(start: Start) -> None:
    client = await start()
    reply = await client.http.get("/v2/requests/status/pixal3d_unknown")
    assert reply.status_code == 404


async def test_another_model_is_not_found_in_the_published_words(start: Start) -> None:
    client = await start()
    reply = await client.http.post("/dragon/v1/dragon-request", json={})
    assert reply.status_code == 400
    assert reply.json() == {
        "error": "Model not found",
        "message": "Model 'dragon' not found or is disabled",
    }


async def test_the_wallet_pays_the_published_prices_and_then_refuses(
    start: Start, host: PictureHost
) -> None:
    """0.30 at 1024 and 0.42 at 2048: one of each and nothing more fits into 1.00."""
    client = await start(wallet_usd=Decimal("1.00"), queue_s=30.0)
    image = host.url("disc.png")
    assert (await client.submit(image_url=image, texture_size=1024)).status_code == 202
    assert (await client.submit(image_url=image, texture_size=2048)).status_code == 202
    assert client.sandbox.wallet.balance == Decimal("0.28")
    refused = await client.submit(image_url=image, texture_size=1024)
    assert refused.status_code == 402
    assert refused.json() == {
        "error": "Insufficient Balance",
        "message": "Your wallet does not have enough balance.",
    }
    assert len(client.sandbox.submissions()) == 2


async def test_an_error_is_not_charged_but_a_failure_is(start: Start, host: PictureHost) -> None:
    """The page says so of ERROR; of FAILED it says nothing, so the worse case is taken."""
    client = await start(wallet_usd=Decimal(1))
    await client.fault(fault="error")
    await client.fault(fault="fail", message="No luck.")
    first = (await client.submit(image_url=host.url("disc.png"))).json()["request_id"]
    errored = await client.end(first)
    assert (errored["status"], errored["output"]) == ("ERROR", None)
    assert client.sandbox.wallet.balance == Decimal(1)
    second = (await client.submit(image_url=host.url("disc.png"))).json()["request_id"]
    failed = await client.end(second)
    assert (failed["status"], failed["error"]) == ("FAILED", "No luck.")
    assert client.sandbox.wallet.balance == Decimal("0.70")


async def test_too_many_unfinished_requests_are_429_and_free(
    start: Start, host: PictureHost
) -> None:
    client = await start(max_open_requests=1, queue_s=30.0, wallet_usd=Decimal(1))
    assert (await client.submit(image_url=host.url("disc.png"))).status_code == 202
    assert (await client.submit(image_url=host.url("disc.png"))).status_code == 429
    assert client.sandbox.wallet.balance == Decimal("0.70")


async def test_the_oldest_finished_requests_are_forgotten_with_their_links(
    start: Start, host: PictureHost
) -> None:
    client = await start(max_kept_requests=1)
    first = (await client.submit(image_url=host.url("disc.png"))).json()["request_id"]
    (url,) = (await client.end(first))["output"]["media_url"]
    await client.fault(fault="fail")
    second = (await client.submit(image_url=host.url("disc.png"))).json()["request_id"]
    assert [one.id for one in client.sandbox.submissions()] == [second]
    assert (await client.http.get(url)).status_code == 404


async def test_submissions_show_everything_but_the_key(start: Start, host: PictureHost) -> None:
    client = await start(queue_s=30.0)
    await client.submit(image_url=host.url("disc.png"), headers={"X-Trace": "7"})
    (shown,) = (await client.http.get("/sandbox/submissions")).json()["submissions"]
    assert shown["body"]["image_url"] == host.url("disc.png")
    assert shown["headers"]["x-trace"] == "7"
    assert "a key" not in str(shown)


async def test_health_needs_no_key(start: Start) -> None:
    client = await start()
    async with httpx.AsyncClient(base_url=client.sandbox.base_url, trust_env=False) as http:
        assert (await http.get("/sandbox/health")).json() == {"status": "ok", "sandbox": True}
