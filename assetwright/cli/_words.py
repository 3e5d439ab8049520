"""Events, sizes and errors in words for people."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

from assetwright.enums import AssetRole, ErrorReason, Stage
from assetwright.events import (
    Accepted,
    AssetReady,
    Event,
    GatewayUpdate,
    IntermediateImageReady,
    Notice,
    StageFinished,
    StageProgress,
    StageStarted,
)

if TYPE_CHECKING:
    from assetwright.errors import AssetwrightError
    from assetwright.records import DurationEstimate, Quote, Receipt

__all__ = [
    "duration",
    "estimate",
    "price_range",
    "receipt",
    "remedy",
    "role_name",
    "sentence",
    "size",
    "stage_name",
]

_STAGES = {
    Stage.IMAGE: "Making the picture",
    Stage.PREPARE: "Preparing the inputs",
    Stage.SUBMIT: "Submitting",
    Stage.GENERATE: "Generating",
    Stage.DOWNLOAD: "Downloading the result",
    Stage.PROCESS: "Post-processing",
    Stage.STORE: "Storing",
    Stage.UNKNOWN: "Working",
}

_ROLES = {
    AssetRole.SOURCE: "as the gateway sent it",
    AssetRole.INTERMEDIATE_IMAGE: "picture for the 3D model",
    AssetRole.IMAGE: "picture",
}

_REMEDIES = {
    ErrorReason.MODEL_NOT_FOUND: "`assetwright models` lists the models.",
    ErrorReason.MODEL_NOT_READY: "`assetwright models MODEL_ID` says which setting is missing.",
    ErrorReason.JOB_NOT_FOUND: "`assetwright jobs` lists the jobs.",
    ErrorReason.REQUEST_ID_REUSED: "Leave --request-id out, or repeat the first request exactly.",
    ErrorReason.BUDGET_EXCEEDED: "Raise --max-cost, or choose cheaper parameters; "
    "`assetwright quote` shows the price.",
    ErrorReason.PRICE_UNKNOWN: "Give --accept-unpriced to buy without a known price.",
    ErrorReason.QUEUE_FULL: "Try again later.",
    ErrorReason.DISK_FULL: "Delete jobs on the server, or give it more space.",
    ErrorReason.UNAUTHENTICATED: "Set ASSETWRIGHT_TOKEN, or give --token-file.",
    ErrorReason.PERMISSION_DENIED: "Use a token that allows this.",
    ErrorReason.SUBMISSION_UNKNOWN: "Look for the request in the provider's dashboard, then run "
    "`assetwright jobs resolve JOB_ID --adopt GATEWAY_REQUEST_ID` or `--resubmit`.",
}


def stage_name(stage: Stage) -> str:
    """Return what a stage does."""
    return _STAGES[stage]


def role_name(role: AssetRole) -> str:
    """Return what an asset is."""
    return _ROLES.get(role, role.value.replace("_", " "))


def duration(seconds: float) -> str:
    """Return such as ``4.2 s`` or ``3 min 05 s``."""
    if seconds < 60:  # noqa: PLR2004  # A minute.
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"  # noqa: PLR2004
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def size(size_bytes: int) -> str:
    """Return such as ``512 B`` or ``1.4 MB``; a megabyte is a million bytes."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size_bytes >= factor:
            return f"{size_bytes / factor:.1f} {unit}"
    return f"{size_bytes} B"


def estimate(known: DurationEstimate | None) -> str:
    """Return how long it usually takes, marked as an estimate; empty when nothing is known."""
    if known is None:
        return ""
    jobs = "1 job" if known.sample_size == 1 else f"{known.sample_size} jobs"
    return f"usually about {duration(known.median_s)} (from {jobs})"


def receipt(paid: Receipt) -> str:
    """Return what was charged, and say plainly when nothing was."""
    words = {"charged": "Charged", "not_charged": "Not charged"}.get(paid.charge)
    if words is None:
        words = "Not known whether it was charged"
    elif words == "Charged" and paid.amount is not None:
        words = f"Charged {paid.amount}"
    return f"{words}. {paid.note}".strip()


def price_range(quote: Quote) -> str:
    """Return the price of a quote."""
    if quote.high is None:
        return "free" if quote.source == "free" else "no price is published"
    if quote.low is None or quote.low == quote.high:
        return str(quote.high)
    return f"{quote.low} to {quote.high}"


def remedy(error: AssetwrightError) -> str:
    """Return what to do about an error; empty when nothing can be said."""
    nearest = error.metadata.get("nearest")
    if nearest and nearest not in str(error):
        return f"Did you mean {nearest}? {_REMEDIES.get(error.reason, '')}".strip()
    if settings := error.metadata.get("settings"):
        return f"Set one of these on the server: {settings}."
    if "budget_micros" in error.metadata:  # The day's budget, not the request's --max-cost.
        return "Try again after midnight UTC, or raise ASSETWRIGHT_DAILY_BUDGET_USD on the server."
    return _REMEDIES.get(error.reason, "")


@singledispatch
def sentence(_event: Event) -> str:
    """Return an entry of a log as a line; empty for the terminal ones, which get a summary."""
    return ""


@sentence.register
def _(event: Accepted) -> str:
    words = f"Job {event.job_id} {'exists already' if event.attached else 'is accepted'}"
    if event.sandbox:
        return f"{words}. The sandbox answers it: free, and not a model's work."
    return f"{words}, at most {event.max_price}." if event.max_price else f"{words}."


@sentence.register
def _(event: StageStarted) -> str:
    return stage_name(event.stage)


@sentence.register
def _(event: StageProgress) -> str:
    return "" if event.fraction is None else f"{stage_name(event.stage)}: {event.fraction:.0%}"


@sentence.register
def _(event: StageFinished) -> str:
    return f"{stage_name(event.stage)}: done after {duration(event.duration_s)}"


@sentence.register
def _(event: GatewayUpdate) -> str:
    words = f"The gateway says {event.gateway_state} after {duration(event.elapsed_s)}"
    usual = estimate(event.estimate)
    return f"{words}; {usual}" if usual else words


@sentence.register
def _(event: AssetReady | IntermediateImageReady) -> str:
    return f"Stored on the server: {event.asset.name} ({size(event.asset.size_bytes)})"


@sentence.register
def _(event: Notice) -> str:
    return f"Note: {event.message}"
