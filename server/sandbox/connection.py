"""Close connections without an answer, which ASGI has no words for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["DroppableConnections", "DroppedConnection"]

_TRANSPORT = "assetwright.sandbox.transport"


class DroppableConnections:
    """Middleware that remembers each request's transport; it must be the outermost one.

    uvicorn's `send` is a method of an object that holds the connection's transport. A server that
    hides it gets an exception instead of a dropped connection, and answers with 500.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102
        if scope["type"] == "http":
            scope[_TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await self._app(scope, receive, send)


class DroppedConnection(Response):
    """No answer, or the first part of one, and then a closed connection."""

    def __init__(
        self, *, first: bytes = b"", full_length: int = 0, media_type: str | None = None
    ) -> None:
        super().__init__(media_type=media_type)
        self._first = first
        self._full_length = full_length

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: D102
        transport = scope.get(_TRANSPORT)
        if transport is None:
            raise ConnectionAbortedError("This server cannot drop a connection.")
        if self._first:
            self.headers["content-length"] = str(self._full_length)
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": self._first, "more_body": True})
            transport.close()  # Sends what is buffered first.
        else:
            transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass
