"""Commands that need no server, and what they do where none is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import trimesh

from assetwright.cli import main
from assetwright.cli._exit import ExitCode
from assetwright.cli.demo import _environment

if TYPE_CHECKING:
    from collections.abc import Iterator

NOWHERE = ("--server", "127.0.0.1:1")
COMMANDS = (
    *("demo", "generate", "quote", "watch", "jobs", "cancel", "resolve", "spend", "models"),
    *("process", "serve", "sandbox"),
)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ASSETWRIGHT_SERVER", "ASSETWRIGHT_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """Return a GLB of a box of 1 m x 2 m x 3 m: 12 triangles."""
    path = tmp_path / "box.glb"
    mesh = trimesh.creation.box(extents=np.array([1.0, 2.0, 3.0]))
    path.write_bytes(trimesh.Scene(mesh).export(file_type="glb"))
    return path


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_ends_well_and_lists_the_exit_codes(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--help"]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert all(code.meaning in shown for code in ExitCode)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["nosuch"],
        ["generate"],
        ["generate", "m", "--height-m", "1", "--scale", "2"],
        ["generate", "m", "--max-cost", "much"],
        ["generate", "m", "--pivot", "top"],
        ["generate", "m", "--set", "x", *NOWHERE],
        ["jobs", "--state", "unknown"],
        ["resolve", "job-1"],
    ],
)
def test_wrong_arguments_are_usage_errors(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(wrong) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("error: ")
    assert main([*wrong, "--json"]) == ExitCode.USAGE
    seen = capsys.readouterr()
    assert json.loads(seen.out)["exit_code"] == ExitCode.USAGE
    assert seen.err == ""


@pytest.mark.parametrize(
    "command",
    [
        ["models"],
        ["models", "pixal3d"],
        ["jobs"],
        ["jobs", "show", "job-1"],
        ["cancel", "job-1"],
        ["quote", "pixal3d"],
        ["spend"],
        ["generate", "pixal3d"],
    ],
)
def test_a_server_that_is_not_there_is_said_at_once(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, *NOWHERE]) == ExitCode.UNREACHABLE
    assert "assetwright serve" in capsys.readouterr().err


def test_the_server_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSETWRIGHT_SERVER", "127.0.0.1:1")
    assert main(["models"]) == ExitCode.UNREACHABLE
    assert "127.0.0.1:1" in capsys.readouterr().err


def test_a_missing_token_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--token-file", "no/such/file"]) == ExitCode.USAGE
    assert "no/such/file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "module"),
    [
        (["serve"], "server.app"),
        (["sandbox"], "server.sandbox"),
        (["process", "x.glb"], "asset_processing"),
    ],
)
def test_a_missing_extra_is_named(
    command: list[str],
    module: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # As if it were not installed.
    assert main(command) == ExitCode.EXTRA_MISSING
    assert 'pip install "assetwright[server]"' in capsys.readouterr().err


def test_the_client_alone_is_enough_for_the_help() -> None:
    """Nothing of the server is imported before a command needs it."""
    program = (
        "import sys; from assetwright.cli import main; main(['--help']); "
        "loaded = {name.partition('.')[0] for name in sys.modules}; "
        "sys.exit(len(loaded & {'server', 'asset_processing', 'numpy', 'httpx', 'trimesh'}))"
    )
    ended = subprocess.run(  # noqa: S603  # Ourselves.
        [sys.executable, "-c", program], check=False, capture_output=True
    )
    assert ended.returncode == 0


def test_process_works_here_without_a_server(
    box: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["--height-m", "4", "--pivot", "base", "--max-triangles", "12", "--out", str(out)]
    assert main(["process", str(box), *arguments]) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "height_m" in shown
    assert str(out / "asset.glb") in shown
    low, high = trimesh.load_scene(out / "asset.glb").bounds
    assert low[1] == pytest.approx(0, abs=1e-6)
    assert high - low == pytest.approx([2, 4, 6], rel=1e-5)


def test_a_budget_that_is_not_met_has_its_own_exit_code(
    box: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["--max-triangles", "11", "--out", str(out), "--json"]
    assert main(["process", str(box), *arguments]) == ExitCode.CHECK_FAILED
    processed, saved = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    check = next(c for c in processed["report"]["checks"] if c["name"] == "max_triangles")
    assert (check["asked"], check["measured"], check["passed"]) == (11, 12, False)
    assert all(Path(file["path"]).stat().st_size == file["size_bytes"] for file in saved["files"])


def test_a_file_that_is_no_glb_fails_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.glb").write_bytes(b"no GLB at all")
    assert main(["process", str(tmp_path / "x.glb"), "--json"]) == ExitCode.JOB_FAILED
    assert json.loads(capsys.readouterr().out)["reason"] == "ASSET_INVALID"


def test_an_impossible_option_names_its_field(
    box: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["process", str(box), "--height-m", "-1", "--json"]) == ExitCode.USAGE
    line = json.loads(capsys.readouterr().out)
    assert [violation["field"] for violation in line["violations"]] == ["processing.height_m"]


def test_the_demo_can_never_cost_money() -> None:
    """Keys and gateways that the caller has set do not reach its server."""
    inherited = {"PATH": "/bin", "PIXAZO_API_KEY": "k", "SEGMIND_API_KEY": "k"}
    inherited |= {"ASSETWRIGHT_GATEWAY": "live", "ASSETWRIGHT_PIXAZO_URL": "https://x"}
    assert _environment(inherited) == {"PATH": "/bin", "ASSETWRIGHT_GATEWAY": "sandbox"}


@pytest.fixture
def sandbox() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "assetwright", "sandbox", "--port", "0"]
    with subprocess.Popen(  # noqa: S603  # Ourselves.
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ
    ) as child:
        yield child
        child.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_the_sandbox_runs_until_it_is_told_to_stop(sandbox: subprocess.Popen[str]) -> None:
    assert sandbox.stdout is not None
    assert sandbox.stdout.readline().startswith("assetwright sandbox ready http://127.0.0.1:")
    sandbox.send_signal(signal.SIGTERM)
    assert sandbox.wait(20) == ExitCode.OK


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_reader_that_leaves_is_no_error() -> None:
    """As ``assetwright ... | head`` does."""
    program = "import sys; from assetwright.cli import main; sys.exit(main(sys.argv[1:]))"
    with subprocess.Popen(  # noqa: S603  # Ourselves.
        [sys.executable, "-c", program, "models", "--json", *NOWHERE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(20) in (ExitCode.DETACHED, ExitCode.UNREACHABLE)
