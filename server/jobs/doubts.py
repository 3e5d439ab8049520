"""A paid request that may have been sent: what became of it, and how long to wait to learn that.

Nobody here can repeat it. Its answer may still come: from the run that sent it, which is slow or
cut off from the job (`server.jobs.ledger`), or by the gateway's callback.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from server.errors import (
    GatewayRateLimited,
    GatewayRefusedUs,
    GatewayReplyUnknown,
    GatewayUnavailable,
    SubmissionUnknown,
)
from server.jobs.ledger import Source
from server.jobs.model import Charge, JobState

if TYPE_CHECKING:
    from server.gateway.models import Model
    from server.gateway.providers import Gateways
    from server.jobs.ledger import Witness
    from server.jobs.model import Purchase
    from server.jobs.run import JobRun
    from server.jobs.store import Store

__all__ = ["Doubts"]

_LOOK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """Settles them.

    Attributes:
        store: Where witnesses are written down.
        gateways: Who confirms what a callback says.
        grace_s: How long after an intent a witness may still come.
        hears_callbacks: Whether gateways can call back at all.
    """

    store: Store
    gateways: Gateways
    grace_s: float
    hears_callbacks: bool

    @property
    def may_hear(self) -> bool:
        """Whether a callback may still tell what became of this run's own request."""
        return self.hears_callbacks

    async def settle(self, run: JobRun, purchase: Purchase, model: Model) -> Purchase:
        """Wait for a witness of an intent, and put on record what it says.

        Returns:
            The purchase with its answer; or without an intent, when it was never sent.

        Raises:
            SubmissionUnknown: Nobody has come in time.
            CancelRequested: The job was cancelled.
        """
        since = purchase.submitting_since or datetime.now(UTC)
        # Alone and without callbacks, whoever sent it is gone and nobody else can know.
        waits = self.hears_callbacks or self.store.database.is_shared
        until = since + timedelta(seconds=self.grace_s if waits else 0)
        while True:
            witness = await self.store.witness_of(run.job.id, intent=purchase.intent or "")
            if witness is not None and await self._holds(witness, model):
                return await _believe(run, purchase, witness)
            left_s = (until - datetime.now(UTC)).total_seconds()
            if left_s <= 0:
                raise SubmissionUnknown(
                    "The server stopped while the request was on its way, "
                    "and nothing says whether it arrived."
                )
            await run.pause(min(left_s, _LOOK_S))

    async def _holds(self, witness: Witness, model: Model) -> bool:
        """Tell whether a witness is to be believed: a callback only if the gateway agrees."""
        if witness.source is not Source.CALLBACK:
            return True
        unsure = (GatewayReplyUnknown, GatewayUnavailable, GatewayRateLimited, GatewayRefusedUs)
        with contextlib.suppress(*unsure):
            gateway = self.gateways.protocol(model)
            await gateway.status(model, witness.gateway_request_id or "")
            return True
        return False


async def _believe(run: JobRun, purchase: Purchase, witness: Witness) -> Purchase:
    if witness.source is Source.NOT_SENT:
        purchase = msgspec.structs.replace(
            purchase, submitting_since=None, charge=Charge.NOT_CHARGED
        )
        await run.record(purchase=purchase)
        return purchase
    done = witness.outcome is not None
    paid = Charge.NOT_CHARGED if run.job.sandbox else Charge.CHARGED
    purchase = msgspec.structs.replace(
        purchase,
        gateway_request_id=witness.gateway_request_id,
        submitted_at=purchase.submitting_since,
        outcome=witness.outcome,
        generated_at=datetime.now(UTC) if done else None,
        charge=paid if done else purchase.charge,
    )
    await run.record(state=JobState.GENERATING, purchase=purchase)
    return purchase
