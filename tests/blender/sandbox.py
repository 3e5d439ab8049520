"""A server with the sandbox, in a process that a test may kill and start again."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_READY = re.compile(r"assetwright ready grpc=(\S+) http=(\S+) gateway=sandbox\n")
_START_S, _STOP_S = 90.0, 30.0


@dataclass
class Sandbox:
    """The server's process and addresses.

    Attributes:
        folder: Its data; what outlives it.
        work_s: How long a generation takes.
        settings: Further settings.
    """

    folder: Path
    work_s: float = 0.2
    settings: dict[str, str] = field(default_factory=dict)
    grpc: str = "127.0.0.1:0"
    http: str = "127.0.0.1:0"
    _process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, at the addresses that it had before."""
        ours = self.settings | {
            "ASSETWRIGHT_GRPC": self.grpc,
            "ASSETWRIGHT_HTTP": self.http,
            "ASSETWRIGHT_DATA_DIR": str(self.folder / "data"),
            "ASSETWRIGHT_GATEWAY": "sandbox",
            "ASSETWRIGHT_SANDBOX_QUEUE_S": "0.1",
            "ASSETWRIGHT_SANDBOX_WORK_S": str(self.work_s),
            "ASSETWRIGHT_POLL_MIN_S": "0.1",
            "ASSETWRIGHT_POLL_MAX_S": "0.2",
        }
        foreign = ("ASSETWRIGHT_", "PIXAZO_", "SEGMIND_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # Ours.
                [sys.executable, "-m", "server"],
                cwd=_ROOT,
                env=kept | ours,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        waiting, _, _ = select.select([self._process.stdout], [], [], _START_S)
        ready = _READY.fullmatch(self._process.stdout.readline() if waiting else "")
        assert ready, (self.folder / "log").read_text()
        self.grpc, self.http = ready[1], ready[2]

    def kill(self) -> None:
        """Kill it and its workers, without a word."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_STOP_S)
        self._close()

    def stop(self) -> None:
        """End it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            assert self._process.wait(_STOP_S) == 0, (self.folder / "log").read_text()
        finally:
            self.kill() if self._process else None

    def _close(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
