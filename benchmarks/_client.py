"""The caller's side: plain grpc.aio on the generated stubs, in a process of its own.

    python benchmarks/_client.py upload ADDRESS FILE
    python benchmarks/_client.py download ADDRESS ASSET_ID COPIES [--tuned] [--digest]
    python benchmarks/_client.py stall ADDRESS ASSET_ID COUNT
    python benchmarks/_client.py watch ADDRESS --jobs N --streams N --connections N

Channels carry no options but, where several connections are wanted, the one that keeps them
apart: this is what a caller gets who has configured nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from _names import job_id

from assetwright.v1 import asset_service_pb2 as asset_pb
from assetwright.v1 import generation_service_pb2 as generation_pb
from assetwright.v1.asset_service_pb2_grpc import AssetServiceStub
from assetwright.v1.generation_service_pb2_grpc import GenerationServiceStub
from server.rpc.server import tune_allocator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_UPLOAD_BYTES = 1 << 20
_NANOS = 1_000_000_000
# Channels of one process to one address share a connection otherwise.
_OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


def tell(answer: object) -> None:
    """Print an answer for the parent."""
    print(json.dumps(answer), flush=True)


async def request() -> str:
    """Return the parent's next line; empty at the end."""
    return (await asyncio.to_thread(sys.stdin.readline)).strip()


async def upload(arguments: argparse.Namespace) -> None:
    """Store a file, and tell its asset."""

    def parts() -> Iterator[asset_pb.UploadAssetRequest]:
        yield asset_pb.UploadAssetRequest(header=asset_pb.UploadHeader(name="model.glb"))
        with arguments.file.open("rb") as file:
            while piece := file.read(_UPLOAD_BYTES):
                yield asset_pb.UploadAssetRequest(data=piece)

    async with grpc.aio.insecure_channel(arguments.address) as channel:
        reply = await AssetServiceStub(channel).UploadAsset(parts())
    tell({"asset_id": reply.asset.asset_id, "sha256": reply.asset.sha256})


async def download(arguments: argparse.Namespace) -> None:
    """Fetch an asset again and again, and tell how long it took."""
    digest = hashlib.sha256() if arguments.digest else None
    received = 0
    async with grpc.aio.insecure_channel(arguments.address) as channel:
        await channel.channel_ready()
        stub = AssetServiceStub(channel)
        cpu, began = time.process_time(), time.perf_counter()
        for _ in range(arguments.copies):
            received += await _one_copy(stub, arguments.asset_id, digest)
        taken = time.perf_counter() - began
    tell(
        {
            "bytes": received,
            "seconds": taken,
            "cpu_s": time.process_time() - cpu,
            "sha256": digest.hexdigest() if digest else None,
        }
    )


async def _one_copy(stub: AssetServiceStub, asset_id: str, digest: hashlib._Hash | None) -> int:
    reached = 0
    async for reply in stub.DownloadAsset(asset_pb.DownloadAssetRequest(asset_id=asset_id)):
        if reply.WhichOneof("item") == "asset":
            continue
        data = reply.chunk.data
        assert reply.chunk.offset == reached
        reached += len(data)
        if digest is not None:
            digest.update(data)
    return reached


async def stall(arguments: argparse.Namespace) -> None:
    """Begin downloads, each on its own connection, read one message of each, then no more."""
    async with contextlib.AsyncExitStack() as stack:
        calls = []
        for _ in range(arguments.count):
            channel = grpc.aio.insecure_channel(arguments.address, options=_OWN_CONNECTION)
            stub = AssetServiceStub(await stack.enter_async_context(channel))
            call = stub.DownloadAsset(asset_pb.DownloadAssetRequest(asset_id=arguments.asset_id))
            await call.read()
            calls.append(call)
        tell({"stalled": len(calls)})
        await request()
        for call in calls:
            call.cancel()


class Watchers:
    """Many streams, and what came of them."""

    def __init__(self, streams: int) -> None:
        self.samples: list[tuple[int, int, int]] = []  # Recorded, entry's time, received; ns.
        self.failed: Counter[str] = Counter()
        self._unopened = streams
        self.all_open = asyncio.Event()

    async def watch(self, stub: GenerationServiceStub, job: str) -> None:
        """Follow one job until cancelled; anything else that ends it is a failure."""
        last = 0
        try:
            async for reply in stub.WatchJob(generation_pb.WatchJobRequest(job_id=job)):
                now = time.time_ns()
                event = reply.event
                if not event.sequence:
                    continue  # A heartbeat.
                if event.sequence != last + 1:
                    self.failed["GAP"] += 1
                last = event.sequence
                if last == 1:
                    self._count_down()
                elif event.HasField("stage_progress"):
                    at = event.event_time.seconds * _NANOS + event.event_time.nanos
                    self.samples.append((event.stage_progress.done_bytes, at, now))
            self.failed["ENDED"] += 1
        except grpc.aio.AioRpcError as exc:
            self.failed[f"{exc.code().name}: {exc.details()}"] += 1
        if not last:
            self._count_down()

    def _count_down(self) -> None:
        self._unopened -= 1
        if not self._unopened:
            self.all_open.set()


async def watch(arguments: argparse.Namespace) -> None:
    """Open all streams at once, tell when each has its first event; at `stop` tell the rest."""
    async with contextlib.AsyncExitStack() as stack:
        stubs = []
        for _ in range(arguments.connections):
            channel = grpc.aio.insecure_channel(arguments.address, options=_OWN_CONNECTION)
            await stack.enter_async_context(channel)
            await channel.channel_ready()
            stubs.append(GenerationServiceStub(channel))
        tell("connected")
        await request()
        watchers = Watchers(arguments.streams)
        began = time.perf_counter()
        tasks = [
            asyncio.create_task(
                watchers.watch(stubs[number % len(stubs)], job_id(number % arguments.jobs)),
                name=f"watch {number}",
            )
            for number in range(arguments.streams)
        ]
        await watchers.all_open.wait()
        tell({"seconds": time.perf_counter() - began, "failed": watchers.failed})
        await request()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        tell({"samples": watchers.samples, "failed": watchers.failed})


def main(words: Sequence[str] | None = None) -> None:
    """Do what the parent asks."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("upload")
    one.add_argument("address")
    one.add_argument("file", type=Path)
    one.set_defaults(run=upload, tuned=False)
    one = commands.add_parser("download")
    one.add_argument("address")
    one.add_argument("asset_id")
    one.add_argument("copies", type=int)
    one.add_argument("--tuned", action="store_true")
    one.add_argument("--digest", action="store_true")
    one.set_defaults(run=download)
    one = commands.add_parser("stall")
    one.add_argument("address")
    one.add_argument("asset_id")
    one.add_argument("count", type=int)
    one.set_defaults(run=stall, tuned=False)
    one = commands.add_parser("watch")
    one.add_argument("address")
    for name in ("--jobs", "--streams", "--connections"):
        one.add_argument(name, type=int, required=True)
    one.set_defaults(run=watch, tuned=True)
    arguments = parser.parse_args(words)
    if arguments.tuned:
        tune_allocator()
    asyncio.run(arguments.run(arguments))


if __name__ == "__main__":
    main()
