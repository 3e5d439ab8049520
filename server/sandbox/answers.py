"""The bodies of the gateway's error answers."""

from __future__ import annotations

import math
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from server.sandbox.connection import DroppedConnection
from server.sandbox.faults import FaultKind
from server.sandbox.models import Currency

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.sandbox.faults import Fault
    from server.sandbox.models import Generation

__all__ = ["BROKEN_JSON", "Refused", "bad_request", "fault_answer", "problem", "too_expensive"]

BROKEN_JSON = b'{"request_id": "pixal3d_'
"""What a `malformed_json` fault answers with."""

_ERRORS: Mapping[FaultKind, tuple[HTTPStatus, str]] = MappingProxyType(
    {
        FaultKind.RATE_LIMITED: (HTTPStatus.TOO_MANY_REQUESTS, "Rate limit exceeded."),
        FaultKind.SERVER_ERROR: (HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong."),
        FaultKind.UNAUTHORIZED: (HTTPStatus.UNAUTHORIZED, "Invalid subscription key."),
        FaultKind.FORBIDDEN: (HTTPStatus.FORBIDDEN, "Access to this model is denied."),
    }
)
_NO_BALANCE = "Your wallet does not have enough balance."


class Refused(Exception):
    """A request is turned away with an answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


def problem(status: HTTPStatus, message: str) -> JSONResponse:
    """Say what is wrong with `error` and `message`, like the published 402."""
    return JSONResponse({"error": status.phrase, "message": message}, status_code=status)


def bad_request(message: str) -> JSONResponse:
    """Say which parameter is wrong with `error` alone, like the published validation errors."""
    return JSONResponse({"error": message}, status_code=HTTPStatus.BAD_REQUEST)


def too_expensive(generation: Generation) -> JSONResponse:
    """Say that the wallet is too empty for a request."""
    model = generation.model
    needed = f" Required: ${generation.price}" if model.price_in_refusal else ""
    return insufficient_balance(model.currency, _NO_BALANCE + needed)


def insufficient_balance(currency: Currency, message: str | None = None) -> JSONResponse:
    """Say that the wallet is empty: 402 word for word as published, or Segmind's 406."""
    if currency is Currency.CREDITS:
        return problem(HTTPStatus.NOT_ACCEPTABLE, "Not enough credits.")
    return JSONResponse(
        {"error": "Insufficient Balance", "message": message or _NO_BALANCE},
        status_code=HTTPStatus.PAYMENT_REQUIRED,
    )


def fault_answer(fault: Fault | None, *, currency: Currency = Currency.USD) -> Response | None:
    """The answer that takes the place of the real one; `None` for faults that change it only."""
    if fault is None:
        return None
    answer: Response
    if fault.kind in _ERRORS:
        status, message = _ERRORS[fault.kind]
        answer = problem(status, fault.message or message)
    elif fault.kind is FaultKind.INSUFFICIENT_BALANCE:
        answer = insufficient_balance(currency, fault.message)
    elif fault.kind is FaultKind.BAD_REQUEST:
        answer = bad_request(fault.message or "Bad Request")
    elif fault.kind is FaultKind.DROP_BEFORE_ACCEPT:
        answer = DroppedConnection()
    else:
        return None
    if fault.retry_after_s is not None:
        answer.headers["Retry-After"] = str(math.ceil(fault.retry_after_s))  # Whole seconds only.
    return answer
