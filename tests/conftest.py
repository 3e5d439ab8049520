"""What tests of several folders share: Node's programs, and a real server in a process of its own.

Some tests need a program that a machine may lack. There they are skipped with the reason, but where
`CI` is set they fail: what a green run did not run, it did not show.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import grpc
import pytest

from assetwright.v1.asset_service_pb2_grpc import AssetServiceStub
from assetwright.v1.generation_service_pb2_grpc import GenerationServiceStub

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

ROOT = Path(__file__).parents[1]
_NODE = ROOT / "tests" / "node"
_READY = re.compile(r"assetwright ready grpc=(?P<grpc>\S+) http=(?P<http>\S+) gateway=sandbox\n")
_START_S = 30.0
_STOP_S = 15.0


def need(thing: object, reason: str) -> None:
    """Skip the test where the thing is missing (None or empty); under CI fail it."""
    if not thing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


@dataclass(frozen=True, slots=True)
class Node:
    """Runs the programs in tests/node."""

    program: str

    def run(self, script: str, *arguments: str | Path) -> list[dict[str, Any]]:
        """Run a script to its end and return the lines of JSON that it printed."""
        command = [self.program, _NODE / script, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)  # noqa: S603  # Ours.
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def validate(self, *files: Path) -> list[dict[str, Any]]:
        """Return what Khronos' validator says about each file."""
        return self.run("validate.mjs", *files)


@pytest.fixture(scope="session")
def node() -> Node:
    program = shutil.which("node")
    need(program, "needs Node on the PATH")
    need((_NODE / "node_modules").is_dir(), "needs tests/node/node_modules; `make test` makes it")
    return Node(str(program))


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its addresses, and stubs over a channel with gRPC's own defaults."""

    grpc: str
    http: str
    generation: GenerationServiceStub
    assets: AssetServiceStub

    @classmethod
    @contextlib.contextmanager
    def reached(cls, address: str, http: str) -> Iterator[Self]:
        with grpc.insecure_channel(address) as channel:
            yield cls(address, http, GenerationServiceStub(channel), AssetServiceStub(channel))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """Share one server between the tests; it has to end cleanly when they are done."""
    if sys.platform == "win32":
        pytest.skip("needs SIGTERM and process groups")
    folder = tmp_path_factory.mktemp("server")
    with (folder / "log").open("wb") as log, _process(folder, log) as process:
        ready = _READY.fullmatch(_first_line(process))
        assert ready, (folder / "log").read_text()
        with Server.reached(ready["grpc"], ready["http"]) as reached:
            yield reached
        process.terminate()
        assert process.wait(_STOP_S) == 0, (folder / "log").read_text()
        _wait_until_gone(process.pid)
        assert "Traceback" not in (folder / "log").read_text()


@contextlib.contextmanager
def _process(folder: Path, log: object) -> Iterator[subprocess.Popen[str]]:
    """Start a server that knows no key and none of this shell's settings."""
    ours = {
        "ASSETWRIGHT_GRPC": "127.0.0.1:0",
        "ASSETWRIGHT_HTTP": "127.0.0.1:0",
        "ASSETWRIGHT_DATA_DIR": str(folder / "data"),
        "ASSETWRIGHT_GATEWAY": "sandbox",
        "ASSETWRIGHT_SANDBOX_QUEUE_S": "0.1",
        "ASSETWRIGHT_SANDBOX_WORK_S": "0.1",
        "ASSETWRIGHT_POLL_MIN_S": "0.2",
        "ASSETWRIGHT_POLL_MAX_S": "0.4",
    }
    foreign = ("ASSETWRIGHT_", "PIXAZO_", "SEGMIND_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    with subprocess.Popen(
        [sys.executable, "-m", "server"],
        cwd=ROOT,
        env=kept | ours,
        stdout=subprocess.PIPE,
        stderr=log,  # type: ignore[arg-type]  # An open file.
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    waiting, _, _ = select.select([process.stdout], [], [], _START_S)
    return process.stdout.readline() if waiting else ""


def _wait_until_gone(group: int) -> None:
    """Wait until nothing is left of a process and of the workers it started."""
    deadline = time.monotonic() + _STOP_S
    while _lives(group):
        assert time.monotonic() < deadline, "The server left processes behind."
        time.sleep(0.05)


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    # Ended processes count until init notices, which it never does in some containers.
    stats = [_stat(path) for path in Path("/proc").glob("[0-9]*/stat")]
    members = [state for state, _, its_group, *_ in stats if its_group == str(group)]
    return not stats or any(state != "Z" for state in members)


def _stat(path: Path) -> list[str]:
    """Return state, parent, group and so on, which stand after the name in brackets."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return path.read_text().rpartition(")")[2].split()
    return ["Z", "", ""]
