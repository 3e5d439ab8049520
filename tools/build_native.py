"""Compile each C file of asset_processing/native to the WebAssembly module beside it.

The compiler is clang as the PyPI package ziglang brings it, in one version for everybody, so that
the same source gives the same bytes on every machine. A module carries its source's hash; a test
compares the two, and ``--check`` compiles again and compares every byte.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_FOLDER = _ROOT / "asset_processing" / "native"
_COMPILER = "ziglang==0.17.1"
_FLAGS = (
    "--target=wasm32-freestanding",
    "-mcpu=baseline+simd128+bulk_memory",
    "-O3",
    "-std=c11",
    "-ffreestanding",
    "-fno-builtin",
    "-nostdlib",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wl,--no-entry",
    "-Wl,--strip-all",
    "-Wl,-z,stack-size=65536",
)


def compiler() -> Path:
    """Return the Python that has the compiler; installed in .tools where it is missing."""
    folder = _ROOT / ".tools" / _COMPILER.replace("==", "-")
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not (folder / ".ready").exists():
        venv.create(folder, with_pip=True)
        install = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run((*install, _COMPILER), check=True)
        (folder / ".ready").touch()
    return python


def build(source: Path) -> bytes:
    """Return a compiled module."""
    shared = (_FOLDER / "memory.h").read_bytes()
    digest = int(hashlib.sha256(source.read_bytes() + shared).hexdigest()[:8], 16)
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "module.wasm"
        command = (compiler(), "-m", "ziglang", "cc", *_FLAGS, f"-DSOURCE_HASH={digest}u")
        # Relative, so that no path of this machine gets into the module.
        subprocess.run((*command, source.name, "-o", output), check=True, cwd=_FOLDER)
        return output.read_bytes()


def main() -> int:
    """Write the modules, or tell whether they are what the sources give."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="compare, write nothing")
    checking = arguments.parse_args().check
    stale = 0
    for source in sorted(_FOLDER.glob("*.c")):
        path = source.with_suffix(".wasm")
        module = build(source)
        if not checking:
            path.write_bytes(module)
            print(f"wrote {path.relative_to(_ROOT)}, {len(module)} bytes")
        elif path.read_bytes() != module:
            print(f"{path.name} is not what {source.name} gives; run make native")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
