"""A caller who does not give up: submits until accepted, follows the log through every crash."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc

from assetwright.v1 import errors_pb2, job_pb2, model_pb2
from assetwright.v1 import generation_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.crash.processes import Gateway, Node

__all__ = ["Caller", "TrackedJob"]

_PAUSE_S = 0.1
_SEEDS = itertools.count(1)
_TERMINAL = ("completed", "failed", "cancelled")
_BROKEN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)


@dataclass(slots=True)
class TrackedJob:
    """One job as its caller sees it, and the seed by which the gateway's record knows it."""

    seed: int
    aim: str
    id: str = ""
    events: list[job_pb2.JobEvent] = field(default_factory=list)
    breaks: int = 0  # How often its stream was cut off.
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, event: job_pb2.JobEvent) -> None:
        """Take the next event: the very next one, whichever server it came from."""
        if not event.sequence:
            return
        assert event.sequence == len(self.events) + 1, (self.id, event)
        self.events.append(event)
        self._news.set()

    @property
    def end(self) -> job_pb2.JobEvent | None:
        """The terminal event, once there is one."""
        last = self.events[-1] if self.events else None
        return last if last is not None and last.WhichOneof("kind") in _TERMINAL else None

    @property
    def is_unknown(self) -> bool:
        """Whether it ended because nobody can know whether the paid request arrived."""
        return self._reason == errors_pb2.ERROR_REASON_SUBMISSION_UNKNOWN

    @property
    def _reason(self) -> int:
        return self.events[-1].failed.error.reason if self.end is not None else 0

    @property
    def answer_arrived(self) -> bool:
        """Whether its log shows that the gateway's request id was stored."""
        return any(
            event.WhichOneof("kind") == "gateway_update"
            or event.stage_finished.stage == job_pb2.STAGE_SUBMIT
            for event in self.events
        )

    def has(self, shows: Callable[[job_pb2.JobEvent], bool]) -> bool:
        """Tell whether its log shows something."""
        return any(map(shows, self.events))

    async def until(self, shows: Callable[[job_pb2.JobEvent], bool]) -> None:
        """Wait until its log shows something, or has ended."""
        while self.end is None and not self.has(shows):
            self._news.clear()
            await self._news.wait()


class Caller:
    """Has jobs done by some nodes, whichever is up."""

    def __init__(self, nodes: Sequence[Node], gateway: Gateway) -> None:
        self._nodes = nodes
        self._gateway = gateway
        self._turn = itertools.count()
        self._tasks: list[asyncio.Task[None]] = []
        self.jobs: list[TrackedJob] = []

    async def submit(self, *, aim: str) -> TrackedJob:
        """Have a job accepted, and follow it from now on."""
        job = TrackedJob(seed=next(_SEEDS), aim=aim)
        request = self._request(job.seed)
        while not job.id:
            try:
                await self._accepted(job, request)
            except grpc.aio.AioRpcError as exc:
                _must_be_broken(exc)
                await asyncio.sleep(_PAUSE_S)
        self.jobs.append(job)
        self._tasks.append(asyncio.create_task(self._follow(job), name=f"follow {job.id}"))
        return job

    async def all_ended(self, within_s: float) -> None:
        """Wait until every job has ended."""
        _, waiting = await asyncio.wait(self._tasks, timeout=within_s)
        for task in self._tasks:
            if task.done():
                task.result()
        assert not waiting, [
            (job.id, job.aim, str(job.events[-1])) for job in self.jobs if job.end is None
        ]

    async def close(self) -> None:
        """Stop following."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _node(self) -> Node:
        """Return another node each time, if there is one that runs."""
        up = [node for node in self._nodes if node.is_up] or list(self._nodes)
        return up[next(self._turn) % len(up)]

    async def _accepted(self, job: TrackedJob, request: pb.GenerateRequest) -> None:
        """Submit, the same request each time, and leave after the first event."""
        async with self._node().generation() as stub:
            call = stub.Generate(request, timeout=120)
            reply = await call.read()
            if reply is not grpc.aio.EOF:
                job.id = reply.event.job_id
            call.cancel()

    async def _follow(self, job: TrackedJob) -> None:
        """Read the log to its end; after each break at the next sequence, maybe elsewhere."""
        while job.end is None:
            try:
                async with self._node().generation() as stub:
                    request = pb.WatchJobRequest(job_id=job.id, after_sequence=len(job.events))
                    async for reply in stub.WatchJob(request):
                        job.take(reply.event)
            except grpc.aio.AioRpcError as exc:
                _must_be_broken(exc)
                job.breaks += 1
                await asyncio.sleep(_PAUSE_S)

    def _request(self, seed: int) -> pb.GenerateRequest:
        source = pb.Input(role=model_pb2.INPUT_ROLE_SOURCE, url=self._gateway.picture)
        request = pb.GenerateRequest(
            request_id=f"crash-{id(self)}-{seed}", model="pixal3d", inputs=[source]
        )
        for name, value in (("decimation_target", 400), ("texture_size", 1024), ("seed", seed)):
            request.parameters[name].int_value = value
        return request


def _must_be_broken(error: grpc.aio.AioRpcError) -> None:
    """A server that dies breaks connections; it does not answer with errors of its own."""
    assert error.code() in _BROKEN, error
