"""Everything this server raises on purpose, in one tree.

`reason` is the contract's `ErrorReason` without its prefix. `server.rpc.status` holds the one
table from these types to gRPC statuses; `docs/errors.md` is generated from both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "AssetCorrupt",
    "AssetInvalid",
    "AssetNotFound",
    "AssetTooComplex",
    "AssetUnsupported",
    "AssetwrightError",
    "BudgetExceeded",
    "ContentRejected",
    "DiskFull",
    "Draining",
    "GatewayBalance",
    "GatewayRateLimited",
    "GatewayRefusedUs",
    "GatewayRejectedRequest",
    "GatewayReplyUnknown",
    "GatewayUnavailable",
    "GenerationFailed",
    "InputInvalid",
    "InputNotReachable",
    "InternalError",
    "InvalidRequest",
    "JobAlreadyTerminal",
    "JobDeadlineExceeded",
    "JobNotFound",
    "JobNotTerminal",
    "MediaUnavailable",
    "ModelNotFound",
    "ModelNotReady",
    "NotImplementedYet",
    "PermissionDenied",
    "PositionOutOfRange",
    "PriceUnknown",
    "ProcessingFailed",
    "QueueFull",
    "RequestIdReused",
    "StorageUnavailable",
    "SubmissionUnknown",
    "Unauthenticated",
    "Violation",
]


@dataclass(frozen=True, slots=True)
class Violation:
    """One wrong field of a request."""

    field: str  # As in the contract, such as "parameters[texture_size]".
    message: str  # What is wrong and what would be right.


class AssetwrightError(Exception):
    """Base of everything this server raises on purpose. Never raised itself."""

    reason: ClassVar[str]  # Stable, for programs. The message is for people and may change.
    remedy: ClassVar[str]  # What a person can do about it.
    retryable: ClassVar[bool] = False  # The same request may succeed later.

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.metadata = metadata  # Every varying part of the message.

    @property
    def retry_after_s(self) -> float | None:
        """How long to wait before trying again, in seconds, if that is known."""
        delay = self.metadata.get("retry_after_s")
        return None if delay is None else float(delay)


class InvalidRequest(AssetwrightError):
    """One or more fields are wrong; all of them are listed."""

    reason = "INVALID_REQUEST"
    remedy = "Correct the named fields and send the request again."

    def __init__(self, *violations: Violation) -> None:
        first, more = violations[0], len(violations) - 1
        also = f" ({more} more)" if more else ""
        super().__init__(f"{first.field}: {first.message}{also}")
        self.violations = violations


class Unauthenticated(AssetwrightError):
    """The call carries no valid token."""

    reason = "UNAUTHENTICATED"
    remedy = "Send a token that the server knows as `authorization: Bearer TOKEN`."


class PermissionDenied(AssetwrightError):
    """The caller may not do this."""

    reason = "PERMISSION_DENIED"
    remedy = "Use a token that allows it."


class ModelNotFound(AssetwrightError):
    """No model has this id."""

    reason = "MODEL_NOT_FOUND"
    remedy = "Ask ListModels (`assetwright models`) for the ids."


class ModelNotReady(AssetwrightError):
    """The model is known but not usable here."""

    reason = "MODEL_NOT_READY"
    remedy = "Set the provider's key on the server, or use the sandbox."


class JobNotFound(AssetwrightError):
    """No job has this id."""

    reason = "JOB_NOT_FOUND"
    remedy = "Ask ListJobs (`assetwright jobs`) for the ids."


class AssetNotFound(AssetwrightError):
    """No asset has this id, or its bytes are gone."""

    reason = "ASSET_NOT_FOUND"
    remedy = "Ask ListAssets for the ids, or upload the bytes again."


class RequestIdReused(AssetwrightError):
    """The request_id names another request."""

    reason = "REQUEST_ID_REUSED"
    remedy = "Use a new request_id for a new request."


class JobAlreadyTerminal(AssetwrightError):
    """The job has ended."""

    reason = "JOB_ALREADY_TERMINAL"
    remedy = "Nothing to do: the job has ended."


class JobNotTerminal(AssetwrightError):
    """The job is still running."""

    reason = "JOB_NOT_TERMINAL"
    remedy = "Wait for the job's end, or cancel it."


class PositionOutOfRange(AssetwrightError):
    """A sequence or an offset lies beyond the end."""

    reason = "POSITION_OUT_OF_RANGE"
    remedy = "Start from a position that the server has sent."


class QueueFull(AssetwrightError):
    """As many jobs wait as this server accepts."""

    reason = "QUEUE_FULL"
    remedy = "Try again later, or raise ASSETWRIGHT_MAX_QUEUED_JOBS."
    retryable = True


class DiskFull(AssetwrightError):
    """The disk budget is used up."""

    reason = "DISK_FULL"
    remedy = "Delete jobs that are no longer needed, or free space in the server's data folder."
    retryable = True


class BudgetExceeded(AssetwrightError):
    """The highest price is above the cap."""

    reason = "BUDGET_EXCEEDED"
    remedy = "Raise max_cost, or choose cheaper parameters."


class PriceUnknown(AssetwrightError):
    """The provider publishes no price."""

    reason = "PRICE_UNKNOWN"
    remedy = "Set accept_unpriced (`--accept-unpriced`) to use the model all the same."


class InputNotReachable(AssetwrightError):
    """The gateway could not fetch an input."""

    reason = "INPUT_NOT_REACHABLE"
    remedy = (
        "Set ASSETWRIGHT_PUBLIC_URL to where the internet reaches this server's HTTP port, or "
        "ASSETWRIGHT_INPUT_BUCKET to a bucket that both reach."
    )


class InputInvalid(AssetwrightError):
    """An input is not what its role asks for."""

    reason = "INPUT_INVALID"
    remedy = "Send a picture as PNG, JPEG or WebP."


class ContentRejected(AssetwrightError):
    """The provider refused the content."""

    reason = "CONTENT_REJECTED"
    remedy = "Change the prompt or the picture."


class GatewayUnavailable(AssetwrightError):
    """The gateway did not answer, or answered with a server error."""

    reason = "GATEWAY_UNAVAILABLE"
    remedy = "Try again later; the provider's status page may say more."
    retryable = True


class GatewayRateLimited(AssetwrightError):
    """The gateway asks us to slow down."""

    reason = "GATEWAY_RATE_LIMITED"
    remedy = "Try again later, or ask the provider for a higher limit."
    retryable = True


class GatewayRefusedUs(AssetwrightError):
    """The gateway rejects this server's key or account. Not the caller's fault."""

    reason = "GATEWAY_REFUSED_US"
    remedy = "Whoever runs the server checks the provider's key."


class GatewayBalance(AssetwrightError):
    """The server's balance at the gateway is too low."""

    reason = "GATEWAY_BALANCE"
    remedy = "Whoever runs the server adds funds at the provider."


class GatewayRejectedRequest(AssetwrightError):
    """The gateway found the request wrong."""

    reason = "GATEWAY_REJECTED_REQUEST"
    remedy = "Correct what the gateway names; it knows rules that its page does not state."


class GatewayReplyUnknown(AssetwrightError):
    """The gateway answered in a form its page does not describe."""

    reason = "GATEWAY_REPLY_UNKNOWN"
    remedy = "Look the request up in the provider's dashboard, and report the reply's form."


class GenerationFailed(AssetwrightError):
    """The generation failed at the gateway."""

    reason = "GENERATION_FAILED"
    remedy = "Try another picture or other parameters."
    retryable = True


class SubmissionUnknown(AssetwrightError):
    """Nobody here can know whether the paid request arrived."""

    reason = "SUBMISSION_UNKNOWN"
    remedy = (
        "Look into the provider's dashboard: if the request is there it was charged, and "
        "`assetwright jobs resolve JOB_ID --adopt REQUEST_ID` collects it; if not, `--resubmit`."
    )


class MediaUnavailable(AssetwrightError):
    """The finished media could not be fetched."""

    reason = "MEDIA_UNAVAILABLE"
    remedy = "Fetch the result from the provider's dashboard; it was paid for."


class AssetInvalid(AssetwrightError):
    """The bytes are not a valid asset."""

    reason = "ASSET_INVALID"
    remedy = "Check the file with a glTF validator; the source bytes are kept."


class AssetTooComplex(AssetwrightError):
    """The asset exceeds a limit."""

    reason = "ASSET_TOO_COMPLEX"
    remedy = "Ask for fewer vertices or smaller textures; the source bytes are kept."


class AssetUnsupported(AssetwrightError):
    """The asset uses what the operation cannot handle."""

    reason = "ASSET_UNSUPPORTED"
    remedy = "Leave the operation out; the source bytes are kept."


class ProcessingFailed(AssetwrightError):
    """Post-processing ran out of time or memory, or its worker died."""

    reason = "PROCESSING_FAILED"
    remedy = "Call Process on the source asset again; that is free."
    retryable = True


class JobDeadlineExceeded(AssetwrightError):
    """The job ran longer than it may."""

    reason = "JOB_DEADLINE_EXCEEDED"
    remedy = "Allow more time with max_duration or ASSETWRIGHT_JOB_DEADLINE_S."


class AssetCorrupt(AssetwrightError):
    """Stored bytes are not what was stored, so they are not delivered."""

    reason = "ASSET_CORRUPT"
    remedy = "Check the disk or the bucket and restore the blob that is named, or upload it again."


class StorageUnavailable(AssetwrightError):
    """The place where assets are kept does not answer or refuses this server."""

    reason = "STORAGE_UNAVAILABLE"
    remedy = "Try again shortly; if it stays, check ASSETWRIGHT_ASSETS and the AWS_* settings."
    retryable = True


class Draining(AssetwrightError):
    """The server is shutting down."""

    reason = "DRAINING"
    remedy = "Send the same call again shortly."
    retryable = True


class NotImplementedYet(AssetwrightError):
    """The contract has it, this release does not."""

    reason = "UNIMPLEMENTED"
    remedy = "See the README for what this release does."


class InternalError(AssetwrightError):
    """A fault of ours, told without its details."""

    reason = "INTERNAL"
    remedy = "Report it with the id; the server's log has the cause under it."
