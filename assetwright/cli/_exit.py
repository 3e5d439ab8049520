"""How a command ends: the one table of exit codes, and what leads to each."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Self

from assetwright import errors
from assetwright.enums import ChargeState, ErrorReason
from assetwright.events import Cancelled, Completed, Failed
from assetwright.v1 import report_pb2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assetwright.events import Event

__all__ = ["ExitCode", "MissingExtra", "ProcessingFailed", "UsageError", "of_error", "of_event"]


class ExitCode(IntEnum):
    """What a script may tell apart; ``meaning`` says it for people."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """Attach the meaning to the number."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = 0, "done"
    UNEXPECTED = 1, "something unexpected went wrong"
    USAGE = 2, "wrong arguments, or the server found the request wrong; nothing was paid"
    UNREACHABLE = 3, "the server cannot be reached; a job that was accepted goes on"
    JOB_FAILED = 4, "the job failed; what it cost is said"
    JOB_CANCELLED = 5, "the job was cancelled"
    SUBMISSION_UNKNOWN = 6, "money may have been spent: nobody knows whether the request arrived"
    CHECK_FAILED = 7, "delivered, but a check did not pass, for example a budget"
    REFUSED = 8, "refused before paying: over budget, no balance, no key, no token, queue full"
    EXTRA_MISSING = 9, 'a part is not installed: pip install "assetwright[server]"'
    DETACHED = 130, "interrupted; a job that was accepted goes on"


class UsageError(errors.AssetwrightError):
    """The arguments are wrong."""

    default_reason = ErrorReason.INVALID_REQUEST


class MissingExtra(errors.AssetwrightError):
    """A command needs a part of Assetwright that is not installed."""


class ProcessingFailed(errors.AssetwrightError):
    """Post-processing in this process failed."""


_ERRORS: Mapping[type[errors.AssetwrightError], ExitCode] = {
    UsageError: ExitCode.USAGE,
    MissingExtra: ExitCode.EXTRA_MISSING,
    ProcessingFailed: ExitCode.JOB_FAILED,
    errors.AlreadyExists: ExitCode.USAGE,
    errors.FailedPrecondition: ExitCode.REFUSED,
    errors.IntegrityError: ExitCode.UNEXPECTED,
    errors.InvalidRequest: ExitCode.USAGE,
    errors.JobCancelled: ExitCode.JOB_CANCELLED,
    errors.JobFailed: ExitCode.JOB_FAILED,
    errors.NotFound: ExitCode.USAGE,
    errors.NotImplementedByServer: ExitCode.USAGE,
    errors.OutOfRange: ExitCode.USAGE,
    errors.PermissionDenied: ExitCode.REFUSED,
    errors.ResourceExhausted: ExitCode.REFUSED,
    errors.ServerError: ExitCode.UNEXPECTED,
    errors.ServerUnavailable: ExitCode.UNREACHABLE,
    errors.Unauthenticated: ExitCode.REFUSED,
}

_REFUSALS = frozenset(
    {
        ErrorReason.BUDGET_EXCEEDED,
        ErrorReason.PRICE_UNKNOWN,
        ErrorReason.MODEL_NOT_READY,
        ErrorReason.INPUT_NOT_REACHABLE,
        ErrorReason.GATEWAY_BALANCE,
        ErrorReason.GATEWAY_REFUSED_US,
        ErrorReason.QUEUE_FULL,
        ErrorReason.DISK_FULL,
    }
)


def of_error(error: errors.AssetwrightError) -> ExitCode:
    """Return the code that an error ends a command with."""
    return _ERRORS[type(error)]


def of_event(event: Event) -> ExitCode:
    """Return the code that a job's last entry ends a command with."""
    if isinstance(event, Completed):
        failed = event.report is not None and any(
            check.outcome == report_pb2.CHECK_OUTCOME_FAILED for check in event.report.checks
        )
        return ExitCode.CHECK_FAILED if failed else ExitCode.OK
    if isinstance(event, Failed):
        return _of_failure(event)
    return ExitCode.JOB_CANCELLED if isinstance(event, Cancelled) else ExitCode.OK


def _of_failure(event: Failed) -> ExitCode:
    if event.error.reason is ErrorReason.SUBMISSION_UNKNOWN:
        return ExitCode.SUBMISSION_UNKNOWN
    free = event.error.charge is ChargeState.NOT_CHARGED
    return ExitCode.REFUSED if free and event.error.reason in _REFUSALS else ExitCode.JOB_FAILED
