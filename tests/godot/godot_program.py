"""Godot as the tests run it: in a copy of the plugin's project, and tolerating no error."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HERE = Path(__file__).parent
# Godot ends with 0 although a script broke off, so its words decide.
_PROGRESS = re.compile(r"(?m)^(?:\[ .*%.*|\x1b\[.*)\n")
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
        programs = {"PATH": f"{self.home / 'bin'}{os.pathsep}{os.defpath}"}
        return kept | ours | programs | {"HOME": str(self.home)} | more

    def troubles(self, said: str) -> list[str]:
        """Return the lines that tell of an error."""
        return _TROUBLE.findall(said)

    def run(self, *arguments: str | Path, timeout_s: float = 120, **more: str) -> str:
        """Run to the end and return what was printed; any error of a script fails the test."""
        return self.run_granting({}, *arguments, timeout_s=timeout_s, **more)

    def run_granting(
        self,
        wishes: Mapping[str, Callable[[], None]],
        *arguments: str | Path,
        timeout_s: float = 120,
        **more: str,
    ) -> str:
        """Run as `run` does, and do what the script asks for by a file in the folder WISHES."""
        folder = self.home / "wishes"
        folder.mkdir(exist_ok=True)
        said = self.home / "said"
        with (
            said.open("w") as out,
            subprocess.Popen(  # noqa: S603  # Ours.
                self.command(*arguments),
                env=self.environment(WISHES=str(folder), **more),
                stdout=out,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            deadline = time.monotonic() + timeout_s
            while process.poll() is None:
                if time.monotonic() > deadline:
                    process.kill()
                for name, grant in wishes.items():
                    if (folder / name).exists():
                        grant()
                        (folder / name).rename(folder / f"{name}.done")
                time.sleep(0.05)
        text = _PROGRESS.sub("", said.read_text())
        sys.stdout.write(text)
        assert self.troubles(text) == [], text
        assert process.returncode == 0, text
        return text

    def script(
        self,
        name: str,
        *arguments: str | Path,
        wishes: Mapping[str, Callable[[], None]] | None = None,
        timeout_s: float = 120,
    ) -> str:
        """Run a script of this folder, without the editor."""
        command = ("--script", _HERE / name, "--", *arguments)
        return self.run_granting(wishes or {}, *command, timeout_s=timeout_s)
