"""A job's log arrives whole and once, however the connection breaks."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING

import grpc
import pytest
from scripted_server import (
    ACCEPTED,
    HEARTBEAT,
    PATIENT,
    SILENCE,
    UNAVAILABLE,
    Refusal,
    completed,
    entry,
)

from assetwright import Backoff, RetryPolicy
from assetwright.enums import ErrorReason
from assetwright.errors import (
    JobCancelled,
    JobFailed,
    NotFound,
    ResourceExhausted,
    ServerError,
    ServerUnavailable,
)
from assetwright.events import Accepted, Completed, Notice
from assetwright.v1 import errors_pb2, job_pb2
from assetwright.v1 import generation_service_pb2 as generation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from scripted_server import ScriptedServer

    from assetwright import Client, Interruption
    from assetwright.events import Event

    Connect = Callable[..., Awaitable[Client]]


async def sequences(events: AsyncIterator[Event]) -> list[int]:
    return [event.sequence async for event in events]


async def test_an_undisturbed_log_ends_with_its_terminal_entry(
    script: ScriptedServer, connect: Connect
) -> None:
    script.streams = [[ACCEPTED, HEARTBEAT, entry(2), completed(3)]]
    client = await connect()
    events = [event async for event in client.generate("pixal3d", prompt="a chair")]
    assert [event.sequence for event in events] == [1, 2, 3]
    assert isinstance(events[0], Accepted)
    assert isinstance(events[-1], Completed)
    assert events[0].time.utcoffset() is not None


async def test_before_the_job_is_known_the_same_request_id_is_sent_again(
    script: ScriptedServer, connect: Connect
) -> None:
    """Another id would pay twice if the first request did arrive."""
    script.streams = [[UNAVAILABLE], [], [ACCEPTED, completed(2)]]
    client = await connect()
    assert await sequences(client.generate("pixal3d")) == [1, 2]
    assert all(isinstance(request, generation.GenerateRequest) for request in script.requests)
    assert len({request.request_id for request in script.requests}) == 1
    assert script.requests[0].request_id
    assert script.requests[0].delivery == generation.DELIVERY_ANNOUNCE


@pytest.mark.parametrize(
    "break_",
    [
        pytest.param([], id="ends early"),
        pytest.param([UNAVAILABLE], id="unavailable"),
        pytest.param([Refusal(grpc.StatusCode.CANCELLED)], id="cancelled by the server"),
        pytest.param([Refusal(grpc.StatusCode.INTERNAL, "Received RST_STREAM")], id="reset"),
        pytest.param([Refusal(grpc.StatusCode.UNKNOWN, "Stream removed")], id="removed"),
        pytest.param([Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED)], id="too many streams"),
        pytest.param([SILENCE], id="falls silent"),
        pytest.param([entry(2), entry(1)], id="repeats entries"),
        pytest.param([entry(4)], id="skips an entry"),
    ],
)
async def test_a_broken_stream_goes_on_without_gap_and_without_double(
    break_: list[object], script: ScriptedServer, connect: Connect
) -> None:
    script.streams = [[ACCEPTED, entry(2), *break_], [entry(2), entry(3), completed(4)]]
    client = await connect()
    assert await sequences(client.generate("pixal3d")) == [1, 2, 3, 4]
    watched = script.requests[1]
    assert watched == generation.WatchJobRequest(job_id="job-1", after_sequence=2)


async def test_a_draining_server_is_given_the_time_it_asks_for(
    script: ScriptedServer, connect: Connect
) -> None:
    draining = Refusal(grpc.StatusCode.UNAVAILABLE, reason="DRAINING", retry_s=0.15)
    script.streams = [[ACCEPTED, draining], [completed(2)]]
    seen: list[Interruption] = []
    retry = RetryPolicy(backoff=Backoff(first_s=0.001), on_interruption=seen.append)
    client = await connect(retry)
    began = time.monotonic()
    assert await sequences(client.generate("pixal3d")) == [1, 2]
    assert time.monotonic() - began >= 0.15
    assert [interruption.cause.reason for interruption in seen] == [ErrorReason.DRAINING]
    assert seen[0].job_id == "job-1"


async def test_heartbeats_keep_a_quiet_stream_alive(
    script: ScriptedServer, connect: Connect
) -> None:
    """And they are not shown."""
    script.streams = [[ACCEPTED, *[HEARTBEAT] * 20, completed(2)]]
    client = await connect()
    assert await sequences(client.generate("pixal3d")) == [1, 2]
    assert len(script.requests) == 1


async def test_kinds_newer_than_the_client_are_left_out_but_counted(
    script: ScriptedServer, connect: Connect
) -> None:
    unknown = job_pb2.JobEvent.FromString(
        entry(2).SerializeToString()[:0] + b"\x0a\x05job-1\x10\x02"
    )
    script.streams = [[ACCEPTED, unknown, completed(3)]]
    client = await connect()
    assert await sequences(client.generate("pixal3d")) == [1, 3]
    assert len(script.requests) == 1, "a new kind is not a gap"


async def test_closing_the_iterator_detaches_and_does_not_cancel_the_job(
    script: ScriptedServer, connect: Connect
) -> None:
    script.streams = [[ACCEPTED, SILENCE]]
    client = await connect(RetryPolicy())
    async with aclosing(client.generate("pixal3d")) as events:
        assert (await anext(events)).sequence == 1
    await script.closed.wait()
    assert script.cancelled == []


async def test_patience_ends_with_what_is_needed_to_watch_again(
    script: ScriptedServer, connect: Connect
) -> None:
    script.streams = [[ACCEPTED, entry(2)], *[[UNAVAILABLE]] * 1000]
    client = await connect(RetryPolicy(patience_s=0.1, backoff=Backoff(first_s=0.01)))
    with pytest.raises(ServerUnavailable) as caught:
        await sequences(client.generate("pixal3d"))
    assert (caught.value.job_id, caught.value.last_sequence) == ("job-1", 2)


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Refusal(grpc.StatusCode.NOT_FOUND, reason="MODEL_NOT_FOUND"), NotFound),
        (Refusal(grpc.StatusCode.INTERNAL, reason="INTERNAL"), ServerError),
        (Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, reason="QUEUE_FULL"), ResourceExhausted),
    ],
)
async def test_a_refusal_is_raised_at_once(
    refusal: Refusal, error: type[Exception], script: ScriptedServer, connect: Connect
) -> None:
    """The server said why; asking again would get the same answer."""
    script.streams = [[refusal]]
    client = await connect()
    with pytest.raises(error):
        await sequences(client.generate("pixal3d"))
    assert len(script.requests) == 1


async def test_watching_goes_on_from_a_position(script: ScriptedServer, connect: Connect) -> None:
    script.streams = [[entry(5), completed(6)]]
    client = await connect()
    assert await sequences(client.watch("job-1", after_sequence=4)) == [5, 6]
    assert script.requests == [generation.WatchJobRequest(job_id="job-1", after_sequence=4)]


async def test_watching_behind_the_end_yields_nothing(
    script: ScriptedServer, connect: Connect
) -> None:
    """The stream ends at once, as a broken one would; the job says that it has ended."""
    script.streams = [[]]
    script.job.last_sequence = 6
    script.job.end_time.GetCurrentTime()
    client = await connect()
    assert await sequences(client.watch("job-1", after_sequence=6)) == []


async def test_create_returns_the_result(script: ScriptedServer, connect: Connect) -> None:
    script.streams = [[ACCEPTED, completed(2)]]
    client = await connect()
    assert (await client.create("pixal3d")).sequence == 2


async def test_create_raises_what_went_wrong(script: ScriptedServer, connect: Connect) -> None:
    error = errors_pb2.JobError(
        reason=errors_pb2.ERROR_REASON_GATEWAY_BALANCE,
        message="Too low.",
        remedy="Top up.",
        charge=errors_pb2.CHARGE_STATE_NOT_CHARGED,
    )
    failed = entry(2, failed=job_pb2.JobFailed(error=error))
    cancelled = entry(2, cancelled=job_pb2.JobCancelled())
    script.streams = [[ACCEPTED, failed], [ACCEPTED, cancelled]]
    client = await connect()
    with pytest.raises(JobFailed, match=r"Too low\. Top up\.") as caught:
        await client.create("pixal3d")
    assert caught.value.reason is ErrorReason.GATEWAY_BALANCE
    with pytest.raises(JobCancelled):
        await client.create("pixal3d")


async def test_a_warning_is_a_notice(script: ScriptedServer, connect: Connect) -> None:
    warning = job_pb2.Warning(code="SANDBOX_RESULT", message="Not real.")
    script.streams = [[ACCEPTED, entry(2, warning=warning), completed(3)]]
    client = await connect()
    events = [event async for event in client.generate("pixal3d")]
    assert isinstance(events[1], Notice)
    assert (events[1].code, events[1].message) == ("SANDBOX_RESULT", "Not real.")


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(first_s=1.0, longest_s=5.0)
    assert [backoff.delay_s(n, chance=1.0) for n in range(5)] == [1, 2, 4, 5, 5]
    assert backoff.delay_s(10_000, chance=0.0) == 2.5
    assert PATIENT.patience_s > 0
