"""Godot as the tests run it: in a copy of the plugin's project, and tolerating no error."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
# Godot ends with 0 although a script broke off, so its words decide.
_TROUBLE = re.compile(r"^(?:SCRIPT ERROR|ERROR|USER ERROR).*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Godot:
    """Runs Godot in one project, with a home of its own."""

    program: str
    project: Path
    home: Path

    def command(self, *arguments: str | Path) -> list[str]:
        """Return the command line of a headless run."""
        return [
            self.program,
            "--headless",
            "--audio-driver",
            "Dummy",
            "--path",
            str(self.project),
            *map(str, arguments),
        ]

    def environment(self, **more: str) -> dict[str, str]:
        """Return an environment in which nothing of this user's is seen or changed."""
        kept = {name: value for name, value in os.environ.items() if "ASSETWRIGHT" not in name}
        folders = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
        ours = {name: str(self.home / name.lower()) for name in folders}
        return kept | ours | {"HOME": str(self.home)} | more

    def run(self, *arguments: str | Path, timeout_s: float = 120, **more: str) -> str:
        """Run to the end and return what was printed; any error of a script fails the test."""
        done = subprocess.run(  # noqa: S603  # Ours.
            self.command(*arguments),
            env=self.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert _TROUBLE.findall(done.stdout) == [], done.stdout
        assert done.returncode == 0, done.stdout
        return done.stdout

    def script(self, name: str, *arguments: str | Path, timeout_s: float = 120) -> str:
        """Run a script of this folder, without the editor."""
        return self.run("--script", _HERE / name, "--", *arguments, timeout_s=timeout_s)
