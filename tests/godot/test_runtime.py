"""The plugin in a game: the example scene, without the editor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from editing import a_server

if TYPE_CHECKING:
    from pathlib import Path

    from godot_program import Godot

pytestmark = pytest.mark.timeout(180)

_MEASURED = re.compile(r"height: (\S+) base: (\S+)")


def test_the_example_scene_makes_a_mesh_while_it_runs(godot: Godot, tmp_path: Path) -> None:
    """Its picture is imported first, as the editor does before a game is run."""
    godot.run("--import")
    with a_server(tmp_path / "server") as server:
        said = godot.script("example.gd", f"http://{server.http}")
    assert "words: Here it is, 1.00 m tall." in said
    assert "in the tree: true" in said
    measured = _MEASURED.search(said)
    assert measured
    assert float(measured[1]) == pytest.approx(1.0, rel=0.01)
    assert float(measured[2]) == pytest.approx(0.0, abs=0.001)


def test_the_example_scene_says_that_there_is_no_server(godot: Godot) -> None:
    godot.run("--import")
    said = godot.script("example.gd", "http://127.0.0.1:9")
    assert "words: No server answers at this address." in said
