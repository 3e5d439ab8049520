"""The protocols in which the answer is the result, or a request is held: faults and ends."""

from __future__ import annotations

import io
import re
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image

from server.sandbox.models import MODELS, Auth, Protocol

if TYPE_CHECKING:
    from tests.sandbox.conftest import Client, PictureHost, Start

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
AURA = {"prompt": "a red mushroom", "seed": 7, "width": 512, "height": 640}
BATCH = "/flux-1-schnell/v1/getDataBatch"
DANCE = {"prompt": "a knight dancing", "num_steps": 4, "seed": 15, "height": 96, "width": 128}


def assert_small_png(data: bytes) -> None:
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.size) == ("PNG", (128, 96))


async def status_without_key(client: Client, path: str) -> int:
    """Ask with every key but the secret one."""
    keys = {auth.value: "a key" for auth in Auth if auth is not Auth.SECRET}
    async with httpx.AsyncClient(base_url=client.sandbox.base_url, trust_env=False) as http:
        return (await http.post(path, json=DANCE, headers=keys)).status_code


async def check(client: Client, request_id: str) -> httpx.Response:
    return await client.http.post("/flux-1-schnell/v1/checkStatus", json={"requestId": request_id})


async def test_batch_with_a_webhook_is_202_then_a_callback(start: Start, host: PictureHost) -> None:
    client = await start()
    await client.fault(fault="duplicate_webhook")
    assert await status_without_key(client, BATCH) == 401
    reply = await client.http.post(BATCH, json=DANCE | {"webhook_url": host.url("hook")})
    accepted = reply.json()
    assert reply.status_code == 202
    assert list(accepted) == [
        "requestId", "status", "message", "pollingEndpoint", "pollingInstructions",
    ]  # fmt: skip
    assert re.fullmatch(UUID, accepted["requestId"])
    assert (accepted["status"], accepted["pollingEndpoint"]) == ("queued", "/checkStatus")
    await host.wait_for_callbacks(2)
    first, second = host.callbacks
    assert first == second
    assert first.pop("requestId") == accepted["requestId"]
    ended = (await check(client, accepted["requestId"])).json()
    assert ended == first
    assert list(ended) == ["status", "output", "completedAt"]
    assert (ended["status"], type(ended["completedAt"])) == ("completed", int)
    assert ended["completedAt"] > 1_700_000_000_000  # Milliseconds.
    assert_small_png((await client.http.get(ended["output"])).content)


async def test_batch_without_a_webhook_holds_the_request(start: Start) -> None:
    client = await start()
    reply = await client.http.post(BATCH, json=DANCE)
    assert (reply.status_code, reply.json()["status"]) == (200, "completed")
    assert_small_png((await client.http.get(reply.json()["output"])).content)


async def test_batch_gives_up_holding_and_can_be_asked_later(start: Start) -> None:
    """The page holds for 60 s; here for 0.1."""
    client = await start(hold_s=0.1)
    await client.fault(fault="slow", on="result", delay_s=0.4)
    reply = await client.http.post(BATCH, json=DANCE)
    assert (reply.status_code, reply.json()["status"]) == (202, "queued")
    request_id = reply.json()["requestId"]
    assert (await check(client, request_id)).json() == {"status": "processing"}
    (accepted,) = client.sandbox.submissions()
    await client.sandbox._engine.ended(accepted, within_s=10)
    assert (await check(client, request_id)).json()["status"] == "completed"


async def test_a_batch_request_is_only_known_to_its_own_status_endpoint(start: Start) -> None:
    client = await start(queue_s=30.0, hold_s=0.0)
    request_id = (await client.http.post(BATCH, json=DANCE)).json()["requestId"]
    assert (await client.http.get(f"/v2/requests/status/{request_id}")).status_code == 404
    assert (await check(client, "unknown")).status_code == 404
    assert (await client.http.post("/flux-1-schnell/v1/checkStatus", json={})).status_code == 400
    assert await status_without_key(client, "/flux-1-schnell/v1/checkStatus") == 401


async def test_a_batch_webhook_must_be_https(start: Start) -> None:
    client = await start()
    reply = await client.http.post(BATCH, json=DANCE | {"webhook_url": "http://example.com/"})
    assert (reply.status_code, reply.json()) == (400, {"error": "Invalid webhook URL"})


HOLDING = {"flux-1-schnell": DANCE, "flux-1-schnell-batch": DANCE, "aura-flow": AURA}


@pytest.mark.parametrize("name", HOLDING)
async def test_faults_strike_where_the_answer_is_the_result(start: Start, name: str) -> None:
    client, path, body = await start(), MODELS[name].path, HOLDING[name]
    for fault, status in (("rate_limited", 429), ("server_error", 500)):
        await client.fault(fault=fault)
        assert (await client.http.post(path, json=body)).status_code == status
    await client.fault(fault="drop_before_accept")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await client.http.post(path, json=body)
    assert client.sandbox.submissions() == ()
    await client.fault(fault="drop_after_accept")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await client.http.post(path, json=body)
    assert len(client.sandbox.submissions()) == 1
    await client.fault(fault="malformed_json")
    spoilt = await client.http.post(path, json=body)
    assert spoilt.status_code == 200
    with pytest.raises(ValueError, match="Unterminated"):
        spoilt.json()
    assert len(client.sandbox.submissions()) == 2


@pytest.mark.parametrize("fault", ["fail", "error"])
@pytest.mark.parametrize("name", HOLDING)
async def test_what_ends_badly_is_500_or_failed_and_error_is_refunded(
    start: Start, name: str, fault: str
) -> None:
    client, model = await start(credits=Decimal(1)), MODELS[name]
    await client.fault(fault=fault, message="No luck.")
    reply = await client.http.post(model.path, json=HOLDING[name])
    if model.protocol is Protocol.BATCH:
        assert reply.json()["status"] == "failed"
        assert reply.json()["error"] == "No luck."
    else:
        assert (reply.status_code, reply.json()["message"]) == (500, "No luck.")
    charged = fault == "fail" and name == "aura-flow"
    assert client.sandbox.credits.balance == (Decimal("0.99") if charged else Decimal(1))


async def test_a_picture_in_the_answer_can_be_cut_short(start: Start) -> None:
    client = await start()
    await client.fault(fault="truncated_media")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await client.http.post("/v1/aura-flow", json=AURA)
    assert (await client.http.post("/v1/aura-flow", json=AURA)).status_code == 200


async def test_an_unknown_status_in_the_batch_protocol(start: Start) -> None:
    client = await start(queue_s=30.0, hold_s=0.0)
    request_id = (await client.http.post(BATCH, json=DANCE)).json()["requestId"]
    await client.fault(fault="unknown_status", message="paused")
    assert (await check(client, request_id)).json() == {"status": "paused"}
    assert (await check(client, request_id)).json() == {"status": "queued"}
