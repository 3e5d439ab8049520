"""What nodes tell each other through the database (Postgres LISTEN and NOTIFY).

A signal only says where to look; what counts is in the tables. One that is lost delays a reader
until its next look, and a connection that is made again makes everybody look.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Protocol

import psycopg
import structlog

if TYPE_CHECKING:
    from server.jobs.model import AfterSubmission

__all__ = ["CHANNEL", "Hearer", "Listener", "cancelled", "logged", "poked"]

_log = structlog.get_logger()

CHANNEL = "assetwright_jobs"
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_LOGGED, _POKED, _CANCELLED = "logged", "poked", "cancelled"


class Hearer(Protocol):
    """Who acts on what other nodes tell."""

    def heard_log(self, job_id: str) -> None:
        """A job's log has grown."""

    def heard_poke(self, job_id: str) -> None:
        """There may be news of a job."""

    def heard_cancel(self, job_id: str, after_submission: str) -> None:
        """Somebody cancelled a job."""

    def heard_anything(self) -> None:
        """Signals may have been missed."""


def logged(node: str, job_id: str) -> str:
    """Say that a job's log has grown."""
    return f"{_LOGGED} {node or '-'} {job_id}"


def poked(node: str, job_id: str) -> str:
    """Say that there may be news of a job."""
    return f"{_POKED} {node or '-'} {job_id}"


def cancelled(node: str, job_id: str, after_submission: AfterSubmission) -> str:
    """Say that somebody cancelled a job."""
    return f"{_CANCELLED} {node or '-'} {job_id} {after_submission.value}"


class Listener:
    """Hears what other nodes tell, over a connection of its own."""

    def __init__(self, url: str, *, node: str, hearer: Hearer) -> None:
        self._url = url
        self._node = node
        self._hearer = hearer
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._listen(), name="signals")

    async def stop(self) -> None:
        """Listen no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _listen(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True
                ) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._hearer.heard_anything()
                    pause_s = _FIRST_PAUSE_S
                    async for signal in connection.notifies():
                        self._hear(signal.payload)
            except psycopg.Error as exc:
                _log.warning("signals_lost", error=type(exc).__name__)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _hear(self, payload: str) -> None:
        kind, node, job_id, *rest = payload.split(" ")
        if node == self._node:
            return
        if kind == _LOGGED:
            self._hearer.heard_log(job_id)
        elif kind == _POKED:
            self._hearer.heard_poke(job_id)
        elif kind == _CANCELLED:
            with contextlib.suppress(IndexError):
                self._hearer.heard_cancel(job_id, rest[0])
