"""Take the screenshots of docs/godot.md: a real Godot editor, a real server with its sandbox.

    xvfb-run -s "-screen 0 1600x900x24" python tools/godot_screenshots.py [FOLDER]

Needs a display, which may be virtual, and .tools/godot (`make godot`). Look at what came out.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "godot"))

from editing import a_server, play  # noqa: E402  # The path above is theirs.
from godot_program import Godot  # noqa: E402

TARGET = ROOT / "docs" / "images" / "godot"


class Windowed(Godot):
    """Godot with a window, drawn in software."""

    def command(self, *arguments: str | Path) -> list[str]:
        """Return the command line of a run with a window."""
        return [
            self.program,
            *("--audio-driver", "Dummy", "--resolution", "1600x900"),
            *("--rendering-method", "gl_compatibility", "--rendering-driver", "opengl3"),
            *("--path", str(self.project)),
            *map(str, arguments),
        ]

    def troubles(self, said: str) -> list[str]:
        """Return the lines that tell of an error; that there is no Vulkan is none."""
        return [line for line in super().troubles(said) if line.startswith("SCRIPT ERROR")]


def main() -> int:
    """Take them."""
    target = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else TARGET
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "addons" / "godot", folder / "project")
        (folder / "home").mkdir()
        program = str(ROOT / ".tools" / "godot" / "godot")
        godot = Windowed(program, folder / "project", folder / "home")
        with a_server(folder / "server", ASSETWRIGHT_SANDBOX_WORK_S="4") as server:
            play(godot, "pictures", server.http, SHOTS=str(target), LIBGL_ALWAYS_SOFTWARE="1")
    return 0


if __name__ == "__main__":
    sys.exit(main())
