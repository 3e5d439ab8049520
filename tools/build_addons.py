"""Build the editors' plugins: dist/assetwright-blender-VERSION.zip.

The archive is the same for the same files: names in order, no times, no owners. It has the code as
it stands here, but for the docstrings of functions, a fifth of its size; those of classes are
Blender's tooltips.

    python tools/build_addons.py
"""

from __future__ import annotations

import ast
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTENSION = ROOT / "addons/blender/assetwright_blender"
DIST = ROOT / "dist"
MOST_BYTES = 60_000
_EPOCH = (1980, 1, 1, 0, 0, 0)


def build_blender(folder: Path) -> Path:
    """Write the Blender extension's zip into the folder and return its path."""
    manifest = tomllib.loads((EXTENSION / "blender_manifest.toml").read_text(encoding="utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"assetwright-blender-{manifest['version']}.zip"
    files = {
        path.relative_to(EXTENSION).as_posix(): path
        for path in EXTENSION.rglob("*")
        if path.suffix in {".py", ".json", ".toml"} and "__pycache__" not in path.parts
    }
    files["LICENSE"] = ROOT / "LICENSE"
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            data = files[name].read_bytes()
            if name.endswith(".py"):
                data = without_docstrings(data.decode()).encode()
            archive.writestr(info, data, compresslevel=9)
    return out


def without_docstrings(source: str) -> str:
    """Return a module's source without its functions' docstrings."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef) or len(node.body) == 1:
            continue
        first = node.body[0]
        if ast.get_docstring(node) is not None and first.end_lineno is not None:
            lines[first.lineno - 1 : first.end_lineno] = [""] * (
                first.end_lineno - first.lineno + 1
            )
    return "".join(lines)


def main() -> int:
    """Build, and fail where the result is too large."""
    out = build_blender(DIST)
    size = out.stat().st_size
    print(f"{out.relative_to(ROOT)}: {size:,} bytes")
    if size > MOST_BYTES:
        print(f"That is more than {MOST_BYTES:,}.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
