"""Serve results at unguessable addresses."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import FileResponse, Response

from server.sandbox.answers import fault_answer, problem
from server.sandbox.connection import DroppedConnection
from server.sandbox.faults import FaultKind, Place

if TYPE_CHECKING:
    from starlette.requests import Request

    from server.sandbox.engine import Engine
    from server.sandbox.faults import FaultQueue
    from server.sandbox.requests import MediaFile

__all__ = ["Media"]


class Media:
    """The addresses that `output.media_url` names. They need no key, like a public bucket's."""

    def __init__(self, *, engine: Engine, faults: FaultQueue) -> None:
        self._engine = engine
        self._faults = faults

    async def download(self, request: Request) -> Response:
        """GET or HEAD /media/{token}/{name}, whole or by range."""
        fault = self._faults.take(Place.MEDIA)
        instead = fault_answer(fault)
        if instead is not None:
            return instead
        file = self._engine.media(request.path_params["token"])
        expired = fault is not None and fault.kind is FaultKind.EXPIRED_MEDIA
        if file is None or expired or file.name != request.path_params["name"]:
            return problem(HTTPStatus.NOT_FOUND, "The link is unknown or has expired.")
        if fault is not None and fault.kind is FaultKind.TRUNCATED_MEDIA:
            return await _first_half(file)
        if fault is not None:
            await asyncio.sleep(fault.delay_s)
        return FileResponse(file.path, media_type=file.media_type)


async def _first_half(file: MediaFile) -> Response:
    data = await asyncio.to_thread(file.path.read_bytes)
    half = data[: len(data) // 2]
    return DroppedConnection(first=half, full_length=len(data), media_type=file.media_type)
