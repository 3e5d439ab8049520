"""Queued: submit, then poll the universal status endpoint, or wait for a webhook."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.sandbox.answers import Refused, fault_answer, problem
from server.sandbox.faults import Place
from server.sandbox.models import Auth, Protocol
from server.sandbox.payloads import status_url, universal_payload
from server.sandbox.protocols.base import Endpoint, base_url, spoilt_status

if TYPE_CHECKING:
    from starlette.requests import Request

    from server.sandbox.protocols.base import Surroundings
    from server.sandbox.requests import GatewayRequest

__all__ = ["QueuedEndpoint", "UniversalStatus"]


class QueuedEndpoint(Endpoint):
    """Answers at once with 202 and where to ask."""

    async def answer(self, accepted: GatewayRequest) -> Response:  # noqa: D102
        return JSONResponse(
            {
                "request_id": accepted.id,
                "status": accepted.status.value,
                "polling_url": status_url(accepted),
            },
            status_code=HTTPStatus.ACCEPTED,
        )


class UniversalStatus:
    """The one status endpoint of all queued models, and the answer for models nobody knows."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def routes(self) -> list[Route]:
        """The addresses it answers at; they must come after every model's."""
        return [
            Route("/v2/requests/status/{request_id}", self.status, methods=["GET"]),
            Route("/{model}/v1/{rest:path}", self.unknown_model, methods=["POST"]),
        ]

    async def status(self, request: Request) -> Response:
        """GET /v2/requests/status/{request_id}."""
        fault = self._around.faults.take(Place.STATUS)
        instead = fault_answer(fault)
        if instead is not None:
            return instead
        try:
            self._around.intake.authorise(request, Auth.SUBSCRIPTION)
        except Refused as exc:
            return exc.answer
        found = self._around.engine.request(request.path_params["request_id"])
        if found is None or found.generation.model.protocol is not Protocol.QUEUED:
            return problem(HTTPStatus.NOT_FOUND, "No request has this id.")
        payload = universal_payload(found.seen_from(base_url(request)))
        return await spoilt_status(payload, fault)

    async def unknown_model(self, request: Request) -> Response:
        """POST to any other model, worded as published."""
        try:
            self._around.intake.authorise(request, Auth.SUBSCRIPTION)
        except Refused as exc:
            return exc.answer
        model = request.path_params["model"]
        body = {
            "error": "Model not found",
            "message": f"Model '{model[:64]}' not found or is disabled",
        }
        return JSONResponse(body, status_code=HTTPStatus.BAD_REQUEST)
