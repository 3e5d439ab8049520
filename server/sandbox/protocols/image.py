"""Synchronous with bytes: the answer is the picture itself, and a header says what is left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import Response

from server.sandbox.connection import DroppedConnection
from server.sandbox.faults import FaultKind, Place
from server.sandbox.protocols.base import Endpoint, broke
from server.sandbox.requests import Status

if TYPE_CHECKING:
    from starlette.requests import Request

    from server.sandbox.requests import GatewayRequest

__all__ = ["ImageEndpoint"]

_HEADER = "x-remaining-credits"
_ON_MEDIA = frozenset({FaultKind.TRUNCATED_MEDIA, FaultKind.SLOW})


class ImageEndpoint(Endpoint):
    """Holds the request until the picture is there. Faults of media strike the answer."""

    async def submit(self, request: Request) -> Response:
        """POST to the model's path."""
        answer = await super().submit(request)
        left = self._around.wallets[self._model.currency].balance
        if left is not None:
            answer.headers[_HEADER] = f"{left.normalize():f}"
        return answer

    async def answer(self, accepted: GatewayRequest) -> Response:  # noqa: D102
        ended = await self._around.engine.ended(accepted, within_s=None)
        if ended.status is not Status.COMPLETED or ended.result is None:
            return broke(ended)
        file = ended.result.files[0]
        data = await asyncio.to_thread(file.path.read_bytes)
        fault = self._around.faults.take(Place.MEDIA, kinds=_ON_MEDIA)
        if fault is not None and fault.kind is FaultKind.TRUNCATED_MEDIA:
            half = data[: len(data) // 2]
            return DroppedConnection(first=half, full_length=len(data), media_type=file.media_type)
        if fault is not None:
            await asyncio.sleep(fault.delay_s)
        return Response(data, media_type=file.media_type)
