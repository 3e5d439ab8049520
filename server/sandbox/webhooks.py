"""Tell a caller's endpoint how its request stands, as the published pages describe it."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import structlog

from server.sandbox.errors import InvalidRequest
from server.sandbox.faults import FaultKind, Place
from server.sandbox.models import Protocol
from server.sandbox.payloads import payload
from server.sandbox.requests import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.sandbox.faults import FaultQueue
    from server.sandbox.models import Generation
    from server.sandbox.requests import GatewayRequest

__all__ = ["Webhook", "WebhookMode", "deliver", "parse_webhook"]

_log = structlog.get_logger()

_RETRY_AFTER_S = (0.2, 1.0)  # Two more attempts, then the callback is given up.
_ANSWER_WITHIN_S = 5.0  # The page asks for an answer within a few seconds.
_ENDS = frozenset({Status.COMPLETED, Status.FAILED, Status.ERROR})
_FILTERS = {
    "completed": frozenset({Status.COMPLETED}),
    "failed": frozenset({Status.FAILED, Status.ERROR}),
}


class WebhookMode(Enum):
    """When the endpoint is called."""

    TERMINAL = "terminal"
    SYNC = "sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where and when to call.

    Attributes:
        url: The endpoint.
        mode: Whether it hears of progress too.
        ends: The final states it hears of.
    """

    url: str
    mode: WebhookMode = WebhookMode.TERMINAL
    ends: frozenset[Status] = _ENDS

    def wants(self, status: Status) -> bool:
        """Whether a call is due in a state."""
        return status in self.ends if status.is_final else self.mode is WebhookMode.SYNC


def parse_webhook(headers: Mapping[str, str], generation: Generation) -> Webhook | None:
    """Read a webhook from the body field its page has for one, or else from the headers.

    Plain http is accepted for loopback hosts only, where no certificate can be had.

    Raises:
        InvalidRequest: The address or the mode is not allowed.
    """
    body, field = generation.body, generation.model.hook_field
    in_body = None if field is None else body.get(field)
    if isinstance(in_body, str):
        if not _is_allowed(in_body):
            raise InvalidRequest("Invalid webhook URL")
        wanted = body.get("webhook_events_filter")
        names = wanted if isinstance(wanted, list) and wanted else list(_FILTERS)
        return Webhook(url=in_body, ends=frozenset().union(*(_FILTERS[name] for name in names)))
    if generation.model.protocol is not Protocol.QUEUED:
        return None
    return _from_headers(headers)


def _from_headers(headers: Mapping[str, str]) -> Webhook | None:
    url = headers.get("x-webhook-url")
    if url is None:
        return None
    if not _is_allowed(url):
        raise InvalidRequest("X-Webhook-URL must be an HTTPS URL")
    try:
        mode = WebhookMode(headers.get("x-webhook-mode", "terminal"))
    except ValueError:
        raise InvalidRequest("X-Webhook-Mode must be one of: terminal, sync") from None
    return Webhook(url=url, mode=mode)


async def deliver(
    http: httpx.AsyncClient, webhook: Webhook, request: GatewayRequest, *, faults: FaultQueue
) -> None:
    """Post the status payload until the endpoint answers 2xx, three times at most."""
    fault = faults.take(Place.WEBHOOK)
    if fault is not None and fault.kind is FaultKind.SLOW:
        await asyncio.sleep(fault.delay_s)
    await _post(http, webhook, request)
    if fault is not None and fault.kind is FaultKind.DUPLICATE_WEBHOOK:
        await _post(http, webhook, request)


async def _post(http: httpx.AsyncClient, webhook: Webhook, request: GatewayRequest) -> None:
    body = payload(request)
    if request.generation.model.protocol is Protocol.BATCH:
        body = {"requestId": request.id, **body}  # Without it nobody could tell whose it is.
    for wait_s in (*_RETRY_AFTER_S, None):
        try:
            reply = await http.post(webhook.url, json=body, timeout=_ANSWER_WITHIN_S)
            if reply.is_success:
                return
        except (httpx.HTTPError, httpx.InvalidURL):
            pass  # Counted like an answer that is not 2xx.
        if wait_s is not None:
            await asyncio.sleep(wait_s)
    _log.warning("sandbox_webhook_given_up", request_id=request.id, status=request.status.value)


def _is_allowed(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
