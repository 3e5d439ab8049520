"""What people decide about jobs that have ended. Each test starts its own server."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx

from assetwright.v1 import asset_service_pb2, job_pb2
from assetwright.v1 import generation_service_pb2 as pb
from server.gateway.hooks import HookLinks
from server.jobs.database import Database
from server.jobs.secret import link_secret
from server.sandbox import Fault, FaultKind, Place
from tests.server.house import charge, download, end_of, kinds, reason, start_house, watch
from tests.server.test_bad_requests import refused
from tests.server.test_live import live

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.settings import Settings

    Make = Callable[..., pb.GenerateRequest]

LOST = Fault(kind=FaultKind.DROP_AFTER_ACCEPT, place=Place.SUBMIT)
NEVER_SENT = Fault(kind=FaultKind.DROP_BEFORE_ACCEPT, place=Place.SUBMIT)


async def test_an_adopted_request_is_collected_and_not_paid_again(
    settings: Settings, request_for: Make
) -> None:
    async with live(settings) as (house, gateway):
        gateway.faults.add(LOST)
        failed = end_of(await house.generate(request_for()))
        assert reason(failed) == "SUBMISSION_UNKNOWN"
        (submission,) = gateway.submissions()
        request = pb.ResolveJobRequest(job_id=failed.job_id, adopt_gateway_request_id=submission.id)
        job = (await house.generation.ResolveJob(request)).job
        assert job.state == job_pb2.JOB_STATE_GENERATING
        rest = await watch(house, failed.job_id, after=failed.sequence)
        whole = await watch(house, failed.job_id)
        assert len(gateway.submissions()) == 1
        again = await refused(house.generation.ResolveJob(request))
    assert kinds(rest)[0] == "warning"
    assert rest[0].warning.code == "REQUEST_ADOPTED"
    receipt = end_of(rest).completed.receipt
    assert (charge(receipt), receipt.gateway_request_id) == ("CHARGED", submission.id)
    assert [event.sequence for event in whole] == list(range(1, len(whole) + 1))
    assert again.info.reason == "JOB_ALREADY_TERMINAL"


async def test_a_request_that_never_arrived_is_submitted_again(
    settings: Settings, request_for: Make
) -> None:
    async with live(settings) as (house, gateway):
        gateway.faults.add(NEVER_SENT)
        failed = end_of(await house.generate(request_for()))
        assert (reason(failed), len(gateway.submissions())) == ("SUBMISSION_UNKNOWN", 0)
        request = pb.ResolveJobRequest(job_id=failed.job_id, resubmit=pb.Resubmit())
        await house.generation.ResolveJob(request)
        rest = await watch(house, failed.job_id, after=failed.sequence)
        assert len(gateway.submissions()) == 1
    assert kinds(rest)[-1] == "completed"


async def test_only_a_doubt_is_to_be_decided(settings: Settings, request_for: Make) -> None:
    async with start_house(replace(settings, sandbox_queue_s=30.0)) as house:
        call = house.generation.Generate(request_for())
        event = (await call.read()).event
        request = pb.ResolveJobRequest(job_id=event.job_id, resubmit=pb.Resubmit())
        running = await refused(house.generation.ResolveJob(request))
        deleted = await refused(
            house.generation.DeleteJob(pb.DeleteJobRequest(job_id=event.job_id))
        )
        await house.generation.CancelJob(pb.CancelJobRequest(job_id=event.job_id))
        await watch(house, event.job_id)
        ended = await refused(house.generation.ResolveJob(request))
        unknown = await refused(
            house.generation.ResolveJob(pb.ResolveJobRequest(job_id="x", resubmit=pb.Resubmit()))
        )
    assert (running.info.reason, deleted.info.reason) == ("JOB_NOT_TERMINAL", "JOB_NOT_TERMINAL")
    assert (ended.info.reason, unknown.info.reason) == ("JOB_ALREADY_TERMINAL", "JOB_NOT_FOUND")


async def test_a_callback_says_what_became_of_a_request_whose_answer_was_lost(
    settings: Settings, request_for: Make
) -> None:
    async with live(settings, **_reachable(grace_s=30.0)) as (house, gateway):
        gateway.faults.add(LOST)
        events = await house.generate(request_for(delivery=pb.DELIVERY_ANNOUNCE))
        (submission,) = gateway.submissions()
    assert kinds(events)[-1] == "completed"
    assert end_of(events).completed.receipt.gateway_request_id == submission.id


async def test_a_callback_is_believed_only_if_the_gateway_knows_the_request(
    settings: Settings, request_for: Make
) -> None:
    """Nothing was accepted, and somebody who knows the address names a request all the same."""
    reachable = _reachable(grace_s=3.0)
    async with live(settings, **reachable) as (house, gateway):
        gateway.faults.add(NEVER_SENT)
        call = house.generation.Generate(request_for(delivery=pb.DELIVERY_ANNOUNCE))
        job_id = (await call.read()).event.job_id
        database = Database(settings.folder / "jobs.sqlite3")
        secret = await link_secret(database, older=settings.folder / "links.secret")
        database.close()
        webhook = HookLinks(secret=secret, base_url=reachable["public_url"]).webhook(job_id)
        assert webhook is not None
        async with httpx.AsyncClient() as http:
            for body in (b'{"request_id": "pixal3d_forged"}', b"[]", b"{", b"\xff"):
                assert (await http.post(webhook.url, content=body)).status_code == 200
            assert (await http.post(webhook.url, content=b"x" * 100_000)).status_code == 413
        events = await watch(house, job_id)
    assert reason(end_of(events)) == "SUBMISSION_UNKNOWN"
    assert gateway.submissions() == ()


def _reachable(*, grace_s: float) -> dict[str, Any]:
    """Return the settings of a server that gateways can call back."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return {
        "http": f"127.0.0.1:{port}",
        "public_url": f"http://127.0.0.1:{port}",
        "submission_grace_s": grace_s,
    }


async def test_a_deleted_job_is_gone_but_for_its_request_id(
    settings: Settings, request_for: Make
) -> None:
    """An asset that another job works with stays."""
    async with start_house(settings) as house:
        events = await house.generate(request_for(request_id="once", labels={"n": "1"}))
        job_id = events[0].job_id
        assets = {one.name: one for one in end_of(events).completed.assets}
        source = assets["source.glb"]
        processed = [
            reply.event
            async for reply in house.generation.Process(
                pb.ProcessRequest(asset_id=source.asset_id, delivery=pb.DELIVERY_ANNOUNCE)
            )
        ]
        assert kinds(processed)[-1] == "completed"
        await house.generation.DeleteJob(pb.DeleteJobRequest(job_id=job_id))
        for call in (
            house.generation.GetJob(pb.GetJobRequest(job_id=job_id)),
            house.generation.DeleteJob(pb.DeleteJobRequest(job_id=job_id)),
            watch(house, job_id),
        ):
            assert (await refused(call)).info.reason == "JOB_NOT_FOUND"
        listed = await house.generation.ListJobs(pb.ListJobsRequest())
        assert [one.job_id for one in listed.jobs] == [processed[0].job_id]
        labelled = await house.generation.ListJobs(pb.ListJobsRequest(labels={"n": "1"}))
        assert not labelled.jobs
        repeated = await refused(house.generate(request_for(request_id="once")))
        assert repeated.info.reason == "REQUEST_ID_REUSED"
        assert "deleted" in repeated.message
        found = asset_service_pb2.GetAssetRequest(asset_id=source.asset_id)
        kept = (await house.assets.GetAsset(found)).asset
        assert (kept.sha256, kept.HasField("job_id")) == (source.sha256, False)
        assert len(await download(house, kept)) == source.size_bytes
        gone = asset_service_pb2.GetAssetRequest(asset_id=assets["asset.glb"].asset_id)
        assert (await refused(house.assets.GetAsset(gone))).info.reason == "ASSET_NOT_FOUND"


async def test_the_disk_budget_refuses_before_anything_is_paid(
    settings: Settings, request_for: Make
) -> None:
    async with start_house(replace(settings, disk_budget_bytes=10_000)) as house:
        await house.generate(request_for())
        refusal = await refused(house.generate(request_for(request_id="next")))
        assert refusal.info.reason == "DISK_FULL"
        assert "ASSETWRIGHT_DISK_BUDGET_BYTES" in refusal.message
        assert len(house.sandbox.submissions()) == 1
