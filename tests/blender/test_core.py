"""The extension's parts without Blender: addresses, the token, records, words, forms, lines."""

from __future__ import annotations

import ast
import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from assetwright_blender.core import form, progress, words
from assetwright_blender.core.record import (
    Phase,
    Placement,
    Record,
    advance,
    from_json,
    renewed,
    to_json,
)
from assetwright_blender.core.store import Store
from assetwright_blender.core.token import VARIABLE, TokenFile
from assetwright_blender.wire import messages as m
from assetwright_blender.wire.address import AddressError, parse
from assetwright_blender.wire.codec import decode, encode
from assetwright_blender.wire.errors import CallError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[2]
_SHARED = json.loads((_ROOT / "addons" / "shared" / "words.json").read_text(encoding="utf-8"))
_EXTENSION = _ROOT / "addons" / "blender" / "assetwright_blender"


@pytest.mark.parametrize(
    ("text", "address", "loopback"),
    [
        ("127.0.0.1:50052", "http://127.0.0.1:50052", True),
        ("localhost", "http://localhost:50052", True),
        ("http://[::1]:9/", "http://[::1]:9", True),
        (" https://assets.example ", "https://assets.example:443", False),
        ("192.168.0.7:80", "http://192.168.0.7:80", False),
    ],
)
def test_an_address_is_read(text: str, address: str, loopback: bool) -> None:  # noqa: FBT001  # A column.
    assert (str(parse(text)), parse(text).is_loopback) == (address, loopback)


@pytest.mark.parametrize(
    "text", ["", "ftp://host", "host:0", "host:99999", "host:x", "http://host/path", "http://a@b"]
)
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(AddressError, match=r"it looks like http://127\.0\.0\.1:50052"):
        parse(text)


def test_the_token_is_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "from the environment")
    file = TokenFile(tmp_path / "folder" / "token")
    assert file.read() == "from the environment"
    file.write("first")
    file.write("second")
    assert file.read() == "second"
    assert stat.S_IMODE((tmp_path / "folder" / "token").stat().st_mode) == 0o600
    file.write("")
    assert file.read() == "from the environment"


def _events() -> Iterator[m.JobEvent]:
    yield m.JobEvent(
        job_id="job_1",
        sequence=1,
        accepted=m.JobAccepted(request_id="r", plan=[2, 4], sandbox=True),
    )
    yield m.JobEvent(sequence=2, stage_started=m.StageStarted(stage=m.Stage.GENERATE))
    yield m.JobEvent(
        sequence=3,
        event_time=m.Timestamp(seconds=1_000),
        gateway_update=m.GatewayUpdate(
            gateway_state="PROCESSING",
            elapsed=m.Duration(seconds=40),
            estimate=m.DurationEstimate(median=m.Duration(seconds=95), sample_size=12),
        ),
    )
    yield m.JobEvent(heartbeat=m.Heartbeat(state=m.JobState.GENERATING))
    yield m.JobEvent(sequence=4, warning=m.Warning(code="X", message="Look."))
    yield m.JobEvent(sequence=5, warning=m.Warning(code="X", message="Look."))
    yield m.JobEvent(sequence=6)  # Of a kind that is newer.


def _running() -> Record:
    record = Record(
        request_id="r",
        method="Generate",
        request=b"\x00\xff",
        title="pixal3d: chair.png",
        server="http://127.0.0.1:1",
        created_s=900.0,
        placement=Placement(location=(1.0, 2.0, 3.0), replaces="Block", document="a\nb\nc"),
        provenance=(("model", "pixal3d"),),
    )
    for event in _events():
        record = advance(record, event)
    return record


def test_a_record_follows_its_log() -> None:
    record = _running()
    assert (record.phase, record.job_id, record.sequence) == (Phase.RUNNING, "job_1", 6)
    assert (record.stage, record.gateway_state, record.submitted_s) == (
        m.Stage.GENERATE,
        "PROCESSING",
        960.0,
    )
    assert record.warnings == ("Look.",)
    assert progress.line(record, 1_020.0) == (
        "Generating (processing), 1:00; usually about 1:35 (of 12)"
    )


def test_a_record_survives_the_disk(tmp_path: Path) -> None:
    model = m.Asset(asset_id="ast_1", role=m.AssetRole.MODEL, sha256="0" * 64, size_bytes=7)
    done = m.JobEvent(
        sequence=7,
        completed=m.JobCompleted(
            assets=[model],
            report=m.Report(schema_version="1", checks=[m.Check(name="height_m", measured=0.9)]),
            receipt=m.Receipt(charge=m.ChargeState.NOT_CHARGED),
        ),
    )
    failed = m.JobEvent(
        sequence=7,
        failed=m.JobFailed(error=m.JobError(reason=m.ErrorReason.CONTENT_REJECTED, message="No.")),
    )
    store = Store(tmp_path)
    for number, event in enumerate((None, done, failed)):
        record = _running() if event is None else advance(_running(), event)
        record = replace(record, request_id=f"r{number}", created_s=float(number))
        assert from_json(json.loads(json.dumps(to_json(record)))) == record
        store.save(record)
    (tmp_path / "jobs" / "broken.json").write_text("{")
    loaded = Store(tmp_path).load()
    assert [one.phase for one in loaded] == [Phase.RUNNING, Phase.FETCHING, Phase.FAILED]
    assert loaded[1].result() == model
    store.forget("r1")
    assert [one.request_id for one in Store(tmp_path).load()] == ["r0", "r2"]


def test_a_renewed_job_asks_for_the_same_under_another_id() -> None:
    asked = m.GenerateRequest(request_id="r", model="pixal3d", prompt="a chair")
    record = replace(_running(), request=encode(asked), trouble=words.of_condition("UNEXPECTED"))
    fresh = renewed(record)
    sent = decode(m.GenerateRequest, fresh.request)
    assert (fresh.phase, fresh.job_id, fresh.sequence) == (Phase.SENDING, "", 0)
    assert fresh.request_id == sent.request_id != "r"
    assert (sent.model, sent.prompt) == ("pixal3d", "a chair")
    assert fresh.placement == record.placement


def test_a_servers_file_name_never_becomes_a_path(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no SHA-256"):
        Store(tmp_path).asset_path("../../outside", "model/gltf-binary")


def test_every_reason_has_words_and_a_way_out() -> None:
    for reason in m.ErrorReason:
        if reason is m.ErrorReason.UNSPECIFIED:
            continue
        row = _SHARED["reasons"][reason.name]
        trouble = words.of_job(m.JobError(reason=reason, message="The server's words."))
        assert (trouble.sentence, trouble.action) == (row["sentence"], row["action"])
        assert trouble.label == _SHARED["actions"][row["action"]]
        assert trouble.detail == "The server's words."


def test_every_way_out_is_a_button_here() -> None:
    tree = ast.parse((_EXTENSION / "shell" / "ways_out.py").read_text(encoding="utf-8"))
    tables = [
        statement.value
        for statement in tree.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.value, ast.Dict)
    ]
    keys = {ast.literal_eval(key) for key in tables[0].keys if key is not None}
    assert keys == set(_SHARED["actions"])


def test_a_newer_servers_reason_keeps_its_own_words() -> None:
    trouble = words.of_call(CallError("ABORTED", "The moon is full.", reason="MOON"))
    assert (trouble.name, trouble.detail) == ("UNEXPECTED", "MOON: The moon is full.")


def test_wrong_fields_are_all_named() -> None:
    wrong = CallError(
        "INVALID_ARGUMENT",
        "Two fields.",
        reason="INVALID_REQUEST",
        violations=(Violation("a", "It is b."), Violation("c", "It is d.")),
    )
    assert words.of_call(wrong).detail == "a: It is b.\nc: It is d."


def _parameter(**values: object) -> m.Parameter:
    return m.Parameter(name="steps", help="How many.", **values)  # type: ignore[arg-type]


def _sent(parameter: m.Parameter, value: form.Value) -> dict[str, m.ParameterValue]:
    fields = form.fields_of(m.Model(parameters=[parameter]))
    return form.parameters(fields, {"steps": value})


def test_a_default_is_not_sent_and_another_value_is() -> None:
    parameter = _parameter(
        type=m.ParameterType.FLOAT, default_value=m.ParameterValue(float_value=0.1)
    )
    as_an_editor_holds_it = 0.10000000149011612
    assert _sent(parameter, as_an_editor_holds_it) == {}
    assert _sent(parameter, 0.20000000298023224) == {"steps": m.ParameterValue(float_value=0.2)}


def test_a_required_parameter_is_always_sent() -> None:
    parameter = _parameter(
        type=m.ParameterType.INT, required=True, default_value=m.ParameterValue(int_value=4)
    )
    assert _sent(parameter, 4) == {"steps": m.ParameterValue(int_value=4)}


def test_a_choice_is_sent_as_the_number_that_it_is() -> None:
    values = [m.ParameterValue(int_value=number) for number in (1024, 2048)]
    parameter = _parameter(type=m.ParameterType.INT, allowed_values=values, default_value=values[1])
    (field,) = form.fields_of(m.Model(parameters=[parameter]))
    assert (field.kind, field.default) == (form.Kind.CHOICE, "2048")
    assert _sent(parameter, "1024") == {"steps": values[0]}
    assert _sent(parameter, "2048") == {}


def test_what_has_no_default_is_sent_when_it_is_switched_on() -> None:
    parameter = _parameter(type=m.ParameterType.INT, minimum=0.5, maximum=9e18)
    (field,) = form.fields_of(m.Model(parameters=[parameter]))
    assert field.is_switched
    assert (field.minimum, field.maximum) == (1, 2**31 - 1)
    assert _sent(parameter, 0) == {"steps": m.ParameterValue(int_value=0)}
    assert form.parameters([field], {}) == {}


@pytest.mark.parametrize(
    ("micros", "words_of_it"),
    [(420_000, "USD 0.42"), (3_500, "USD 0.0035"), (12_000_000, "USD 12.00")],
)
def test_money_is_written_out(micros: int, words_of_it: str) -> None:
    assert progress.money(m.Money(currency_code="USD", amount_micros=micros)) == words_of_it


def test_a_price_says_where_it_is_from() -> None:
    low, high = (m.Money(currency_code="USD", amount_micros=one) for one in (300_000, 420_000))
    page = m.PriceSource.PUBLISHED_PAGE
    quote = m.QuoteResponse(low=low, high=high, source=page, as_of="2026-11-21")
    assert progress.quote_words(quote) == "Price: USD 0.30 to USD 0.42 (as of 2026-11-21)"
    assert progress.quote_words(m.QuoteResponse(source=m.PriceSource.FREE)) == "Price: free"
    none = m.QuoteResponse(source=m.PriceSource.NONE)
    assert progress.quote_words(none) == "Price: nobody publishes one"


def test_a_picture_is_not_rewritten_while_another_job_reads_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.asset_path(store.keep_picture(b"a picture"), "")
    kept = path.stat()
    store.keep_picture(b"a picture")
    again = path.stat()
    assert (kept.st_ino, kept.st_mtime_ns) == (again.st_ino, again.st_mtime_ns)
    path.write_bytes(b"a pic")
    with path.open("rb") as reading:
        store.keep_picture(b"a picture")
        assert reading.read() == b"a pic"
    assert path.read_bytes() == b"a picture"
    assert [one.name for one in path.parent.iterdir()] == [path.name]
