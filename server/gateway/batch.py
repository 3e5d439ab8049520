"""The batch protocol: submit, then ask the model's own status endpoint.

Source: the section "Flux 1 Schnell Text to Image (Batch)" of the provider's page "Flux 2 Pro API".
With a callback address the gateway answers 202 at once; without one it holds the request for up to
60 s. What it answers when those are over is not on the page: an answer with an id is taken as
accepted, one with an address as finished.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.errors import (
    ContentRejected,
    GatewayReplyUnknown,
    GenerationFailed,
    SubmissionUnknown,
)
from server.gateway.connection import accepted_object
from server.gateway.protocol import Finished, GatewayState, Status, Submission, read_id
from server.gateway.refusals import error_text, is_about_content

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.errors import AssetwrightError
    from server.gateway.connection import Connection
    from server.gateway.http import JsonObject
    from server.gateway.models import Model
    from server.gateway.protocol import Webhook
    from server.gateway.values import BodyValue

__all__ = ["BatchGateway"]

_READ_TIMEOUT_S = 120.0  # Twice as long as the page says a request is held.


class BatchGateway:
    """Speaks the batch protocol."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def submit(
        self, model: Model, body: Mapping[str, BodyValue], *, webhook: Webhook | None = None
    ) -> Submission | Finished:
        """Send the paid POST, exactly once. See `GatewayProtocol.submit`.

        The callback's address is a field of the body here; the page knows no modes.
        """
        called_back = {} if webhook is None else {"webhook_url": webhook.url}
        posting = self._connection.paid_post(
            model, {**body, **called_back}, read_timeout_s=_READ_TIMEOUT_S
        )
        async with posting as reply:
            return _read_answer(await accepted_object(reply))

    async def status(self, model: Model, request_id: str) -> Status:
        """Ask where a request is, with a POST that costs nothing. See `GatewayProtocol.status`."""
        if model.status_path is None:
            raise GatewayReplyUnknown(f"The catalog does not say where to ask about {model.id}.")
        body = await self._connection.ask(
            model, "POST", model.status_path, body={"requestId": request_id}
        )
        return Status.read(body, media=body.get("output"), completed_at=body.get("completedAt"))


def _read_answer(body: JsonObject) -> Submission | Finished:
    request_id = read_id(body, "requestId")
    address = body.get("output")
    if isinstance(address, str) and address:
        return Finished(media_urls=(address,), request_id=request_id)
    if request_id is not None:
        return Submission(request_id=request_id)
    word = body.get("status")
    if isinstance(word, str) and GatewayState.of(word).is_final:
        raise _failure(word, error_text(body))
    raise SubmissionUnknown("The gateway accepted the request without naming its id.")


def _failure(word: str, text: str | None) -> AssetwrightError:
    kind = ContentRejected if text is not None and is_about_content(text) else GenerationFailed
    said = f" It says: {text}" if text else ""
    return kind(
        f"The generation ended with {word[:100]} at the gateway.{said}", gateway_state=word[:100]
    )
