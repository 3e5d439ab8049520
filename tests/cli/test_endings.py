"""How jobs end that a sandbox does not easily bring about, from a server that plays them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from assetwright.cli import main
from assetwright.cli._exit import ExitCode
from assetwright.v1 import asset_pb2, errors_pb2, job_pb2, money_pb2
from assetwright.v1 import generation_service_pb2 as generation

if TYPE_CHECKING:
    from pathlib import Path

    from played_server import PlayedServer

BYTES = b"what the gateway sent"


def fail(server: PlayedServer, reason: errors_pb2.ErrorReason, **more: object) -> job_pb2.JobFailed:
    """Let every job fail, after the gateway's bytes were stored under a hostile name."""
    paid = server.stored(BYTES, name="../../source.glb", role=asset_pb2.ASSET_ROLE_SOURCE)
    error = errors_pb2.JobError(reason=reason, message="It went wrong.", **more)
    body = job_pb2.JobFailed(error=error, assets=[paid])
    server.log = [job_pb2.JobEvent(job_id="job-1", sequence=1, failed=body)]
    return server.log[0].failed


def test_a_failed_job_says_why_and_keeps_what_was_paid_for(
    server: PlayedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(
        server,
        errors_pb2.ERROR_REASON_PROCESSING_FAILED,
        remedy="Process it again, free.",
        charge=errors_pb2.CHARGE_STATE_CHARGED,
    )
    assert main(["watch", "job-1", "--out", str(tmp_path)]) == ExitCode.JOB_FAILED
    shown = capsys.readouterr().err
    assert "error: It went wrong. (PROCESSING_FAILED)" in shown
    assert "what to do: Process it again, free." in shown
    assert (tmp_path / "source.glb").read_bytes() == BYTES, "whatever the name was"


def test_an_unknown_submission_has_a_code_of_its_own_and_a_way_out(
    server: PlayedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(server, errors_pb2.ERROR_REASON_SUBMISSION_UNKNOWN)
    watch = ["watch", "job-1", "--out", str(tmp_path)]
    assert main(watch) == ExitCode.SUBMISSION_UNKNOWN
    assert "assetwright jobs resolve" in capsys.readouterr().err
    assert main([*watch, "--json"]) == ExitCode.SUBMISSION_UNKNOWN
    ending, saved = map(json.loads, capsys.readouterr().out.splitlines())
    assert ending["error"]["reason"] == "SUBMISSION_UNKNOWN"
    assert saved["kind"] == "saved"


def test_a_cancelled_job_says_what_it_cost(
    server: PlayedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt = money_pb2.Receipt(
        charge=errors_pb2.CHARGE_STATE_CHARGED,
        amount=money_pb2.Money(currency_code="USD", amount_micros=420_000),
    )
    body = job_pb2.JobCancelled(receipt=receipt)
    server.log = [job_pb2.JobEvent(job_id="job-1", sequence=1, cancelled=body)]
    assert main(["watch", "job-1", "--out", str(tmp_path)]) == ExitCode.JOB_CANCELLED
    assert "Charged $0.42." in capsys.readouterr().out


def test_bytes_that_differ_are_not_kept(
    server: PlayedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ending = fail(server, errors_pb2.ERROR_REASON_PROCESSING_FAILED)
    ending.assets[0].sha256 = "0" * 64
    assert main(["watch", "job-1", "--out", str(tmp_path)]) == ExitCode.UNEXPECTED
    assert "assetwright watch job-1" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("more", "choice"),
    [
        ((), generation.AFTER_SUBMISSION_DISCARD),
        (("--collect",), generation.AFTER_SUBMISSION_COLLECT),
    ],
)
def test_cancel_says_what_becomes_of_a_paid_result(
    more: tuple[str, ...], choice: int, server: PlayedServer
) -> None:
    assert main(["cancel", "job-1", *more]) == ExitCode.OK
    assert server.requests == [generation.CancelJobRequest(job_id="job-1", after_submission=choice)]


def test_a_person_decides_an_unknown_submission(
    server: PlayedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["resolve", "job-1", "--adopt", "g-1"]) == ExitCode.OK
    assert "assetwright watch job-1 --after 4" in capsys.readouterr().out
    assert main(["resolve", "job-1", "--resubmit"]) == ExitCode.OK
    assert server.requests == [
        generation.ResolveJobRequest(job_id="job-1", adopt_gateway_request_id="g-1"),
        generation.ResolveJobRequest(job_id="job-1", resubmit=generation.Resubmit()),
    ]
