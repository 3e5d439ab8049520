"""The extension in Blender's own module, as a person would use it, against a real server."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from sandbox import Sandbox

from assetwright.v1 import generation_service_pb2 as generation
from assetwright.v1 import job_pb2, model_pb2
from assetwright.v1 import model_service_pb2 as models
from assetwright.v1.generation_service_pb2_grpc import GenerationServiceStub
from assetwright.v1.model_service_pb2_grpc import ModelServiceStub

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import build_addons
from conftest import need

pytestmark = pytest.mark.timeout(300)

_ROOT = Path(__file__).parents[2]
_INSIDE = Path(__file__).parent / "inside" / "scenarios.py"
_DEMO = _ROOT / "assetwright" / "cli" / "demo.png"
_VERSIONS = ("4.2", "5.0")
_LINE_S = 60.0
_SECRET = "a-very-secret-word"  # noqa: S105  # Of a test.


@pytest.fixture(scope="session", params=_VERSIONS)
def python(request: pytest.FixtureRequest) -> Path:
    """A Python that has Blender as a module."""
    found = sorted((_ROOT / ".tools").glob(f"bpy-{request.param}*/.made"))
    need(found, f"needs Blender {request.param} as a module; `make test-blender` fetches it")
    return found[0].parent / "bin" / "python"


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_addons.build_blender(tmp_path_factory.mktemp("zip"))


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sandbox]:
    server = Sandbox(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def slow(tmp_path: Path) -> Generator[Sandbox]:
    """A server of the test's own, whose generations take a while."""
    (tmp_path / "server").mkdir()
    server = Sandbox(tmp_path / "server", work_s=3.0)
    server.start()
    yield server
    server.stop()


@dataclass
class Inside:
    """A scenario that runs in Blender; its facts in order."""

    process: subprocess.Popen[str]
    log: Path
    facts: dict[str, Any] = field(default_factory=dict)

    def hear(self) -> dict[str, Any]:
        """Return the next facts."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("FACT "):
                return dict(json.loads(line.removeprefix("FACT ")))
        pytest.fail(f"Blender said nothing more:\n{self.log.read_text()[-4000:]}")

    def tell(self, word: str) -> None:
        """Say something to the scenario."""
        assert self.process.stdin is not None
        print(word, file=self.process.stdin, flush=True)

    def end(self) -> None:
        """Check that the scenario ended well."""
        assert self.hear() == {"done": True}
        assert self.process.wait(_LINE_S) == 0, self.log.read_text()[-4000:]
        assert "Traceback" not in self.log.read_text()


@dataclass
class Blender:
    """Starts scenarios."""

    python: Path
    archive: Path
    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, scenario: str, address: str, picture: Path = _DEMO) -> Inside:
        log = self.folder / f"{scenario}.log"
        ours = {
            "ASSETWRIGHT_TEST_HOME": str(self.folder),
            "ASSETWRIGHT_TEST_ZIP": str(self.archive),
            "ASSETWRIGHT_TEST_PICTURE": str(picture),
            "ASSETWRIGHT_TEST_SECRET": _SECRET,
        }
        kept = {name: value for name, value in os.environ.items() if "ASSETWRIGHT" not in name}
        with log.open("w") as errors:
            process = subprocess.Popen(  # noqa: S603  # Ours.
                [self.python, _INSIDE, scenario, address],
                env=kept | ours | self.settings,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.started.append(process)
        return Inside(process, log)


@pytest.fixture
def blender(python: Path, archive: Path, tmp_path: Path) -> Iterator[Blender]:
    starter = Blender(python, archive, tmp_path)
    yield starter
    for process in starter.started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _job(address: str, job_id: str) -> job_pb2.Job:
    with grpc.insecure_channel(address) as channel:
        stub = GenerationServiceStub(channel)
        return stub.GetJob(generation.GetJobRequest(job_id=job_id)).job


def _catalog(address: str) -> dict[str, model_pb2.Model]:
    with grpc.insecure_channel(address) as channel:
        answer = ModelServiceStub(channel).ListModels(models.ListModelsRequest(page_size=500))
    return {model.model_id: model for model in answer.models}


def _plain(value: model_pb2.ParameterValue) -> Any:  # noqa: ANN401  # Of any of four types.
    return getattr(value, value.WhichOneof("kind"))


def _check_drawn(drawn: dict[str, Any], parameter: model_pb2.Parameter) -> None:
    """Compare what Blender draws with what the server says."""
    types = {
        model_pb2.PARAMETER_TYPE_BOOL: "BOOLEAN",
        model_pb2.PARAMETER_TYPE_INT: "INT",
        model_pb2.PARAMETER_TYPE_FLOAT: "FLOAT",
        model_pb2.PARAMETER_TYPE_STRING: "STRING",
    }
    listed = [_text(_plain(one)) for one in parameter.allowed_values]
    closed = bool(listed) and not parameter.allows_unlisted_values
    closed = closed and parameter.type != model_pb2.PARAMETER_TYPE_BOOL
    assert drawn["type"] == ("ENUM" if closed else types[parameter.type])
    assert drawn["help"] == parameter.help
    assert drawn["choices"] == (listed if closed else [])
    optional = not parameter.required and not parameter.HasField("default_value")
    assert drawn["switched"] == (optional and drawn["type"] != "STRING")
    if parameter.HasField("default_value"):
        default = _plain(parameter.default_value)
        if isinstance(default, float) and not closed:
            assert drawn["default"] == pytest.approx(default, rel=1e-6)
        else:
            assert drawn["default"] == (_text(default) if closed else default)
    if not closed and parameter.HasField("minimum"):
        assert drawn["minimum"] == pytest.approx(max(parameter.minimum, -(2**31)), rel=1e-6)
    if not closed and parameter.HasField("maximum"):
        assert drawn["maximum"] == pytest.approx(min(parameter.maximum, 2**31 - 1), rel=1e-6)


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_the_form_is_the_servers_catalog(blender: Blender, sandbox: Sandbox) -> None:
    inside = blender.run("form", sandbox.http)
    facts = inside.hear()
    catalog = _catalog(sandbox.grpc)
    drawable = {
        name: model
        for name, model in catalog.items()
        if model.task in (model_pb2.MODEL_TASK_IMAGE_TO_3D, model_pb2.MODEL_TASK_TEXT_TO_IMAGE)
    }
    assert facts["chosen"] in drawable
    assert facts["forms"].keys() == drawable.keys()
    for model_id, model in drawable.items():
        shown = facts["forms"][model_id]
        fixed = {
            one.name
            for one in model.parameters
            if len(one.allowed_values) == 1 and not one.allows_unlisted_values
        }
        assert shown.keys() == {one.name for one in model.parameters} - fixed
        for parameter in model.parameters:
            if parameter.name in fixed:
                continue
            _check_drawn(shown[parameter.name], parameter)
    inside.end()


def test_a_picture_becomes_a_model_of_the_asked_height_at_the_cursor(
    blender: Blender, sandbox: Sandbox
) -> None:
    inside = blender.run("make", sandbox.http)
    assert inside.hear()["high_micros"] == 420_000
    made = inside.hear()
    assert made["phase"] == "placed"
    assert made["bounds"]["size"][2] == pytest.approx(1.37, rel=0.01)
    assert made["bounds"]["low"][2] == pytest.approx(0.0, abs=1e-4)
    assert made["origin"] == pytest.approx([3.0, -2.0, 0.0], abs=1e-6)
    middle = [(made["bounds"]["low"][axis] + made["bounds"]["high"][axis]) / 2 for axis in (0, 1)]
    assert middle == pytest.approx([3.0, -2.0], abs=1e-3)
    assert made["size"] == pytest.approx(made["bounds"]["size"], rel=1e-4)
    assert made["active"]
    assert made["materials"] == 1
    assert made["images"] >= 2
    assert {"Sending", "Done"} <= set(made["lines"])
    assert any(line.startswith("Generating (") for line in made["lines"])
    job = _job(sandbox.grpc, made["job_id"])
    assert job.state == job_pb2.JOB_STATE_COMPLETED
    assert dict(job.labels)["editor"] == "blender"
    notes = made["notes"]
    assert notes["assetwright_model"] == "pixal3d"
    assert notes["assetwright_sandbox"] == "True"
    report = {check["name"]: check for check in json.loads(notes["assetwright_report"])["checks"]}
    assert report["height_m"]["outcome"] == "passed"
    assert report["max_triangles"]["asked"] == 30_000
    sources = [one for one in job.assets if one.asset_id == notes["assetwright_source_asset"]]
    assert len(sources) == 1
    assert inside.hear() == {"undone": True, "redone": True, "again": True}
    inside.end()


def test_cancel_stops_the_job_at_the_server(blender: Blender, slow: Sandbox) -> None:
    inside = blender.run("cancel", slow.http)
    job_id = inside.hear()["job_id"]
    ended = inside.hear()
    assert ended["phase"] == "cancelled"
    assert _job(slow.grpc, job_id).state == job_pb2.JOB_STATE_CANCELLED
    inside.end()


def test_a_killed_server_costs_the_job_nothing(blender: Blender, slow: Sandbox) -> None:
    inside = blender.run("killed", slow.http)
    job_id = inside.hear()["job_id"]
    slow.kill()
    inside.tell("killed")
    assert inside.hear()["waiting"]
    slow.start()
    ended = inside.hear()
    assert ended["phase"] == "placed"
    assert ended["bounds"]["size"][2] == pytest.approx(0.8, rel=0.01)
    assert _job(slow.grpc, job_id).state == job_pb2.JOB_STATE_COMPLETED
    inside.end()


def test_a_job_goes_on_after_unregister_and_register(blender: Blender, slow: Sandbox) -> None:
    inside = blender.run("resumed", slow.http)
    left = inside.hear()
    assert left["threads"] == []
    ended = inside.hear()
    assert (ended["phase"], ended["job_id"]) == ("placed", left["job_id"])
    assert ended["bounds"]["size"][2] == pytest.approx(0.5, rel=0.01)
    inside.end()


def test_another_document_does_not_get_the_model_by_itself(blender: Blender, slow: Sandbox) -> None:
    inside = blender.run("another_document", slow.http)
    assert inside.hear() == {"objects": 0, "phase": "ready"}
    placed = inside.hear()
    assert placed["origin"] == pytest.approx([1.0, 1.0, 0.5], abs=1e-6)
    assert placed["bounds"]["low"][2] == pytest.approx(0.5, abs=1e-4)
    inside.end()


def test_a_model_takes_the_place_of_the_selection_and_is_replaced_in_turn(
    blender: Blender, sandbox: Sandbox
) -> None:
    inside = blender.run("instead", sandbox.http)
    fitted = inside.hear()
    assert fitted["hidden"]
    room = (0.6, 4.0, 2.0)
    shares = [size / side for size, side in zip(fitted["size"], room, strict=True)]
    assert max(shares) == pytest.approx(1.0, rel=0.01)
    assert fitted["origin"] == pytest.approx([2.0, 0.0, 0.0], abs=1e-5)
    assert fitted["turn"] == pytest.approx(0.5, abs=1e-5)
    again = inside.hear()
    assert again["name_kept"]
    assert again["bounds"]["size"][2] == pytest.approx(0.7, rel=0.01)
    assert again["origin"] == pytest.approx([2.0, 0.0, 0.0], abs=1e-5)
    assert again["turn"] == pytest.approx(0.5, abs=1e-5)
    assert again["charge"] == "Not charged"
    assert again["model"] == "pixal3d"
    better = inside.hear()
    assert better["name_kept"]
    assert better["meshes"] == 2  # Blender's own cube, and one model in that place.
    inside.end()


def test_several_jobs_run_at_once(blender: Blender, sandbox: Sandbox) -> None:
    inside = blender.run("several", sandbox.http)
    facts = inside.hear()
    assert facts["at_once"] == 3
    assert facts["heights"] == pytest.approx([0.5, 1.0, 1.5], rel=0.01)
    inside.end()


def test_words_become_a_model_by_way_of_a_picture(blender: Blender, sandbox: Sandbox) -> None:
    inside = blender.run("from_words", sandbox.http)
    facts = inside.hear()
    assert (facts["phase"], facts["trouble"]) == ("placed", "None")
    assert facts["plan"][0] == job_pb2.STAGE_IMAGE
    assert facts["bounds"]["size"][2] == pytest.approx(0.45, rel=0.01)
    inside.end()


def test_a_picture_above_the_requests_limit_is_uploaded(
    blender: Blender, sandbox: Sandbox, tmp_path: Path
) -> None:
    """PNG allows bytes behind its end, so a picture can be made as long as is needed."""
    large = tmp_path / "large.png"
    noise = random.Random(1).randbytes(3 << 20)  # noqa: S311  # No secret.
    large.write_bytes(_DEMO.read_bytes() + noise)
    inside = blender.run("large_picture", sandbox.http, large)
    facts = inside.hear()
    assert facts["phase"] == "placed"
    assert facts["bounds"]["size"][2] == pytest.approx(0.6, rel=0.01)
    inside.end()


def test_a_job_above_the_price_limit_is_not_bought(blender: Blender, sandbox: Sandbox) -> None:
    inside = blender.run("over_budget", sandbox.http)
    facts = inside.hear()
    assert (facts["phase"], facts["name"], facts["action"]) == (
        "failed",
        "BUDGET_EXCEEDED",
        "raise_cap",
    )
    inside.end()


def test_a_job_that_met_no_server_is_sent_again(blender: Blender, slow: Sandbox) -> None:
    inside = blender.run("retried", slow.http)
    inside.hear()
    slow.kill()
    inside.tell("killed")
    assert inside.hear() == {"phase": "failed", "name": "SERVER_DOWN"}
    slow.start()
    inside.tell("started")
    placed = inside.hear()
    assert placed["same"]
    assert placed["bounds"]["size"][2] == pytest.approx(0.9, rel=0.01)
    inside.end()


def test_the_history_of_the_server_can_be_placed(blender: Blender, sandbox: Sandbox) -> None:
    first = blender.run("large_picture", sandbox.http)
    assert first.hear()["phase"] == "placed"
    first.end()
    elsewhere = Blender(blender.python, blender.archive, blender.folder / "elsewhere")
    elsewhere.started = blender.started
    elsewhere.folder.mkdir()
    inside = elsewhere.run("history", sandbox.http)
    listed = inside.hear()
    assert listed["phase"] == "remote"
    placed = inside.hear()
    assert placed["phase"] == "placed"
    assert placed["bounds"]["size"][2] == pytest.approx(0.6, rel=0.01)
    inside.end()


def test_the_token_is_in_no_file_that_blender_saves(blender: Blender, sandbox: Sandbox) -> None:
    inside = blender.run("secret", sandbox.http)
    facts = inside.hear()
    assert facts["token"] == facts["shown"] == _SECRET
    assert facts["mode"] == 0o600
    assert {"userpref.blend", "document.blend"} <= set(facts["files"])
    assert facts["leaks"] == []
    assert inside.hear() == {"gone": True}
    inside.end()


def _trouble(blender: Blender, address: str) -> tuple[str, str]:
    inside = blender.run("unreachable", address)
    facts = inside.hear()
    inside.end()
    assert facts["sentence"].endswith(".")
    return facts["name"], facts["action"]


def test_a_server_that_is_down_can_be_started(blender: Blender) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        assert _trouble(blender, address) == ("SERVER_DOWN", "start_server")


@pytest.fixture
def with_program(blender: Blender) -> Blender:
    """A Blender that finds the program, with ports and a data folder of its own."""
    program = Path(sys.executable).with_name("assetwright")
    need(program.exists() or None, "needs the assetwright program beside this Python")
    blender.settings = {
        "PATH": os.pathsep.join((str(program.parent), os.environ["PATH"])),
        "ASSETWRIGHT_GRPC": "127.0.0.1:0",
        "ASSETWRIGHT_HTTP": "127.0.0.1:0",
        "ASSETWRIGHT_DATA_DIR": str(blender.folder / "data"),
        "ASSETWRIGHT_GATEWAY": "sandbox",
        "ASSETWRIGHT_SANDBOX_WORK_S": "0.2",
    }
    return blender


def _nowhere() -> str:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{closed.getsockname()[1]}"


def _answers(address: str) -> bool:
    host, port = address.removeprefix("http://").split(":")
    with socket.socket() as asking:
        asking.settimeout(_LINE_S)
        return asking.connect_ex((host, int(port))) == 0


def test_a_local_server_is_started_used_and_stopped(with_program: Blender) -> None:
    nowhere = _nowhere()
    inside = with_program.run("local_server", nowhere)
    started = inside.hear()
    assert (started["action"], started["trouble"]) == ("start_server", None)
    assert started["address"] != nowhere
    assert _answers(started["address"])
    assert inside.hear()["bounds"]["size"][2] == pytest.approx(0.7, rel=0.01)
    assert inside.hear() == {"again": False, "address": nowhere, "running": False}
    assert not _answers(started["address"])
    with pytest.raises(ProcessLookupError):
        os.kill(started["pid"], 0)
    second = inside.hear()
    assert second["running"]
    assert second["jobs"]
    assert _answers(second["address"])
    inside.tell("seen")
    inside.end()
    assert not _answers(second["address"])


def test_a_local_server_ends_with_a_killed_blender(with_program: Blender) -> None:
    inside = with_program.run("local_server", _nowhere())
    address = inside.hear()["address"]
    inside.process.kill()
    inside.process.wait()
    deadline = time.monotonic() + _LINE_S
    while _answers(address):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_local_server_that_cannot_start_says_why(with_program: Blender) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with_program.settings["ASSETWRIGHT_HTTP"] = f"127.0.0.1:{port}"
        nowhere = _nowhere()
        inside = with_program.run("no_local_server", nowhere)
        refused = inside.hear()
        assert refused["sentence"] in refused["refused"]
        assert "'no-such-program' is not installed here" in refused["sentence"]
        assert refused["action"] == "check_address"
        ended = inside.hear()
        assert ended["sentence"] == "The local server ended with status 2."
        assert f"127.0.0.1:{port}" in ended["detail"]
        assert ended["address"] == nowhere
        inside.end()


def test_the_views_picture_needs_a_window_and_leaves_the_scene_as_it_was(
    blender: Blender, sandbox: Sandbox
) -> None:
    inside = blender.run("viewport", sandbox.http)
    refused = inside.hear()
    assert "Open a 3D view first; its picture is what the model is made from." in refused["refused"]
    assert refused["jobs"] == 0
    kept = [[True, True, ["PNG", "RGBA", "8"]]] * 3
    assert inside.hear() == {"kept": kept, "shown": True, "left": True}
    assert inside.hear() == {"empty": True}
    inside.end()


def test_a_foreign_server_is_told_apart(blender: Blender) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        try:
            address = f"127.0.0.1:{other.server_port}"
            assert _trouble(blender, address) == ("SERVER_WRONG", "check_address")
        finally:
            other.shutdown()
            thread.join()


def test_a_refused_token_leads_to_the_preferences(blender: Blender, tmp_path: Path) -> None:
    server = Sandbox(tmp_path, settings={"ASSETWRIGHT_TOKENS": "the-right-word"})
    server.start()
    try:
        assert _trouble(blender, server.http) == ("UNAUTHENTICATED", "change_token")
    finally:
        server.stop()


def test_another_computer_is_not_asked_while_online_access_is_off(blender: Blender) -> None:
    """Blender's module begins without online access; the address is a documentation one."""
    assert _trouble(blender, "https://192.0.2.1") == ("OFFLINE", "check_address")


def test_a_wrong_address_is_explained(blender: Blender) -> None:
    assert _trouble(blender, "ftp://nowhere") == ("HERE", "check_address")
