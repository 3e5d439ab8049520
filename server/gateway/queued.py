"""The queued protocol: submit, then ask the universal status endpoint.

Source: the provider's page "Pixal3D API" (the same text stands on the pages of the other queued
models): request and response bodies, status codes, status values and their meaning, and the
headers that ask for callbacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from server.errors import SubmissionUnknown
from server.gateway.connection import accepted_object
from server.gateway.protocol import Status, Submission, read_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.gateway.connection import Connection
    from server.gateway.models import Model
    from server.gateway.protocol import Webhook
    from server.gateway.values import BodyValue

__all__ = ["QueuedGateway"]

_READ_TIMEOUT_S = 30.0


class QueuedGateway:
    """Speaks the queued protocol."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def submit(
        self, model: Model, body: Mapping[str, BodyValue], *, webhook: Webhook | None = None
    ) -> Submission:
        """Send the paid POST, exactly once. See `GatewayProtocol.submit`."""
        posting = self._connection.paid_post(
            model, body, headers=_webhook_headers(webhook), read_timeout_s=_READ_TIMEOUT_S
        )
        async with posting as reply:
            accepted = await accepted_object(reply)
        request_id = read_id(accepted, "request_id")
        if request_id is None:
            raise SubmissionUnknown("The gateway accepted the request without naming its id.")
        return Submission(request_id=request_id)

    async def status(self, model: Model, request_id: str) -> Status:
        """Ask where a request is. See `GatewayProtocol.status`.

        The address is built here: the reply's own polling_url would say where our key goes.
        """
        path = f"/v2/requests/status/{quote(request_id, safe='')}"
        return Status.parse(await self._connection.ask(model, "GET", path))


def _webhook_headers(webhook: Webhook | None) -> dict[str, str]:
    if webhook is None:
        return {}
    return {"X-Webhook-URL": webhook.url, "X-Webhook-Mode": webhook.mode.value}
