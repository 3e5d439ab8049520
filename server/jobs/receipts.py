"""What a job cost, from what is on record about its purchases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.jobs.model import Charge, Money, PriceSource, ProcessSpec, Receipt

if TYPE_CHECKING:
    from server.jobs.model import Job, Purchase

__all__ = ["receipt"]

_NO_CANCEL = "The gateway knows no cancel: a submitted generation is charged."
_MICROS = 1_000_000
_NO_PRICE = "No price is published for what was charged."


def receipt(job: Job, *, cancelled: bool) -> Receipt:
    """Return a job's receipt.

    Args:
        job: With its purchases.
        cancelled: Somebody asked to stop it. What was submitted is charged all the same.
    """
    if isinstance(job.spec, ProcessSpec):
        return _free("Post-processing is free.")
    sent = [one for one in job.purchases if one.submitting_since is not None]
    upstream = next((one.gateway_request_id for one in reversed(sent)), None)
    if job.sandbox:
        return _free("The sandbox is free.", gateway_request_id=upstream)
    charges = [_charge(one, cancelled=cancelled) for one in sent]
    if Charge.UNKNOWN in charges:
        return Receipt(charge=Charge.UNKNOWN, source=PriceSource.NONE, gateway_request_id=upstream)
    charged = [one for one, charge in zip(sent, charges, strict=True) if charge is Charge.CHARGED]
    if not charged:
        return Receipt(
            charge=Charge.NOT_CHARGED, source=PriceSource.NONE, gateway_request_id=upstream
        )
    amount, note = _amount(charged)
    return Receipt(
        charge=Charge.CHARGED,
        amount=amount,
        source=PriceSource.NONE if amount is None else PriceSource.PUBLISHED_PAGE,
        note=_NO_CANCEL if cancelled else note,
        gateway_request_id=upstream,
    )


def _amount(charged: list[Purchase]) -> tuple[Money | None, str]:
    """Return what was charged, where the published prices leave no doubt, and what to say of it."""
    prices = [one.price.amount_micros for one in charged if one.price is not None]
    if len(prices) < len(charged):
        return None, _NO_PRICE
    if not all(one.price_is_exact for one in charged):
        return None, f"At most ${sum(prices) / _MICROS:g}: the page leaves open what several cost."
    return Money(amount_micros=sum(prices)), ""


def _charge(purchase: Purchase, *, cancelled: bool) -> Charge:
    accepted = purchase.gateway_request_id is not None
    if cancelled and accepted and purchase.charge is Charge.UNKNOWN:
        return Charge.CHARGED
    return purchase.charge


def _free(note: str, *, gateway_request_id: str | None = None) -> Receipt:
    return Receipt(
        charge=Charge.NOT_CHARGED,
        source=PriceSource.FREE,
        note=note,
        gateway_request_id=gateway_request_id,
    )
