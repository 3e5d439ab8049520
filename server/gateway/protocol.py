"""What every protocol has in common: submit once, and learn what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol, Self

from server.errors import GatewayReplyUnknown
from server.gateway.refusals import error_text, is_about_content
from server.gateway.timestamps import read_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from server.gateway.http import JsonObject
    from server.gateway.models import Model
    from server.gateway.values import BodyValue

__all__ = [
    "Finished",
    "GatewayProtocol",
    "GatewayState",
    "Status",
    "Submission",
    "Webhook",
    "WebhookMode",
    "read_id",
]

_MAX_ID = 256


class GatewayState(Enum):
    """The pages' status values, and one for those they do not name."""

    QUEUED = "QUEUED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    ERROR = "ERROR"  # The provider's own fault; the queued models' pages say it is not charged.
    UNKNOWN = ""

    @property
    def is_final(self) -> bool:
        """No further change will come."""
        return self in (GatewayState.COMPLETED, GatewayState.FAILED, GatewayState.ERROR)

    @classmethod
    def of(cls, word: str) -> GatewayState:
        """Return the state that a gateway's word means, in either case."""
        try:
            return cls(word.upper())
        except ValueError:
            return cls.UNKNOWN


class WebhookMode(Enum):
    """When the gateway calls back."""

    TERMINAL = "terminal"  # Once, at the end.
    SYNC = "sync"  # At each of the queue's own polls, and at the end.


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where the gateway shall call back. The pages refuse addresses without https."""

    url: str
    mode: WebhookMode = WebhookMode.TERMINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A request that was accepted, to be asked about later."""

    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A request that was answered at once, with addresses or with the bytes themselves."""

    media_urls: tuple[str, ...] = ()
    body: bytes | None = None
    request_id: str | None = None  # Where the gateway names one.
    remaining_credits: str | None = None  # Of our account, as the provider writes it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where a submitted request is."""

    state: GatewayState
    word: str  # The gateway's own word for it.
    media_urls: tuple[str, ...] = ()
    error: str | None = None
    completed_at: datetime | None = None  # By the gateway's clock.

    @classmethod
    def parse(cls, body: JsonObject) -> Self:
        """Read the universal status payload, which callbacks carry too.

        Raises:
            GatewayReplyUnknown: It has no status, or it is complete without media.
        """
        output = body.get("output")
        media = output.get("media_url") if isinstance(output, dict) else None
        return cls.read(body, media=media, completed_at=body.get("completed_at"))

    @classmethod
    def read(cls, body: JsonObject, *, media: object, completed_at: object) -> Self:
        """Read a payload that holds its media and its time in places of its own.

        Raises:
            GatewayReplyUnknown: It has no status, or it is complete without media.
        """
        word = body.get("status")
        if not isinstance(word, str) or not word:
            raise GatewayReplyUnknown("The gateway's status reply names no status.")
        state = GatewayState.of(word)
        listed = media if isinstance(media, list) else [media]
        urls = tuple(url for url in listed if isinstance(url, str) and url)
        if state is GatewayState.COMPLETED and not urls:
            raise GatewayReplyUnknown(f"The gateway says {word} and names no media.")
        return cls(
            state=state,
            word=word[:_MAX_ID],
            media_urls=urls,
            error=error_text(body),
            completed_at=read_timestamp(completed_at),
        )

    @property
    def is_content_refusal(self) -> bool:
        """Whether it failed because the provider objects to the content."""
        failed = self.state in (GatewayState.FAILED, GatewayState.ERROR)
        return failed and self.error is not None and is_about_content(self.error)


class GatewayProtocol(Protocol):
    """One way of buying a generation. An instance serves all models and jobs that use it."""

    async def submit(
        self, model: Model, body: Mapping[str, BodyValue], *, webhook: Webhook | None = None
    ) -> Submission | Finished:
        """Send the paid POST, exactly once.

        Args:
            model: The model to use.
            body: From `parameters.request_body`.
            webhook: Where to call back. Ignored by protocols that answer at once.

        Raises:
            GatewayUnavailable: It could not connect (metadata `sent` is "no": nothing left this
                machine), or it answered with a fault of its own.
            SubmissionUnknown: It was sent, and no answer says what became of it.
            GatewayRateLimited, GatewayRefusedUs, GatewayBalance, GatewayRejectedRequest,
                ContentRejected: It was answered and not accepted.
            GatewayReplyUnknown: It was answered in a form that no page describes.
            GenerationFailed: It was answered at once, with a failure.
        """

    async def status(self, model: Model, request_id: str) -> Status:
        """Ask where a request is. Never needed where `submit` answers at once.

        Raises:
            GatewayUnavailable: No answer, or a server error. The request itself goes on.
            GatewayRateLimited: Asked too often.
            GatewayRefusedUs: The key is no longer accepted.
            GatewayReplyUnknown: No such request, or an answer that cannot be read.
        """


def read_id(body: JsonObject, name: str) -> str | None:
    """Return a request's id, if the reply names a usable one."""
    value = body.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_ID else None
