"""Endpoints for people who write clients: cause faults, see what was submitted."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from server.sandbox.answers import bad_request, problem
from server.sandbox.body import UnusableBody, read_json
from server.sandbox.faults import Fault, FaultQueue, InvalidFault
from server.sandbox.payloads import with_milliseconds

if TYPE_CHECKING:
    from starlette.requests import Request

    from server.sandbox.engine import Engine
    from server.sandbox.requests import GatewayRequest
    from server.sandbox.settings import SandboxSettings

__all__ = ["Control"]


class Control:
    """Everything under `/sandbox/`. The real gateway has nothing like it."""

    def __init__(self, settings: SandboxSettings, *, engine: Engine, faults: FaultQueue) -> None:
        self._settings = settings
        self._engine = engine
        self._faults = faults

    async def health(self, _: Request) -> Response:
        """GET /sandbox/health."""
        return JSONResponse({"status": "ok", "sandbox": True})

    async def add_fault(self, request: Request) -> Response:
        """POST /sandbox/faults."""
        try:
            body = await read_json(request, max_bytes=self._settings.max_body_bytes)
            fault = Fault.parse(body)
            self._faults.add(fault)
        except UnusableBody as exc:
            return problem(exc.status, str(exc))
        except InvalidFault as exc:
            return bad_request(str(exc))
        return JSONResponse(fault.describe(), status_code=HTTPStatus.CREATED)

    async def list_faults(self, _: Request) -> Response:
        """GET /sandbox/faults."""
        return JSONResponse({"faults": [fault.describe() for fault in self._faults.waiting()]})

    async def clear_faults(self, _: Request) -> Response:
        """DELETE /sandbox/faults."""
        self._faults.clear()
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def submissions(self, _: Request) -> Response:
        """GET /sandbox/submissions."""
        return JSONResponse({"submissions": [_describe(one) for one in self._engine.requests()]})


def _describe(request: GatewayRequest) -> dict[str, object]:
    model = request.generation.model
    return {
        "request_id": request.id,
        "model": model.name,
        "status": request.status.value,
        f"price_{model.currency.value}": str(request.generation.price),
        "body": dict(request.generation.body),
        "headers": dict(request.headers),
        "created_at": with_milliseconds(request.created_at),
    }
