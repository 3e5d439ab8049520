"""A failed call as one of our errors: one table from status code to error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from assetwright import errors
from assetwright.enums import ErrorReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.any_pb2 import Any as AnyMessage

__all__ = ["ERRORS", "from_rpc_error", "interruption"]

_M = TypeVar("_M", bound=Message)

_DOMAIN = "assetwright"
_DETAILS_KEY = "grpc-status-details-bin"

ERRORS: Mapping[grpc.StatusCode, type[errors.AssetwrightError]] = {
    grpc.StatusCode.OK: errors.ServerError,  # An error that says OK is a bug somewhere.
    grpc.StatusCode.CANCELLED: errors.ServerUnavailable,
    grpc.StatusCode.UNKNOWN: errors.ServerError,
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequest,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.ServerUnavailable,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExists,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDenied,
    grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.ResourceExhausted,
    grpc.StatusCode.FAILED_PRECONDITION: errors.FailedPrecondition,
    grpc.StatusCode.ABORTED: errors.ServerUnavailable,
    grpc.StatusCode.OUT_OF_RANGE: errors.OutOfRange,
    grpc.StatusCode.UNIMPLEMENTED: errors.NotImplementedByServer,
    grpc.StatusCode.INTERNAL: errors.ServerError,
    grpc.StatusCode.UNAVAILABLE: errors.ServerUnavailable,
    grpc.StatusCode.DATA_LOSS: errors.ServerError,
}

# How a connection that broke in the middle looks, when no word of the server came with it: a reset
# stream is INTERNAL or UNKNOWN, a proxy that gave up DEADLINE_EXCEEDED.
_TRANSPORT = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN})
_INTERRUPTIONS = frozenset(
    code for code, kind in ERRORS.items() if kind is errors.ServerUnavailable
)


@dataclass(frozen=True, slots=True)
class _Details:
    """What the server said beside the status."""

    reason: ErrorReason | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    retry_after_s: float | None = None
    violations: tuple[errors.Violation, ...] = ()


def from_rpc_error(error: grpc.aio.AioRpcError) -> errors.AssetwrightError:
    """Return the error that a failed call means."""
    details = _details(error)
    return ERRORS[error.code()](
        error.details() or f"The call failed with {error.code().name}.",
        reason=details.reason,
        metadata=details.metadata,
        retry_after_s=details.retry_after_s,
        violations=details.violations,
    )


def interruption(
    error: grpc.aio.AioRpcError, *, tolerated: frozenset[grpc.StatusCode] = frozenset()
) -> errors.ServerUnavailable:
    """Return why a connection broke, for whoever tries again.

    Args:
        error: The failed call.
        tolerated: Further codes that are worth another attempt.

    Raises:
        AssetwrightError: It did not break: the server refused.
    """
    meant = from_rpc_error(error)
    if error.code() not in tolerated and not _is_interruption(error):
        raise meant from None
    return errors.ServerUnavailable(
        str(meant),
        reason=meant.reason,
        metadata=meant.metadata,
        retry_after_s=meant.retry_after_s,
    )


def _is_interruption(error: grpc.aio.AioRpcError) -> bool:
    """Say whether the connection failed rather than the request."""
    if error.code() in _TRANSPORT:
        return _details(error).reason is None
    return error.code() in _INTERRUPTIONS


def _details(error: grpc.aio.AioRpcError) -> _Details:
    status = status_pb2.Status()
    try:
        for key, value in error.trailing_metadata() or ():
            if key == _DETAILS_KEY:
                status.ParseFromString(value)
    except DecodeError:
        return _Details()  # Some proxy's own words; the status code still counts.
    return _read(tuple(status.details))


def _read(details: tuple[AnyMessage, ...]) -> _Details:
    info = _unpack(details, error_details_pb2.ErrorInfo())
    bad = _unpack(details, error_details_pb2.BadRequest())
    retry = _unpack(details, error_details_pb2.RetryInfo())
    ours = info if info is not None and info.domain == _DOMAIN else None
    return _Details(
        reason=None if ours is None else _reason(ours.reason),
        metadata={} if ours is None else dict(ours.metadata),
        retry_after_s=None if retry is None else retry.retry_delay.ToTimedelta().total_seconds(),
        violations=()
        if bad is None
        else tuple(errors.Violation(v.field, v.description) for v in bad.field_violations),
    )


def _reason(name: str) -> ErrorReason:
    return ErrorReason(name) if name in ErrorReason.__members__ else ErrorReason.UNKNOWN


def _unpack(details: tuple[AnyMessage, ...], wanted: _M) -> _M | None:
    return next((wanted for detail in details if detail.Unpack(wanted)), None)
