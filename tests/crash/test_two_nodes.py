"""Two servers on Postgres: killed in every phase, stopped for too long, without their database."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from assetwright.v1 import generation_service_pb2 as pb
from tests.crash.campaign import crash
from tests.crash.pair import LEASE_S, running_pair
from tests.crash.phases import PHASES
from tests.crash.postgres import private_postgres
from tests.crash.verdict import Figures, check_logs, check_results, judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from assetwright.v1 import job_pb2
    from tests.crash.postgres import Postgres
    from tests.crash.processes import Gateway, Node

# Nobody dies here: every answer comes in the end, however busy the machine is.
_PATIENT = {"ASSETWRIGHT_SUBMISSION_GRACE_S": "300"}


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with private_postgres() as postgres:
        yield postgres


@pytest.mark.timeout(1500)
async def test_kills_in_every_phase_cost_no_result_and_no_second_payment(
    tmp_path: Path, gateway: Gateway, postgres: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    """The kill hits the node that works on the job, and the other one takes over."""
    async with running_pair(tmp_path, gateway, postgres) as pair:
        figures = await crash(
            pair.nodes,
            pair.caller,
            gateway,
            rounds=3,
            jobs_each=3,
            owner=pair.owner,
            start=pair.start,
        )
        await pair.caller.all_ended(600)
        await judge(pair.caller.jobs, gateway, figures)
        await check_logs(pair.caller.jobs, pair.nodes)
        assert await check_results(pair.caller.jobs, pair.nodes) > 0
        assert figures.total.kills == sum(node.kills for node in pair.nodes) >= 20
        assert all(node.kills for node in pair.nodes)
    assert figures.total.jobs >= 50
    with capsys.disabled():
        print("\n" + figures.table("Two nodes, Postgres"))  # noqa: T201 - the figures of the docs


@pytest.mark.timeout(900)
async def test_a_node_that_was_only_slow_does_nothing_that_costs_money(
    tmp_path: Path, gateway: Gateway, postgres: Postgres
) -> None:
    """Stopped past its lease in each phase, and continued while the other one has its jobs."""
    async with running_pair(tmp_path, gateway, postgres, **_PATIENT) as pair:
        figures = Figures()
        for phase in PHASES:
            await phase.prepare(gateway, 2)
            jobs = await asyncio.gather(*(pair.caller.submit(aim=phase.name) for _ in range(2)))
            slow = await pair.owner(await phase.reached(gateway, jobs)) or pair.nodes[0]
            slow.send(signal.SIGSTOP)
            try:
                await asyncio.sleep(2 * LEASE_S)
            finally:
                slow.send(signal.SIGCONT)
        await gateway.clear_faults()
        await pair.caller.all_ended(600)
        await judge(pair.caller.jobs, gateway, figures)
        await check_logs(pair.caller.jobs, pair.nodes)
        assert figures.total.completed == len(pair.caller.jobs)
        assert all(node.is_up for node in pair.nodes)


@pytest.mark.timeout(900)
async def test_a_postgres_that_restarts_under_load_loses_nothing(
    tmp_path: Path, gateway: Gateway, postgres: Postgres
) -> None:
    """It crashes, is away for three seconds, and recovers, while jobs are in all phases."""
    async with running_pair(tmp_path, gateway, postgres, **_PATIENT) as pair:
        for _ in range(2):
            jobs = await asyncio.gather(*(pair.caller.submit(aim="restart") for _ in range(10)))
            await jobs[0].until(lambda event: event.HasField("gateway_update"))
            await asyncio.to_thread(postgres.stop)
            await asyncio.sleep(3)
            await asyncio.to_thread(postgres.start)
        await pair.caller.all_ended(600)
        figures = Figures()
        await judge(pair.caller.jobs, gateway, figures)
        await check_logs(pair.caller.jobs, pair.nodes)
        assert figures.total.completed == figures.total.submissions == 20
        assert all(node.is_up for node in pair.nodes)


@pytest.mark.timeout(600)
async def test_a_caller_who_leaves_goes_on_at_the_other_node_at_the_next_sequence(
    tmp_path: Path, gateway: Gateway, postgres: Postgres
) -> None:
    """From every position, while the job runs and after it has ended."""
    async with running_pair(tmp_path, gateway, postgres) as pair:
        first, second = pair.nodes
        job = await pair.caller.submit(aim="-")
        await job.until(lambda event: event.HasField("gateway_update"))
        begun = await followed(first, job.id, after=0, most=len(job.events))
        rest = await followed(second, job.id, after=len(begun))
        await pair.caller.all_ended(300)
        assert [*begun, *rest] == job.events
        for position in range(len(job.events)):
            for node in pair.nodes:
                assert await followed(node, job.id, after=position) == job.events[position:]


async def followed(
    node: Node, job_id: str, *, after: int, most: int | None = None
) -> list[job_pb2.JobEvent]:
    """Read a job's log from a position on, to its end or up to so many events."""
    events: list[job_pb2.JobEvent] = []
    async with node.generation() as stub:
        call = stub.WatchJob(pb.WatchJobRequest(job_id=job_id, after_sequence=after))
        async for reply in call:
            if reply.event.sequence:
                events.append(reply.event)
            if len(events) == most:
                call.cancel()
                break
    return events
