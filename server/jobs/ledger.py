"""What is known about an intent to pay, from whoever knows it.

The run that sends a paid request may lose its job to another run before the answer comes, and the
gateway may call back when nobody waits for the answer any more. What they know is written here,
unfenced: the run that has the job by then reads it instead of sending a second request.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from server.jobs.model import Outcome
from server.jobs.tables import LEDGER

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Source", "Witness", "forget", "note", "witness_of"]


class Source(Enum):
    """Who says so."""

    ANSWER = "answer"  # The paid request's own answer.
    CALLBACK = "callback"  # Whoever knows the callback's address; to be confirmed.
    PERSON = "person"  # Somebody who looked into the provider's dashboard.
    NOT_SENT = "not_sent"  # The run that should have sent it did not, or it was refused.


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """What became of an intent."""

    source: Source
    gateway_request_id: str | None = None
    outcome: Outcome | None = None


# The first that is there is believed.
_RANK = (Source.ANSWER, Source.PERSON, Source.CALLBACK, Source.NOT_SENT)


def note(connection: Connection, *, job_id: str, intent: str, witness: Witness) -> None:
    """Write down what somebody knows; knowing it twice is knowing it once."""
    key = {
        "job_id": job_id,
        "intent": intent,
        "gateway_request_id": witness.gateway_request_id or "",
    }
    known = select(LEDGER.c.intent).filter_by(**key)
    if connection.scalar(known) is None:
        outcome = None if witness.outcome is None else msgspec.json.encode(witness.outcome)
        row = {**key, "source": witness.source.value, "outcome": outcome, "at": time.time()}
        # Somebody else may say the same at this moment.
        with contextlib.suppress(IntegrityError), connection.begin_nested():
            connection.execute(insert(LEDGER), [row])


def witness_of(connection: Connection, *, job_id: str, intent: str) -> Witness | None:
    """Return what is known about an intent, from whoever is to be believed most."""
    rows = connection.execute(select(LEDGER).filter_by(job_id=job_id, intent=intent)).all()
    return min(map(_witness, rows), key=lambda one: _RANK.index(one.source), default=None)


def forget(connection: Connection, *, job_id: str) -> None:
    """Forget everything about a job."""
    connection.execute(delete(LEDGER).where(LEDGER.c.job_id == job_id))


def _witness(row: Any) -> Witness:  # noqa: ANN401 - SQLAlchemy's own
    return Witness(
        source=Source(row.source),
        gateway_request_id=row.gateway_request_id or None,
        outcome=None if row.outcome is None else msgspec.json.decode(row.outcome, type=Outcome),
    )
