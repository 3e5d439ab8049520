"""The tables that must be total: errors, enums, events, settings, and their pages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from assetwright.v1 import errors_pb2, job_pb2
from server.errors import AssetwrightError, InvalidRequest, Violation
from server.jobs.events import Event
from server.jobs.model import MOVES, JobState
from server.rpc.enums import PAIRS, from_wire, reason_to_wire, to_wire
from server.rpc.replies import _FILL
from server.rpc.status import CODES, rich_status

ROOT = Path(__file__).resolve().parent.parent.parent


def concrete_subclasses(base: type) -> set[type]:
    direct = set(base.__subclasses__())
    return direct.union(*(concrete_subclasses(one) for one in direct))


def make(error: type[AssetwrightError]) -> AssetwrightError:
    return error(Violation("f", "m")) if error is InvalidRequest else error("m")  # type: ignore[arg-type]


def test_every_error_has_a_status() -> None:
    """An error without one would reach the editor as UNKNOWN."""
    assert concrete_subclasses(AssetwrightError) == set(CODES)


def test_every_reason_is_the_contracts_and_the_other_way_round() -> None:
    reasons = {error.reason for error in CODES}
    names = {name.removeprefix("ERROR_REASON_") for name in errors_pb2.ErrorReason.keys()}  # noqa: SIM118 - no dict
    assert reasons == names - {"UNSPECIFIED"}
    assert len(reasons) == len(CODES)
    assert {reason_to_wire(reason) for reason in reasons} == set(range(1, len(reasons) + 1))


@pytest.mark.parametrize("error", sorted(CODES, key=lambda one: one.__name__))
def test_a_status_fits_into_the_trailers(error: type[AssetwrightError]) -> None:
    """GRPC's metadata has a soft limit of 8 KiB; beyond it clients see another error altogether."""
    many = [Violation("f" * 60, "m" * 150) for _ in range(200)]
    made = InvalidRequest(*many) if error is InvalidRequest else error("x" * 20_000)
    status = rich_status(made)
    assert sum(len(value) for _, value in status.trailers) + len(status.message) < 8192
    assert make(error).remedy


@pytest.mark.parametrize("kind", list(PAIRS), ids=lambda kind: kind.__name__)
def test_every_member_of_the_house_can_be_told_and_understood(kind: type) -> None:
    for member in kind:  # type: ignore[attr-defined]
        assert from_wire(kind, to_wire(member)) is member
    assert from_wire(kind, 0) is None
    assert from_wire(kind, 9999) is None


def test_every_event_can_be_told() -> None:
    assert set(_FILL) == set(get_args(Event))


def test_every_kind_of_event_but_those_beside_the_log_is_told_by_somebody() -> None:
    kinds = set(job_pb2.JobEvent.DESCRIPTOR.oneofs_by_name["kind"].fields)
    beside = {"heartbeat", "chunk"}
    assert len({field.name for field in kinds} - beside) == len(_FILL)


def test_ends_are_ends_and_every_other_state_can_fail_and_be_cancelled() -> None:
    for state, moves in MOVES.items():
        ended = state in (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)
        assert state.is_terminal == ended
        assert ended or {JobState.FAILED, JobState.CANCELLED} <= moves
    assert set(MOVES) == set(JobState)


def test_the_pages_match_the_code() -> None:
    command = [sys.executable, "tools/write_tables.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert (done.returncode, done.stdout) == (0, "")
