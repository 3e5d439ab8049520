# ruff: noqa: N802  # The methods are the contract's, which explains and names them.
"""A real gRPC server on loopback that plays jobs: what a sandbox does not easily bring about."""

from __future__ import annotations

import hashlib
from concurrent import futures
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc

from assetwright.v1 import asset_pb2, job_pb2, model_pb2
from assetwright.v1 import asset_service_pb2 as assets
from assetwright.v1 import asset_service_pb2_grpc as assets_grpc
from assetwright.v1 import generation_service_pb2 as generation
from assetwright.v1 import generation_service_pb2_grpc as generation_grpc
from assetwright.v1 import model_service_pb2 as models
from assetwright.v1 import model_service_pb2_grpc as models_grpc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PAGE = 2  # Small, so that a list has several.


class PlayedServer(
    generation_grpc.GenerationServiceServicer,
    assets_grpc.AssetServiceServicer,
    models_grpc.ModelServiceServicer,
):
    """Answers with what a test has put here, and remembers what was asked.

    Attributes:
        log: The entries of every job; a callable is called in its turn, and sends nothing.
        jobs: The list of jobs, newest first.
        models: The catalog.
        requests: What was asked, except for bytes.
    """

    def __init__(self) -> None:
        self.log: list[job_pb2.JobEvent | Callable[[], None]] = []
        self.jobs: list[job_pb2.Job] = []
        self.models: list[model_pb2.Model] = []
        self.requests: list[object] = []
        self._bytes: dict[str, bytes] = {}

    def stored(self, data: bytes, *, name: str, role: asset_pb2.AssetRole) -> asset_pb2.Asset:
        """Keep bytes to be downloaded, and return what is announced."""
        asset_id = f"ast_{len(self._bytes) + 1}"
        self._bytes[asset_id] = data
        return asset_pb2.Asset(
            asset_id=asset_id,
            role=role,
            name=name,
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
        )

    def _played(self) -> Iterator[job_pb2.JobEvent]:
        for step in self.log:
            if isinstance(step, job_pb2.JobEvent):
                yield step
            else:
                step()

    def Generate(
        self, request: generation.GenerateRequest, _context: grpc.ServicerContext
    ) -> Iterator[generation.GenerateResponse]:
        self.requests.append(request)
        for event in self._played():
            yield generation.GenerateResponse(event=event)

    def WatchJob(
        self, _request: generation.WatchJobRequest, _context: grpc.ServicerContext
    ) -> Iterator[generation.WatchJobResponse]:
        for event in self._played():
            yield generation.WatchJobResponse(event=event)

    def ListJobs(
        self, request: generation.ListJobsRequest, _context: grpc.ServicerContext
    ) -> generation.ListJobsResponse:
        self.requests.append(request)
        start = int(request.page_token or "0")
        end = start + _PAGE
        return generation.ListJobsResponse(
            jobs=self.jobs[start:end], next_page_token=str(end) if end < len(self.jobs) else ""
        )

    def CancelJob(
        self, request: generation.CancelJobRequest, _context: grpc.ServicerContext
    ) -> generation.CancelJobResponse:
        self.requests.append(request)
        job = job_pb2.Job(job_id=request.job_id, state=job_pb2.JOB_STATE_CANCELLED)
        return generation.CancelJobResponse(job=job)

    def ResolveJob(
        self, request: generation.ResolveJobRequest, _context: grpc.ServicerContext
    ) -> generation.ResolveJobResponse:
        self.requests.append(request)
        job = job_pb2.Job(job_id=request.job_id, state=job_pb2.JOB_STATE_QUEUED, last_sequence=4)
        return generation.ResolveJobResponse(job=job)

    def DownloadAsset(
        self, request: assets.DownloadAssetRequest, _context: grpc.ServicerContext
    ) -> Iterator[assets.DownloadAssetResponse]:
        data = self._bytes[request.asset_id][request.offset :]
        chunk = asset_pb2.AssetChunk(offset=request.offset, data=data)
        yield assets.DownloadAssetResponse(chunk=chunk)

    def ListModels(
        self, _request: models.ListModelsRequest, _context: grpc.ServicerContext
    ) -> models.ListModelsResponse:
        return models.ListModelsResponse(models=self.models)

    def GetModel(
        self, request: models.GetModelRequest, context: grpc.ServicerContext
    ) -> models.GetModelResponse:
        for model in self.models:
            if model.model_id == request.model_id:
                return models.GetModelResponse(model=model)
        context.abort(grpc.StatusCode.NOT_FOUND, "No such model.")
        raise AssertionError  # The line above raises.


@contextmanager
def served(servicer: PlayedServer) -> Iterator[str]:
    """Serve it, and give its address."""
    with futures.ThreadPoolExecutor(max_workers=4) as pool:
        server = grpc.server(pool)
        generation_grpc.add_GenerationServiceServicer_to_server(servicer, server)
        assets_grpc.add_AssetServiceServicer_to_server(servicer, server)
        models_grpc.add_ModelServiceServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield f"127.0.0.1:{port}"
        server.stop(0).wait()
