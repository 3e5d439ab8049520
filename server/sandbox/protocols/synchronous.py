"""Synchronous: the answer is the address of the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from server.sandbox.protocols.base import Endpoint, broke
from server.sandbox.requests import Status

if TYPE_CHECKING:
    from server.sandbox.requests import GatewayRequest

__all__ = ["SynchronousEndpoint"]


class SynchronousEndpoint(Endpoint):
    """Holds the request until the result is there."""

    async def answer(self, accepted: GatewayRequest) -> Response:  # noqa: D102
        ended = await self._around.engine.ended(accepted, within_s=None)
        if ended.status is not Status.COMPLETED:
            return broke(ended)
        return JSONResponse({"output": ended.media_urls()[0]})
