"""The client for code without an event loop: the same methods, blocking."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, TypeVar

from assetwright.client import Client
from assetwright.enums import AfterSubmission

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Any, Self, Unpack

    from assetwright.enums import AssetRole, JobState, ModelTask
    from assetwright.events import Completed, Event
    from assetwright.options import GenerateOptions, ProcessOptions, Source
    from assetwright.records import Asset, Job, Model, ParameterValue, Quote
    from assetwright.retry import RetryPolicy

__all__ = ["SyncClient"]

_T = TypeVar("_T")


class SyncClient:
    """`Client`, blocking. Its methods mean and raise what theirs do.

    It has an event loop of its own in a daemon thread, so it may be used from any one thread, also
    where another loop runs. Close it, best by ``with``.

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
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="assetwright client", daemon=True
        )
        self._thread.start()
        try:
            self._client = self._run(_connected(target, token, root_certificates, retry))
        except BaseException:
            self._end_thread()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect and end the thread. Jobs go on. Closing twice does nothing."""
        if self._loop.is_closed():
            return
        try:
            self._run(self._client.close())
        finally:
            self._end_thread()

    def generate(self, model: str, **options: Unpack[GenerateOptions]) -> Generator[Event]:
        """Buy a generation and follow it; closing the generator detaches, the job goes on."""
        return self._iterate(lambda: self._client.generate(model, **options))

    def create(self, model: str, **options: Unpack[GenerateOptions]) -> Completed:
        """Buy a generation and return its result."""
        return self._run(self._client.create(model, **options))

    def process(self, model: Source, **options: Unpack[ProcessOptions]) -> Generator[Event]:
        """Post-process a GLB, free, and follow it."""
        return self._iterate(lambda: self._client.process(model, **options))

    def watch(self, job_id: str, *, after_sequence: int = 0) -> Generator[Event]:
        """Follow an existing job to its end."""
        return self._iterate(lambda: self._client.watch(job_id, after_sequence=after_sequence))

    def quote(
        self,
        model: str,
        *,
        parameters: Mapping[str, ParameterValue] | None = None,
        image_model: str | None = None,
        image_parameters: Mapping[str, ParameterValue] | None = None,
    ) -> Quote:
        """Return what a generation would cost, without buying it."""
        return self._run(
            self._client.quote(
                model,
                parameters=parameters,
                image_model=image_model,
                image_parameters=image_parameters,
            )
        )

    def get_job(self, job_id: str) -> Job:
        """Return a job as it is now."""
        return self._run(self._client.get_job(job_id))

    def list_jobs(
        self,
        *,
        states: Iterable[JobState] = (),
        model: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Generator[Job]:
        """Yield jobs, newest first and without reports."""
        return self._iterate(
            lambda: self._client.list_jobs(states=states, model=model, labels=labels)
        )

    def cancel(
        self, job_id: str, *, after_submission: AfterSubmission = AfterSubmission.DISCARD
    ) -> Job:
        """Stop work on a job. Once it was submitted, the gateway charges all the same."""
        return self._run(self._client.cancel(job_id, after_submission=after_submission))

    def delete_job(self, job_id: str) -> None:
        """Delete an ended job with its log and its assets."""
        self._run(self._client.delete_job(job_id))

    def adopt(self, job_id: str, gateway_request_id: str) -> Job:
        """Reopen a job that failed with SUBMISSION_UNKNOWN: collect what the gateway has."""
        return self._run(self._client.adopt(job_id, gateway_request_id))

    def resubmit(self, job_id: str) -> Job:
        """Reopen a job that failed with SUBMISSION_UNKNOWN: submit again, and maybe pay again."""
        return self._run(self._client.resubmit(job_id))

    def models(self, *, tasks: Iterable[ModelTask] = ()) -> tuple[Model, ...]:
        """Return the catalog by id."""
        return self._run(self._client.models(tasks=tasks))

    def model(self, model_id: str) -> Model:
        """Return one model of the catalog."""
        return self._run(self._client.model(model_id))

    def upload(self, source: Source, *, name: str | None = None) -> Asset:
        """Store a file or bytes; the same bytes are stored once."""
        return self._run(self._client.upload(source, name=name))

    def get_asset(self, asset_id: str) -> Asset:
        """Return what is known about an asset."""
        return self._run(self._client.get_asset(asset_id))

    def list_assets(
        self, *, job_id: str | None = None, roles: Iterable[AssetRole] = ()
    ) -> Generator[Asset]:
        """Yield assets, newest first."""
        return self._iterate(lambda: self._client.list_assets(job_id=job_id, roles=roles))

    def download(self, asset: Asset | str, path: str | os.PathLike[str]) -> Path:
        """Write an asset to a file, which is there whole or not at all, and return its path."""
        return self._run(self._client.download(asset, path))

    def read(self, asset: Asset | str) -> bytes:
        """Return an asset's bytes."""
        return self._run(self._client.read(asset))

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return running.result()
        except BaseException:
            running.cancel()  # Ctrl-C interrupts the waiting; the work shall stop as well.
            raise

    def _iterate(self, begin: Callable[[], AsyncGenerator[_T, None]]) -> Generator[_T]:
        items = begin()
        try:
            while (item := self._run(_next(items))) is not None:
                yield item
        finally:
            self._run(items.aclose())


async def _connected(
    target: str, token: str | None, root_certificates: bytes | None, retry: RetryPolicy | None
) -> Client:
    """Return a client of the running loop, to which it then belongs."""
    return Client(target, token=token, root_certificates=root_certificates, retry=retry)


async def _next(items: AsyncGenerator[_T, None]) -> _T | None:
    return await anext(items, None)
