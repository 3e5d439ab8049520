"""``assetwright spend`` reads every page it needs and says what its sum leaves out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from assetwright.cli import main
from assetwright.cli._exit import ExitCode
from assetwright.v1 import errors_pb2, job_pb2, money_pb2

if TYPE_CHECKING:
    from played_server import PlayedServer

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
CHARGED = errors_pb2.CHARGE_STATE_CHARGED


def job(
    charge: errors_pb2.ChargeState | None = CHARGED,
    *,
    micros: int | None = None,
    days_ago: int = 0,
    model: str = "pixal3d",
    sandbox: bool = False,
) -> job_pb2.Job:
    made = job_pb2.Job(job_id="job", kind=job_pb2.JOB_KIND_GENERATE, model=model, sandbox=sandbox)
    made.create_time.FromDatetime(NOON - timedelta(days=days_ago))
    if charge is not None:
        made.receipt.charge = charge
    if micros is not None:
        amount = money_pb2.Money(currency_code="USD", amount_micros=micros)
        made.receipt.amount.CopyFrom(amount)
    return made


def spend(capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, object]]:
    assert main(["spend", "--json", *more]) == ExitCode.OK
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_nothing_spent_is_said(server: PlayedServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.jobs = []
    assert main(["spend"]) == ExitCode.OK
    assert capsys.readouterr().out == "No generations: nothing was spent.\n"
    (total,) = spend(capsys)
    assert (total["kind"], total["generations"]) == ("total", 0)
    assert total["amount"] == {"currency_code": "USD", "amount_micros": 0}


def test_all_pages_are_summed_up(server: PlayedServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.jobs = [job(micros=420_000), job(micros=100_000, days_ago=1), job(micros=3, days_ago=9)]
    *lines, total = spend(capsys)
    assert [line["day"] for line in lines] == ["2026-01-05", "2026-01-04", "2025-12-27"]
    assert total["amount"] == {"currency_code": "USD", "amount_micros": 520_003}
    assert [request.page_token for request in server.requests] == ["", "2"]


def test_since_counts_its_own_day_and_asks_for_no_older_pages(
    server: PlayedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.jobs = [job(micros=1, days_ago=days) for days in range(9)]
    *_, total = spend(capsys, "--since", "2026-01-04", "--by", "model")
    assert total["generations"] == 2
    assert len(server.requests) == 2, "the page with the first older job is the last"


def test_people_read_what_the_sum_leaves_out(
    server: PlayedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.jobs = [
        job(micros=420_000),
        job(model="flux-2-dev"),
        job(errors_pb2.CHARGE_STATE_UNKNOWN),
        job(errors_pb2.CHARGE_STATE_NOT_CHARGED),
        job(None),
        job(errors_pb2.CHARGE_STATE_NOT_CHARGED, sandbox=True),
    ]
    assert main(["spend", "--by", "day"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "2026-01-05" in shown
    assert "$0.42" in shown
    assert (
        "Total: $0.42 for 5 generations. Not in it: 1 charged without a published price, "
        "1 of which nobody knows whether it was charged, 1 still running." in shown
    )
    assert "Sandbox, free: 2026-01-05, 1 generation\n" in shown


@pytest.mark.parametrize("wrong", [("--since", "yesterday"), ("--by", "both"), ("--by", "week")])
def test_wrong_arguments_are_refused(
    wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["spend", *wrong]) == ExitCode.USAGE
    assert wrong[0] in capsys.readouterr().err
