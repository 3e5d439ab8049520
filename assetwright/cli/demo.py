"""``assetwright demo``: a picture becomes a checked GLB, with no key and no network."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from assetwright.cli._arguments import Parser
from assetwright.cli._exit import ExitCode, MissingExtra
from assetwright.cli.generate import fill_generate, run_generate
from assetwright.errors import ServerUnavailable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from assetwright.cli._arguments import Commands
    from assetwright.cli._ui import Ui

__all__ = ["add_to"]

_PICTURE = Path(__file__).parent / "demo.png"
_START_S = 60.0
_STOP_S = 30.0
_READY = "assetwright ready "
# Whatever the caller has set, the demo neither pays nor asks for a token.
_LEFT_OUT = ("ASSETWRIGHT_", "PIXAZO_", "SEGMIND_")
# A vertex budget for the generator, which comes to about twice as many triangles.
_REQUEST = (
    *("--set", "decimation_target=20000", "--set", "texture_size=2048"),
    *("--height-m", "1.2", "--pivot", "base", "--max-triangles", "50000"),
    *("--label", "demo=1"),
)


def add_to(commands: Commands) -> None:
    """Add the command."""
    demo = commands.add_parser("demo", help="turn a picture into a checked GLB, free")
    demo.add_argument(
        "--out", type=Path, default=Path("out/demo"), metavar="DIR", help="out/demo otherwise"
    )
    demo.add_argument(
        "--picture", type=Path, default=_PICTURE, metavar="FILE", help="another picture"
    )
    demo.add_argument("--json", action="store_true", help="write one JSON object a line")
    demo.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    ui.say("Starting a server with the sandbox as its gateway.")
    with tempfile.TemporaryDirectory(prefix="assetwright-demo-") as name, _server(Path(name)) as at:
        code = _generate(arguments, ui, server=at)
    ui.show(
        "This is a sandbox result: a real mesh made here from the picture's silhouette, not a "
        "model's work. With a provider's key, `assetwright serve` buys real ones."
    )
    return code


def _generate(arguments: argparse.Namespace, ui: Ui, *, server: str) -> ExitCode:
    """Do what the command ``generate`` does with these arguments."""
    words = ["pixal3d", "--image", str(arguments.picture), "--out", str(arguments.out)]
    parser = Parser(prog="assetwright demo")
    fill_generate(parser)
    return run_generate(parser.parse_args([*words, "--server", server, *_REQUEST]), ui)


@dataclass(frozen=True, slots=True)
class _Ready:
    grpc: str
    gateway: str

    @classmethod
    def parse(cls, line: str) -> _Ready:
        """Read ``assetwright ready grpc=HOST:PORT http=HOST:PORT gateway=NAME``."""
        words = dict(word.split("=", 1) for word in line.removeprefix(_READY).split())
        return cls(grpc=words["grpc"], gateway=words["gateway"])


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """Run the real server in a process of its own, and give its gRPC address.

    Raises:
        MissingExtra: The server is not installed.
        ServerUnavailable: It does not start; the message has its last words.
    """
    log = folder / "server.log"
    command = [sys.executable, "-m", "assetwright", "serve", "--grpc", "127.0.0.1:0"]
    command += ["--http", "127.0.0.1:0", "--data-dir", str(folder / "data")]
    with log.open("wb") as stderr:
        child = subprocess.Popen(  # noqa: S603  # Ourselves.
            command, env=_environment(os.environ), stdout=subprocess.PIPE, stderr=stderr, text=True
        )
        try:
            ready = _wait_until_ready(child, log)
            if ready.gateway != "sandbox":
                raise ServerUnavailable("The server did not start with the sandbox as its gateway.")
            yield ready.grpc
        finally:
            _stop(child)


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in inherited.items() if not k.startswith(_LEFT_OUT)}
    return kept | {"ASSETWRIGHT_GATEWAY": "sandbox"}


def _wait_until_ready(child: subprocess.Popen[str], log: Path) -> _Ready:
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    assert child.stdout is not None, "The child was started with a pipe."  # noqa: S101
    # A thread, since a pipe cannot be read with a time limit on every platform. It ends with the
    # child, and keeps the pipe from filling up until then.
    reader = threading.Thread(
        target=_read_lines, args=(child.stdout, lines), name="server output", daemon=True
    )
    reader.start()
    deadline = time.monotonic() + _START_S
    while True:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise ServerUnavailable(f"The server is not ready after {_START_S:.0f} s.") from None
        if line is None:
            raise _not_started(child.wait(), log)
        if line.startswith(_READY):
            return _Ready.parse(line)


def _read_lines(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _not_started(code: int, log: Path) -> MissingExtra | ServerUnavailable:
    last_words = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    if code == ExitCode.EXTRA_MISSING:
        return MissingExtra('The demo runs the server: pip install "assetwright[server]".')
    return ServerUnavailable(f"The server ended with code {code}:\n{last_words}")


def _stop(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
