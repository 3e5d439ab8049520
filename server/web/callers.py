"""The routes of the HTTP port for those who call the server: gRPC-Web, and files by plain HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from server.web.assets import AssetFiles
    from server.web.bridge import Bridge
    from server.web.plain import Plain
    from server.web.uploads import Uploads

__all__ = ["caller_routes"]


def caller_routes(
    *,
    bridge: Bridge,
    files: AssetFiles,
    uploads: Uploads,
    plain: Plain,
    around: Callable[[ASGIApp], ASGIApp],
) -> list[Route]:
    """Return the routes.

    `around` stands before each, says from where it may be called, and answers OPTIONS.
    """
    by_method = {"PUT": uploads.put, "HEAD": uploads.head, "DELETE": uploads.delete}

    async def upload(request: Request) -> Response:
        return await by_method[request.method](request)

    return [
        Route(
            "/v1/assets/{asset_id}",
            around(plain.app(files.get)),
            methods=["GET", "HEAD", "OPTIONS"],
        ),
        Route(
            "/v1/uploads/{upload_id}",
            around(plain.app(upload)),
            methods=[*by_method, "OPTIONS"],
        ),
        Route("/{service}/{method}", around(bridge), methods=["POST", "OPTIONS"]),
    ]
