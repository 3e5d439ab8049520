"""The command line against the real server, whose gateway is the sandbox."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import assetwright.cli
from assetwright import AssetRole, Client
from assetwright.cli import main
from assetwright.cli._exit import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PICTURE = Path(assetwright.cli.__file__).parent / "demo.png"
QUICK = {
    "ASSETWRIGHT_GATEWAY": "sandbox",
    "ASSETWRIGHT_SANDBOX_QUEUE_S": "0",
    "ASSETWRIGHT_SANDBOX_WORK_S": "0",
    "ASSETWRIGHT_POLL_MIN_S": "0.05",
    "ASSETWRIGHT_POLL_MAX_S": "0.1",
}
SMALL = ("--set", "decimation_target=2000", "--set", "texture_size=1024")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a server in a process of its own."""
    folder = tmp_path_factory.mktemp("server")
    command = [sys.executable, "-m", "assetwright", "serve", "--data-dir", str(folder / "data")]
    command += ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    ours = ("ASSETWRIGHT_", "PIXAZO_", "SEGMIND_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | QUICK
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(  # noqa: S603  # Ourselves.
            command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as child,
    ):
        assert child.stdout is not None
        ready = child.stdout.readline()
        found = re.search(r"grpc=(\S+)", ready)
        assert found, (folder / "log").read_text()
        yield found[1]
        child.terminate()
        assert child.wait(30) == 0


@pytest.fixture(autouse=True)
def _server(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSETWRIGHT_SERVER", address)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def generate(out: Path, *more: str) -> int:
    return main(
        ["generate", "pixal3d", "--image", str(PICTURE), *SMALL, "--out", str(out), "--json", *more]
    )


def test_a_picture_becomes_checked_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One event a line, no gap, the terminal one last but for what was saved."""
    assert generate(tmp_path, "--height-m", "1.2", "--pivot", "base") == ExitCode.OK
    *events, saved = lines(capsys)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["kind"] == "accepted"
    assert events[-1]["kind"] == "completed"
    assert {check["outcome"] for check in events[-1]["report"]["checks"]} == {"passed"}
    names = {str(Path(file["path"]).relative_to(tmp_path)) for file in saved["files"]}
    assert {"asset.glb", "source.glb", "report.json", "textures/base_color.webp"} <= names
    on_disk = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert on_disk == names, "nothing else is left behind"
    for file in saved["files"]:
        assert Path(file["path"]).stat().st_size == file["size_bytes"]


def test_the_same_request_attaches_and_a_watch_replays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(tmp_path / "a", "--request-id", "once") == ExitCode.OK
    first = lines(capsys)
    assert generate(tmp_path / "b", "--request-id", "once") == ExitCode.OK
    again = lines(capsys)
    assert [event["job_id"] for event in again[:-1]] == [event["job_id"] for event in first[:-1]]
    job_id = first[0]["job_id"]
    assert main(["watch", job_id, "--out", str(tmp_path / "c"), "--json"]) == ExitCode.OK
    assert lines(capsys)[:-1] == [
        {**event, "attached": False} if "attached" in event else event for event in first[:-1]
    ]
    assert (tmp_path / "c/asset.glb").read_bytes() == (tmp_path / "a/asset.glb").read_bytes()
    assert main(["watch", job_id, "--after", str(first[-2]["sequence"])]) == ExitCode.OK
    assert main(["cancel", job_id]) == ExitCode.REFUSED
    assert generate(tmp_path / "d", "--request-id", "once", "--label", "a=b") == ExitCode.USAGE


def test_a_budget_that_is_not_met_still_delivers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(tmp_path, "--max-triangles", "10") == ExitCode.CHECK_FAILED
    assert (tmp_path / "asset.glb").exists()
    assert (
        main(
            [
                "process",
                str(tmp_path / "source.glb"),
                "--max-triangles",
                "10",
                "--out",
                str(tmp_path / "p"),
                "--server",
                os.environ["ASSETWRIGHT_SERVER"],
            ]
        )
        == 7
    )
    assert "FAILED" in capsys.readouterr().out


def test_refusals_have_their_exit_codes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(tmp_path, "--max-cost", "0.01") == ExitCode.REFUSED
    assert lines(capsys)[-1]["reason"] == "BUDGET_EXCEEDED"
    assert generate(tmp_path, "--set", "nosuch=1", "--set", "resolution=7") == ExitCode.USAGE
    fields = {violation["field"] for violation in lines(capsys)[-1]["violations"]}
    assert fields == {"parameters[nosuch]", "parameters[resolution]"}
    assert main(["models", "pixal"]) == ExitCode.USAGE
    assert "pixal3d" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_words_become_a_picture_and_the_picture_checked_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One job, two generations; the second starts from the bytes that the first left here."""
    command = [
        "generate",
        "pixal3d",
        "--prompt",
        "a chair",
        "--image-model",
        "flux-dev-text-to-image",
    ]
    command += [*SMALL, "--image-set", "num_inference_steps=4", "--out", str(tmp_path), "--json"]
    assert main(command) == ExitCode.OK
    *events, saved = lines(capsys)
    kinds = [event["kind"] for event in events]
    started = [event["stage"] for event in events if event["kind"] == "stage_started"]
    assert started == events[0]["plan"]
    assert started[0] == "image"
    (ready,) = [event for event in events if event["kind"] == "intermediate_image_ready"]
    assert kinds.index("intermediate_image_ready") < kinds.index("asset_ready")
    picture, *others = saved["files"]
    assert picture["role"] == "intermediate_image"
    assert Path(picture["path"]) == tmp_path / ready["asset"]["name"]
    assert {"model", "source", "report"} <= {file["role"] for file in others}


@pytest.mark.parametrize(
    ("command", "roles"),
    [
        (["flux-dev-text-to-image", "--prompt", "a chair", "--set", "num_images=2"], ["image"] * 2),
        (["flux-dev-image-to-image", "--prompt", "red", "--image", str(PICTURE)], ["image"]),
        (["flux-2-pro-text-to-image-trainer", "--dataset", str(PICTURE)], ["file"]),
    ],
)
def test_models_without_a_mesh_leave_their_own_files(
    command: list[str], roles: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", *command, "--out", str(tmp_path), "--json"]) == ExitCode.OK
    *_, completed, saved = lines(capsys)
    assert completed["report"] is None
    assert [file["role"] for file in saved["files"]] == roles
    names = sorted(path.name.partition(".")[0] for path in tmp_path.iterdir())
    assert names == [f"{roles[0]}-{number}" for number in range(len(roles))]


def test_an_unlisted_value_passes_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["generate", "flux-2-dev", "--prompt", "a chair", "--set", "width=640"]
    command += ["--accept-unpriced", "--out", str(tmp_path), "--json"]
    assert main(command) == ExitCode.OK
    codes = [event["code"] for event in lines(capsys) if event["kind"] == "warning"]
    assert "PARAMETER_UNLISTED" in codes


def test_what_the_sandbox_made_costs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(tmp_path) == ExitCode.OK
    lines(capsys)
    assert main(["spend", "--by", "model", "--json"]) == ExitCode.OK
    *made, total = lines(capsys)
    assert total["generations"] == 0
    assert all(line["sandbox"] for line in made)
    assert next(line for line in made if line["model"] == "pixal3d")["not_charged"] > 0


def test_the_catalog_and_the_price_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == ExitCode.OK
    assert "pixal3d" in {model["model_id"] for model in lines(capsys)}
    assert main(["models", "pixal3d"]) == ExitCode.OK
    assert "decimation_target" in capsys.readouterr().out
    assert main(["quote", "pixal3d", "--set", "texture_size=1024"]) == ExitCode.OK
    assert "$0.30" in capsys.readouterr().out
    assert (
        main(["quote", "pixal3d", "--set", "texture_size=1024", "--image-model", "flux-pro"]) == 0
    )
    assert "$0.33" in capsys.readouterr().out, "both together"


def test_jobs_are_listed_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(tmp_path, "--label", "purpose=listing") == ExitCode.OK
    job_id = lines(capsys)[0]["job_id"]
    chosen = ["--label", "purpose=listing", "--state", "completed", "--limit", "5"]
    assert main(["jobs", *chosen, "--json"]) == ExitCode.OK
    assert [job["job_id"] for job in lines(capsys)] == [job_id]
    assert main(["jobs", *chosen]) == ExitCode.OK
    assert job_id in capsys.readouterr().out, "an id is never cut"
    assert main(["jobs", "show", job_id]) == ExitCode.OK
    assert "asset.glb" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_detaches_and_says_how_to_go_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "assetwright", "generate", "pixal3d", "--image", str(PICTURE)]
    command += ["--json", "--out", str(tmp_path), "--set", "decimation_target=150000"]
    with subprocess.Popen(  # noqa: S603  # Ourselves.
        command, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        job_id = json.loads(child.stdout.readline())["job_id"]
        child.send_signal(signal.SIGINT)
        last = json.loads(child.stdout.read().splitlines()[-1])
        assert child.wait(20) == ExitCode.DETACHED
    assert (last["kind"], last["job_id"]) == ("detached", job_id)
    assert f"assetwright watch {job_id}" in last["message"]
    assert main(["watch", job_id, "--out", str(tmp_path)]) == ExitCode.OK


def test_the_demo_makes_a_checked_asset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path)]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "height_m" in shown
    assert "sandbox result" in shown
    assert (tmp_path / "asset.glb").read_bytes()[:4] == b"glTF"


async def test_the_client_reads_back_what_a_job_made(address: str) -> None:
    """Bytes in, a job, and its assets by id."""
    async with Client(address) as client:
        made = await client.create(
            "pixal3d", image=PICTURE.read_bytes(), parameters={"decimation_target": 1000}
        )
        roles = {AssetRole.MODEL}
        (model,) = [a async for a in client.list_assets(job_id=made.job_id, roles=roles)]
        assert (await client.read(model.asset_id))[:4] == b"glTF"
        assert await client.get_asset(model.asset_id) == model
        assert (await client.get_job(made.job_id)).report == made.report


EXAMPLES = {
    f"{name}-{number}": program
    for name in ("README.md", "docs/client.md")
    for number, program in enumerate(
        re.findall(r"```python\n(.*?)```", (ROOT / name).read_text(), re.DOTALL)
    )
}


@pytest.mark.parametrize("program", EXAMPLES.values(), ids=EXAMPLES)
def test_the_documented_examples_run(program: str, address: str, tmp_path: Path) -> None:
    """Also the README's, which is where everybody starts."""
    assert {"README.md-0", "docs/client.md-0"} <= set(EXAMPLES)
    shutil.copyfile(PICTURE, tmp_path / "chair.png")
    ended = subprocess.run(  # noqa: S603  # Our own words.
        [sys.executable, "-W", "error", "-c", program.replace("127.0.0.1:50051", address)],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    made = [path.read_bytes()[:4] for path in tmp_path.glob("*.glb")]
    assert made == [b"glTF"] * program.count('"chair.glb"')
    assert ended.stdout or "print(" not in program


def test_a_server_ends_well_when_its_standard_input_closes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "assetwright", "serve", "--until-stdin-closes"]
    command += ["--data-dir", str(tmp_path / "data")]
    command += ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    ours = ("ASSETWRIGHT_", "PIXAZO_", "SEGMIND_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | QUICK
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(  # noqa: S603  # Ourselves.
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as child,
    ):
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline().startswith("assetwright ready "), log.name
        child.stdin.write("What is said does not matter.\n")
        child.stdin.close()
        assert child.wait(30) == 0, (tmp_path / "log").read_text()
    assert "server_stopping" in (tmp_path / "log").read_text()
