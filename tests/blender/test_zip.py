"""The extension's zip: small, reproducible, valid, and without anything to compile."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
sys.path.insert(0, str(Path(__file__).parents[1]))

import build_addons
from conftest import need

_ROOT = Path(__file__).parents[2]
_TOOL = "lib/python*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"
_BLENDERS = {"bpy", "mathutils", "numpy"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_addons.build_blender(tmp_path_factory.mktemp("zip"))


def _modules(archive: Path) -> Iterator[tuple[str, ast.Module]]:
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            if name.endswith(".py"):
                yield name, ast.parse(opened.read(name), name, feature_version=(3, 11))


def _imports(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_it_is_small_and_the_same_each_time(archive: Path, tmp_path: Path) -> None:
    assert archive.stat().st_size < build_addons.MOST_BYTES
    assert build_addons.build_blender(tmp_path).read_bytes() == archive.read_bytes()


def test_it_holds_the_manifest_the_licence_and_plain_files(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        manifest = tomllib.loads(opened.read("blender_manifest.toml").decode())
    assert {"__init__.py", "LICENSE", "core/words.json"} <= set(names)
    assert {Path(name).suffix for name in names} <= {".py", ".json", ".toml", ""}
    assert manifest["id"] == "assetwright"
    assert manifest["blender_version_min"] == "4.2.0"
    assert len(manifest["tagline"]) <= 64
    assert "wheels" not in manifest
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert manifest["version"] == project["version"]


def test_it_needs_nothing_that_is_not_in_python_or_blender(archive: Path) -> None:
    for name, tree in _modules(archive):
        allowed = set(sys.stdlib_module_names)
        if name.startswith("shell/"):  # The threads' code knows no Blender at all.
            allowed |= _BLENDERS
        assert _imports(tree) <= allowed, name


@pytest.mark.parametrize("version", ["4.2", "5.0"])
def test_blenders_own_tool_finds_it_valid(archive: Path, version: str) -> None:
    found = sorted((_ROOT / ".tools").glob(f"bpy-{version}*/.made"))
    need(found, f"needs Blender {version} as a module; `make test-blender` fetches it")
    home = found[0].parent
    (tool,) = home.glob(
        "lib/python*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py"
    )
    command = [home / "bin" / "python", tool, "validate", archive]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # Ours.
    assert done.returncode == 0, done.stdout + done.stderr
