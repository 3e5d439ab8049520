"""A server on this computer, for those who have the `assetwright` program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["LocalServer", "NotInstalledError"]

_READY = re.compile(r"assetwright ready .*\bhttp=(\S+)")
_STOP_S = 10.0
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open a console.
_WORDS = 2_000


class NotInstalledError(Exception):
    """There is no such program."""


class LocalServer:
    """The program `assetwright serve`, while it runs.

    It ends when its standard input closes, so also when the editor is killed.

    Args:
        program: Its name on the PATH, or its path; `~` is the home folder.
        log: The file that what it says on standard error is written to, anew at each start.
        ready: Called with the HTTP address, in another thread.
        ended: Called with the exit status and its last words, in another thread; not after `stop`.

    Raises:
        NotInstalledError: There is no such program.
        OSError: It cannot be started, or the log cannot be written.
    """

    def __init__(
        self,
        program: str,
        *,
        log: Path,
        ready: Callable[[str], None],
        ended: Callable[[int, str], None],
    ) -> None:
        found = shutil.which(os.path.expanduser(program))  # noqa: PTH111  # Not always a path.
        if found is None:
            raise NotInstalledError(program)
        self._stopping = False
        with log.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603  # The program the preferences name.
                [found, "serve", "--until-stdin-closes"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                creationflags=_NO_WINDOW,
            )

        def read() -> None:
            assert self._process.stdout is not None  # noqa: S101  # It is a pipe.
            with self._process.stdout as lines:
                for line in lines:
                    match = _READY.search(line)
                    if match and not self._stopping:
                        ready(match[1])
            status = self._process.wait()
            if not self._stopping:
                ended(status, log.read_text(encoding="utf-8", errors="replace")[-_WORDS:].strip())

        self._reader = threading.Thread(target=read, name="assetwright local server", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def stop(self) -> None:
        """End it and wait for that; paid jobs are on its disk and go on with its next start."""
        self._stopping = True
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(_STOP_S)
