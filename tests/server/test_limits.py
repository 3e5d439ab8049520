"""What keeps a server from doing too much at once. Each test starts its own server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from assetwright.v1 import generation_service_pb2 as pb
from assetwright.v1 import job_pb2
from tests.server.house import charge, end_of, kinds, start_house, watch
from tests.server.test_bad_requests import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.settings import Settings
    from tests.server.house import House

    Make = Callable[..., pb.GenerateRequest]


async def test_more_starts_than_a_minute_may_have_wait_and_cost_nothing(
    settings: Settings, request_for: Make
) -> None:
    async with start_house(replace(settings, model_starts_per_minute=1)) as house:
        first = await _accepted(house, request_for(request_id="first"))
        await _submitted(house)  # Within a second the engine keeps no order.
        second = await _accepted(house, request_for(request_id="second"))
        assert kinds(await watch(house, first))[-1] == "completed"
        job = (await house.generation.GetJob(pb.GetJobRequest(job_id=second))).job
        assert job.state == job_pb2.JOB_STATE_QUEUED
        await house.generation.CancelJob(pb.CancelJobRequest(job_id=second))
        events = await watch(house, second)
        assert kinds(events) == ["accepted", "cancelled"]
        assert charge(end_of(events).cancelled.receipt) == "NOT_CHARGED"
        assert len(house.sandbox.submissions()) == 1


async def test_a_model_that_is_busy_keeps_no_other_waiting(
    settings: Settings, request_for: Make
) -> None:
    changed = replace(settings, model_concurrency=1, sandbox_queue_s=30.0, drain_s=1.0)
    async with start_house(changed) as house:
        busy = await _accepted(house, request_for(request_id="busy"))
        await _submitted(house)  # Within a second the engine keeps no order.
        waits = await _accepted(house, request_for(request_id="waits"))
        await _accepted(house, pb.GenerateRequest(model="flux-1-schnell", prompt="A chair"))
        async with asyncio.timeout(20):
            while len(house.sandbox.submissions()) < 2:
                await asyncio.sleep(0.05)
            while await _state(house, busy) != job_pb2.JOB_STATE_GENERATING:
                await asyncio.sleep(0.05)
        assert await _state(house, waits) == job_pb2.JOB_STATE_QUEUED


async def test_a_full_queue_refuses_with_a_delay(settings: Settings, request_for: Make) -> None:
    changed = replace(settings, max_running_jobs=1, max_queued_jobs=1, sandbox_queue_s=30.0)
    async with start_house(changed) as house:
        ids = [await _accepted(house, request_for(request_id=name)) for name in ("one", "two")]
        refusal = await refused(house.generate(request_for(request_id="three")))
        assert refusal.info.reason == "QUEUE_FULL"
        assert refusal.retry.retry_delay.seconds > 0
        assert await _accepted(house, request_for(request_id="two")) == ids[1]


async def _submitted(house: House) -> None:
    async with asyncio.timeout(20):
        while not house.sandbox.submissions():
            await asyncio.sleep(0.05)


async def _state(house: House, job_id: str) -> job_pb2.JobState.ValueType:
    return (await house.generation.GetJob(pb.GetJobRequest(job_id=job_id))).job.state


async def _accepted(house: House, request: pb.GenerateRequest) -> str:
    call = house.generation.Generate(request)
    job_id = (await call.read()).event.job_id
    call.cancel()
    return job_id
