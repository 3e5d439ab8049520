"""A server that can be killed and started again, and scenarios played against it in the editor."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from godot_program import Godot

_ROOT = Path(__file__).parents[2]
_DRIVER = Path(__file__).parent / "driver"
_PICTURE = _ROOT / "assetwright" / "cli" / "demo.png"
_READY = re.compile(r"assetwright ready grpc=\S+ http=(?P<http>\S+) gateway=\w+\n")
_OVER = re.compile(r"^scenario over: ([1-9]\d*) checks$", re.MULTILINE)
_ENABLED = (
    'enabled=PackedStringArray("res://addons/assetwright/plugin.cfg", '
    '"res://addons/assetwright_test/plugin.cfg")'
)
_START_S = 90.0
_STOP_S = 15.0
_PLAY_S = 280.0


@dataclass(slots=True)
class Server:
    """A server in a process of its own, always on the same folder and, once started, port."""

    folder: Path
    more: dict[str, str] = field(default_factory=dict)
    http: str = "127.0.0.1:0"
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready."""
        ours = {
            "ASSETWRIGHT_GRPC": "127.0.0.1:0",
            "ASSETWRIGHT_HTTP": self.http,
            "ASSETWRIGHT_DATA_DIR": str(self.folder / "data"),
            "ASSETWRIGHT_GATEWAY": "sandbox",
            "ASSETWRIGHT_SANDBOX_QUEUE_S": "0.1",
            "ASSETWRIGHT_SANDBOX_WORK_S": "0.1",
            "ASSETWRIGHT_POLL_MIN_S": "0.2",
            "ASSETWRIGHT_POLL_MAX_S": "0.4",
        }
        foreign = ("ASSETWRIGHT_", "PIXAZO_", "SEGMIND_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "server"],
                cwd=_ROOT,
                env=kept | ours | self.more,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        waiting, _, _ = select.select([self.process.stdout], [], [], _START_S)
        ready = _READY.fullmatch(self.process.stdout.readline()) if waiting else None
        assert ready, (self.folder / "log").read_text()
        self.http = ready["http"]

    def kill(self) -> None:
        """End it at once, with everything that it started."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(_STOP_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None


@contextlib.contextmanager
def a_server(folder: Path, **more: str) -> Iterator[Server]:
    """Run a server on a folder; it is killed at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(folder, more)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def install_driver(godot: Godot) -> None:
    """Put the scenarios into the project and enable both plugins."""
    driver = godot.project / "addons" / "assetwright_test"
    shutil.copytree(_DRIVER, driver, dirs_exist_ok=True)
    settings = godot.project / "project.godot"
    settings.write_text(re.sub(r"(?m)^enabled=.*$", _ENABLED, settings.read_text()))


def play(
    godot: Godot,
    scenario: str,
    server: str,
    wishes: Mapping[str, Callable[[], None]] | None = None,
    **more: str,
) -> str:
    """Play a scenario in the editor; each of its checks has to hold, and none may be missing."""
    install_driver(godot)
    said = godot.run_granting(
        wishes or {},
        "--editor",
        SCENARIO=scenario,
        SERVER=f"http://{server}",
        timeout_s=_PLAY_S,
        PICTURE=str(_PICTURE),
        **more,
    )
    assert _OVER.search(said), said
    assert "FAILED " not in said, said
    return said
