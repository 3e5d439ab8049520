"""What a job's line says. Nothing is invented: a bar only where something was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..wire.messages import ChargeState, PriceSource, Stage
from .record import Phase

if TYPE_CHECKING:
    from ..wire.messages import Duration, DurationEstimate, Money, QuoteResponse, Receipt
    from .record import Record

__all__ = ["clock", "estimate_words", "line", "money", "quote_words", "receipt_words"]

_STAGES = {
    Stage.IMAGE: "Drawing the picture",
    Stage.PREPARE: "Preparing",
    Stage.SUBMIT: "Submitting",
    Stage.GENERATE: "Generating",
    Stage.DOWNLOAD: "Server fetches the result",
    Stage.PROCESS: "Processing",
    Stage.STORE: "Storing",
}
_PHASES = {
    Phase.SENDING: "Sending",
    Phase.RUNNING: "Waiting for its turn",
    Phase.FETCHING: "Fetching the model",
    Phase.READY: "Ready to be placed",
    Phase.PLACED: "Done",
    Phase.FAILED: "Failed",
    Phase.CANCELLED: "Cancelled",
    Phase.REMOTE: "Done, on the server",
}


def clock(seconds: float) -> str:
    """Return ``1:05`` for 65 seconds."""
    whole = max(int(seconds), 0)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def line(record: Record, now_s: float) -> str:
    """Return the job's state, its time and the estimate, in one line."""
    if record.phase is not Phase.RUNNING or not record.stage:
        words = _PHASES[record.phase]
    else:
        words = (
            _STAGES.get(Stage(record.stage), "Working") if _is_stage(record.stage) else "Working"
        )
    if record.gateway_state and record.stage in (Stage.GENERATE, Stage.IMAGE):
        words = f"{words} ({record.gateway_state.lower()})"
    if not record.phase.is_active:
        return words
    since = record.submitted_s if record.stage == Stage.GENERATE else 0.0
    words = f"{words}, {clock(now_s - (since or record.created_s))}"
    if record.fraction is None and record.estimate and record.stage == Stage.GENERATE:
        words = f"{words}; {estimate_words(record.estimate)}"
    return words


def _is_stage(number: int) -> bool:
    return any(number == stage for stage in Stage)


def _seconds(duration: Duration | None) -> float:
    return duration.seconds + duration.nanos / 1e9 if duration else 0.0


def estimate_words(estimate: DurationEstimate) -> str:
    """Return what earlier jobs took, with how many there were."""
    return f"usually about {clock(_seconds(estimate.median))} (of {estimate.sample_size})"


def money(amount: Money) -> str:
    """Return ``USD 0.42``."""
    number = f"{amount.amount_micros / 1e6:.4f}".rstrip("0")
    whole, _, part = number.partition(".")
    return f"{amount.currency_code} {whole}.{part:0<2}"


def quote_words(quote: QuoteResponse) -> str:
    """Return the price before, and where it is from."""
    if quote.source == PriceSource.FREE:
        return "Price: free"
    if quote.high is None:
        return "Price: nobody publishes one"
    words = money(quote.high)
    if quote.low is not None and quote.low != quote.high:
        words = f"{money(quote.low)} to {money(quote.high)}"
    return f"Price: {words}" + (f" (as of {quote.as_of})" if quote.as_of else "")


def receipt_words(receipt: Receipt | None) -> str:
    """Return what was charged, in words; empty where nothing is known."""
    if receipt is None:
        return ""
    if receipt.charge == ChargeState.NOT_CHARGED:
        return "Not charged"
    if receipt.charge == ChargeState.CHARGED:
        return f"Charged: {money(receipt.amount)}" if receipt.amount else "Charged"
    return "It is not known whether this was charged"
