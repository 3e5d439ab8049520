"""The batch protocol, as the page of FLUX.1 Schnell has it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from server.errors import (
    AssetwrightError,
    ContentRejected,
    GatewayReplyUnknown,
    GatewayUnavailable,
    GenerationFailed,
    SubmissionUnknown,
)
from server.gateway import batch
from server.gateway.batch import BatchGateway
from server.gateway.protocol import Finished, GatewayState, Submission, Webhook, WebhookMode
from tests.gateway.wire import model, speaking

if TYPE_CHECKING:
    from server.gateway.values import BodyValue

ID = "18a36237-f8b2-4c8d-9a3b-d5e8a9f12c45"
ACCEPTED = {
    "requestId": ID,
    "status": "queued",
    "message": "Request queued.",
    "pollingEndpoint": "/checkStatus",
    "pollingInstructions": "POST to /checkStatus with {...}",
}
URL = "https://pub.r2.dev/flux-schnell-cf/a.png"
COMPLETED = {"status": "completed", "output": URL, "completedAt": 1768311019767}
SCHNELL = model("flux-1-schnell-batch")
BODY: dict[str, BodyValue] = {
    "prompt": "a dancer",
    "num_steps": 4,
    "seed": 15,
    "height": 512,
    "width": 512,
}


async def test_with_a_callback_it_is_accepted_at_once() -> None:
    """The whole of the page's example: the address is a field, and there are no modes."""
    async with speaking(BatchGateway, httpx.Response(202, json=ACCEPTED)) as (gateway, wire):
        hook = Webhook(url="https://your-domain.com/webhook", mode=WebhookMode.SYNC)
        answer = await gateway.submit(SCHNELL, BODY, webhook=hook)
    assert answer == Submission(request_id=ID)
    assert wire.bodies == [{**BODY, "webhook_url": "https://your-domain.com/webhook"}]
    assert not any(name.startswith("x-webhook") for name in wire.requests[0].headers)


async def test_without_a_callback_it_may_be_held_and_then_be_done() -> None:
    async with speaking(BatchGateway, httpx.Response(200, json=COMPLETED)) as (gateway, wire):
        answer = await gateway.submit(SCHNELL, BODY)
    assert answer == Finished(media_urls=(URL,))
    assert wire.bodies == [BODY]
    assert wire.requests[0].extensions["timeout"]["read"] == batch._READ_TIMEOUT_S
    assert batch._READ_TIMEOUT_S > 60


async def test_held_in_vain_it_is_asked_about_later() -> None:
    """The page is silent on this; an id is an id."""
    reply = httpx.Response(200, json={"requestId": ID, "status": "processing"})
    async with speaking(BatchGateway, reply) as (gateway, _):
        assert await gateway.submit(SCHNELL, BODY) == Submission(request_id=ID)


async def test_done_with_an_id_keeps_the_id() -> None:
    reply = httpx.Response(200, json={**COMPLETED, "requestId": ID})
    async with speaking(BatchGateway, reply) as (gateway, _):
        answer = await gateway.submit(SCHNELL, BODY)
    assert answer == Finished(media_urls=(URL,), request_id=ID)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"status": "queued"}, SubmissionUnknown),
        ({}, SubmissionUnknown),
        ({"requestId": 7}, SubmissionUnknown),
        ({"status": "failed", "error": "out of memory"}, GenerationFailed),
        ({"status": "failed", "error": "NSFW content"}, ContentRejected),
        ({"status": "failed"}, GenerationFailed),
    ],
)
async def test_an_answer_without_an_id_is_never_sent_again(
    body: object, expected: type[AssetwrightError]
) -> None:
    async with speaking(BatchGateway, httpx.Response(200, json=body)) as (gateway, wire):
        with pytest.raises(AssetwrightError) as caught:
            await gateway.submit(SCHNELL, BODY)
    assert type(caught.value) is expected
    assert len(wire.requests) == 1


async def test_the_status_is_asked_for_with_a_post() -> None:
    async with speaking(BatchGateway, httpx.Response(200, json=COMPLETED)) as (gateway, wire):
        status = await gateway.status(SCHNELL, ID)
    (request,) = wire.requests
    assert (request.method, request.url.path) == ("POST", "/flux-1-schnell/v1/checkStatus")
    assert wire.bodies == [{"requestId": ID}]
    assert (status.state, status.word) == (GatewayState.COMPLETED, "completed")
    assert status.media_urls == (URL,)
    assert status.completed_at == datetime(2026, 1, 13, 13, 30, 19, 767000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("queued", GatewayState.QUEUED),
        ("processing", GatewayState.PROCESSING),
        ("failed", GatewayState.FAILED),
        ("resting", GatewayState.UNKNOWN),
    ],
)
async def test_its_words_are_in_lower_case(word: str, state: GatewayState) -> None:
    async with speaking(BatchGateway, httpx.Response(200, json={"status": word})) as (gateway, _):
        status = await gateway.status(SCHNELL, ID)
    assert (status.state, status.word) == (state, word)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(404), GatewayReplyUnknown),
        (httpx.Response(500), GatewayUnavailable),
        (httpx.ReadTimeout("lost"), GatewayUnavailable),
        (httpx.Response(200, json={"status": "completed"}), GatewayReplyUnknown),
    ],
)
async def test_a_failed_question_says_nothing_about_the_request(
    answer: httpx.Response | Exception, expected: type[AssetwrightError]
) -> None:
    async with speaking(BatchGateway, answer) as (gateway, _):
        with pytest.raises(expected):
            await gateway.status(SCHNELL, ID)
