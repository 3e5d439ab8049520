"""What a request is and how it moves."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from server.sandbox.models import Generation

__all__ = ["Clock", "GatewayRequest", "MediaFile", "Result", "Status", "new_uuid", "utc_now"]

Clock: TypeAlias = Callable[[], datetime]
"""Tells the time, with a time zone."""


class Status(Enum):
    """The published states of a request."""

    QUEUED = "QUEUED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    ERROR = "ERROR"

    @property
    def is_final(self) -> bool:
        """Whether the request stays in it."""
        return self in _ENDS


_ENDS = frozenset({Status.COMPLETED, Status.FAILED, Status.ERROR})
_MOVES: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.QUEUED: frozenset({Status.PROCESSING, Status.FAILED, Status.ERROR}),
        Status.PROCESSING: _ENDS,
        Status.COMPLETED: frozenset(),
        Status.FAILED: frozenset(),
        Status.ERROR: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """One file of a result.

    Attributes:
        token: The unguessable part of its address.
        name: The rest of it.
        path: Where its bytes are.
        media_type: What it is.
    """

    token: str
    name: str
    path: Path
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was made, and when its addresses stop working."""

    files: tuple[MediaFile, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayRequest:
    """A request that the sandbox accepted.

    Attributes:
        id: What its protocol calls it by.
        generation: What is asked for.
        headers: The request's headers without its key.
        base_url: Under which address the sandbox is asked, without a slash at the end.
        status: Where it stands.
        created_at: When it was accepted.
        updated_at: When `status` last changed.
        error: What went wrong, for FAILED and ERROR.
        result: What was made, for COMPLETED.
    """

    id: str
    generation: Generation
    headers: Mapping[str, str]
    base_url: str
    status: Status
    created_at: datetime
    updated_at: datetime
    error: str | None = None
    result: Result | None = None

    def moved_to(
        self,
        status: Status,
        *,
        at: datetime,
        error: str | None = None,
        result: Result | None = None,
    ) -> GatewayRequest:
        """Return the request in its next state.

        Raises:
            ValueError: There is no way from its state to that one.
        """
        if status not in _MOVES[self.status]:
            raise ValueError(f"A request cannot go from {self.status.value} to {status.value}.")
        return replace(self, status=status, updated_at=at, error=error, result=result)

    def seen_from(self, base_url: str) -> GatewayRequest:
        """Return the request with addresses for someone who asks under another one."""
        return replace(self, base_url=base_url)

    def media_urls(self) -> list[str]:
        """The addresses of what was made."""
        files = () if self.result is None else self.result.files
        return [f"{self.base_url}/media/{file.token}/{file.name}" for file in files]


def new_uuid(at: datetime) -> uuid.UUID:
    """Make a UUID of version 7 (RFC 9562, 5.7), as the published request ids have."""
    milliseconds = int(at.timestamp() * 1000)
    bits = milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64
    bits |= 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=bits)


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)
