"""What happens around a job: restarts, cancels, lists. Each test starts its own server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assetwright.v1 import generation_service_pb2 as pb
from assetwright.v1 import job_pb2
from tests.server.house import end_of, kinds, start_house, watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.settings import Settings

    Make = Callable[..., pb.GenerateRequest]


async def test_a_restart_takes_the_job_up_where_it_was(
    settings: Settings, request_for: Make
) -> None:
    """The stream ends with UNAVAILABLE; the next server finishes the job from its stored source."""
    slow = replace(settings, sandbox_work_s=0.05)
    async with start_house(slow) as house:
        call = house.generation.Generate(request_for(delivery=pb.DELIVERY_ANNOUNCE))
        events = [(await call.read()).event]
        while not events[-1].HasField("asset_ready"):
            events.append((await call.read()).event)
        job_id, position = events[-1].job_id, events[-1].sequence
    async with start_house(slow) as house:
        rest = await watch(house, job_id, after=position)
        assert [event.sequence for event in rest] == list(
            range(position + 1, position + 1 + len(rest))
        )
        assert kinds(rest)[-1] == "completed"
        names = [asset.name for asset in end_of(rest).completed.assets]
        assert len(names) == len(set(names))
        assert house.sandbox.submissions() == ()


async def test_cancelling_while_the_gateway_works_ends_the_log_properly(
    settings: Settings, request_for: Make
) -> None:
    async with start_house(replace(settings, sandbox_queue_s=30.0)) as house:
        call = house.generation.Generate(request_for())
        job_id = ""
        async for reply in call:
            job_id = reply.event.job_id
            if reply.event.HasField("gateway_update"):
                await house.generation.CancelJob(pb.CancelJobRequest(job_id=job_id))
            last = reply.event
        assert last.WhichOneof("kind") == "cancelled"
        assert last.cancelled.receipt.gateway_request_id
        again = await house.generation.CancelJob(pb.CancelJobRequest(job_id=job_id))
        assert again.job.state == job_pb2.JOB_STATE_CANCELLED


async def test_cancelling_with_collect_keeps_what_is_paid_for(
    settings: Settings, request_for: Make
) -> None:
    async with start_house(replace(settings, sandbox_work_s=0.5)) as house:
        call = house.generation.Generate(request_for())
        async for reply in call:
            if reply.event.HasField("gateway_update"):
                await house.generation.CancelJob(
                    pb.CancelJobRequest(
                        job_id=reply.event.job_id, after_submission=pb.AFTER_SUBMISSION_COLLECT
                    )
                )
                break
        events = await watch(house, reply.event.job_id)
        assert kinds(events)[-1] == "cancelled"
        assert [one.name for one in events[-1].cancelled.assets] == ["source.glb"]


async def test_jobs_are_listed_newest_first_page_by_page(
    settings: Settings, request_for: Make
) -> None:
    async with start_house(settings) as house:
        started = [
            (await house.generate(request_for(labels={"n": str(n)}, model="pixal3d")))[0].job_id
            for n in range(3)
        ]
        first = await house.generation.ListJobs(pb.ListJobsRequest(page_size=2))
        rest = await house.generation.ListJobs(
            pb.ListJobsRequest(page_size=2, page_token=first.next_page_token)
        )
        assert [job.job_id for job in (*first.jobs, *rest.jobs)] == started[::-1]
        assert not rest.next_page_token
        labelled = await house.generation.ListJobs(pb.ListJobsRequest(labels={"n": "1"}))
        assert [job.job_id for job in labelled.jobs] == [started[1]]
        completed = await house.generation.ListJobs(
            pb.ListJobsRequest(states=[job_pb2.JOB_STATE_FAILED])
        )
        assert not completed.jobs


async def test_the_estimate_is_drawn_from_this_servers_own_generations(
    settings: Settings, request_for: Make
) -> None:
    """None before the first; then the median, with its sample size."""
    async with start_house(settings) as house:
        first = await house.generate(request_for())
        second = await house.generate(request_for(request_id="second"))
        updates = [
            [e.gateway_update for e in events if e.HasField("gateway_update")]
            for events in (first, second)
        ]
        assert not any(update.HasField("estimate") for update in updates[0])
        assert {update.estimate.sample_size for update in updates[1]} == {1}
