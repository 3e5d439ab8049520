"""The one table from errors to gRPC statuses, and how a status is told.

Each failing call carries `google.rpc.Status` in its trailers: `ErrorInfo` always, `BadRequest`
with all violations, `RetryInfo` where a delay is known (https://google.aip.dev/193).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import grpc
from google.rpc import error_details_pb2, status_pb2

from server import errors
from server.errors import AssetwrightError, InvalidRequest

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["CODES", "DETAILS_KEY", "DOMAIN", "RichStatus", "rich_status", "status_code"]

DOMAIN = "assetwright"
DETAILS_KEY = "grpc-status-details-bin"
_MAX_MESSAGE = 900  # gRPC's metadata has a soft limit of 8 KiB; the message travels twice.
_MAX_VIOLATIONS = 25  # The same limit, for requests that are wrong all over.

CODES: dict[type[AssetwrightError], grpc.StatusCode] = {
    errors.AssetCorrupt: grpc.StatusCode.DATA_LOSS,
    errors.AssetInvalid: grpc.StatusCode.INVALID_ARGUMENT,
    errors.AssetNotFound: grpc.StatusCode.NOT_FOUND,
    errors.AssetTooComplex: grpc.StatusCode.INVALID_ARGUMENT,
    errors.AssetUnsupported: grpc.StatusCode.INVALID_ARGUMENT,
    errors.BudgetExceeded: grpc.StatusCode.FAILED_PRECONDITION,
    errors.ContentRejected: grpc.StatusCode.INVALID_ARGUMENT,
    errors.DiskFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.Draining: grpc.StatusCode.UNAVAILABLE,
    errors.GatewayBalance: grpc.StatusCode.FAILED_PRECONDITION,
    errors.GatewayRateLimited: grpc.StatusCode.RESOURCE_EXHAUSTED,
    # Our own key: never UNAUTHENTICATED, which would send the caller to look at theirs.
    errors.GatewayRefusedUs: grpc.StatusCode.INTERNAL,
    errors.GatewayRejectedRequest: grpc.StatusCode.INVALID_ARGUMENT,
    errors.GatewayReplyUnknown: grpc.StatusCode.INTERNAL,
    errors.GatewayUnavailable: grpc.StatusCode.UNAVAILABLE,
    errors.GenerationFailed: grpc.StatusCode.ABORTED,
    errors.InputInvalid: grpc.StatusCode.INVALID_ARGUMENT,
    errors.InputNotReachable: grpc.StatusCode.FAILED_PRECONDITION,
    errors.InternalError: grpc.StatusCode.INTERNAL,
    errors.InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    errors.JobAlreadyTerminal: grpc.StatusCode.FAILED_PRECONDITION,
    errors.JobDeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    errors.JobNotFound: grpc.StatusCode.NOT_FOUND,
    errors.JobNotTerminal: grpc.StatusCode.FAILED_PRECONDITION,
    errors.MediaUnavailable: grpc.StatusCode.DATA_LOSS,
    errors.ModelNotFound: grpc.StatusCode.NOT_FOUND,
    errors.ModelNotReady: grpc.StatusCode.FAILED_PRECONDITION,
    errors.NotImplementedYet: grpc.StatusCode.UNIMPLEMENTED,
    errors.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    errors.PositionOutOfRange: grpc.StatusCode.OUT_OF_RANGE,
    errors.PriceUnknown: grpc.StatusCode.FAILED_PRECONDITION,
    errors.ProcessingFailed: grpc.StatusCode.ABORTED,
    errors.QueueFull: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.RequestIdReused: grpc.StatusCode.ALREADY_EXISTS,
    errors.StorageUnavailable: grpc.StatusCode.UNAVAILABLE,
    errors.SubmissionUnknown: grpc.StatusCode.ABORTED,
    errors.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
}


class RichStatus:
    """A status as `ServicerContext.abort` takes it."""

    def __init__(self, code: grpc.StatusCode, message: str, details: list[Message]) -> None:
        self.code = code
        self.message = message[:_MAX_MESSAGE]
        # grpc.StatusCode's value is the number and its name in lower case.
        status = status_pb2.Status(code=code.value[0], message=self.message)
        for detail in details:
            status.details.add().Pack(detail)
        self.trailers = ((DETAILS_KEY, status.SerializeToString()),)


def status_code(error: AssetwrightError) -> grpc.StatusCode:
    """Return the gRPC status of an error."""
    return CODES[type(error)]


def rich_status(error: AssetwrightError) -> RichStatus:
    """Return everything a caller is told about an error."""
    info = error_details_pb2.ErrorInfo(
        reason=error.reason, domain=DOMAIN, metadata={**error.metadata, "remedy": error.remedy}
    )
    details: list[Message] = [info]
    if isinstance(error, InvalidRequest):
        bad = error_details_pb2.BadRequest()
        for violation in error.violations[:_MAX_VIOLATIONS]:
            bad.field_violations.add(field=violation.field, description=violation.message)
        details.append(bad)
    if error.retry_after_s is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(timedelta(seconds=error.retry_after_s))
        details.append(retry)
    return RichStatus(status_code(error), str(error), details)
