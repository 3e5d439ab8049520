"""The tree itself: what is tracked names no machine and no registry, and agrees with itself."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

import assetwright

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).parents[1]
_PACKAGES = ("assetwright", "server", "asset_processing")
_GENERATED = _ROOT / "assetwright" / "v1"
_NODE = _ROOT / "tests" / "node"

# A path that begins here, not one that goes on, such as https://host/home/ or a relative one.
_MACHINE_PATH = re.compile(r"(?<![\w./~}\])])/(?:work|root|opt|home|Users)/\w")
_INDEX = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|registry\.yarnpkg")
_PINNED = re.compile(r"[a-z0-9._-]+==[0-9][\w.!+]*( ; [^/]+)?")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every tracked file that is text, by its path."""
    git = shutil.which("git")
    if git is None or not (_ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    listed = subprocess.run(  # noqa: S603  # Ours.
        [git, "ls-files", "-z"], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    found = {}
    for name in listed.stdout.rstrip("\0").split("\0"):
        path = _ROOT / name
        data = path.read_bytes() if path.is_file() else b""
        if b"\0" not in data[:8192]:
            found[name] = data.decode()
    return found


def _matches(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_the_patterns_find_what_they_are_for() -> None:
    home = PurePosixPath("/", "home", "someone")
    assert _MACHINE_PATH.search(f'open("{home}")')
    assert not _MACHINE_PATH.search(f"https://example.org{home}")
    hosts = _INDEX.pattern.replace("\\", "").split("|")
    assert all(_INDEX.search(f"--index-url https://{host}/simple") for host in hosts)


def test_no_tracked_file_names_a_path_of_one_machine(texts: dict[str, str]) -> None:
    assert _matches(_MACHINE_PATH, texts) == []


def test_no_tracked_file_names_a_package_index(texts: dict[str, str]) -> None:
    """Where packages come from is the machine's business; the hashes and versions are ours."""
    assert _matches(_INDEX, texts) == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_python_lock_holds_pinned_names_and_nothing_else(lock: str) -> None:
    """So no option, no address and no local file."""
    lines = (_ROOT / lock).read_text().splitlines()
    entries = [line for line in lines if line and not line.lstrip().startswith("#")]
    assert entries
    assert [line for line in entries if not _PINNED.fullmatch(line)] == []


def test_the_node_lock_pins_by_version_and_hash_and_names_no_registry() -> None:
    wanted = json.loads((_NODE / "package.json").read_text())["dependencies"]
    locked = json.loads((_NODE / "package-lock.json").read_text())["packages"]
    assert locked.pop("")["dependencies"] == wanted
    assert all(locked[f"node_modules/{name}"]["version"] == wanted[name] for name in wanted)
    assert [name for name, entry in locked.items() if "resolved" in entry] == []
    assert [name for name, entry in locked.items() if "integrity" not in entry] == []


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    assert assetwright.__version__ == project["version"]
    changelog = _ROOT / "CHANGELOG.md"
    if changelog.exists():
        newest = re.search(r"^## \[?v?(\d+\.\d+\.\d+)", changelog.read_text(), re.MULTILINE)
        assert newest
        assert newest[1] == project["version"]


def _public_modules() -> Iterator[Path]:
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            if not path.name.startswith("_") and _GENERATED not in path.parents:
                yield path


def _defines_all(path: Path) -> bool:
    return any(
        isinstance(target, ast.Name) and target.id == "__all__"
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    )


def test_every_public_module_says_what_is_public() -> None:
    modules = list(_public_modules())
    assert len(modules) > 50
    silent = [path for path in modules if not _defines_all(path)]
    assert [str(path.relative_to(_ROOT)) for path in silent] == []
