"""What the server says about a failure reaches the caller whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from scripted_server import Refusal

from assetwright import Client, errors
from assetwright._status import ERRORS, from_rpc_error
from assetwright.enums import ErrorReason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scripted_server import ScriptedServer

    Connect = Callable[..., Awaitable[Client]]


def test_every_status_code_has_an_error() -> None:
    assert set(ERRORS) == set(grpc.StatusCode)


def test_every_error_that_a_server_can_cause_is_in_the_table() -> None:
    ours = {"AssetwrightError", "IntegrityError", "JobFailed", "JobCancelled", "Violation"}
    assert {kind.__name__ for kind in ERRORS.values()} == set(errors.__all__) - ours


async def test_all_details_are_read(script: ScriptedServer, connect: Connect) -> None:
    script.refusal = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT,
        message="Two fields are wrong.",
        reason="INVALID_REQUEST",
        metadata={"field": "height_m"},
        retry_s=1.5,
        fields=("processing.height_m", "parameters.resolution"),
    )
    client = await connect()
    with pytest.raises(errors.InvalidRequest, match=r"^Two fields are wrong\.$") as caught:
        await client.get_job("job-1")
    error = caught.value
    assert error.reason is ErrorReason.INVALID_REQUEST
    assert error.metadata == {"field": "height_m"}
    assert error.retry_after_s == 1.5
    assert error.violations == (
        errors.Violation("processing.height_m", "processing.height_m?"),
        errors.Violation("parameters.resolution", "parameters.resolution?"),
    )


async def test_a_reason_newer_than_the_client_is_unknown(
    script: ScriptedServer, connect: Connect
) -> None:
    script.refusal = Refusal(grpc.StatusCode.FAILED_PRECONDITION, reason="MOON_TOO_FULL")
    client = await connect()
    with pytest.raises(errors.FailedPrecondition) as caught:
        await client.get_job("job-1")
    assert caught.value.reason is ErrorReason.UNKNOWN


def test_details_that_are_not_ours_are_ignored() -> None:
    """A proxy may send anything under the same key."""
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", b"\xff\xff\xff"))
    error = grpc.aio.AioRpcError(
        grpc.StatusCode.INTERNAL, trailing_metadata=trailing, details="Broken."
    )
    meant = from_rpc_error(error)
    assert isinstance(meant, errors.ServerError)
    assert (str(meant), meant.metadata) == ("Broken.", {})


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    async with Client("127.0.0.1:1") as client:
        with pytest.raises(errors.ServerUnavailable):
            await client.get_job("job-1")


async def test_the_token_travels_with_each_call(script: ScriptedServer, connect: Connect) -> None:
    client = await connect(token="s3cret")  # Opens nothing.
    await client.get_job("job-1")
    assert script.metadata[0]["authorization"] == "Bearer s3cret"


async def test_a_list_reads_page_after_page(connect: Connect) -> None:
    client = await connect()
    assert [job.job_id async for job in client.list_jobs()] == ["job-1", "job-2", "job-3"]
