"""What a call that failed says."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import unquote

from .codec import DecodeError, decode
from .messages import BadRequest, ErrorInfo, RetryInfo, Status

__all__ = ["CODES", "CallError", "Violation", "from_trailers"]

CODES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
_DOMAIN = "assetwright"


@dataclass(frozen=True)
class Violation:
    """A field of the request that is wrong."""

    field: str
    description: str


@dataclass(eq=False)
class CallError(Exception):
    """A call failed.

    Attributes:
        code: gRPC's name of the status, such as ``NOT_FOUND``.
        message: The server's sentence, or the system's.
        reason: The server's reason, such as ``MODEL_NOT_FOUND``; empty without one.
        condition: What happened to the connection, as in ``words.json``; empty for an answer.
        violations: What is wrong with the request.
        metadata: The varying parts of the message.
        retry_s: When to try again; None where the server does not say.
    """

    code: str
    message: str
    reason: str = ""
    condition: str = ""
    violations: tuple[Violation, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    retry_s: float | None = None

    def __str__(self) -> str:
        return f"{self.reason or self.condition or self.code}: {self.message}"


def from_trailers(trailers: dict[str, str]) -> CallError | None:
    """Return what the trailers say; None for OK."""
    number = trailers.get("grpc-status", "")
    code = CODES[int(number)] if number.isdecimal() and int(number) < len(CODES) else "UNKNOWN"
    if code == "OK":
        return None
    error = CallError(code, unquote(trailers.get("grpc-message", "")))
    for name, data in _details(trailers.get("grpc-status-details-bin", "")):
        if name == "google.rpc.ErrorInfo":
            info = decode(ErrorInfo, data)
            if info.domain == _DOMAIN:
                error.reason = info.reason
                error.metadata = tuple(sorted(info.metadata.items()))
        elif name == "google.rpc.BadRequest":
            error.violations = tuple(
                Violation(one.field, one.description)
                for one in decode(BadRequest, data).field_violations
            )
        elif name == "google.rpc.RetryInfo":
            delay = decode(RetryInfo, data).retry_delay
            error.retry_s = delay.seconds + delay.nanos / 1e9 if delay else None
    return error


def _details(text: str) -> list[tuple[str, bytes]]:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        status = decode(Status, data)
    except (binascii.Error, DecodeError):
        return []  # The status itself is known all the same.
    return [(one.type_url.rpartition("/")[2], one.value) for one in status.details]
