"""What holds for every protocol: one paid POST, an error for each refusal, the right keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from server.errors import (
    AssetwrightError,
    ContentRejected,
    GatewayBalance,
    GatewayRateLimited,
    GatewayRefusedUs,
    GatewayRejectedRequest,
    GatewayReplyUnknown,
    GatewayUnavailable,
    SubmissionUnknown,
)
from server.gateway.batch import BatchGateway
from server.gateway.models import Auth, ProtocolKind
from server.gateway.queued import QueuedGateway
from server.gateway.refusals import PIXAZO, SEGMIND
from server.gateway.synchronous import SyncBytesGateway, SyncUrlGateway
from tests.gateway.wire import CATALOG, KEYS, Stream, model, speaking

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.gateway.connection import Connection
    from server.gateway.protocol import GatewayProtocol

    Kind = Callable[[Connection], GatewayProtocol]

SPEAKERS: dict[ProtocolKind, tuple[Kind, str]] = {
    ProtocolKind.QUEUED: (QueuedGateway, "pixal3d"),
    ProtocolKind.SYNC_URL: (SyncUrlGateway, "flux-2-klein-4b"),
    ProtocolKind.BATCH: (BatchGateway, "flux-1-schnell-batch"),
    ProtocolKind.SYNC_BYTES: (SyncBytesGateway, "segmind-aura-flow"),
}
every_protocol = pytest.mark.parametrize(("kind", "model_id"), SPEAKERS.values(), ids=str)


async def _refused(
    kind: Kind, model_id: str, answer: httpx.Response | Exception
) -> AssetwrightError:
    """Submit once; return why it failed. More than one POST fails the test."""
    asked = model(model_id)
    dialect = SEGMIND if asked.provider == "segmind" else PIXAZO
    async with speaking(kind, answer, dialect=dialect) as (gateway, wire):
        with pytest.raises(AssetwrightError) as caught:
            await gateway.submit(asked, {"prompt": "a chair"})
    assert [one.method for one in wire.requests] == ["POST"]
    return caught.value


@every_protocol
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (400, GatewayRejectedRequest),
        (401, GatewayRefusedUs),
        (402, GatewayBalance),
        (403, GatewayRefusedUs),
        (404, GatewayRejectedRequest),
        (405, GatewayRejectedRequest),
        (413, GatewayRejectedRequest),
        (422, GatewayRejectedRequest),
        (429, GatewayRateLimited),
        (500, GatewayUnavailable),
        (503, GatewayUnavailable),
        (408, SubmissionUnknown),
        (502, SubmissionUnknown),
        (504, SubmissionUnknown),
        (524, SubmissionUnknown),
        (307, GatewayReplyUnknown),
        (418, GatewayReplyUnknown),
    ],
)
async def test_each_refusal_has_its_error(
    kind: Kind, model_id: str, code: int, expected: type[AssetwrightError]
) -> None:
    """A redirect is no exception: the POST is never sent a second time."""
    headers = {"location": "https://elsewhere.test/"} if code == 307 else {}
    error = await _refused(
        kind, model_id, httpx.Response(code, headers=headers, json={"error": "why"})
    )
    assert type(error) is expected
    assert error.metadata["status_code"] == str(code)
    assert error.metadata.get("sent") is None


@every_protocol
@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("no"), httpx.ConnectTimeout("no"), httpx.PoolTimeout("no")]
)
async def test_what_never_left_is_said_to_be_unsent(
    kind: Kind, model_id: str, failure: Exception
) -> None:
    """The one case that may be tried again."""
    error = await _refused(kind, model_id, failure)
    assert type(error) is GatewayUnavailable
    assert error.metadata["sent"] == "no"


@every_protocol
@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout,
        httpx.WriteTimeout,
        httpx.ReadError,
        httpx.WriteError,
        httpx.RemoteProtocolError,
    ],
)
@pytest.mark.parametrize("begun", [None, b"", b'{"outp'])
async def test_a_lost_answer_is_never_guessed_at(
    kind: Kind, model_id: str, failure: type[httpx.HTTPError], begun: bytes | None
) -> None:
    """Neither before its first byte nor within it."""
    lost = failure("lost")
    answer = lost if begun is None else httpx.Response(200, stream=Stream(begun, error=lost))
    assert type(await _refused(kind, model_id, answer)) is SubmissionUnknown


@every_protocol
async def test_a_refusal_whose_body_breaks_off_is_still_that_refusal(
    kind: Kind, model_id: str
) -> None:
    broken = httpx.Response(402, stream=Stream(b"{", error=httpx.ReadError("lost")))
    assert type(await _refused(kind, model_id, broken)) is GatewayBalance


@every_protocol
@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b"\xff", b'{"error": {"deep": 1}}'])
async def test_a_refusal_without_words_is_still_that_refusal(
    kind: Kind, model_id: str, body: bytes
) -> None:
    error = await _refused(kind, model_id, httpx.Response(400, content=body))
    assert type(error) is GatewayRejectedRequest
    assert "gateway_message" not in error.metadata


@every_protocol
async def test_the_gateways_own_words_are_passed_on(kind: Kind, model_id: str) -> None:
    body = {"error": "Insufficient Balance", "message": "Your wallet is empty."}
    error = await _refused(kind, model_id, httpx.Response(402, json=body))
    assert error.metadata["gateway_message"] == "Your wallet is empty."


@every_protocol
async def test_refused_content_is_told_apart_by_its_words(kind: Kind, model_id: str) -> None:
    body = {"error": "Prompt was flagged by content moderation"}
    error = await _refused(kind, model_id, httpx.Response(400, json=body))
    assert type(error) is ContentRejected


@every_protocol
@pytest.mark.parametrize(
    "text",
    ["safety_tolerance must be an integer in [0, 2]", "enable_safety_checker must be a boolean"],
)
async def test_a_parameter_named_safety_is_no_refused_content(
    kind: Kind, model_id: str, text: str
) -> None:
    error = await _refused(kind, model_id, httpx.Response(400, json={"error": text}))
    assert type(error) is GatewayRejectedRequest


@every_protocol
@pytest.mark.parametrize(
    ("header", "delay"),
    [
        ("7", 7.0),
        ("Fri, 22 May 2026 13:00:30 GMT", 30.0),
        ("Fri, 22 May 2026 12:00:00 GMT", 0.0),
        ("9" * 400, 3600.0),
        ("soon", None),
        ("\u00b2", None),
    ],
)
async def test_retry_after_is_read_in_both_its_forms(
    kind: Kind, model_id: str, header: str, delay: float | None
) -> None:
    answer = httpx.Response(429, headers=[(b"retry-after", header.encode("latin-1"))])
    error = await _refused(kind, model_id, answer)
    assert type(error) is GatewayRateLimited
    assert error.retry_after_s == delay


async def test_segminds_406_is_about_credits() -> None:
    """Elsewhere 406 is not described, so it is not guessed at."""
    answer = httpx.Response(406)
    assert type(await _refused(SyncBytesGateway, "segmind-aura-flow", answer)) is GatewayBalance
    assert type(await _refused(QueuedGateway, "pixal3d", answer)) is GatewayReplyUnknown


_HEADERS = ("ocp-apim-subscription-key", "x-secret-key", "x-api-key")


@pytest.mark.parametrize("model_id", CATALOG.ids)
async def test_a_model_gets_the_keys_that_its_page_asks_for_and_no_other(model_id: str) -> None:
    """At its own path, with a body of JSON."""
    asked = model(model_id)
    kind, _ = SPEAKERS[asked.protocol]
    async with speaking(kind, httpx.Response(401)) as (gateway, wire):
        with pytest.raises(GatewayRefusedUs):
            await gateway.submit(asked, {"prompt": "x"})
    (request,) = wire.requests
    assert request.url.path == asked.path
    assert request.headers["content-type"] == "application/json"
    sent = {name: request.headers[name] for name in _HEADERS if name in request.headers}
    expected = {
        Auth.SUBSCRIPTION_KEY: {_HEADERS[0]: KEYS[Auth.SUBSCRIPTION_KEY]},
        Auth.SECRET_KEY: {_HEADERS[1]: KEYS[Auth.SECRET_KEY]},
        Auth.API_KEY: {_HEADERS[2]: KEYS[Auth.API_KEY]},
    }[asked.auth]
    if asked.id == "flux-1-schnell-batch":  # Its table of headers lists both.
        expected |= {_HEADERS[0]: KEYS[Auth.SUBSCRIPTION_KEY]}
    assert sent == expected


async def test_no_error_and_no_repr_shows_a_key() -> None:
    echo = {"error": "bad key"}
    async with speaking(QueuedGateway, httpx.Response(401, json=echo)) as (gateway, _):
        with pytest.raises(GatewayRefusedUs) as caught:
            await gateway.submit(model("pixal3d"), {})
        shown = f"{caught.value!r} {caught.value.metadata} {gateway._connection!r}"
    assert not any(key in shown for key in KEYS.values())
