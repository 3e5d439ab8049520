"""The real server process: killed, stopped, started twice. The gateway outlives it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from assetwright.v1 import generation_service_pb2 as pb
from assetwright.v1 import generation_service_pb2_grpc as pb_grpc
from assetwright.v1 import model_pb2
from server.asgi import serve_asgi
from server.sandbox import Fault, FaultKind, Place, RunningSandbox, SandboxSettings, run_sandbox
from tests.server.house import kinds, reason
from tests.server.test_bad_requests import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from assetwright.v1 import job_pb2

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(sys.platform == "win32", reason="needs signals"),
]

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gateway() -> AsyncIterator[RunningSandbox]:
    async with run_sandbox(SandboxSettings(queue_s=0.05, min_work_s=1.5)) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def request_to_repeat(picture: bytes) -> AsyncIterator[pb.GenerateRequest]:
    """A request whose picture outlives the server, as one on the internet would."""

    async def serve(_request: Request) -> Response:
        return Response(picture, media_type="image/png")

    app = Starlette(routes=[Route("/picture.png", serve)])
    async with serve_asgi(app, host="127.0.0.1", port=0) as address:
        source = pb.Input(role=model_pb2.INPUT_ROLE_SOURCE, url=f"http://{address}/picture.png")
        request = pb.GenerateRequest(model="pixal3d", inputs=[source])
        request.parameters["decimation_target"].int_value = 600
        request.parameters["texture_size"].int_value = 1024
        yield request


@dataclass(frozen=True, slots=True)
class Process:
    """A server in a process of its own."""

    child: asyncio.subprocess.Process
    ready_line: str

    @contextlib.asynccontextmanager
    async def stub(self) -> AsyncIterator[pb_grpc.GenerationServiceAsyncStub]:
        address = self.ready_line.split("grpc=")[1].split()[0]
        async with grpc.aio.insecure_channel(address) as channel:
            yield pb_grpc.GenerationServiceStub(channel)  # type: ignore[misc]

    async def ends(self, how: signal.Signals) -> int:
        """Send a signal, wait for the end, and see that no worker is left."""
        group = os.getpgid(self.child.pid)
        self.child.send_signal(how)
        async with asyncio.timeout(60):
            code = await self.child.wait()
            while _alive(group):
                await asyncio.sleep(0.05)
        return code


@contextlib.asynccontextmanager
async def started(folder: Path, gateway: RunningSandbox, **settings: str) -> AsyncIterator[Process]:
    environment = {
        "PATH": os.environ["PATH"],
        "PIXAZO_API_KEY": "key",
        "ASSETWRIGHT_PIXAZO_URL": gateway.base_url,
        "ASSETWRIGHT_GRPC": "127.0.0.1:0",
        "ASSETWRIGHT_HTTP": "127.0.0.1:0",
        "ASSETWRIGHT_DATA_DIR": str(folder),
        "ASSETWRIGHT_POLL_MIN_S": "0.1",
        "ASSETWRIGHT_POLL_MAX_S": "0.2",
        "ASSETWRIGHT_MIN_FREE_BYTES": "1",
        **settings,
    }
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server"),
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = (await child.stdout.readline()).decode().strip()
        yield Process(child, line)
    finally:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
        child._transport.close()  # type: ignore[attr-defined]  # Else its pipes are closed by the collector.


async def until(
    stub: pb_grpc.GenerationServiceAsyncStub, request: pb.GenerateRequest, kind: str
) -> list[job_pb2.JobEvent]:
    """Generate until an event of a kind has come, then stop reading."""
    events = []
    call = stub.Generate(request)
    async for reply in call:
        events.append(reply.event)
        if reply.event.WhichOneof("kind") == kind:
            break
    return events


async def read_on(call: grpc.aio.UnaryStreamCall[pb.GenerateRequest, pb.GenerateResponse]) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


async def follow(
    stub: pb_grpc.GenerationServiceAsyncStub, job_id: str, after: int
) -> list[job_pb2.JobEvent]:
    request = pb.WatchJobRequest(job_id=job_id, after_sequence=after)
    return [reply.event async for reply in stub.WatchJob(request)]


async def test_a_killed_server_goes_on_with_the_paid_job(
    tmp_path: Path, gateway: RunningSandbox, request_to_repeat: pb.GenerateRequest
) -> None:
    """Kill -9 while the gateway works: one submission, the result, a log without a gap."""
    before = len(gateway.submissions())
    async with started(tmp_path, gateway) as process, process.stub() as stub:
        seen = await until(stub, request_to_repeat, "gateway_update")
        assert await process.ends(signal.SIGKILL) == -signal.SIGKILL
    async with started(tmp_path, gateway) as process, process.stub() as stub:
        rest = await follow(stub, seen[0].job_id, seen[-1].sequence)
        whole = await follow(stub, seen[0].job_id, 0)
    assert kinds(rest)[-1] == "completed"
    assert [event.sequence for event in whole] == list(range(1, len(whole) + 1))
    assert whole == [*seen, *rest]
    assert len(gateway.submissions()) == before + 1
    with contextlib.closing(sqlite3.connect(tmp_path / "jobs.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_server_killed_during_the_paid_post_does_not_pay_again(
    tmp_path: Path, gateway: RunningSandbox, request_to_repeat: pb.GenerateRequest
) -> None:
    """Nobody here can know whether it arrived, so the job says so and a person decides."""
    before = len(gateway.submissions())
    gateway.faults.add(Fault(kind=FaultKind.SLOW, place=Place.SUBMIT, delay_s=3.0))
    async with started(tmp_path, gateway) as process, process.stub() as stub:
        call = stub.Generate(request_to_repeat)
        job_id = (await call.read()).event.job_id
        async with asyncio.timeout(10):
            while len(gateway.submissions()) == before:
                await asyncio.sleep(0.02)
        await process.ends(signal.SIGKILL)
        call.cancel()
    async with started(tmp_path, gateway) as process, process.stub() as stub:
        events = await follow(stub, job_id, 0)
    assert reason(events[-1]) == "SUBMISSION_UNKNOWN"
    assert len(gateway.submissions()) == before + 1


async def test_sigterm_ends_streams_so_that_clients_resume(
    tmp_path: Path, gateway: RunningSandbox, request_to_repeat: pb.GenerateRequest
) -> None:
    """UNAVAILABLE with DRAINING and a delay; exit code 0; the next server finishes the job."""
    async with started(tmp_path, gateway) as process, process.stub() as stub:
        call = stub.Generate(request_to_repeat)
        first = (await call.read()).event
        ending = asyncio.create_task(process.ends(signal.SIGTERM))
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await read_on(call)
        refusal = Refusal(raised.value)
        assert refusal.code == grpc.StatusCode.UNAVAILABLE
        assert refusal.info.reason == "DRAINING"
        assert refusal.retry.retry_delay.seconds > 0
        assert await ending == 0
        assert process.child.stdout is not None
        assert await process.child.stdout.read() == b""
    async with started(tmp_path, gateway) as process, process.stub() as stub:
        assert kinds(await follow(stub, first.job_id, 0))[-1] == "completed"


async def test_a_second_server_on_the_same_folder_is_told_who_has_it(
    tmp_path: Path, gateway: RunningSandbox
) -> None:
    async with started(tmp_path, gateway) as first, started(tmp_path, gateway) as second:
        assert first.ready_line.startswith("assetwright ready grpc=127.0.0.1:")
        assert first.ready_line.endswith("gateway=live")
        assert second.ready_line == ""
        assert await second.child.wait() == 2
        assert second.child.stderr is not None
        said = (await second.child.stderr.read()).decode()
        assert f"in use by another server (process {first.child.pid})" in said
        assert "Traceback" not in said


def _alive(group: int) -> bool:
    """Tell whether a process of the group still runs; ended ones may wait for init a while."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if its_group == str(group) and state != "Z":
                return True
    return False
