"""The client: everything that a server offers, as coroutines and async iterators."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from assetwright import _parse, _request
from assetwright._channel import Connection
from assetwright._stream import JobLog
from assetwright._transfer import Downloads, upload
from assetwright._wire import to_wire
from assetwright.enums import AfterSubmission
from assetwright.errors import JobCancelled, JobFailed, ServerError
from assetwright.events import Cancelled, Completed, Failed
from assetwright.records import Asset
from assetwright.retry import RetryPolicy
from assetwright.v1 import asset_service_pb2 as asset_service
from assetwright.v1 import generation_service_pb2 as generation
from assetwright.v1 import model_service_pb2 as model_service

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Self, Unpack

    from assetwright._stream import Call
    from assetwright.enums import AssetRole, JobState, ModelTask
    from assetwright.events import Event
    from assetwright.options import GenerateOptions, ProcessOptions, Source
    from assetwright.records import Job, Model, ParameterValue, Quote

__all__ = ["Client"]


class Client:
    """A server, seen from Python. Make it where an event loop runs; it belongs to that loop.

    Every method raises `assetwright.errors.AssetwrightError`: `ServerUnavailable` when the server
    cannot be reached, `Unauthenticated` or `PermissionDenied` when it wants another token, and
    what else its own documentation names.

    Args:
        target: The server's gRPC address.
        token: Sent with each call; None sends none.
        root_certificates: PEM of the authorities to trust; None connects without TLS.
        retry: What to do when connections break.
    """

    def __init__(
        self,
        target: str = "127.0.0.1:50051",
        *,
        token: str | None = None,
        root_certificates: bytes | None = None,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._connection = Connection(target, token=token, root_certificates=root_certificates)
        self._metadata = self._connection.metadata
        self._retry = retry or RetryPolicy()
        self._downloads = Downloads(
            lambda request: self._connection.assets.DownloadAsset(request, metadata=self._metadata),
            self._retry,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Disconnect. Jobs go on."""
        await self._connection.close()

    async def generate(
        self, model: str, **options: Unpack[GenerateOptions]
    ) -> AsyncGenerator[Event, None]:
        """Buy a generation and follow it to its end.

        Broken connections are resumed without gap and without paying twice. Closing the iterator
        detaches; the job goes on. Files are uploaded first, and stored by the server once.

        Args:
            model: A model's id, such as ``pixal3d``.
            **options: See `GenerateOptions`.

        Yields:
            Every entry of the job's log; the last is `Completed`, `Failed` or `Cancelled`.

        Raises:
            InvalidRequest: Wrong arguments; all of them are listed.
            NotFound: No such model or asset.
            FailedPrecondition: Over budget, no key for the provider, or the like. Nothing is paid.
            AlreadyExists: The request_id was used with another request.
            ResourceExhausted: The queue or the disk is full.
            ServerUnavailable: The server was away for longer than the patience; carries the job.
            OSError: A file cannot be read.
        """
        inputs = await _request.inputs(options, stored=self.upload)
        request = _request.generate(model, options, inputs=inputs)
        log = self._log(
            lambda: self._connection.generation.Generate(request, metadata=self._metadata)
        )
        async with aclosing(log.events()) as events:
            async for event in events:
                yield event

    async def create(self, model: str, **options: Unpack[GenerateOptions]) -> Completed:
        """Do what `generate` does and return the result.

        Raises:
            JobFailed: The job failed; ``event`` says why and what it cost.
            JobCancelled: The job was cancelled.
            AssetwrightError: As `generate`.
        """
        async with aclosing(self.generate(model, **options)) as events:
            async for event in events:
                if isinstance(event, Completed):
                    return event
                if isinstance(event, Failed):
                    raise JobFailed(event)
                if isinstance(event, Cancelled):
                    raise JobCancelled(event)
        raise ServerError("The job ended in a way that is newer than this client.")

    async def process(
        self, model: Source, **options: Unpack[ProcessOptions]
    ) -> AsyncGenerator[Event, None]:
        """Post-process a GLB, free, and follow it to its end as `generate` does.

        Args:
            model: A path, bytes or a stored `Asset`.
            **options: See `ProcessOptions`.

        Yields:
            Every entry of the job's log.

        Raises:
            InvalidRequest: Wrong arguments; all of them are listed.
            NotFound: No such asset.
            AssetwrightError: As `generate`.
        """
        request = _request.process(await self.upload(model), options)
        log = self._log(
            lambda: self._connection.generation.Process(request, metadata=self._metadata)
        )
        async with aclosing(log.events()) as events:
            async for event in events:
                yield event

    def watch(self, job_id: str, *, after_sequence: int = 0) -> AsyncGenerator[Event, None]:
        """Follow an existing job to its end.

        Args:
            job_id: The job.
            after_sequence: The last entry already seen; 0 replays everything.

        Yields:
            Every later entry; none when the log ends there.

        Raises:
            NotFound: No such job.
            OutOfRange: after_sequence lies in the future.
            ServerUnavailable: The server was away for longer than the patience.
        """
        return JobLog(
            self._watch,
            is_over=self._is_over,
            policy=self._retry,
            job_id=job_id,
            after_sequence=after_sequence,
        ).events()

    async def quote(
        self,
        model: str,
        *,
        parameters: Mapping[str, ParameterValue] | None = None,
        image_model: str | None = None,
        image_parameters: Mapping[str, ParameterValue] | None = None,
    ) -> Quote:
        """Return what a generation would cost, without buying it.

        Raises:
            InvalidRequest: Wrong parameters; all of them are listed.
            NotFound: No such model.
        """
        request = generation.QuoteRequest(
            model=model,
            parameters=_request.parameters(parameters),
            image_stage=_request.image_stage(image_model, image_parameters),
        )
        return _parse.quote(await self._connection.ask(self._connection.generation.Quote, request))

    async def get_job(self, job_id: str) -> Job:
        """Return a job as it is now.

        Raises:
            NotFound: No such job.
        """
        request = generation.GetJobRequest(job_id=job_id)
        response = await self._connection.ask(self._connection.generation.GetJob, request)
        return _parse.job(response.job)

    async def list_jobs(
        self,
        *,
        states: Iterable[JobState] = (),
        model: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[Job, None]:
        """Yield jobs, newest first and without reports, page after page.

        Args:
            states: Only those in one of these; none means every state.
            model: Only those of this model.
            labels: Only those with all of these labels.
        """
        request = generation.ListJobsRequest(
            states=[to_wire(state) for state in states], model=model, labels=labels or {}
        )
        async for page in self._connection.pages(self._connection.generation.ListJobs, request):
            for job in page.jobs:
                yield _parse.job(job)

    async def cancel(
        self, job_id: str, *, after_submission: AfterSubmission = AfterSubmission.DISCARD
    ) -> Job:
        """Stop work on a job. Once it was submitted, the gateway charges all the same.

        Raises:
            NotFound: No such job.
            FailedPrecondition: It completed or failed already.
        """
        request = generation.CancelJobRequest(
            job_id=job_id, after_submission=to_wire(after_submission)
        )
        response = await self._connection.ask(self._connection.generation.CancelJob, request)
        return _parse.job(response.job)

    async def delete_job(self, job_id: str) -> None:
        """Delete an ended job with its log and its assets.

        Raises:
            NotFound: No such job.
            FailedPrecondition: It has not ended.
        """
        request = generation.DeleteJobRequest(job_id=job_id)
        await self._connection.ask(self._connection.generation.DeleteJob, request)

    async def adopt(self, job_id: str, gateway_request_id: str) -> Job:
        """Reopen a job that failed with SUBMISSION_UNKNOWN: collect what the gateway has.

        Raises:
            NotFound: No such job.
            FailedPrecondition: It runs, or ended otherwise.
        """
        request = generation.ResolveJobRequest(
            job_id=job_id, adopt_gateway_request_id=gateway_request_id
        )
        return await self._resolve(request)

    async def resubmit(self, job_id: str) -> Job:
        """Reopen a job that failed with SUBMISSION_UNKNOWN: submit again, and maybe pay again.

        Raises:
            NotFound: No such job.
            FailedPrecondition: It runs, or ended otherwise.
        """
        request = generation.ResolveJobRequest(job_id=job_id, resubmit=generation.Resubmit())
        return await self._resolve(request)

    async def models(self, *, tasks: Iterable[ModelTask] = ()) -> tuple[Model, ...]:
        """Return the catalog by id; only models that do one of the tasks, if any is given."""
        request = model_service.ListModelsRequest(tasks=[to_wire(task) for task in tasks])
        pages = self._connection.pages(self._connection.models.ListModels, request)
        return tuple([_parse.model(model) async for page in pages for model in page.models])

    async def model(self, model_id: str) -> Model:
        """Return one model of the catalog.

        Raises:
            NotFound: No such model; ``metadata["nearest"]`` names the most similar id.
        """
        request = model_service.GetModelRequest(model_id=model_id)
        response = await self._connection.ask(self._connection.models.GetModel, request)
        return _parse.model(response.model)

    async def upload(self, source: Source, *, name: str | None = None) -> Asset:
        """Store a file or bytes; the same bytes are stored once. An `Asset` is returned as it is.

        Args:
            source: A path, bytes or an asset.
            name: A file name for people; None takes the path's.

        Raises:
            InvalidRequest: Nothing in it, or more than the server accepts.
            ResourceExhausted: The server's disk budget is used up.
            OSError: The file cannot be read.
        """
        if isinstance(source, Asset):
            return source
        return await upload(
            source if isinstance(source, bytes) else Path(source),
            name=name,
            start=lambda messages: self._connection.assets.UploadAsset(
                messages, metadata=self._metadata
            ),
            policy=self._retry,
        )

    async def get_asset(self, asset_id: str) -> Asset:
        """Return what is known about an asset.

        Raises:
            NotFound: No such asset.
        """
        request = asset_service.GetAssetRequest(asset_id=asset_id)
        response = await self._connection.ask(self._connection.assets.GetAsset, request)
        return _parse.asset(response.asset)

    async def list_assets(
        self, *, job_id: str | None = None, roles: Iterable[AssetRole] = ()
    ) -> AsyncGenerator[Asset, None]:
        """Yield assets, newest first, page after page.

        Args:
            job_id: Only those of this job.
            roles: Only those with one of these; none means every role.
        """
        request = asset_service.ListAssetsRequest(
            job_id=job_id, roles=[to_wire(role) for role in roles]
        )
        async for page in self._connection.pages(self._connection.assets.ListAssets, request):
            for asset in page.assets:
                yield _parse.asset(asset)

    async def download(self, asset: Asset | str, path: str | os.PathLike[str]) -> Path:
        """Write an asset to a file, which is there whole or not at all, and return its path.

        A broken download is continued where it stopped, also by a later call.

        Args:
            asset: The asset or its id.
            path: The file. Its directory has to exist; an existing file is replaced.

        Raises:
            NotFound: No such asset.
            IntegrityError: The bytes differ from what the server announced; nothing is kept.
            ServerUnavailable: The server was away for too long; ``path.part`` is kept.
            OSError: The file cannot be written.
        """
        known = await self.get_asset(asset) if isinstance(asset, str) else asset
        target = Path(path)
        await self._downloads.save(known, target)
        return target

    async def read(self, asset: Asset | str) -> bytes:
        """Return an asset's bytes.

        Raises:
            NotFound: No such asset.
            IntegrityError: The bytes differ from what the server announced.
        """
        known = await self.get_asset(asset) if isinstance(asset, str) else asset
        return await self._downloads.read(known)

    def _log(self, start: Callable[[], Call]) -> JobLog:
        return JobLog(self._watch, is_over=self._is_over, policy=self._retry, start=start)

    def _watch(self, job_id: str, after_sequence: int) -> Call:
        request = generation.WatchJobRequest(job_id=job_id, after_sequence=after_sequence)
        return self._connection.generation.WatchJob(request, metadata=self._metadata)

    async def _is_over(self, job_id: str, after_sequence: int) -> bool:
        job = await self.get_job(job_id)
        return job.end_time is not None and job.last_sequence <= after_sequence

    async def _resolve(self, request: generation.ResolveJobRequest) -> Job:
        response = await self._connection.ask(self._connection.generation.ResolveJob, request)
        return _parse.job(response.job)
