"""The queued protocol, as the Pixal3D page has it."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.errors import (
    AssetwrightError,
    GatewayRateLimited,
    GatewayRefusedUs,
    GatewayReplyUnknown,
    GatewayUnavailable,
    SubmissionUnknown,
)
from server.gateway.protocol import GatewayState, Status, Submission, Webhook, WebhookMode
from server.gateway.queued import QueuedGateway
from tests.gateway.wire import Stream, model, speaking

ID = "pixal3d_019d0000-0000-7000-8000-000000000000"
ACCEPTED = {
    "request_id": ID,
    "status": "QUEUED",
    "polling_url": f"https://gateway.pixazo.ai/v2/requests/status/{ID}",
}
COMPLETED: dict[str, Any] = {
    "request_id": ID,
    "status": "COMPLETED",
    "model_id": "pixal3d",
    "error": None,
    "output": {"media_url": ["https://pub.r2.dev/v1/output.glb"], "media_type": "model/glb"},
    "created_at": "2026-05-22T13:17:32.110Z",
    "updated_at": "2026-05-22 13:19:23",
    "completed_at": "2026-05-22 13:19:23",
}
PIXAL3D = model("pixal3d")


async def test_an_accepted_request_has_its_id() -> None:
    async with speaking(QueuedGateway, httpx.Response(202, json=ACCEPTED)) as (gateway, wire):
        answer = await gateway.submit(PIXAL3D, {"image_url": "https://example.com/a.png"})
    assert answer == Submission(request_id=ID)
    assert wire.bodies == [{"image_url": "https://example.com/a.png"}]
    assert not any(name.startswith("x-webhook") for name in wire.requests[0].headers)


@pytest.mark.parametrize("mode", WebhookMode)
async def test_a_callback_is_asked_for_in_the_headers(mode: WebhookMode) -> None:
    async with speaking(QueuedGateway, httpx.Response(202, json=ACCEPTED)) as (gateway, wire):
        await gateway.submit(PIXAL3D, {}, webhook=Webhook(url="https://we.test/hook", mode=mode))
    (request,) = wire.requests
    assert request.headers["x-webhook-url"] == "https://we.test/hook"
    assert request.headers["x-webhook-mode"] == mode.value
    assert wire.bodies == [{}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"request_id": 7}',
        b'{"request_id": ""}',
        b'{"request_id": "' + b"x" * 257 + b'"}',
        b"[" * 100_000,
        b"7" * 10_000,
        b" " * (2 << 20),
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_accepted_without_a_readable_id_is_unknown_and_not_sent_again(body: bytes) -> None:
    async with speaking(QueuedGateway, httpx.Response(202, content=body)) as (gateway, wire):
        with pytest.raises(SubmissionUnknown):
            await gateway.submit(PIXAL3D, {})
    assert len(wire.requests) == 1


@pytest.mark.parametrize("asking", ["submit", "status"])
async def test_an_answer_that_comes_compressed_is_read(asking: str) -> None:
    """We ask for none, but a proxy that packs one all the same must not lose a paid request."""
    packed = Stream(gzip.compress(httpx.Response(200, json=ACCEPTED).content))
    reply = httpx.Response(
        202 if asking == "submit" else 200, headers={"content-encoding": "gzip"}, stream=packed
    )
    async with speaking(QueuedGateway, reply) as (gateway, _):
        if asking == "submit":
            assert (await gateway.submit(PIXAL3D, {})).request_id == ID
        else:
            assert (await gateway.status(PIXAL3D, ID)).state is GatewayState.QUEUED


async def test_the_status_is_asked_for_at_the_universal_endpoint() -> None:
    """Never at the reply's polling_url, which could send our key anywhere."""
    async with speaking(QueuedGateway, httpx.Response(200, json=COMPLETED)) as (gateway, wire):
        status = await gateway.status(PIXAL3D, ID)
    (request,) = wire.requests
    assert (request.method, request.url.path) == ("GET", f"/v2/requests/status/{ID}")
    assert "ocp-apim-subscription-key" in request.headers
    assert status.state is GatewayState.COMPLETED
    assert status.media_urls == ("https://pub.r2.dev/v1/output.glb",)
    assert status.completed_at == datetime(2026, 5, 22, 13, 19, 23, tzinfo=UTC)


async def test_an_id_cannot_lead_to_another_path() -> None:
    async with speaking(QueuedGateway, httpx.Response(200, json=COMPLETED)) as (gateway, wire):
        await gateway.status(PIXAL3D, "../../wallet?x=1#y")
    assert wire.requests[0].url.raw_path == b"/v2/requests/status/..%2F..%2Fwallet%3Fx%3D1%23y"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(401), GatewayRefusedUs),
        (httpx.Response(429), GatewayRateLimited),
        (httpx.Response(400), GatewayReplyUnknown),
        (httpx.Response(404), GatewayReplyUnknown),
        (httpx.Response(500), GatewayUnavailable),
        (httpx.Response(502), GatewayUnavailable),
        (httpx.Response(504), GatewayUnavailable),
        (httpx.ConnectError("no"), GatewayUnavailable),
        (httpx.ReadTimeout("no"), GatewayUnavailable),
        (httpx.Response(200, content=b"<html>"), GatewayReplyUnknown),
        (httpx.Response(200, stream=Stream(error=httpx.ReadError("no"))), GatewayUnavailable),
    ],
)
async def test_a_failed_question_says_nothing_about_the_request(
    answer: httpx.Response | Exception, expected: type[AssetwrightError]
) -> None:
    """So it is never an error that would end a paid job at once."""
    async with speaking(QueuedGateway, answer) as (gateway, _):
        with pytest.raises(AssetwrightError) as caught:
            await gateway.status(PIXAL3D, ID)
    assert type(caught.value) is expected


@pytest.mark.parametrize("state", [one for one in GatewayState if one.value])
def test_every_state_of_the_page_is_known(state: GatewayState) -> None:
    status = Status.parse({**COMPLETED, "status": state.value})
    assert (status.state, status.word) == (state, state.value)
    assert state.is_final == (state.value in ("COMPLETED", "FAILED", "ERROR"))


def test_a_state_that_no_page_names_is_not_the_end() -> None:
    status = Status.parse({"status": "RETRYING"})
    assert status.state is GatewayState.UNKNOWN
    assert not status.state.is_final
    assert status.word == "RETRYING"


@pytest.mark.parametrize("output", [None, {}, {"media_url": []}, {"media_url": None}, "x"])
def test_complete_without_media_cannot_be_right(output: object) -> None:
    with pytest.raises(GatewayReplyUnknown):
        Status.parse({**COMPLETED, "output": output})


def test_several_media_keep_their_order() -> None:
    urls = ["https://a.test/1", "https://a.test/2"]
    assert Status.parse({**COMPLETED, "output": {"media_url": urls}}).media_urls == tuple(urls)


@pytest.mark.parametrize(
    ("state", "error", "refused"),
    [
        ("FAILED", "NSFW content detected", True),
        ("ERROR", "Blocked by the safety filter", True),
        ("FAILED", "Out of memory", False),
        ("FAILED", None, False),
        ("PROCESSING", "NSFW", False),
    ],
)
def test_a_failure_over_content_is_told_apart(state: str, error: object, *, refused: bool) -> None:
    status = Status.parse({"status": state, "error": error})
    assert status.is_content_refusal is refused


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = ("status", "error", "output", "media_url", "completed_at", "message")
_PAYLOAD = st.dictionaries(st.sampled_from(_FIELDS), _JSON)


# Its first text loads the tables of Unicode, which takes a second.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=_PAYLOAD, word=st.sampled_from(["COMPLETED", "FAILED", "completed", "?", ""]))
def test_no_payload_raises_anything_but_our_own(body: dict[str, object], word: str) -> None:
    for payload in (body, {**body, "status": word}, {**body, "output": body, "status": word}):
        try:
            status = Status.parse(payload)
        except GatewayReplyUnknown:
            continue
        assert all(status.media_urls)
        assert status.completed_at is None or status.completed_at.tzinfo is UTC
