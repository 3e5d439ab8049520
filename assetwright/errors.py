"""What can go wrong, as one tree. Every error says what a program may do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from assetwright.enums import ErrorReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assetwright.events import Cancelled, Failed

__all__ = [
    "AlreadyExists",
    "AssetwrightError",
    "FailedPrecondition",
    "IntegrityError",
    "InvalidRequest",
    "JobCancelled",
    "JobFailed",
    "NotFound",
    "NotImplementedByServer",
    "OutOfRange",
    "PermissionDenied",
    "ResourceExhausted",
    "ServerError",
    "ServerUnavailable",
    "Unauthenticated",
    "Violation",
]


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field of a request and what is wrong with it, for people."""

    field: str
    message: str


class AssetwrightError(Exception):
    """Base of everything this client raises on purpose. Never raised itself.

    Attributes:
        reason: For programs; ``UNKNOWN`` when the server gave none.
        metadata: The varying parts of the message.
        retry_after_s: Seconds after which the server says that a retry may work; None if unsaid.
        violations: Every wrong field; empty unless the request is wrong.
    """

    default_reason: ClassVar[ErrorReason] = ErrorReason.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        reason: ErrorReason | None = None,
        metadata: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
        violations: tuple[Violation, ...] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason or self.default_reason
        self.metadata = dict(metadata or {})
        self.retry_after_s = retry_after_s
        self.violations = violations


class InvalidRequest(AssetwrightError):
    """The request is wrong; ``violations`` lists every wrong field."""

    default_reason = ErrorReason.INVALID_REQUEST


class NotFound(AssetwrightError):
    """No such model, job or asset; ``metadata["nearest"]`` may name the one that was meant."""


class AlreadyExists(AssetwrightError):
    """The request_id was used before, with another request."""


class FailedPrecondition(AssetwrightError):
    """The request is right, but not here and now; see ``reason``. Nothing was paid."""


class OutOfRange(AssetwrightError):
    """A sequence or an offset lies beyond the end."""


class ResourceExhausted(AssetwrightError):
    """The server takes no more for now; see ``retry_after_s``. Nothing was paid."""


class Unauthenticated(AssetwrightError):
    """The server wants a valid token."""

    default_reason = ErrorReason.UNAUTHENTICATED


class PermissionDenied(AssetwrightError):
    """The token does not allow this."""

    default_reason = ErrorReason.PERMISSION_DENIED


class NotImplementedByServer(AssetwrightError):
    """This server does not do this yet."""

    default_reason = ErrorReason.UNIMPLEMENTED


class ServerError(AssetwrightError):
    """The server failed; its log has the cause under the id that the message names."""

    default_reason = ErrorReason.INTERNAL


class ServerUnavailable(AssetwrightError):
    """The server could not be reached, or not for long enough.

    Attributes:
        job_id: The job that was being followed; it goes on. None if none was accepted yet.
        last_sequence: Watch on from here; None without a job.
    """

    job_id: str | None = None
    last_sequence: int | None = None


class IntegrityError(AssetwrightError):
    """Received bytes differ from the size or the hash that the server announced."""


class JobFailed(AssetwrightError):
    """The job that was to be driven to its end failed; ``event`` has everything about it."""

    def __init__(self, event: Failed) -> None:
        super().__init__(
            f"{event.error.message} {event.error.remedy}".strip(),
            reason=event.error.reason,
            metadata=event.error.metadata,
        )
        self.event = event


class JobCancelled(AssetwrightError):
    """The job that was to be driven to its end was cancelled; ``event`` says what it cost."""

    def __init__(self, event: Cancelled) -> None:
        super().__init__(f"Job {event.job_id} was cancelled.", metadata={"job_id": event.job_id})
        self.event = event
