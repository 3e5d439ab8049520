"""The Godot program, and a fresh project for each test."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # Tests import what they share by name.

from godot_program import Godot

_ROOT = Path(__file__).parents[2]
_OURS = _ROOT / ".tools" / "godot" / "godot"
_ADDONS = _ROOT / "addons" / "godot"
_REASON = "needs Godot 4.3 or newer: `make godot` installs one, or set GODOT to yours"


@pytest.fixture(scope="session")
def godot_program() -> str:
    program = os.environ.get("GODOT") or (str(_OURS) if _OURS.exists() else shutil.which("godot"))
    if not program:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(_REASON)
    return str(program)


@pytest.fixture
def godot(godot_program: str, tmp_path: Path) -> Godot:
    """A fresh copy of the plugin's project."""
    project = tmp_path / "project"
    shutil.copytree(_ADDONS, project, ignore=shutil.ignore_patterns(".godot"))
    home = tmp_path / "home"
    home.mkdir()
    return Godot(godot_program, project, home)
