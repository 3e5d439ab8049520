"""Two server processes that share a Postgres database and a folder of assets."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from assetwright.v1 import generation_service_pb2 as pb
from server.sandbox import Fault, FaultKind, Place, RunningSandbox, SandboxSettings, run_sandbox
from tests.server.house import kinds, reason
from tests.server.postgres import fresh_database
from tests.server.test_bad_requests import refused
from tests.server.test_processes import Process, follow, request_to_repeat, started, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from assetwright.v1 import generation_service_pb2_grpc as pb_grpc

    Stub = pb_grpc.GenerationServiceAsyncStub

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(240),  # Two servers start for each, and share what the machine has.
    pytest.mark.skipif(sys.platform == "win32", reason="needs signals"),
]

__all__ = ["request_to_repeat"]

LEASE_S = 1.5


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gateway() -> AsyncIterator[RunningSandbox]:
    async with run_sandbox(SandboxSettings(queue_s=0.05, min_work_s=1.5)) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    """One for all: to make the engine's tables takes longer than most of these tests."""
    with fresh_database() as url:
        yield url


class Nodes:
    """Starts nodes that share everything but their data folder."""

    def __init__(self, folder: Path, gateway: RunningSandbox, database_url: str) -> None:
        self._folder = folder
        self._gateway = gateway
        self._url = database_url
        self._count = 0

    def node(self, **environment: str) -> AbstractAsyncContextManager[Process]:
        self._count += 1
        return started(
            self._folder / f"node-{self._count}",
            self._gateway,
            ASSETWRIGHT_DATABASE_URL=self._url,
            ASSETWRIGHT_ASSETS=str(self._folder / "assets"),
            ASSETWRIGHT_NODE_LEASE_S=str(LEASE_S),
            **environment,
        )

    @contextlib.asynccontextmanager
    async def both(self, **environment: str) -> AsyncIterator[tuple[Stub, Stub]]:
        async with (
            self.node(**environment) as first,
            self.node(**environment) as second,
            first.stub() as one,
            second.stub() as other,
        ):
            yield one, other


@pytest.fixture
def nodes(tmp_path: Path, gateway: RunningSandbox, database_url: str) -> Nodes:
    return Nodes(tmp_path, gateway, database_url)


async def test_a_killed_nodes_job_goes_on_at_the_other(
    nodes: Nodes, gateway: RunningSandbox, request_to_repeat: pb.GenerateRequest
) -> None:
    """Kill -9 while the gateway works: one submission, and the stream goes on without a gap."""
    before = len(gateway.submissions())
    async with nodes.node() as first, first.stub() as stub:
        seen = await until(stub, request_to_repeat, "gateway_update")
        async with nodes.node() as second, second.stub() as other:
            assert await first.ends(signal.SIGKILL) == -signal.SIGKILL
            rest = await follow(other, seen[0].job_id, seen[-1].sequence)
            whole = await follow(other, seen[0].job_id, 0)
    assert kinds(rest)[-1] == "completed"
    assert [event.sequence for event in whole] == list(range(1, len(whole) + 1))
    assert whole == [*seen, *rest]
    assert len(gateway.submissions()) == before + 1


async def test_a_node_killed_during_the_paid_post_is_not_replaced_by_a_second_one(
    nodes: Nodes, gateway: RunningSandbox, request_to_repeat: pb.GenerateRequest
) -> None:
    before = len(gateway.submissions())
    gateway.faults.add(Fault(kind=FaultKind.SLOW, place=Place.SUBMIT, delay_s=3.0))
    grace = {"ASSETWRIGHT_SUBMISSION_GRACE_S": "4"}
    async with nodes.node(**grace) as first, nodes.node(**grace) as second, first.stub() as stub:
        job_id = await _accepted(stub, request_to_repeat)
        # Either node may have it: both go, and another one comes.
        await _until_submitted(gateway, before)
        await first.ends(signal.SIGKILL)
        await second.ends(signal.SIGKILL)
    async with nodes.node(**grace) as third, third.stub() as stub:
        events = await follow(stub, job_id, 0)
    assert reason(events[-1]) == "SUBMISSION_UNKNOWN"
    assert len(gateway.submissions()) == before + 1


async def test_the_same_request_on_both_nodes_at_once_is_one_job(
    nodes: Nodes, gateway: RunningSandbox, request_to_repeat: pb.GenerateRequest
) -> None:
    before = len(gateway.submissions())
    async with nodes.both() as (one, other):
        asked = pb.GenerateRequest()
        asked.CopyFrom(request_to_repeat)
        asked.request_id = "pressed twice"
        ids = await asyncio.gather(*(_accepted(stub, asked) for stub in (one, other) * 5))
        assert len(set(ids)) == 1
        logs = [await follow(stub, ids[0], 0) for stub in (one, other)]
        asked.parameters["decimation_target"].int_value = 700
        refusal = await refused(_accepted(other, asked))
    assert logs[0] == logs[1]
    assert kinds(logs[0])[-1] == "completed"
    assert refusal.info.reason == "REQUEST_ID_REUSED"
    assert len(gateway.submissions()) == before + 1


async def test_a_stream_on_either_node_sees_the_job_as_it_happens(
    nodes: Nodes, request_to_repeat: pb.GenerateRequest
) -> None:
    """Wherever the job runs, the other node hears of each entry long before it would look."""
    async with nodes.both() as (one, other):
        job_id = await _accepted(one, request_to_repeat)
        async with asyncio.timeout(60):
            logs = await asyncio.gather(follow(one, job_id, 0), follow(other, job_id, 0))
    heard = [[event for event in log if event.sequence] for log in logs]
    assert heard[0] == heard[1]
    assert kinds(heard[0])[-1] == "completed"


async def test_a_cancel_reaches_the_node_that_has_the_job(
    nodes: Nodes, gateway: RunningSandbox, request_to_repeat: pb.GenerateRequest
) -> None:
    gateway.faults.add(Fault(kind=FaultKind.SLOW, place=Place.STATUS, delay_s=30.0))
    async with nodes.both() as (one, other):
        job_id = await _accepted(one, request_to_repeat)
        await _until_submitted(gateway, len(gateway.submissions()) - 1)
        for stub in (one, other):
            await stub.CancelJob(pb.CancelJobRequest(job_id=job_id))
        events = await follow(one, job_id, 0)
    assert kinds(events)[-1] == "cancelled"


async def test_a_models_limit_holds_for_all_nodes_together(
    nodes: Nodes, gateway: RunningSandbox, request_to_repeat: pb.GenerateRequest
) -> None:
    before = len(gateway.submissions())
    async with nodes.both(ASSETWRIGHT_MODEL_CONCURRENCY="2") as (one, other):
        ids = await asyncio.gather(
            *(_accepted(stub, request_to_repeat) for stub in (one, other) * 2)
        )
        logs = await asyncio.gather(*(follow(one, job_id, 0) for job_id in ids))
    assert {kinds(log)[-1] for log in logs} == {"completed"}
    spans = [(one.created_at, one.updated_at) for one in gateway.submissions()[before:]]
    assert len(spans) == 4
    for begin, _ in spans:
        assert sum(first <= begin < last for first, last in spans) <= 2


async def test_a_node_that_only_stood_still_does_nothing_twice(
    nodes: Nodes, gateway: RunningSandbox, request_to_repeat: pb.GenerateRequest
) -> None:
    """Stopped past its lease and continued, it finds its job taken, and works on as a node."""
    before = len(gateway.submissions())
    async with nodes.node() as first, first.stub() as stub:
        seen = await until(stub, request_to_repeat, "gateway_update")
        job_id = seen[0].job_id
        async with nodes.node() as second, second.stub() as other:
            first.child.send_signal(signal.SIGSTOP)
            rest = await follow(other, job_id, seen[-1].sequence)
            first.child.send_signal(signal.SIGCONT)
            again = await until(stub, request_to_repeat, "completed")
            logs = [await follow(one, job_id, 0) for one in (stub, other)]
    assert kinds(rest)[-1] == "completed"
    assert logs[0] == logs[1] == [*seen, *rest]
    assert again[0].job_id != job_id
    assert len(gateway.submissions()) == before + 2


async def test_a_node_that_stops_properly_is_replaced_at_once(
    nodes: Nodes, gateway: RunningSandbox, request_to_repeat: pb.GenerateRequest
) -> None:
    """It says that it goes; nobody has to wait for its lease."""
    before = len(gateway.submissions())
    async with nodes.node() as first, first.stub() as stub:
        seen = await until(stub, request_to_repeat, "gateway_update")
        async with nodes.node() as second, second.stub() as other:
            assert await first.ends(signal.SIGTERM) == 0
            rest = await follow(other, seen[0].job_id, seen[-1].sequence)
    assert kinds(rest)[-1] == "completed"
    assert len(gateway.submissions()) == before + 1


async def _accepted(stub: Stub, request: pb.GenerateRequest) -> str:
    call = stub.Generate(request)
    job_id: str = (await call.read()).event.job_id
    call.cancel()
    return job_id


async def _until_submitted(gateway: RunningSandbox, before: int) -> None:
    async with asyncio.timeout(60):
        while len(gateway.submissions()) == before:
            await asyncio.sleep(0.02)
