"""Make what a request asks for: fetch its inputs, have the work done, name the files."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from server.sandbox.fetch import fetch_input
from server.sandbox.requests import MediaFile, Result
from server.sandbox.work import Limits, TrainJob

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from server.sandbox.keep import Keep
    from server.sandbox.models import Model
    from server.sandbox.requests import Clock, GatewayRequest
    from server.sandbox.settings import SandboxSettings
    from server.sandbox.work import Made
    from server.sandbox.worker import Worker

__all__ = ["Maker"]

_log = structlog.get_logger()

_TOKEN_BYTES = 24
_DIGITS = 1_000_000


class Maker:
    """Turns accepted requests into files."""

    def __init__(
        self,
        settings: SandboxSettings,
        *,
        http: httpx.AsyncClient,
        worker: Worker,
        folder: Path,
        clock: Clock,
        keep: Keep | None,
    ) -> None:
        self._settings = settings
        self._http = http
        self._worker = worker
        self._folder = folder
        self._clock = clock
        self._keep = keep

    async def make(self, request: GatewayRequest) -> Result:
        """Make the files of a request.

        Raises:
            InputError: An input cannot be had or used.
            WorkerError: The worker died or took too long.
        """
        generation = request.generation
        made = await self._worker.perform(
            generation.job,
            [await self._input(request, index) for index in range(len(generation.sources))],
            limits=Limits(max_picture_pixels=self._settings.max_picture_pixels),
            stem=self._folder / request.id,
            timeout_s=self._settings.work_timeout_s,
        )
        _log.info(
            "sandbox_result_made",
            request_id=request.id,
            files=len(made),
            size_bytes=sum(one.size_bytes for one in made),
        )
        now = self._clock()
        return Result(
            files=tuple(self._named(generation.model, one) for one in made),
            expires_at=now + timedelta(seconds=self._settings.media_ttl_s),
        )

    async def fetch_early(self, request: GatewayRequest) -> None:
        """Fetch the inputs of a request that still waits, where they can be kept.

        Raises:
            InputError: One cannot be had yet.
        """
        if self._keep is not None:
            for index in range(len(request.generation.sources)):
                await self._input(request, index)

    async def _input(self, request: GatewayRequest, index: int) -> bytes:
        source = request.generation.sources[index]
        if source.data is not None:
            return source.data
        if self._keep is None:
            return await self._fetch(request, str(source.url))
        data = await self._keep.input(request, index)
        if data is None:
            data = await self._fetch(request, str(source.url))
            await self._keep.save_input(request, index, data)
        return data

    async def _fetch(self, request: GatewayRequest, url: str) -> bytes:
        limits = self._settings
        is_dataset = isinstance(request.generation.job, TrainJob)
        return await fetch_input(
            self._http,
            url,
            max_bytes=limits.max_dataset_bytes if is_dataset else limits.max_picture_bytes,
            timeout_s=limits.fetch_timeout_s,
        )

    def _named(self, model: Model, made: Made) -> MediaFile:
        name = model.media_name.format(
            ext=made.path.suffix[1:],
            ms=int(self._clock().timestamp() * 1000),
            digits=f"{secrets.randbelow(_DIGITS):06d}",
        )
        hidden = name.endswith(".ext")  # A bucket can only tell a type from a name it knows.
        return MediaFile(
            token=secrets.token_urlsafe(_TOKEN_BYTES),
            name=name,
            path=made.path,
            media_type="application/octet-stream" if hidden else made.media_type,
        )
