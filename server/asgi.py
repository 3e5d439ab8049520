"""Run an ASGI app with uvicorn inside a loop that is already running."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, cast

import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.applications import Starlette
    from uvicorn._types import ASGIApplication

__all__ = ["address_of", "listen", "serve_asgi", "serve_on"]

_SHUTDOWN_S = 3


class _EmbeddedServer(uvicorn.Server):
    """A uvicorn server that leaves the process's signals to its owner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket; port 0 picks a free one.

    Raises:
        OSError: The address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    # Connections inherit it. asyncio does not know this socket for TCP and would leave Nagle's
    # delay on, which holds the last bytes of a short answer back for 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def address_of(listener: socket.socket) -> str:
    """Return where a socket listens, as `HOST:PORT`."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextlib.asynccontextmanager
async def serve_asgi(
    app: ASGIApplication | Starlette, *, host: str, port: int
) -> AsyncIterator[str]:
    """Serve `app` over HTTP/1.1 for as long as the context is open.

    Args:
        app: The application.
        host: The address to listen on.
        port: The port; 0 picks a free one.

    Yields:
        The address that is listened on, as `HOST:PORT`, once it accepts connections.

    Raises:
        OSError: The address is taken or not ours.
    """
    with listen(host, port) as listener:
        async with serve_on(listener, app):
            yield address_of(listener)


@contextlib.asynccontextmanager
async def serve_on(
    listener: socket.socket, app: ASGIApplication | Starlette
) -> AsyncIterator[None]:
    """Serve `app` on a socket that listens already, for as long as the context is open."""
    config = uvicorn.Config(
        cast("ASGIApplication", app),  # Starlette's own ASGI types are wider.
        log_config=None,  # Logging is the owner's.
        access_log=False,  # Paths hold unguessable tokens.
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )
    server = _EmbeddedServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="http server")
    try:
        while not server.started:
            if serving.done():
                await serving  # Raises what stopped it.
                raise OSError("The HTTP server ended while it started.")
            await asyncio.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        await serving
