"""Whatever a server and a network do to a log, the caller sees each entry once and in order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc
from hypothesis import given
from hypothesis import strategies as st
from scripted_server import completed, entry

from assetwright import Backoff, RetryPolicy
from assetwright._stream import JobLog
from assetwright.v1 import generation_service_pb2 as generation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from assetwright.v1 import job_pb2

POLICY = RetryPolicy(backoff=Backoff(first_s=0.0))
LENGTH = 12
LOG = [*(entry(sequence) for sequence in range(1, LENGTH)), completed(LENGTH)]
BREAKS = (None, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL)


@dataclass(frozen=True)
class Misfortune:
    """How one stream goes wrong: what it repeats, skips and sends before it breaks."""

    repeated: int
    skipped: int
    sent: int
    code: grpc.StatusCode | None


class Stream:
    """A call, as far as the log looks at one."""

    def __init__(self, entries: list[job_pb2.JobEvent], code: grpc.StatusCode | None) -> None:
        self._entries = entries
        self._code = code

    async def __aiter__(self) -> AsyncIterator[generation.WatchJobResponse]:
        for message in self._entries:
            yield generation.WatchJobResponse(event=message)
        if self._code is not None:
            raise grpc.aio.AioRpcError(self._code)

    def cancel(self) -> None:
        """Do nothing: nothing runs."""


MISFORTUNES = st.builds(
    Misfortune,
    repeated=st.integers(0, 4),
    skipped=st.integers(0, 2),
    sent=st.integers(0, LENGTH),
    code=st.sampled_from(BREAKS),
)


@given(misfortunes=st.lists(MISFORTUNES, max_size=8), after=st.integers(0, LENGTH - 1))
def test_each_entry_once_and_in_order(misfortunes: list[Misfortune], after: int) -> None:
    left = list(misfortunes)

    def watch(_job_id: str, after_sequence: int) -> Stream:
        if not left:
            return Stream(LOG[after_sequence:], None)
        bad = left.pop()
        first = max(0, after_sequence - bad.repeated + bad.skipped)
        return Stream(LOG[first : first + bad.sent], bad.code)

    async def is_over(_job_id: str, after_sequence: int) -> bool:
        return after_sequence >= LENGTH

    async def seen() -> list[int]:
        log = JobLog(watch, is_over=is_over, policy=POLICY, job_id="job-1", after_sequence=after)
        return [event.sequence async for event in log.events()]

    assert asyncio.run(seen()) == list(range(after + 1, LENGTH + 1))
