"""The worker process: bounded in time, replaced when it dies, gone when its owner is."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from server.sandbox import SandboxSettings, run_sandbox
from server.sandbox.mesh import MeshOptions, PictureError
from server.sandbox.work import Limits, Made, MeshJob
from server.sandbox.worker import Worker, WorkerError

if TYPE_CHECKING:
    from tests.sandbox.conftest import Draw, PictureHost, Start

LARGE = MeshJob(options=MeshOptions(decimation_target=1_000_000, texture_size=4096, seed=1))
SMALL = MeshJob(options=MeshOptions(decimation_target=500, texture_size=1024, seed=1))


def runs(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def gone(pid: int, *, within_s: float) -> bool:
    """Wait for a process to end."""
    end = time.monotonic() + within_s
    while runs(pid) and time.monotonic() < end:
        await asyncio.sleep(0.05)
    return not runs(pid)


async def make(
    worker: Worker, picture: bytes, job: MeshJob, stem: Path, *, timeout_s: float = 30.0
) -> Made:
    (made,) = await worker.perform(job, [picture], limits=Limits(), stem=stem, timeout_s=timeout_s)
    return made


def children() -> set[int]:
    """The processes of this one."""
    return {child.pid for child in multiprocessing.active_children() if child.pid is not None}


def results(folder: Path) -> list[str]:
    """The names of the files beside the folders that are kept for a restart."""
    return [path.name for path in folder.iterdir() if path.is_file()]


async def new_child(before: set[int]) -> int:
    """Wait for the process that a test starts; the shared worker may be among those before."""
    while not children() - before:
        await asyncio.sleep(0.02)
    (child,) = children() - before
    return child


async def test_a_mesh_that_takes_too_long_is_an_error_and_the_next_one_works(
    worker: Worker, draw: type[Draw], tmp_path: Path
) -> None:
    stem = tmp_path / "a"
    with pytest.raises(WorkerError, match="took longer than"):
        await make(worker, draw.disc(), LARGE, stem, timeout_s=0.3)
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    with pytest.raises(PictureError, match="could not be read"):
        await make(worker, b"", SMALL, stem)
    made = await make(worker, draw.disc(), SMALL, stem)
    assert made.path == tmp_path / "a.glb"
    assert await asyncio.to_thread(os.path.getsize, made.path) == made.size_bytes


async def test_a_killed_worker_is_an_error_and_not_a_hang(draw: type[Draw], tmp_path: Path) -> None:
    before = children()
    worker = Worker()
    making = asyncio.create_task(make(worker, draw.disc(), LARGE, tmp_path / "a"))
    try:
        child = await new_child(before)
        await asyncio.sleep(0.5)
        os.kill(child, signal.SIGKILL)
        with pytest.raises(WorkerError, match="ended unexpectedly"):
            await making
        assert (await make(worker, draw.disc(), SMALL, tmp_path / "b")).size_bytes > 0
    finally:
        await worker.aclose()


async def test_over_http_a_timeout_is_error_and_refunded(start: Start, host: PictureHost) -> None:
    client = await start(work_timeout_s=0.2, wallet_usd=Decimal(1))
    reply = await client.submit(
        image_url=host.url("disc.png"), decimation_target=1_000_000, texture_size=4096
    )
    found = await client.end(reply.json()["request_id"])
    assert (found["status"], found["output"]) == ("ERROR", None)
    assert "longer than 0.2 s" in found["error"]
    assert client.sandbox.wallet.balance == Decimal(1)


async def test_shutdown_in_the_middle_of_work_leaves_no_process_no_task_and_no_file(
    host: PictureHost, tmp_path: Path
) -> None:
    tasks, before = asyncio.all_tasks(), children()
    settings = SandboxSettings(queue_s=0.0, data_dir=tmp_path)
    async with run_sandbox(settings) as sandbox:
        async with httpx.AsyncClient(
            trust_env=False, headers={"Ocp-Apim-Subscription-Key": "k"}
        ) as http:
            body = {"image_url": host.url("disc.png"), "decimation_target": 1_000_000}
            await http.post(f"{sandbox.base_url}/pixal3d/v1/pixal3d-request", json=body)
        child = await new_child(before)
    gc.collect()  # What was left open would warn now, and warnings are errors.
    assert children() == before
    assert not runs(child)
    assert {task for task in asyncio.all_tasks() if not task.done()} <= tasks
    assert results(tmp_path) == []


async def test_a_temporary_folder_is_removed_and_a_chosen_one_is_kept(
    start: Start, host: PictureHost, tmp_path: Path
) -> None:
    client = await start(data_dir=tmp_path / "out")
    reply = await client.submit(image_url=host.url("disc.png"))
    request_id = reply.json()["request_id"]
    await client.end(request_id)
    assert results(tmp_path / "out") == [f"{request_id}.glb"]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Looks at /proc.")
async def test_the_worker_dies_with_its_parent() -> None:
    """A spawned worker of a killed server would otherwise run on for ever."""
    script = textwrap.dedent("""
        import asyncio, multiprocessing, pathlib, tempfile
        from server.sandbox.mesh import MeshOptions, PictureError
        from server.sandbox.work import Limits, MeshJob
        from server.sandbox.worker import Worker

        async def main():
            job, stem = MeshJob(options=MeshOptions()), pathlib.Path("x")
            try:
                await Worker().perform(job, [b""], limits=Limits(), stem=stem, timeout_s=60)
            except PictureError:
                print(multiprocessing.active_children()[0].pid, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
    """)
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    assert runs(child)
    parent.kill()
    await parent.wait()
    assert await gone(child, within_s=5)


def test_the_worker_does_not_load_grpc_or_the_client() -> None:
    """Both would cost every worker start-up time and memory for nothing."""
    code = (
        "import sys, server.sandbox.worker;"
        "print(sorted({'grpc', 'assetwright'} & set(sys.modules)))"
    )
    done = subprocess.run(  # noqa: S603  # The interpreter that runs the tests.
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
