"""A provider's line: paid POSTs that are sent once, and questions that may be repeated."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from server.errors import GatewayReplyUnknown, GatewayUnavailable, SubmissionUnknown
from server.gateway.http import TIMEOUT, JsonObject, read_object
from server.gateway.models import Auth
from server.gateway.refusals import Dialect, poll_refusal, submit_refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    from server.gateway.models import Model
    from server.gateway.values import BodyValue

__all__ = ["HEADERS", "Connection", "accepted_object"]

HEADERS = {
    Auth.SUBSCRIPTION_KEY: "Ocp-Apim-Subscription-Key",
    Auth.SECRET_KEY: "X-Secret-Key",
    Auth.API_KEY: "x-api-key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One provider: its clients, our keys there, and its dialect."""

    submit: httpx.AsyncClient  # From `http.submit_client`.
    poll: httpx.AsyncClient  # From `http.poll_client`.
    keys: Mapping[Auth, str] = field(repr=False)
    dialect: Dialect
    now: Callable[[], datetime]

    @contextlib.asynccontextmanager
    async def paid_post(
        self,
        model: Model,
        body: Mapping[str, BodyValue],
        *,
        headers: Mapping[str, str] | None = None,
        read_timeout_s: float,
    ) -> AsyncIterator[httpx.Response]:
        """Send a paid POST, exactly once, and yield the accepting reply to read.

        Raises:
            GatewayUnavailable: It could not connect (metadata `sent` is "no": nothing left this
                machine), or it answered with a fault of its own.
            SubmissionUnknown: It was sent, and no whole answer came back.
            AssetwrightError: It was refused; see `refusals`.
        """
        timeout = httpx.Timeout(
            connect=TIMEOUT.connect, read=read_timeout_s, write=TIMEOUT.write, pool=TIMEOUT.pool
        )
        request = self.submit.build_request(
            "POST",
            model.path,
            json=dict(body),
            headers={**self._headers(model), **(headers or {})},
            timeout=timeout,
        )
        reply = await self._send_once(request)
        try:
            if not reply.is_success:
                said = await _said(reply)
                raise submit_refusal(reply, said, dialect=self.dialect, now=self.now())
            yield reply
        except httpx.HTTPError as exc:
            raise SubmissionUnknown(
                "The gateway accepted the request, but its answer broke off."
            ) from exc
        finally:
            await reply.aclose()

    async def ask(
        self, model: Model, method: str, path: str, *, body: Mapping[str, BodyValue] | None = None
    ) -> JsonObject:
        """Ask something that changes nothing, and return the answer's object.

        Raises:
            GatewayUnavailable: No answer, or a server error.
            AssetwrightError: It was refused; see `refusals`.
        """
        content = None if body is None else dict(body)
        request = self.poll.build_request(method, path, json=content, headers=self._headers(model))
        try:
            reply = await self.poll.send(request, stream=True)
            try:
                if reply.is_success:
                    return await read_object(reply)
                said = await _said(reply)
            finally:
                await reply.aclose()
        except httpx.HTTPError as exc:
            raise GatewayUnavailable("The gateway does not answer.") from exc
        raise poll_refusal(reply, said, dialect=self.dialect, now=self.now())

    async def _send_once(self, request: httpx.Request) -> httpx.Response:
        """Send, and tell what was never sent from what may have arrived."""
        try:
            return await self.submit.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as exc:
            raise GatewayUnavailable("The gateway cannot be reached.", sent="no") from exc
        except httpx.HTTPError as exc:
            raise SubmissionUnknown(
                "The connection broke after the request was sent and before an answer came."
            ) from exc

    def _headers(self, model: Model) -> dict[str, str]:
        """Return the keys that the model's page asks for, and never another one."""
        named = {HEADERS[kind]: self.keys[kind] for kind in model.auths if kind in self.keys}
        return {"Cache-Control": "no-cache", **named}


async def accepted_object(reply: httpx.Response) -> JsonObject:
    """Read the object that accepts a paid request.

    Raises:
        SubmissionUnknown: It cannot be read, so nobody knows what was accepted.
    """
    try:
        return await read_object(reply)
    except GatewayReplyUnknown as exc:
        raise SubmissionUnknown(
            "The gateway accepted the request, but its answer cannot be read.",
            status_code=str(reply.status_code),
        ) from exc


async def _said(reply: httpx.Response) -> JsonObject:
    """Read a refusal's object; a refusal without one is a refusal all the same."""
    try:
        return await read_object(reply)
    except (httpx.HTTPError, GatewayReplyUnknown):
        return {}
