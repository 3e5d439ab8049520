"""A server on this computer, for those who have the `assetwright` program."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LocalServer", "NotInstalledError"]

_READY = re.compile(r"assetwright ready .*\bhttp=(\S+)")
_STOP_S = 10.0


class NotInstalledError(Exception):
    """There is no such program."""


class LocalServer:
    """The program `assetwright serve`, while it runs.

    Args:
        program: Its name on the PATH, or its path.
        ready: Called with the HTTP address, in another thread.
        ended: Called with the exit status, in another thread.

    Raises:
        NotInstalledError: There is no such program.
        OSError: It cannot be started.
    """

    def __init__(
        self, program: str, *, ready: Callable[[str], None], ended: Callable[[int], None]
    ) -> None:
        found = shutil.which(program)
        if found is None:
            raise NotInstalledError(program)
        self._process = subprocess.Popen(  # noqa: S603  # The program that the preferences name.
            [found, "serve"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

        def read() -> None:
            assert self._process.stdout is not None  # noqa: S101  # It is a pipe.
            for line in self._process.stdout:
                if match := _READY.search(line):
                    ready(match[1])
            ended(self._process.wait())

        threading.Thread(target=read, name="assetwright local server", daemon=True).start()

    def stop(self) -> None:
        """Ask it to end; paid jobs are on its disk and go on with its next start."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
