"""GenerationService: accept, watch, cancel, decide. A handler enqueues; it never works."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any, TypeVar

from assetwright.v1 import generation_service_pb2 as pb
from assetwright.v1 import generation_service_pb2_grpc as pb_grpc
from server.jobs.events import Accepted, Completed, LogEntry
from server.jobs.model import AssetRole
from server.rpc import requests
from server.rpc.chunks import job_chunks
from server.rpc.replies import event_message, job_message, quote_message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc

    from server.jobs.admission import Admission
    from server.jobs.library import AssetLibrary
    from server.jobs.model import Asset
    from server.jobs.port import Jobs, Submitted

    Context = grpc.aio.ServicerContext[Any, Any]

__all__ = ["HEARTBEAT_S", "GenerationServicer"]

HEARTBEAT_S = 15.0
_JITTER = 0.1
_RESULTS = (AssetRole.MODEL, AssetRole.IMAGE, AssetRole.FILE)

Reply = TypeVar("Reply", pb.GenerateResponse, pb.ProcessResponse, pb.WatchJobResponse)


class GenerationServicer(pb_grpc.GenerationServiceServicer):
    """Translates calls for `server.jobs`."""

    def __init__(self, *, jobs: Jobs, admission: Admission, library: AssetLibrary) -> None:
        self._jobs = jobs
        self._admission = admission
        self._library = library

    async def Generate(  # type: ignore[override]  # noqa: N802 - see `server.rpc.chunks`
        self, request: pb.GenerateRequest, context: Context
    ) -> AsyncIterator[pb.GenerateResponse | bytes]:
        """See the contract."""
        spec, problems = await requests.generate_spec(request, self._store_inline)
        request_id = request.request_id if request.HasField("request_id") else None
        submitted = await self._jobs.generate(spec, request_id=request_id, problems=problems)
        async for reply in self._stream(
            submitted, context, pb.GenerateResponse, sends_bytes=requests.streams_bytes(request)
        ):
            yield reply

    async def Process(  # type: ignore[override]  # noqa: N802 - see `server.rpc.chunks`
        self, request: pb.ProcessRequest, context: Context
    ) -> AsyncIterator[pb.ProcessResponse | bytes]:
        """See the contract."""
        spec, problems = requests.process_spec(request)
        request_id = request.request_id if request.HasField("request_id") else None
        submitted = await self._jobs.process(spec, request_id=request_id, problems=problems)
        async for reply in self._stream(
            submitted, context, pb.ProcessResponse, sends_bytes=requests.streams_bytes(request)
        ):
            yield reply

    async def WatchJob(  # noqa: N802 - the contract's name
        self, request: pb.WatchJobRequest, context: Context
    ) -> AsyncIterator[pb.WatchJobResponse]:
        """See the contract."""
        await context.send_initial_metadata(())
        async with contextlib.aclosing(
            self._jobs.watch(
                request.job_id, after_sequence=request.after_sequence, idle_s=_heartbeat_s()
            )
        ) as log:
            async for item in log:
                reply = pb.WatchJobResponse()
                event_message(item, reply.event)
                yield reply

    async def Quote(  # noqa: N802 - the contract's name
        self, request: pb.QuoteRequest, context: Context
    ) -> pb.QuoteResponse:
        """See the contract."""
        del context
        spec, problems = requests.quote_spec(request)
        reply = pb.QuoteResponse()
        quote_message(self._admission.checked_quote(spec, problems), reply)
        return reply

    async def GetJob(  # noqa: N802 - the contract's name
        self, request: pb.GetJobRequest, context: Context
    ) -> pb.GetJobResponse:
        """See the contract."""
        del context
        return pb.GetJobResponse(job=job_message(await self._jobs.job(request.job_id)))

    async def ListJobs(  # noqa: N802 - the contract's name
        self, request: pb.ListJobsRequest, context: Context
    ) -> pb.ListJobsResponse:
        """See the contract."""
        del context
        page = await self._jobs.jobs(requests.job_query(request))
        return pb.ListJobsResponse(
            jobs=map(job_message, page.items), next_page_token=page.next_token
        )

    async def CancelJob(  # noqa: N802 - the contract's name
        self, request: pb.CancelJobRequest, context: Context
    ) -> pb.CancelJobResponse:
        """See the contract."""
        del context
        job = await self._jobs.cancel(request.job_id, requests.after_submission(request))
        return pb.CancelJobResponse(job=job_message(job))

    async def DeleteJob(  # noqa: N802 - the contract's name
        self, request: pb.DeleteJobRequest, context: Context
    ) -> pb.DeleteJobResponse:
        """See the contract."""
        del context
        await self._jobs.delete(request.job_id)
        return pb.DeleteJobResponse()

    async def ResolveJob(  # noqa: N802 - the contract's name
        self, request: pb.ResolveJobRequest, context: Context
    ) -> pb.ResolveJobResponse:
        """See the contract."""
        del context
        job = await self._jobs.resolve(request.job_id, adopt=requests.adopted(request))
        return pb.ResolveJobResponse(job=job_message(job))

    async def _store_inline(self, data: bytes) -> str:
        blob = await self._library.blobs.put(data)
        return (await self._library.add_upload(blob, name="inline")).id

    async def _stream(
        self, submitted: Submitted, context: Context, kind: type[Reply], *, sends_bytes: bool
    ) -> AsyncIterator[Reply | bytes]:
        """Send the log, then the results. A reader who leaves ends this and nothing else."""
        await context.send_initial_metadata(())  # Else the headers wait for the first event.
        results: tuple[Asset, ...] = ()
        async with contextlib.aclosing(
            self._jobs.watch(submitted.job_id, after_sequence=0, idle_s=_heartbeat_s())
        ) as log:
            async for item in log:
                reply = kind()
                event_message(item, reply.event)
                if isinstance(item, LogEntry):
                    if isinstance(item.event, Accepted):
                        reply.event.accepted.attached = submitted.attached
                    if isinstance(item.event, Completed):
                        results = item.event.assets
                yield reply
        for asset in results if sends_bytes else ():
            if asset.role in _RESULTS:
                async with self._library.open(asset) as reader:
                    for chunk in job_chunks(asset, reader, job_id=submitted.job_id):
                        yield chunk


def _heartbeat_s() -> float:
    """Return the silence after which life is shown; not the same for all streams."""
    return HEARTBEAT_S * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - jitter, not a secret
