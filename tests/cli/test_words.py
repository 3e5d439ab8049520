"""What people and scripts read: exit codes, JSON lines, values, sentences."""

from __future__ import annotations

import io
import json
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from assetwright import errors, events
from assetwright.cli import _exit, _words
from assetwright.cli._arguments import EPILOG
from assetwright.cli._exit import ExitCode, UsageError, of_error, of_event
from assetwright.cli._json import plain
from assetwright.cli._ui import Ui
from assetwright.cli._values import pairs, typed
from assetwright.enums import (
    ChargeState,
    ErrorReason,
    ModelTask,
    ParameterType,
    PriceSource,
    Stage,
)
from assetwright.errors import AssetwrightError, InvalidRequest, Violation
from assetwright.events import (
    Accepted,
    Cancelled,
    Completed,
    Event,
    Failed,
    GatewayUpdate,
    StageProgress,
)
from assetwright.records import (
    DurationEstimate,
    JobError,
    Model,
    Money,
    Parameter,
    PriceTable,
    Receipt,
)
from assetwright.v1 import report_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
HEAD = {"job_id": "job-1", "sequence": 3, "time": NOON}
FREE = Receipt(
    charge=ChargeState.NOT_CHARGED,
    amount=None,
    source=PriceSource.FREE,
    note="",
    gateway_request_id=None,
)


def failed(reason: ErrorReason, charge: ChargeState = ChargeState.NOT_CHARGED) -> Failed:
    error = JobError(
        reason=reason, message="No.", remedy="Do.", retryable=False, charge=charge, metadata={}
    )
    return Failed(**HEAD, error=error, receipt=FREE, assets=())


def completed(*outcomes: report_pb2.CheckOutcome) -> Completed:
    checks = [report_pb2.Check(name="max_triangles", outcome=outcome) for outcome in outcomes]
    report = report_pb2.Report(schema_version="1", checks=checks)
    return Completed(**HEAD, assets=(), report=report, receipt=FREE, timings=())


def all_errors(kind: type[AssetwrightError]) -> Iterator[type[AssetwrightError]]:
    for child in kind.__subclasses__():
        yield child
        yield from all_errors(child)


def test_every_error_has_an_exit_code() -> None:
    assert set(_exit._ERRORS) == set(all_errors(AssetwrightError))


def test_the_help_lists_every_exit_code() -> None:
    for code in ExitCode:
        assert f"{code.value:>3}  {code.meaning}" in EPILOG


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (completed(), ExitCode.OK),
        (completed(report_pb2.CHECK_OUTCOME_PASSED), ExitCode.OK),
        (completed(report_pb2.CHECK_OUTCOME_NOT_MEASURED), ExitCode.OK),
        (
            completed(report_pb2.CHECK_OUTCOME_PASSED, report_pb2.CHECK_OUTCOME_FAILED),
            ExitCode.CHECK_FAILED,
        ),
        (failed(ErrorReason.GENERATION_FAILED), ExitCode.JOB_FAILED),
        (failed(ErrorReason.GATEWAY_BALANCE), ExitCode.REFUSED),
        (failed(ErrorReason.GATEWAY_BALANCE, ChargeState.UNKNOWN), ExitCode.JOB_FAILED),
        (
            failed(ErrorReason.SUBMISSION_UNKNOWN, ChargeState.UNKNOWN),
            ExitCode.SUBMISSION_UNKNOWN,
        ),
        (Cancelled(**HEAD, receipt=FREE, assets=()), ExitCode.JOB_CANCELLED),
    ],
)
def test_a_jobs_end_decides_the_exit_code(event: Event, code: ExitCode) -> None:
    assert of_event(event) is code


def test_refused_and_wrong_are_told_apart() -> None:
    assert of_error(errors.FailedPrecondition("No.")) is ExitCode.REFUSED
    assert of_error(errors.InvalidRequest("No.")) is ExitCode.USAGE
    assert of_error(errors.ServerUnavailable("No.")) is ExitCode.UNREACHABLE


def test_an_event_is_a_json_object_with_the_contracts_names() -> None:
    line = plain(completed(report_pb2.CHECK_OUTCOME_FAILED))
    assert json.loads(json.dumps(line)) == line
    assert list(line)[:4] == ["kind", "job_id", "sequence", "time"]
    assert line["kind"] == "completed"
    assert line["time"] == "2026-01-02T12:00:00+00:00"
    assert line["report"]["checks"][0]["outcome"] == "failed"
    assert "topology" not in line["report"], "absent differs from zero"
    assert line["receipt"]["charge"] == "not_charged"


def test_counts_stay_numbers_in_json() -> None:
    """Protobuf's own JSON would make strings of them."""
    report = report_pb2.Report(counts=report_pb2.Counts(triangles=2**40))
    assert plain(report)["counts"]["triangles"] == 2**40


@pytest.mark.parametrize("name", sorted(set(events.__all__) - {"Event", "Notice"}))
def test_a_kind_is_named_like_its_class(name: str) -> None:
    kind = getattr(events, name)
    assert kind.kind.replace("_", "") == name.lower()
    assert "kind" not in {field.name for field in fields(kind)}


def model_with(*parameters: tuple[str, ParameterType]) -> Model:
    return Model(
        model_id="m",
        display_name="M",
        provider="p",
        task=ModelTask.IMAGE_TO_3D,
        description="",
        inputs=(),
        takes_prompt=False,
        requires_prompt=False,
        parameters=tuple(
            Parameter(
                name=name,
                type=kind,
                required=False,
                default=None,
                allowed=(),
                allows_unlisted=False,
                minimum=None,
                maximum=None,
                help="",
            )
            for name, kind in parameters
        ),
        price_table=PriceTable(rows=(), source=PriceSource.NONE, note="", as_of=""),
        ready=True,
        not_ready_reason=None,
        duration_estimate=None,
        sandbox=False,
    )


MODEL = model_with(
    ("remesh", ParameterType.BOOL),
    ("steps", ParameterType.INT),
    ("strength", ParameterType.FLOAT),
    ("safety_tolerance", ParameterType.STRING),
)


def test_values_have_the_type_that_the_catalog_says() -> None:
    """One provider's safety_tolerance is the text "1", another's the number 1."""
    given = pairs(["remesh=no", "steps=7", "strength=3", "safety_tolerance=1"], option="--set")
    values = typed(given, MODEL, option="--set")
    assert values == {"remesh": False, "steps": 7, "strength": 3.0, "safety_tolerance": "1"}
    assert [type(value) for value in values.values()] == [bool, int, float, str]


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("7", 7), ("0.5", 0.5), ("1e3", 1000.0), ("a=b", "a=b")]
)
def test_an_unknown_name_is_sent_as_what_it_looks_like(text: str, value: object) -> None:
    """The server's answer then names it, and the names there are."""
    found = typed(pairs([f"nosuch={text}"], option="--set"), MODEL, option="--set")["nosuch"]
    assert (found, type(found)) == (value, type(value))


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        typed({"remesh": "maybe", "steps": "x", "strength": "1"}, MODEL, option="--set")
    wrong = [violation.field for violation in caught.value.violations]
    assert wrong == ["parameters[remesh]", "parameters[steps]"]
    with pytest.raises(UsageError) as caught:
        pairs(["a", "=b", "c=d"], option="--label")
    assert len(caught.value.violations) == 2


def test_an_estimate_is_marked_as_one() -> None:
    update = GatewayUpdate(
        **HEAD, gateway_state="PROCESSING", elapsed_s=12.3, estimate=DurationEstimate(48.2, 12)
    )
    assert _words.sentence(update) == (
        "The gateway says PROCESSING after 12 s; usually about 48 s (from 12 jobs)"
    )


def test_progress_without_a_measure_says_nothing() -> None:
    progress = StageProgress(
        **HEAD, stage=Stage.DOWNLOAD, fraction=None, done_bytes=None, total_bytes=None
    )
    assert _words.sentence(progress) == ""


def test_the_highest_price_is_said_when_the_job_is_accepted() -> None:
    accepted = Accepted(
        **HEAD, request_id="r", attached=False, plan=(), sandbox=False, max_price=Money.usd("0.42")
    )
    assert _words.sentence(accepted) == "Job job-1 is accepted, at most $0.42."


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (9.96, "10.0 s"), (48.2, "48 s"), (185, "3 min 05 s")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert _words.duration(seconds) == text


def test_a_receipt_says_plainly_whether_it_was_charged() -> None:
    assert _words.receipt(FREE) == "Not charged."
    charged = Receipt(
        charge=ChargeState.CHARGED,
        amount=Money.usd(Decimal("0.3")),
        source=PriceSource.PUBLISHED_PAGE,
        note="Read from the page.",
        gateway_request_id="g",
    )
    assert _words.receipt(charged) == "Charged $0.30. Read from the page."


def test_an_error_is_one_block_with_every_field_and_what_to_do() -> None:
    out, err = io.StringIO(), io.StringIO()
    error = InvalidRequest(
        "parameters[a]: Wrong.",
        violations=(Violation("parameters[a]", "Wrong."), Violation("prompt", "Too [bold]long.")),
    )
    ui = Ui(json_lines=False, out=out, err=err)
    assert ui.fail_with(error, ExitCode.USAGE, remedy="Correct it.") is ExitCode.USAGE
    assert err.getvalue().splitlines() == [
        "error: The request is wrong. (INVALID_REQUEST)",
        "  parameters[a]: Wrong.",
        "  prompt: Too [bold]long.",
        "what to do: Correct it.",
    ]
    assert out.getvalue() == ""


def test_the_days_budget_has_a_remedy_of_its_own() -> None:
    """Raising --max-cost would not help."""
    reason = ErrorReason.BUDGET_EXCEEDED
    capped = errors.FailedPrecondition("No.", reason=reason, metadata={"max_cost_micros": "1"})
    assert "--max-cost" in _words.remedy(capped)
    spent = errors.FailedPrecondition("No.", reason=reason, metadata={"budget_micros": "1"})
    assert "ASSETWRIGHT_DAILY_BUDGET_USD" in _words.remedy(spent)
    assert "--max-cost" not in _words.remedy(spent)


def test_an_error_is_one_json_line() -> None:
    out, err = io.StringIO(), io.StringIO()
    error = errors.NotFound("No.", reason=ErrorReason.MODEL_NOT_FOUND, metadata={"nearest": "m"})
    Ui(json_lines=True, out=out, err=err).fail_with(error, ExitCode.USAGE)
    assert json.loads(out.getvalue()) == {
        "kind": "error",
        "exit_code": 2,
        "reason": "MODEL_NOT_FOUND",
        "message": "No.",
        "violations": [],
        "metadata": {"nearest": "m"},
        "remedy": "Did you mean m? `assetwright models` lists the models.",
    }
    assert err.getvalue() == ""
