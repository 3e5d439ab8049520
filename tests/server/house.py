"""A real server in this process, with the sandbox behind it and nothing faked."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from assetwright.v1 import (
    asset_service_pb2,
    asset_service_pb2_grpc,
    errors_pb2,
    model_service_pb2_grpc,
)
from assetwright.v1 import generation_service_pb2 as pb
from assetwright.v1 import generation_service_pb2_grpc as pb_grpc
from server.app import RunningServer, run_server
from server.settings import GatewayMode, Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from assetwright.v1 import asset_pb2, job_pb2, money_pb2
    from server.sandbox import RunningSandbox


@dataclass(frozen=True, slots=True)
class House:
    """A running server and stubs to call it."""

    running: RunningServer
    channel: grpc.aio.Channel

    @property
    def generation(self) -> pb_grpc.GenerationServiceAsyncStub:
        return pb_grpc.GenerationServiceStub(self.channel)  # type: ignore[return-value]

    @property
    def assets(self) -> asset_service_pb2_grpc.AssetServiceAsyncStub:
        return asset_service_pb2_grpc.AssetServiceStub(self.channel)  # type: ignore[return-value]

    @property
    def models(self) -> model_service_pb2_grpc.ModelServiceAsyncStub:
        return model_service_pb2_grpc.ModelServiceStub(self.channel)  # type: ignore[return-value]

    @property
    def sandbox(self) -> RunningSandbox:
        """The sandbox inside the server."""
        assert self.running.sandbox is not None
        return self.running.sandbox

    async def generate(self, request: pb.GenerateRequest) -> list[job_pb2.JobEvent]:
        """Generate to the end; return everything that was streamed."""
        return [reply.event async for reply in self.generation.Generate(request)]


@contextlib.asynccontextmanager
async def start_house(settings: Settings) -> AsyncIterator[House]:
    async with (
        run_server(settings) as running,
        grpc.aio.insecure_channel(running.grpc_address) as channel,
    ):
        yield House(running, channel)


def quick_settings(folder: Path) -> Settings:
    """Free ports, a folder of its own, and a sandbox in a hurry."""
    return Settings(
        grpc="127.0.0.1:0",
        http="127.0.0.1:0",
        data_dir=folder / "data",
        gateway=GatewayMode.SANDBOX,
        poll_min_s=0.05,
        poll_max_s=0.1,
        sandbox_queue_s=0.05,
        sandbox_work_s=0.05,
        process_workers=1,
        min_free_bytes=1,
    )


def kinds(events: list[job_pb2.JobEvent]) -> list[str | None]:
    """Return what kind each event is."""
    return [event.WhichOneof("kind") for event in events]


def end_of(events: list[job_pb2.JobEvent]) -> job_pb2.JobEvent:
    """Return the terminal event; chunks may follow it."""
    return [event for event in events if event.sequence][-1]


def reason(event: job_pb2.JobEvent) -> str:
    """Return why a job failed, without the prefix."""
    return errors_pb2.ErrorReason.Name(event.failed.error.reason).removeprefix("ERROR_REASON_")


def charge(receipt: money_pb2.Receipt) -> str:
    """Return whether it was charged, without the prefix."""
    return errors_pb2.ChargeState.Name(receipt.charge).removeprefix("CHARGE_STATE_")


async def watch(house: House, job_id: str, *, after: int = 0) -> list[job_pb2.JobEvent]:
    """Follow a job from a position to its end."""
    request = pb.WatchJobRequest(job_id=job_id, after_sequence=after)
    return [reply.event async for reply in house.generation.WatchJob(request)]


async def download(house: House, asset: asset_pb2.Asset, *, offset: int = 0) -> bytes:
    """Download from an offset; the chunks must meet."""
    request = asset_service_pb2.DownloadAssetRequest(asset_id=asset.asset_id, offset=offset)
    replies = [reply async for reply in house.assets.DownloadAsset(request)]
    assert replies[0].asset == asset
    position = offset
    for reply in replies[1:]:
        assert reply.chunk.offset == position
        position += len(reply.chunk.data)
    return b"".join(reply.chunk.data for reply in replies[1:])
