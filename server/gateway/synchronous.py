"""The synchronous protocols: the answer to the paid POST is the result, or its address.

Sources: the sections "Flux 2 Klein", "Flux 2 Dev" and "Flux 1 Schnell" of the provider's page "Flux
2 Pro API" (an object with `output`, an address), and Segmind's two pages "Aura Flow" (the body is
the picture; a header counts the credits that are left).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.errors import GatewayReplyUnknown, SubmissionUnknown
from server.gateway.connection import accepted_object
from server.gateway.http import read_body
from server.gateway.protocol import Finished

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.gateway.connection import Connection
    from server.gateway.models import Model
    from server.gateway.protocol import Status, Webhook
    from server.gateway.values import BodyValue

__all__ = ["SyncBytesGateway", "SyncUrlGateway"]

# The pages state no limit. Giving up early would lose what was paid for.
_READ_TIMEOUT_S = 300.0
_MAX_PICTURE_BYTES = 64 << 20
_MAX_CREDITS = 64
_TEXTS = ("application/json", "text/")


class _AtOnce:
    """What both have in common: there is no second question."""

    async def status(self, model: Model, request_id: str) -> Status:
        """Say that nothing can be asked: the only answer was the one to the POST."""
        del request_id
        raise SubmissionUnknown(f"The model {model.id} answers at once or never.")


class SyncUrlGateway(_AtOnce):
    """Speaks the protocol whose answer is `{"output": address}`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def submit(
        self, model: Model, body: Mapping[str, BodyValue], *, webhook: Webhook | None = None
    ) -> Finished:
        """Send the paid POST, exactly once. See `GatewayProtocol.submit`."""
        del webhook
        posting = self._connection.paid_post(model, body, read_timeout_s=_READ_TIMEOUT_S)
        async with posting as reply:
            answer = await accepted_object(reply)
        address = answer.get("output")
        if not isinstance(address, str) or not address:
            raise GatewayReplyUnknown("The gateway answered without naming the result.")
        return Finished(media_urls=(address,))


class SyncBytesGateway(_AtOnce):
    """Speaks the protocol whose answer is the picture itself.

    One of the pages says so in words while its example reads the answer as JSON, in a form that it
    does not show. Such an answer is refused by name instead of being stored as a picture.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def submit(
        self, model: Model, body: Mapping[str, BodyValue], *, webhook: Webhook | None = None
    ) -> Finished:
        """Send the paid POST, exactly once. See `GatewayProtocol.submit`."""
        del webhook
        posting = self._connection.paid_post(model, body, read_timeout_s=_READ_TIMEOUT_S)
        async with posting as reply:
            picture = await read_body(reply, max_bytes=_MAX_PICTURE_BYTES)
        kind = reply.headers.get("content-type", "").lower()
        if not picture or kind.startswith(_TEXTS):
            what = kind.partition(";")[0] or "nothing"
            raise GatewayReplyUnknown(
                f"The gateway answered with {what if picture else 'nothing'} in place of a picture."
            )
        left = reply.headers.get("x-remaining-credits", "").strip()[:_MAX_CREDITS]
        return Finished(body=picture, remaining_credits=left or None)
