"""A response that holds something open until it has been sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from starlette.types import Receive, Scope, Send

__all__ = ["Lending"]


class Lending(Response):
    """Sends another response, then closes what that one reads from."""

    def __init__(self, response: Response, holds: AsyncExitStack) -> None:
        self._response = response
        self._holds = holds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with self._holds:
            await self._response(scope, receive, send)
