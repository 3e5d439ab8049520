"""The plugin in the real editor, without a window, against a server with its sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from editing import a_server, play

if TYPE_CHECKING:
    from pathlib import Path

    from godot_program import Godot

pytestmark = pytest.mark.timeout(180)


def test_a_picture_becomes_a_mesh_of_the_wanted_height_in_the_scene(
    godot: Godot, tmp_path: Path
) -> None:
    """Form from the catalog, progress, a real import, collision, one step of undo."""
    with a_server(tmp_path / "server") as server:
        play(godot, "whole_path", server.http)
    made = godot.project / "assetwright" / "wooden-chair"
    assert sorted(path.name for path in made.iterdir()) == [
        "wooden-chair.assetwright.json",
        "wooden-chair.glb",
        "wooden-chair.glb.import",
    ]
