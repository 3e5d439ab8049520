"""What a command writes: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Column, Table

from assetwright.cli import _words
from assetwright.cli._json import plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from assetwright.cli._exit import ExitCode
    from assetwright.errors import AssetwrightError

__all__ = ["Ui", "table"]


class Ui:
    """Two consoles that take nothing they print for markup: it may come from anywhere.

    Args:
        json_lines: Write one JSON object a line on stdout, and nothing else there.
        out: Where results go; None for stdout.
        err: Where everything else goes; None for stderr.
    """

    def __init__(
        self, *, json_lines: bool, out: TextIO | None = None, err: TextIO | None = None
    ) -> None:
        self.json_lines = json_lines
        self._out = out or sys.stdout
        self._console = _console(self._out)
        self.stderr = _console(err or sys.stderr)
        self.following: tuple[str, int] | None = None

    def record(self, value: object, **more: object) -> None:
        """Write a JSON line; nothing for people."""
        if self.json_lines:
            body = plain(value)
            line = (body if isinstance(body, dict) else {}) | {
                key: plain(part) for key, part in more.items()
            }
            self._out.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._out.flush()

    def show(self, *renderables: RenderableType) -> None:
        """Write for people; nothing with JSON lines."""
        if not self.json_lines:
            for renderable in renderables:
                self._console.print(renderable)

    def say(self, text: str) -> None:
        """Write a line beside the result."""
        if not self.json_lines:
            self.stderr.print(text)

    def fail(
        self, message: str, code: ExitCode, *, error: AssetwrightError | None = None, remedy: str
    ) -> ExitCode:
        """Write what went wrong, every wrong field, and what to do; return the code."""
        violations = error.violations if error else ()
        reason = error.reason.value if error else "UNKNOWN"
        self.record(
            {"kind": "error", "exit_code": int(code), "reason": reason, "message": message},
            violations=[plain(violation) for violation in violations],
            metadata=error.metadata if error else {},
            remedy=remedy,
        )
        if any(violation.message and violation.message in message for violation in violations):
            message = "The request is wrong."  # The lines below say the same, field by field.
        self.say(f"error: {message}" if reason == "UNKNOWN" else f"error: {message} ({reason})")
        for violation in violations:
            self.say(f"  {violation.field}: {violation.message}")
        if remedy:
            self.say(f"what to do: {remedy}")
        return code

    def fail_with(self, error: AssetwrightError, code: ExitCode, *, remedy: str = "") -> ExitCode:
        """Write an error of ours as `fail` does."""
        return self.fail(str(error), code, error=error, remedy=remedy or _words.remedy(error))


def table(*headers: str, whole: int = 1) -> Table:
    """Return a table whose first columns, which name things, are never cut."""
    names = (Column(header, no_wrap=True) for header in headers[:whole])
    return Table(*names, *(Column(header, overflow="fold") for header in headers[whole:]))


def _console(file: TextIO) -> Console:
    # Soft wrap, so that a long path stays one line that can be copied.
    return Console(file=file, markup=False, highlight=False, emoji=False, soft_wrap=True)
