"""A job that waits at the embedded sandbox outlives both of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from assetwright.v1 import generation_service_pb2 as pb
from assetwright.v1 import job_pb2
from tests.server.house import House, end_of, kinds, start_house, watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from server.settings import Settings

    Make = Callable[..., pb.GenerateRequest]


async def generating(house: House, request: pb.GenerateRequest, status: str) -> tuple[str, int]:
    """Start a job; return it, and the position, once the sandbox has its input and the status."""
    call = house.generation.Generate(request)
    event = (await call.read()).event
    while not event.HasField("gateway_update"):
        event = (await call.read()).event
    (asked,) = house.sandbox.submissions()
    async with asyncio.timeout(10):
        while asked.status.value != status:
            await asyncio.sleep(0.02)
            (asked,) = house.sandbox.submissions()
    await asyncio.sleep(0.3)  # For the input, which comes from this machine.
    job = (await house.generation.GetJob(pb.GetJobRequest(job_id=event.job_id))).job
    assert job.state == job_pb2.JOB_STATE_GENERATING
    return event.job_id, event.sequence


@pytest.mark.parametrize(
    ("waits", "status"),
    [({"sandbox_queue_s": 60.0}, "QUEUED"), ({"sandbox_work_s": 60.0}, "PROCESSING")],
)
async def test_a_job_that_waits_at_the_sandbox_goes_on_after_a_restart(
    settings: Settings, request_for: Make, waits: dict[str, float], status: str
) -> None:
    """Both ports change; the request is the same one, and nothing is submitted again."""
    async with start_house(replace(settings, **waits)) as house:
        job_id, position = await generating(house, request_for(), status)
        (first,) = house.sandbox.submissions()
    async with start_house(settings) as house:
        rest = await watch(house, job_id, after=position)
        assert kinds(rest)[-1] == "completed", rest[-1]
        assert end_of(rest).completed.receipt.gateway_request_id == first.id
        assert house.sandbox.submissions() == ()
