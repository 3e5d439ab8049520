# ruff: noqa: N802  # The methods are the contract's, which explains and names them.
"""A server that follows a script, at the true border: a real gRPC server on loopback."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2

from assetwright import Backoff, RetryPolicy
from assetwright.v1 import asset_pb2, job_pb2
from assetwright.v1 import asset_service_pb2 as assets
from assetwright.v1 import asset_service_pb2_grpc as assets_grpc
from assetwright.v1 import generation_service_pb2 as generation
from assetwright.v1 import generation_service_pb2_grpc as generation_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATIENT = RetryPolicy(patience_s=5.0, silence_s=0.2, backoff=Backoff(first_s=0.001, longest_s=0.01))


@dataclass(frozen=True)
class Refusal:
    """Ends a call with a status and, where a reason is given, the server's own details."""

    code: grpc.StatusCode
    message: str = "Refused by the script."
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    retry_s: float | None = None
    fields: tuple[str, ...] = ()

    async def abort(self, context: grpc.aio.ServicerContext) -> None:
        trailing = ()
        if self.reason or self.retry_s is not None:
            trailing = (("grpc-status-details-bin", self.status().SerializeToString()),)
        await context.abort(self.code, self.message, trailing)

    def status(self) -> status_pb2.Status:
        details = [
            error_details_pb2.ErrorInfo(
                reason=self.reason, domain="assetwright", metadata=self.metadata
            ),
        ]
        if self.fields:
            wrong = [
                error_details_pb2.BadRequest.FieldViolation(field=name, description=f"{name}?")
                for name in self.fields
            ]
            details.append(error_details_pb2.BadRequest(field_violations=wrong))
        if self.retry_s is not None:
            delay = duration_pb2.Duration(nanos=int(self.retry_s * 1e9))
            details.append(error_details_pb2.RetryInfo(retry_delay=delay))
        packed = [any_pb2.Any() for _ in details]
        for envelope, detail in zip(packed, details, strict=True):
            envelope.Pack(detail)
        return status_pb2.Status(code=self.code.value[0], message=self.message, details=packed)


class Silence:
    """Keeps the stream open without a word, until the client leaves."""


SILENCE = Silence()
UNAVAILABLE = Refusal(grpc.StatusCode.UNAVAILABLE)


def entry(sequence: int, **kind: object) -> job_pb2.JobEvent:
    """Return an entry of the log; a stage's progress unless another kind is given."""
    kind = kind or {"stage_progress": job_pb2.StageProgress(stage=job_pb2.STAGE_GENERATE)}
    return job_pb2.JobEvent(job_id="job-1", sequence=sequence, **kind)


def completed(sequence: int) -> job_pb2.JobEvent:
    """Return the entry that ends the log."""
    return entry(sequence, completed=job_pb2.JobCompleted())


HEARTBEAT = job_pb2.JobEvent(job_id="job-1", heartbeat=job_pb2.Heartbeat())
ACCEPTED = entry(1, accepted=job_pb2.JobAccepted(request_id="r"))


class ScriptedServer(generation_grpc.GenerationServiceServicer, assets_grpc.AssetServiceServicer):
    """Plays one list of steps a stream, in the order of the calls, and remembers the requests."""

    def __init__(self) -> None:
        self.streams: list[list[object]] = []
        self.requests: list[object] = []
        self.metadata: list[dict[str, str]] = []
        self.job = job_pb2.Job(job_id="job-1", state=job_pb2.JOB_STATE_GENERATING)
        self.cancelled: list[str] = []
        self.stored: dict[str, bytes] = {}
        self.downloads: list[list[object]] = []
        self.upload_refusals: list[Refusal] = []
        self.refusal: Refusal | None = None
        self.closed = asyncio.Event()

    async def _play(
        self,
        request: object,
        context: grpc.aio.ServicerContext,
        wrap: type[generation.GenerateResponse],
    ) -> AsyncIterator[object]:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        try:
            for step in self.streams.pop(0):
                if isinstance(step, Refusal):
                    await step.abort(context)
                elif isinstance(step, Silence):
                    await asyncio.sleep(30)
                else:
                    yield wrap(event=step)
        finally:
            self.closed.set()

    async def Generate(
        self, request: object, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[object]:
        async for message in self._play(request, context, generation.GenerateResponse):
            yield message

    async def Process(
        self, request: object, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[object]:
        async for message in self._play(request, context, generation.ProcessResponse):
            yield message

    async def WatchJob(
        self, request: object, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[object]:
        async for message in self._play(request, context, generation.WatchJobResponse):
            yield message

    async def GetJob(
        self, request: generation.GetJobRequest, context: grpc.aio.ServicerContext
    ) -> generation.GetJobResponse:
        if self.refusal is not None:
            await self.refusal.abort(context)
        self.metadata.append(dict(context.invocation_metadata()))
        assert request.job_id
        return generation.GetJobResponse(job=self.job)

    async def CancelJob(
        self, request: generation.CancelJobRequest, _context: grpc.aio.ServicerContext
    ) -> generation.CancelJobResponse:
        self.cancelled.append(request.job_id)
        return generation.CancelJobResponse(job=self.job)

    async def ListJobs(
        self, request: generation.ListJobsRequest, _context: grpc.aio.ServicerContext
    ) -> generation.ListJobsResponse:
        number = int(request.page_token or "1")
        return generation.ListJobsResponse(
            jobs=[job_pb2.Job(job_id=f"job-{number}")],
            next_page_token=str(number + 1) if number < 3 else "",
        )

    async def UploadAsset(
        self,
        messages: AsyncIterator[assets.UploadAssetRequest],
        context: grpc.aio.ServicerContext,
    ) -> assets.UploadAssetResponse:
        received = [message async for message in messages]
        if self.upload_refusals:
            await self.upload_refusals.pop(0).abort(context)
        header, data = received[0].header, b"".join(message.data for message in received[1:])
        assert header.size_bytes == len(data)
        assert header.sha256 == hashlib.sha256(data).hexdigest()
        self.stored[header.sha256] = data
        return assets.UploadAssetResponse(asset=described(data, asset_id=header.sha256))

    async def DownloadAsset(
        self, request: assets.DownloadAssetRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[assets.DownloadAssetResponse]:
        """Play the next list of steps: bytes are sent from the offset on, as a chunk each."""
        self.requests.append(request)
        yield assets.DownloadAssetResponse(asset=asset_pb2.Asset(asset_id=request.asset_id))
        offset = request.offset
        for step in self.downloads.pop(0):
            if isinstance(step, Refusal):
                await step.abort(context)
            elif isinstance(step, Silence):
                await asyncio.sleep(30)
            else:
                chunk = asset_pb2.AssetChunk(asset_id="a", offset=offset, data=step)
                yield assets.DownloadAssetResponse(chunk=chunk)
                offset += len(step)

    async def GetAsset(
        self, request: assets.GetAssetRequest, _context: grpc.aio.ServicerContext
    ) -> assets.GetAssetResponse:
        data = self.stored[request.asset_id]
        return assets.GetAssetResponse(asset=described(data, asset_id=request.asset_id))


def described(data: bytes, *, asset_id: str = "a") -> asset_pb2.Asset:
    """Return what a server says about bytes."""
    return asset_pb2.Asset(
        asset_id=asset_id,
        role=asset_pb2.ASSET_ROLE_MODEL,
        name="asset.glb",
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
