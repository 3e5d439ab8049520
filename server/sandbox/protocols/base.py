"""What the protocols share: where faults strike, and how."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.sandbox.answers import BROKEN_JSON, Refused, fault_answer, problem
from server.sandbox.connection import DroppedConnection
from server.sandbox.faults import FaultKind, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from server.sandbox.engine import Engine
    from server.sandbox.faults import Fault, FaultQueue
    from server.sandbox.intake import Intake
    from server.sandbox.models import Currency, Model
    from server.sandbox.requests import GatewayRequest
    from server.sandbox.settings import SandboxSettings
    from server.sandbox.wallet import Wallet

__all__ = ["Endpoint", "Surroundings", "base_url", "broke", "spoilt_status"]

_STRANGE_STATUS = "HIBERNATING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What endpoints need to answer."""

    settings: SandboxSettings
    engine: Engine
    intake: Intake
    faults: FaultQueue
    wallets: Mapping[Currency, Wallet]


class Endpoint(ABC):
    """Where one model is asked."""

    def __init__(self, model: Model, around: Surroundings) -> None:
        self._model = model
        self._around = around

    def routes(self) -> list[Route]:
        """The addresses it answers at."""
        return [Route(self._model.path, self.submit, methods=["POST"])]

    async def submit(self, request: Request) -> Response:
        """POST to the model's path."""
        fault = self._around.faults.take(Place.SUBMIT)
        instead = fault_answer(fault, currency=self._model.currency)
        if instead is not None:
            return instead
        try:
            accepted = await self._around.intake.accept(request, self._model)
            if fault is not None and fault.kind is FaultKind.DROP_AFTER_ACCEPT:
                return DroppedConnection()
            answer = await self.answer(accepted)
        except Refused as exc:
            answer = exc.answer
        return answer if fault is None else await _spoilt(answer, fault)

    @abstractmethod
    async def answer(self, accepted: GatewayRequest) -> Response:
        """Answer a request that has been accepted."""


def base_url(request: Request) -> str:
    """Say under which address the sandbox is asked, without a slash at the end."""
    return str(request.base_url).rstrip("/")


def broke(request: GatewayRequest) -> Response:
    """Answer for a request that ended without a result, where the caller is still waiting."""
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, request.error or "Something went wrong.")


async def spoilt_status(payload: dict[str, object], fault: Fault | None) -> Response:
    """Answer a status request, with what a fault makes of it."""
    if fault is None:
        return JSONResponse(payload)
    if fault.kind is FaultKind.UNKNOWN_STATUS:
        return JSONResponse(payload | {"status": fault.message or _STRANGE_STATUS})
    return await _spoilt(JSONResponse(payload), fault)


async def _spoilt(answer: Response, fault: Fault) -> Response:
    """Spoil an answer whose request has been dealt with."""
    if fault.kind is FaultKind.DROP_AFTER_ACCEPT:
        return DroppedConnection()
    if fault.kind is FaultKind.MALFORMED_JSON:
        return Response(BROKEN_JSON, answer.status_code, media_type="application/json")
    await asyncio.sleep(fault.delay_s)
    return answer
