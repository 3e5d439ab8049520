"""A job's log from its first entry to its last, however often the connection breaks."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeAlias

import grpc

from assetwright import _parse_events
from assetwright._status import interruption
from assetwright.errors import ServerUnavailable
from assetwright.retry import Patience

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from assetwright.events import Event
    from assetwright.retry import RetryPolicy
    from assetwright.v1 import generation_service_pb2 as generation
    from assetwright.v1 import job_pb2

    Response: TypeAlias = (
        generation.GenerateResponse | generation.ProcessResponse | generation.WatchJobResponse
    )
    Call: TypeAlias = (
        grpc.aio.UnaryStreamCall[generation.GenerateRequest, generation.GenerateResponse]
        | grpc.aio.UnaryStreamCall[generation.ProcessRequest, generation.ProcessResponse]
        | grpc.aio.UnaryStreamCall[generation.WatchJobRequest, generation.WatchJobResponse]
    )

__all__ = ["JobLog"]

_BUSY = frozenset({grpc.StatusCode.RESOURCE_EXHAUSTED})


class JobLog:
    """Reads a job's log without gap and without double.

    Args:
        watch: Opens a stream on a known job, behind a sequence.
        is_over: Says whether a job has ended and has nothing behind a sequence.
        policy: What to do when connections break.
        start: Opens the stream that starts the job, safe to repeat because it sends the same
            request_id each time; None when the job is known.
        job_id: The job, when it is known.
        after_sequence: The last sequence that the caller has seen.
    """

    def __init__(
        self,
        watch: Callable[[str, int], Call],
        *,
        is_over: Callable[[str, int], Awaitable[bool]],
        policy: RetryPolicy,
        start: Callable[[], Call] | None = None,
        job_id: str | None = None,
        after_sequence: int = 0,
    ) -> None:
        self._watch = watch
        self._is_over = is_over
        self._start = start
        self._silence_s = policy.silence_s
        self._patience = Patience(policy)
        self._job_id = job_id
        self._last_sequence = after_sequence

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield every entry up to the terminal one.

        Closing the iterator detaches from the job; the job goes on.

        Raises:
            AssetwrightError: The request was refused, or the server was away for too long.
        """
        while True:
            call = self._open()
            try:
                async with aclosing(self._entries(call)) as entries:
                    async for event in entries:
                        yield event
                        if event.terminal:
                            return
                if await self._is_at_the_end():
                    return
                cause = ServerUnavailable("The stream ended before the job did.")
            except ServerUnavailable as error:
                cause = error
            except grpc.aio.AioRpcError as error:
                # A job that runs is worth waiting for, even where the server limits its streams.
                cause = interruption(error, tolerated=_BUSY if self._job_id else frozenset())
            finally:
                call.cancel()
            await self._patience.wait(cause, job_id=self._job_id, last_sequence=self._last_sequence)

    def _open(self) -> Call:
        if self._job_id is not None:
            return self._watch(self._job_id, self._last_sequence)
        assert self._start is not None, "A log needs a job or a way to start one."  # noqa: S101
        return self._start()

    async def _is_at_the_end(self) -> bool:
        """Say whether nothing more will come.

        Either the caller began behind the terminal entry, or that entry is of a kind newer than
        this client.
        """
        return self._job_id is not None and await self._is_over(self._job_id, self._last_sequence)

    async def _entries(self, call: Call) -> AsyncGenerator[Event, None]:
        """Yield what is new on one stream; end where it ends, falls silent or skips an entry."""
        messages: AsyncIterator[Response] = aiter(call)
        while (response := await self._next(messages)) is not None:
            message = response.event
            if message.sequence > self._last_sequence + 1:
                return
            if self._is_news(message) and (event := _parse_events.event(message)) is not None:
                yield event

    async def _next(self, messages: AsyncIterator[Response]) -> Response | None:
        try:
            async with asyncio.timeout(self._silence_s):
                return await anext(messages, None)
        except TimeoutError:
            # What arrived in this very moment is lost with the stream, and read again from the
            # log behind the last sequence.
            return None

    def _is_news(self, message: job_pb2.JobEvent) -> bool:
        """Say whether it is an entry not seen before, and remember it."""
        if message.sequence == 0:
            self._patience.renew()  # A heartbeat: the server lives.
            return False
        if message.sequence <= self._last_sequence:
            return False
        self._job_id = message.job_id
        self._last_sequence = message.sequence
        self._patience.renew()
        return True
