"""The server with a key, driving a gateway that it does not own."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from assetwright.v1 import errors_pb2, job_pb2, model_service_pb2
from assetwright.v1 import generation_service_pb2 as pb
from server.asgi import serve_asgi
from server.sandbox import Fault, FaultKind, Place, SandboxSettings, run_sandbox
from tests.gateway.examples import EXAMPLES
from tests.server.house import charge, end_of, kinds, reason, start_house
from tests.server.stranger import HEADERS, StrangerGateway
from tests.server.test_models import request as request_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from server.sandbox import RunningSandbox
    from server.settings import Settings
    from tests.server.house import House

    Make = Callable[..., pb.GenerateRequest]

KEY = "key-of-the-test"


@contextlib.asynccontextmanager
async def live(
    settings: Settings, **changes: object
) -> AsyncIterator[tuple[House, RunningSandbox]]:
    """Start a sandbox as somebody else's gateway, and a server with a key for it."""
    quick = SandboxSettings(queue_s=0.05, min_work_s=0.05, accepted_keys=frozenset({KEY}))
    async with run_sandbox(quick) as gateway:
        given = {"pixazo_api_key": KEY, "pixazo_url": gateway.base_url, **changes}
        async with start_house(replace(settings, gateway=None, **given)) as house:
            yield house, gateway


async def test_any_gateway_that_follows_the_page_will_do(
    settings: Settings, request_for: Make
) -> None:
    """Only the published contract is relied on; the key goes to the gateway, not to the media."""
    stranger = StrangerGateway()
    async with serve_asgi(stranger.app(), host="127.0.0.1", port=0) as address:
        changed = replace(
            settings, gateway=None, pixazo_api_key=KEY, pixazo_url=f"http://{address}"
        )
        async with start_house(changed) as house:
            events = await house.generate(request_for())
    completed = end_of(events).completed
    assert b"".join(event.chunk.data for event in events)[:4] == b"glTF"
    assert not completed.assets[0].sandbox
    assert completed.assets[0].size_bytes == len(stranger.glb)
    (body,), (headers,) = stranger.bodies, stranger.headers
    image_url = str(body.pop("image_url"))
    assert image_url.startswith("http://127.0.0.1:")
    assert body == {"decimation_target": 600, "texture_size": 1024}
    assert headers["ocp-apim-subscription-key"] == KEY
    assert headers["content-type"] == "application/json"


async def test_all_models_work_with_a_gateway_that_is_not_ours(
    settings: Settings, picture: bytes
) -> None:
    """Four protocols, three headers, and a result of each kind; nothing depends on the sandbox."""
    stranger = StrangerGateway()
    async with serve_asgi(stranger.app(), host="127.0.0.1", port=0) as address:
        url = f"http://{address}"
        changed = replace(
            settings,
            gateway=None,
            pixazo_api_key=KEY,
            pixazo_secret_key=KEY,
            segmind_api_key=KEY,
            pixazo_url=url,
            segmind_url=url,
        )
        async with start_house(changed) as house:
            for example in EXAMPLES:
                events = await house.generate(request_of(example, picture))
                assert kinds(events)[-1] == "completed", example.model
                assert stranger.paths[-1] == example.path
                assert stranger.headers[-1][HEADERS[example.auth]] == KEY
                assert stranger.bodies[-1].keys() == example.body.keys()
                assert charge(end_of(events).completed.receipt) == "CHARGED"
    assert len(stranger.paths) == len(EXAMPLES)


async def test_a_live_generation_is_charged_by_the_published_row(
    settings: Settings, request_for: Make
) -> None:
    async with live(settings) as (house, _):
        events = await house.generate(request_for(delivery=pb.DELIVERY_ANNOUNCE))
    receipt = end_of(events).completed.receipt
    assert charge(receipt) == "CHARGED"
    assert (receipt.amount.currency_code, receipt.amount.amount_micros) == ("USD", 300_000)
    assert receipt.gateway_request_id.startswith("pixal3d_")
    assert "SANDBOX_RESULT" not in [event.warning.code for event in events]


@pytest.mark.parametrize(
    ("kind", "place", "expected", "charged"),
    [
        (FaultKind.FAIL, Place.RESULT, "GENERATION_FAILED", "UNKNOWN"),
        (FaultKind.ERROR, Place.RESULT, "GENERATION_FAILED", "NOT_CHARGED"),
        (FaultKind.INSUFFICIENT_BALANCE, Place.SUBMIT, "GATEWAY_BALANCE", "NOT_CHARGED"),
        (FaultKind.SERVER_ERROR, Place.SUBMIT, "GATEWAY_UNAVAILABLE", "UNKNOWN"),
        (FaultKind.DROP_AFTER_ACCEPT, Place.SUBMIT, "SUBMISSION_UNKNOWN", "UNKNOWN"),
    ],
)
async def test_a_failure_says_what_is_known_about_the_charge(
    settings: Settings,
    request_for: Make,
    kind: FaultKind,
    place: Place,
    expected: str,
    charged: str,
) -> None:
    """ERROR is "not charged" by the page; about FAILED and a lost answer nobody can know."""
    async with live(settings) as (house, gateway):
        gateway.faults.add(Fault(kind=kind, place=place))
        failed = end_of(await house.generate(request_for()))
        assert reason(failed) == expected
        assert charge(failed.failed.receipt) == charged
        assert len(gateway.submissions()) <= 1


async def test_a_wrong_key_is_ours_and_not_the_callers(
    settings: Settings, request_for: Make
) -> None:
    """The caller must not go and look for a mistake in a token of theirs."""
    async with live(settings, pixazo_api_key="wrong") as (house, gateway):
        failed = end_of(await house.generate(request_for()))
        assert reason(failed) == "GATEWAY_REFUSED_US"
        assert failed.failed.error.metadata["status_code"] == "401"
        assert KEY not in str(failed)
        assert gateway.submissions() == ()


async def test_a_gateway_that_nobody_listens_at_costs_nothing(
    settings: Settings, request_for: Make
) -> None:
    """A refused connection proves that nothing was sent, so it is tried again, then given up."""
    async with live(settings, pixazo_url="http://127.0.0.1:9") as (house, _):
        failed = end_of(await house.generate(request_for()))
    assert reason(failed) == "GATEWAY_UNAVAILABLE"
    assert charge(failed.failed.receipt) == "NOT_CHARGED"


async def test_without_a_key_the_model_says_what_to_set(settings: Settings) -> None:
    changed = replace(settings, gateway=None, segmind_api_key="only-this")
    async with start_house(changed) as house:
        reply = await house.models.GetModel(model_service_pb2.GetModelRequest(model_id="pixal3d"))
    assert not reply.model.ready
    assert "PIXAZO_API_KEY" in reply.model.not_ready_reason


async def test_a_failed_result_keeps_its_source(settings: Settings, request_for: Make) -> None:
    """What was paid for stays, even if it turns out to be no GLB."""
    stranger = StrangerGateway()
    stranger.glb = b"glTF" + b"\0" * 20
    async with serve_asgi(stranger.app(), host="127.0.0.1", port=0) as address:
        changed = replace(
            settings, gateway=None, pixazo_api_key=KEY, pixazo_url=f"http://{address}"
        )
        async with start_house(changed) as house:
            events = await house.generate(request_for())
    failed = end_of(events).failed
    assert failed.error.reason == errors_pb2.ERROR_REASON_ASSET_INVALID
    assert charge(failed.receipt) == "CHARGED"
    assert [asset.name for asset in failed.assets] == ["source.glb"]
    assert "chunk" not in kinds(events)


async def test_a_paid_job_waits_for_its_own_gateway(settings: Settings, request_for: Make) -> None:
    """Restarted without the key, the server leaves the job alone; with it, it collects the result.

    The sandbox would answer in the gateway's place that it knows no such request.
    """
    quick = SandboxSettings(queue_s=0.05, min_work_s=0.5)
    async with run_sandbox(quick) as gateway:
        with_key = replace(settings, gateway=None, pixazo_api_key=KEY, pixazo_url=gateway.base_url)
        async with start_house(with_key) as house:
            call = house.generation.Generate(request_for(delivery=pb.DELIVERY_ANNOUNCE))
            while not (event := (await call.read()).event).HasField("gateway_update"):
                pass
        async with start_house(replace(settings, gateway=None)) as house:
            job = (await house.generation.GetJob(pb.GetJobRequest(job_id=event.job_id))).job
            assert job.state == job_pb2.JOB_STATE_GENERATING
        async with start_house(with_key) as house:
            request = pb.WatchJobRequest(job_id=event.job_id)
            events = [reply.event async for reply in house.generation.WatchJob(request)]
        assert kinds(events)[-1] == "completed"
        assert len(gateway.submissions()) == 1


async def test_a_job_that_was_left_alone_can_be_cancelled(
    settings: Settings, request_for: Make
) -> None:
    async with live(settings) as (house, _):
        call = house.generation.Generate(request_for())
        while not (event := (await call.read()).event).HasField("gateway_update"):
            pass
    async with start_house(replace(settings, gateway=None)) as house:
        request = pb.CancelJobRequest(job_id=event.job_id)
        job = (await house.generation.CancelJob(request)).job
        assert job.state == job_pb2.JOB_STATE_CANCELLED
        assert charge(job.receipt) == "CHARGED"
