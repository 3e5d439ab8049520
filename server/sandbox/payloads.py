"""How a request's state is shown, protocol by protocol, field by field as published."""

from __future__ import annotations

from datetime import UTC
from types import MappingProxyType
from typing import TYPE_CHECKING

from server.sandbox.models import Protocol
from server.sandbox.requests import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from server.sandbox.requests import GatewayRequest

__all__ = ["batch_payload", "payload", "status_url", "universal_payload", "with_milliseconds"]

Payload = dict[str, object]


def payload(request: GatewayRequest) -> Payload:
    """Render a request as its protocol's status and callbacks show it."""
    protocol = request.generation.model.protocol
    return _PAYLOADS.get(protocol, universal_payload)(request)


def universal_payload(request: GatewayRequest) -> Payload:
    """Render the universal status, timestamps in both published forms."""
    ended = request.status.is_final
    return {
        "request_id": request.id,
        "status": request.status.value,
        "model_id": request.generation.model.model_id,
        "error": request.error,
        "output": _output(request),
        "created_at": with_milliseconds(request.created_at),
        "updated_at": _with_seconds(request.updated_at),
        "completed_at": _with_seconds(request.updated_at) if ended else None,
    }


def batch_payload(request: GatewayRequest) -> Payload:
    """Render the status of the batch protocol.

    Only its completed form is published. What the others look like is the sandbox's own guess:
    the same, with a lower-case status, and an `error` where something failed.
    """
    if request.status is Status.COMPLETED:
        return {
            "status": "completed",
            "output": request.media_urls()[0],
            "completedAt": int(request.updated_at.timestamp() * 1000),
        }
    if request.status.is_final:
        return {"status": "failed", "error": request.error}
    return {"status": request.status.value.lower()}


def status_url(request: GatewayRequest) -> str:
    """The address to poll, for queued models."""
    return f"{request.base_url}/v2/requests/status/{request.id}"


def with_milliseconds(at: datetime) -> str:
    """Render a time in the first published form."""
    utc = at.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def _with_seconds(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _output(request: GatewayRequest) -> Payload | None:
    if request.result is None:
        return None
    real = request.result.files[0].media_type
    return {
        "media_url": request.media_urls(),
        "media_type": request.generation.model.media_type or real,
    }


_PAYLOADS: Mapping[Protocol, Callable[[GatewayRequest], Payload]] = MappingProxyType(
    {Protocol.QUEUED: universal_payload, Protocol.BATCH: batch_payload}
)
