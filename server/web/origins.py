"""Who may call from a web page: nobody, but for the origins that a setting names.

A page that a designer happens to have open can reach a port on their machine. Its requests carry an
`Origin`, so one that is not allowed is refused, whatever it asks. A page can also point a name of
its own at this machine (DNS rebinding); then a `GET` carries no `Origin`, but a `Host` that is no
name of ours. Where tokens are asked for that is harmless, since the page knows none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Origins"]

_METHODS = "GET, HEAD, POST, PUT, DELETE"
_EXPOSED = (
    "grpc-status, grpc-message, grpc-status-details-bin, grpc-accept-encoding, "
    "etag, accept-ranges, content-range, content-disposition, upload-offset, upload-length"
)
_MAX_AGE_S = "600"


class Origins:
    """Lets the callers' routes be used from allowed origins only."""

    def __init__(
        self, app: ASGIApp, *, allowed: Sequence[str], is_our_host: Callable[[str], bool]
    ) -> None:
        self._app = app
        self._allowed = frozenset(allowed)
        self._is_our_host = is_our_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, refuse, or let the request through."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None:
            if self._is_our_host(_host(headers.get("host", ""))):
                await self._app(scope, receive, send)
            else:
                await _refused("host", "ASSETWRIGHT_PUBLIC_URL")(scope, receive, send)
        elif origin not in self._allowed:
            await _refused("origin", "ASSETWRIGHT_ALLOWED_ORIGINS")(scope, receive, send)
        elif scope["method"] == "OPTIONS":
            await _preflight(origin, headers)(scope, receive, send)
        else:
            await self._app(scope, receive, _allowing(origin, send))


def _allowing(origin: str, send: Send) -> Send:
    async def allow(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message.get("headers", [])))
            headers["access-control-allow-origin"] = origin
            headers["access-control-expose-headers"] = _EXPOSED
            headers.add_vary_header("origin")
            message = {**message, "headers": headers.raw}
        await send(message)

    return allow


def _preflight(origin: str, headers: Headers) -> Response:
    answer = {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": _METHODS,
        "access-control-max-age": _MAX_AGE_S,
        "vary": "origin",
    }
    asked = headers.get("access-control-request-headers")
    if asked is not None:
        answer["access-control-allow-headers"] = asked
    return Response(status_code=204, headers=answer)


def _refused(what: str, setting: str) -> Response:
    text = f"This {what} may not call here; {setting} can allow it.\n"
    return PlainTextResponse(text, status_code=403)


def _host(header: str) -> str:
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
