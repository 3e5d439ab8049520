"""Batch: 202 with a webhook, a held request without one, and a status endpoint of its own."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.sandbox.answers import Refused, bad_request, fault_answer, problem
from server.sandbox.faults import Place
from server.sandbox.payloads import batch_payload
from server.sandbox.protocols.base import Endpoint, base_url, spoilt_status

if TYPE_CHECKING:
    from starlette.requests import Request

    from server.sandbox.requests import GatewayRequest

__all__ = ["BatchEndpoint"]

_STATUS = "/checkStatus"


class BatchEndpoint(Endpoint):
    """Answers at once where there is a webhook to call, and else waits for a minute."""

    def routes(self) -> list[Route]:
        """The addresses it answers at."""
        status = self._model.path.rpartition("/")[0] + _STATUS
        return [*super().routes(), Route(status, self.check_status, methods=["POST"])]

    async def answer(self, accepted: GatewayRequest) -> Response:  # noqa: D102
        if self._model.hook_field in accepted.generation.body:
            return _queued(
                accepted, "Request queued. Result will be sent to the provided webhook URL."
            )
        ended = await self._around.engine.ended(accepted, within_s=self._around.settings.hold_s)
        if not ended.status.is_final:
            return _queued(ended, "Request is still queued. Ask for its status.")
        # Its form is not published: this is what the status endpoint shows, and the id.
        return JSONResponse({"requestId": ended.id, **batch_payload(ended)})

    async def check_status(self, request: Request) -> Response:
        """POST to checkStatus."""
        fault = self._around.faults.take(Place.STATUS)
        instead = fault_answer(fault)
        if instead is not None:
            return instead
        try:
            self._around.intake.authorise(request, self._model.auth)
            body = await self._around.intake.json(request)
        except Refused as exc:
            return exc.answer
        wanted = body.get("requestId") if isinstance(body, dict) else None
        if not isinstance(wanted, str):
            return bad_request("requestId is required and must be a string")
        found = self._around.engine.request(wanted)
        if found is None or found.generation.model is not self._model:
            return problem(HTTPStatus.NOT_FOUND, "No request has this id.")
        payload = batch_payload(found.seen_from(base_url(request)))
        return await spoilt_status(payload, fault)


def _queued(request: GatewayRequest, message: str) -> Response:
    return JSONResponse(
        {
            "requestId": request.id,
            "status": "queued",
            "message": message,
            "pollingEndpoint": _STATUS,
            "pollingInstructions": f'POST to {_STATUS} with {{"requestId": "{request.id}"}}',
        },
        status_code=HTTPStatus.ACCEPTED,
    )
