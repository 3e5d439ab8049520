"""Text to 3D by a picture, and models that make no mesh, from a server that plays them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from assetwright.cli import main
from assetwright.cli._exit import ExitCode
from assetwright.v1 import asset_pb2, job_pb2, model_pb2, report_pb2
from assetwright.v1 import generation_service_pb2 as generation

if TYPE_CHECKING:
    from pathlib import Path

    from played_server import PlayedServer

PICTURE, MESH = b"a picture", b"a mesh"
INTERMEDIATE = asset_pb2.ASSET_ROLE_INTERMEDIATE_IMAGE
STEPS = model_pb2.Parameter(name="steps", type=model_pb2.PARAMETER_TYPE_INT)


@pytest.fixture(autouse=True)
def _catalog(server: PlayedServer) -> None:
    server.models = [
        model_pb2.Model(model_id="pixal3d", task=model_pb2.MODEL_TASK_IMAGE_TO_3D),
        model_pb2.Model(
            model_id="flux-pro", task=model_pb2.MODEL_TASK_TEXT_TO_IMAGE, parameters=[STEPS]
        ),
    ]


def entry(sequence: int, **kind: object) -> job_pb2.JobEvent:
    return job_pb2.JobEvent(job_id="job-1", sequence=sequence, **kind)


def stage(sequence: int, which: job_pb2.Stage) -> job_pb2.JobEvent:
    return entry(sequence, stage_started=job_pb2.StageStarted(stage=which))


def play_text_to_3d(server: PlayedServer, out: Path, *, on_disk: list[bool]) -> None:
    """Play a job with an image stage, which goes on once its picture is on the caller's disk."""
    picture = server.stored(PICTURE, name="intermediate-0.png", role=INTERMEDIATE)
    mesh = server.stored(MESH, name="asset.glb", role=asset_pb2.ASSET_ROLE_MODEL)

    def wait_for_the_picture() -> None:
        deadline = time.monotonic() + 5
        while not (out / picture.name).exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        on_disk.append((out / picture.name).exists())

    report = report_pb2.Report(schema_version="1")
    server.log = [
        stage(1, job_pb2.STAGE_IMAGE),
        entry(2, gateway_update=job_pb2.GatewayUpdate(gateway_state="PROCESSING")),
        entry(3, intermediate_image_ready=job_pb2.IntermediateImageReady(asset=picture)),
        wait_for_the_picture,
        stage(4, job_pb2.STAGE_GENERATE),
        entry(5, completed=job_pb2.JobCompleted(assets=[picture, mesh], report=report)),
    ]


TEXT_TO_3D = ("generate", "pixal3d", "--prompt", "a chair", "--image-model", "flux-pro")


def test_the_image_stages_picture_is_saved_while_the_job_goes_on(
    server: PlayedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_disk: list[bool] = []
    play_text_to_3d(server, tmp_path, on_disk=on_disk)
    more = ("--image-set", "steps=7", "--request-id", "once", "--out", str(tmp_path))
    assert main([*TEXT_TO_3D, *more]) == ExitCode.OK
    assert on_disk == [True]
    assert (tmp_path / "intermediate-0.png").read_bytes() == PICTURE
    assert (tmp_path / "asset.glb").read_bytes() == MESH
    (request,) = server.requests
    assert request.image_stage == generation.ImageStage(
        model="flux-pro", parameters={"steps": model_pb2.ParameterValue(int_value=7)}
    )
    seen = capsys.readouterr()
    assert "Making the picture\n" in seen.err
    assert f"The picture is in {tmp_path / 'intermediate-0.png'}\n" in seen.err
    assert f"{tmp_path / 'intermediate-0.png'}  picture for the 3D model, 9 B\n" in seen.out


def test_json_lines_list_the_picture_once_and_last(
    server: PlayedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    play_text_to_3d(server, tmp_path, on_disk=[])
    assert main([*TEXT_TO_3D, "--json", "--out", str(tmp_path)]) == ExitCode.OK
    *events, saved = map(json.loads, capsys.readouterr().out.splitlines())
    assert [event["sequence"] for event in events] == [1, 2, 3, 4, 5]
    assert [(file["role"], file["path"]) for file in saved["files"]] == [
        ("intermediate_image", str(tmp_path / "intermediate-0.png")),
        ("model", str(tmp_path / "asset.glb")),
    ]


def test_pictures_alone_are_a_good_end(
    server: PlayedServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is measured, so there is no table of checks, and no mesh is missed."""
    role = asset_pb2.ASSET_ROLE_IMAGE
    pictures = [server.stored(PICTURE, name=f"image-{n}.png", role=role) for n in range(2)]
    server.log = [entry(1, completed=job_pb2.JobCompleted(assets=pictures))]
    command = ["generate", "flux-pro", "--prompt", "a chair", "--out", str(tmp_path)]
    assert main(command) == ExitCode.OK
    assert {path.name for path in tmp_path.iterdir()} == {"image-0.png", "image-1.png"}
    shown = capsys.readouterr().out
    assert "check" not in shown
    assert f"{tmp_path / 'image-1.png'}  picture, 9 B\n" in shown


def test_names_that_become_the_same_do_not_overwrite(server: PlayedServer, tmp_path: Path) -> None:
    """Both were paid for."""
    role = asset_pb2.ASSET_ROLE_FILE
    names = ("a:b.bin", "a?b.bin", "A*B.bin")
    files = [server.stored(name.encode(), name=name, role=role) for name in names]
    server.log = [entry(1, completed=job_pb2.JobCompleted(assets=files))]
    assert main(["watch", "job-1", "--out", str(tmp_path)]) == ExitCode.OK
    saved = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert saved == {"a_b.bin": b"a:b.bin", "a_b-2.bin": b"a?b.bin", "A_B-3.bin": b"A*B.bin"}


def test_wrong_parameters_of_the_image_model_are_named_as_its(
    server: PlayedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*TEXT_TO_3D, "--image-set", "steps=many", "--json"]) == ExitCode.USAGE
    (violation,) = json.loads(capsys.readouterr().out)["violations"]
    assert violation["field"] == "image_stage.parameters[steps]"
    assert main(["generate", "pixal3d", "--image-set", "steps=7"]) == ExitCode.USAGE
    assert "--image-set needs --image-model" in capsys.readouterr().err
    assert server.requests == []
