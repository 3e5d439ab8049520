"""Measure what jobs that wait cost: each at the gateway, each with a reader, on one node.

    python benchmarks/waiting.py                          1,000 jobs, about two minutes
    python benchmarks/waiting.py --jobs 100 --seconds 10  smaller; proves it works
    python benchmarks/waiting.py --database URL           the same on Postgres

The same server is measured idle first. Latency is from the moment that an event was recorded to
the moment that its reader has it. Linux only: the figures come from /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import time
from statistics import quantiles
from typing import TYPE_CHECKING

import grpc
from _process import child
from _report import Row, machine, show

from assetwright.v1 import generation_service_pb2 as pb
from assetwright.v1 import generation_service_pb2_grpc as pb_grpc
from assetwright.v1 import model_pb2

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from _process import Child

    from assetwright.v1 import job_pb2

_CHANNELS = 10
_CHANGE_S = 20.0  # Each job tells something as often, more or less: polls are 5 to 10 s apart.
_KIB = 1024
_MIB = 1 << 20
_AT_ONCE = 50
_READY_S = 600.0
_LIFE_S = 900.0


class Readers:
    """One stream a job, and when each entry came."""

    def __init__(self) -> None:
        self.latencies_s: list[float] = []
        self.gaps = 0
        self._sequences: dict[str, int] = {}
        self._generating: set[str] = set()

    @property
    def generating(self) -> int:
        """How many jobs wait at the gateway."""
        return len(self._generating)

    async def read(self, stub: pb_grpc.GenerationServiceAsyncStub, number: int) -> None:
        """Send a request and read its log for as long as it takes."""
        request = pb.GenerateRequest(
            model="pixal3d", request_id=f"w-{number}", delivery=pb.DELIVERY_ANNOUNCE
        )
        source = request.inputs.add(role=model_pb2.INPUT_ROLE_SOURCE)
        source.url = "https://pictures.test/chair.png"
        async for reply in stub.Generate(request):
            self._note(reply.event)

    def _note(self, event: job_pb2.JobEvent) -> None:
        now = time.time()
        if not event.sequence:
            return
        self.gaps += event.sequence != self._sequences.get(event.job_id, 0) + 1
        self._sequences[event.job_id] = event.sequence
        if event.HasField("gateway_update"):
            self._generating.add(event.job_id)
            at = event.event_time
            self.latencies_s.append(now - at.seconds - at.nanos / 1e9)


@contextlib.asynccontextmanager
async def stubs(address: str) -> AsyncIterator[list[pb_grpc.GenerationServiceAsyncStub]]:
    """Open connections; each is one of its own."""
    async with contextlib.AsyncExitStack() as stack:
        options = [("grpc.use_local_subchannel_pool", 1)]
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(address, options=options))
            for _ in range(_CHANNELS)
        ]
        yield [pb_grpc.GenerationServiceStub(channel) for channel in channels]  # type: ignore[misc]


async def measure(server: Child, address: str, *, jobs: int, seconds: float) -> list[Row]:
    """Measure a server idle, and then with jobs that wait."""
    idle_cpu, idle_bytes = await _cost(server, seconds / 2), server.own_bytes
    idle_threads = server.threads
    readers = Readers()
    async with stubs(address) as found:
        began = time.monotonic()
        reading = []
        for number in range(jobs):
            reading.append(asyncio.create_task(readers.read(found[number % _CHANNELS], number)))
            if number % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0.2)
        while readers.generating < jobs:
            if time.monotonic() - began > _READY_S:
                raise SystemExit(f"only {readers.generating} of {jobs} jobs wait at the gateway")
            await asyncio.sleep(0.1)
        ready_s = time.monotonic() - began
        readers.latencies_s.clear()
        cpu = await _cost(server, seconds)
        own_bytes, threads = server.own_bytes, server.threads
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
    assert readers.gaps == 0
    cuts = quantiles(readers.latencies_s, n=100)
    events = len(readers.latencies_s)
    return [
        Row(measurement="Idle: CPU", values=[100 * idle_cpu], unit="% of a core"),
        Row(measurement="Idle: memory", values=[idle_bytes / _MIB], unit="MiB"),
        Row(measurement="Idle: threads", values=[idle_threads], unit=""),
        Row(
            measurement=f"{jobs} jobs accepted and at the gateway after", values=[ready_s], unit="s"
        ),
        Row(
            measurement=f"{jobs} jobs waiting, each watched: CPU",
            values=[100 * cpu],
            unit="% of a core",
            floor=100 * idle_cpu or None,
        ),
        Row(
            measurement="Memory a job and its reader",
            values=[(own_bytes - idle_bytes) / jobs / _KIB],
            unit="KiB",
        ),
        Row(measurement="Threads", values=[threads], unit="", floor=idle_threads),
        Row(measurement="Events a second", values=[events / seconds], unit="1/s"),
        Row(measurement="Event to its reader: p50", values=[1000 * cuts[49]], unit="ms"),
        Row(measurement="Event to its reader: p99", values=[1000 * cuts[98]], unit="ms"),
    ]


async def _cost(server: Child, seconds: float) -> float:
    """Return the share of a core that the server uses."""
    used, began = server.cpu_s, time.monotonic()
    await asyncio.sleep(seconds)
    return (server.cpu_s - used) / (time.monotonic() - began)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what jobs that wait cost.")
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30.0, help="measured that long")
    parser.add_argument("--database", metavar="URL", help="Postgres instead of SQLite")
    arguments = parser.parse_args()
    if not sys.platform.startswith("linux"):
        sys.stderr.write("The figures come from /proc: this runs on Linux alone.\n")
        return 1
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    print(f"load {os.getloadavg()[0]:.1f} at its start")
    with (
        tempfile.TemporaryDirectory() as folder,
        child("_waiting_gateway.py", str(_CHANGE_S), life_s=_LIFE_S) as gateway,
    ):
        environment = {
            "ASSETWRIGHT_GRPC": "127.0.0.1:0",
            "ASSETWRIGHT_HTTP": "127.0.0.1:0",
            "ASSETWRIGHT_DATA_DIR": folder,
            "ASSETWRIGHT_PIXAZO_URL": f"http://127.0.0.1:{gateway.line()}",
            "ASSETWRIGHT_DATABASE_URL": arguments.database or "",
            "ASSETWRIGHT_MAX_RUNNING_JOBS": str(arguments.jobs),
            "ASSETWRIGHT_MODEL_CONCURRENCY": str(arguments.jobs),
            "ASSETWRIGHT_LOG_LEVEL": "ERROR",
            "PIXAZO_API_KEY": "key",
        }
        with child("-m", "server", environment=environment, life_s=_LIFE_S) as server:
            words = dict(word.partition("=")[::2] for word in server.line().split())
            rows = asyncio.run(
                measure(server, words["grpc"], jobs=arguments.jobs, seconds=arguments.seconds)
            )
    show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
