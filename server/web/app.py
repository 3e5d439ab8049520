"""The routes of the HTTP port.

`GET /inputs/...` hands an input to the gateway, to whoever has the signed link. `GET /healthz`
answers 200 while jobs are accepted and 503 while the server drains. `POST /hooks/...` takes a
gateway's callback. `server.web.callers` has the routes for those who call the server.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from server.gateway.hooks import named_request
from server.jobs.media_types import HEAD_BYTES, media_type
from server.web.lending import Lending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from server.gateway.hooks import HookLinks
    from server.gateway.links import InputLinks
    from server.jobs.port import Jobs
    from server.storage import Blobs

__all__ = ["web_app"]

_MAX_CALLBACK_BYTES = 64 << 10
_GONE = "There is nothing here, or the link has expired.\n"


def web_app(
    *,
    links: InputLinks,
    hooks: HookLinks,
    jobs: Jobs,
    blobs: Blobs,
    is_draining: Callable[[], bool],
    callers: Sequence[Route],
) -> Starlette:
    """Return the application of the HTTP port.

    `callers` are the routes for those who call the server (`server.web.callers`).
    """

    async def healthz(_request: Request) -> Response:
        if is_draining():
            return PlainTextResponse("draining\n", status_code=503)
        return PlainTextResponse("ok\n")

    async def read_input(request: Request) -> Response:
        sha256 = request.path_params["sha256"]
        allowed = links.allows(
            sha256, request.path_params["expires"], request.path_params["signature"]
        )
        if not allowed or not await blobs.exists(sha256):
            return PlainTextResponse(_GONE, status_code=404)
        async with AsyncExitStack() as stack:
            async with blobs.open(sha256) as reader:
                kind = media_type(reader.read(HEAD_BYTES))
            path = await stack.enter_async_context(blobs.local_copy(sha256))
            headers = {"x-content-type-options": "nosniff", "cache-control": "private"}
            return Lending(FileResponse(path, media_type=kind, headers=headers), stack.pop_all())

    async def take_callback(request: Request) -> Response:
        job_id = request.path_params["job_id"]
        if not hooks.allows(job_id, request.path_params["signature"]):
            return PlainTextResponse(_GONE, status_code=404)
        # A callback is unsigned: nothing that it says is believed, the status endpoint is asked.
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > _MAX_CALLBACK_BYTES:
                return PlainTextResponse("It is too long.\n", status_code=413)
        await jobs.poke(job_id, gateway_request_id=named_request(bytes(body)))
        return PlainTextResponse("ok\n")

    app = Starlette(
        routes=[
            Route("/hooks/{job_id}/{signature}", take_callback, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/inputs/{sha256}/{expires}/{signature}", read_input),
            *callers,
        ]
    )
    # A redirect would turn an unknown path into one that a client follows without its body.
    app.router.redirect_slashes = False
    return app
