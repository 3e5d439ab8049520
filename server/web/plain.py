"""Plain HTTP for callers: a token before it, and errors as JSON from the one table."""

from __future__ import annotations

import secrets
import traceback
from typing import TYPE_CHECKING

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import request_response

from server.errors import AssetwrightError, InternalError, InvalidRequest, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from server.tokens import Tokens

    Handle = Callable[[Request], Awaitable[Response]]

__all__ = ["HTTP_STATUSES", "Plain"]

_log = structlog.get_logger()

# By gRPC's number: its name, and the HTTP status that says the nearest.
HTTP_STATUSES = {
    1: ("CANCELLED", 499),
    2: ("UNKNOWN", 500),
    3: ("INVALID_ARGUMENT", 400),
    4: ("DEADLINE_EXCEEDED", 504),
    5: ("NOT_FOUND", 404),
    6: ("ALREADY_EXISTS", 409),
    7: ("PERMISSION_DENIED", 403),
    8: ("RESOURCE_EXHAUSTED", 429),
    9: ("FAILED_PRECONDITION", 400),
    10: ("ABORTED", 409),
    11: ("OUT_OF_RANGE", 416),
    12: ("UNIMPLEMENTED", 501),
    13: ("INTERNAL", 500),
    14: ("UNAVAILABLE", 503),
    15: ("DATA_LOSS", 500),
    16: ("UNAUTHENTICATED", 401),
}
_GONE = 499  # Nobody reads it.


class Plain:
    """Makes ASGI applications of handlers that may raise this server's errors."""

    def __init__(self, *, tokens: Tokens, code_of: Callable[[AssetwrightError], int]) -> None:
        self._tokens = tokens
        self._code_of = code_of

    def app(self, handle: Handle) -> ASGIApp:
        """Return an application that asks for a token, answers, and tells errors."""

        async def answer(request: Request) -> Response:
            try:
                self._check_token(request)
                return await handle(request)
            except AssetwrightError as exc:
                return self.refusal(exc)
            except ClientDisconnect:
                return Response(status_code=_GONE)
            except Exception:  # noqa: BLE001 - the outermost edge
                return self.refusal(_bug(request.scope["path"]))

        return request_response(answer)

    def _check_token(self, request: Request) -> None:
        if not self._tokens.allow(request.headers.get("authorization", "")):
            raise Unauthenticated("A valid token is needed.")

    def refusal(self, error: AssetwrightError) -> Response:
        """Return an error as JSON, with what a gRPC caller finds in the status's details."""
        code = self._code_of(error)
        name, status = HTTP_STATUSES[code]
        told = {
            "code": code,
            "status": name,
            "reason": error.reason,
            "message": str(error),
            "remedy": error.remedy,
            "metadata": error.metadata,
        }
        if isinstance(error, InvalidRequest):
            told["violations"] = [
                {"field": one.field, "message": one.message} for one in error.violations
            ]
        headers = {"cache-control": "no-store"}
        if isinstance(error, Unauthenticated):
            headers["www-authenticate"] = "Bearer"
        if error.retry_after_s is not None:
            headers["retry-after"] = f"{error.retry_after_s:.0f}"
        return JSONResponse({"error": told}, status_code=status, headers=headers)


def _bug(path: str) -> InternalError:
    error_id = secrets.token_hex(6)
    _log.error("http_bug", path=path, error_id=error_id, trace=traceback.format_exc())
    return InternalError(f"The server made a mistake (id {error_id}).", error_id=error_id)
