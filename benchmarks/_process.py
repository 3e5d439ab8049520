"""Child processes: started, spoken to by lines, measured through /proc, and ended by their id."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Child", "ChildFailed", "child"]

_HERE = Path(__file__).parent
_LIFE_S = 300.0  # No child lives longer, whatever happens.
_STOP_S = 15.0
_USER, _SYSTEM = 11, 12  # Places in /proc/PID/stat after the name: utime and stime.
_TICKS = os.sysconf("SC_CLK_TCK")


class ChildFailed(Exception):
    """A child ended, or said nothing, where an answer was expected."""


class Child:
    """A running process that answers lines with lines."""

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self._process = process
        self._name = name

    def line(self) -> str:
        """Return the next line that the child prints.

        Raises:
            ChildFailed: It ended instead.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ChildFailed(f"{self._name} ended without an answer")
        return line.strip()

    def answer(self) -> Any:  # noqa: ANN401 - JSON
        """Return the next line, which is JSON."""
        return json.loads(self.line())

    def ask(self, request: str) -> Any:  # noqa: ANN401 - JSON
        """Send a line and return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(request + "\n")
        self._process.stdin.flush()
        return self.answer()

    @property
    def cpu_s(self) -> float:
        """The processor time that the process, not its children, has used."""
        text = Path(f"/proc/{self._process.pid}/stat").read_text()
        places = text.rpartition(")")[2].split()
        return (int(places[_USER]) + int(places[_SYSTEM])) / _TICKS

    @property
    def own_bytes(self) -> int:
        """Return the memory that is its own: without files that are mapped, which all share."""
        return self._status("RssAnon") * 1024

    @property
    def rss_bytes(self) -> int:
        """Resident memory."""
        return self._status("VmRSS") * 1024

    @property
    def threads(self) -> int:
        """Number of threads."""
        return self._status("Threads")

    def _status(self, field: str) -> int:
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == field:
                return int(value.split()[0])
        raise ChildFailed(f"{self._name}: /proc has no {field}")


@contextlib.contextmanager
def child(
    *arguments: str | Path,
    environment: Mapping[str, str] | None = None,
    life_s: float = _LIFE_S,
) -> Iterator[Child]:
    """Run Python with these arguments for as long as the context is open, at most `life_s`.

    A first argument that begins with `_` is a script of this folder. When the context ends in an
    error, what the child wrote to standard error is shown.
    """
    words = [str(word) for word in arguments]
    name = " ".join(words[:2])
    if words[0].startswith("_"):
        words[0] = str(_HERE / words[0])
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own scripts
            [sys.executable, *words],
            cwd=_HERE.parent,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        watchdog = threading.Timer(life_s, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield Child(process, name)
        except BaseException:
            errors.seek(0)
            sys.stderr.write(errors.read())
            raise
        finally:
            watchdog.cancel()
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """End a child politely, then surely."""
    process.terminate()
    try:
        process.communicate(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
