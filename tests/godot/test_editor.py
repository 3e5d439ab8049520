"""The plugin in the real editor, without a window, against a server with its sandbox."""

from __future__ import annotations

import stat
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from boxes import crate
from editing import a_server, play

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from godot_program import Godot

pytestmark = pytest.mark.timeout(300)


class _Page(BaseHTTPRequestHandler):
    """A web server that has nothing to do with Assetwright."""

    def do_POST(self) -> None:
        body = b"<h1>It works</h1>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def stranger() -> Iterator[str]:
    """The address of something that is not Assetwright."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as page:
        thread = threading.Thread(target=page.serve_forever, name="stranger")
        thread.start()
        yield f"http://127.0.0.1:{page.server_address[1]}"
        page.shutdown()
        thread.join()


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


def test_jobs_are_cancelled_survive_a_killed_server_and_a_disabled_plugin(
    godot: Godot, tmp_path: Path
) -> None:
    """Nothing that was paid for is lost, whatever is lost on the way."""
    with a_server(tmp_path / "server", ASSETWRIGHT_SANDBOX_QUEUE_S="3") as server:
        wishes = {"kill": server.kill, "start": server.start}
        play(godot, "interruptions", server.http, wishes)


def test_whatever_is_wrong_with_the_server_is_a_sentence_and_a_way_out(
    godot: Godot, tmp_path: Path, stranger: str
) -> None:
    """Down, not ours, refusing the token, over budget; and the token is its owner's alone.

    The program that is started when none answers is one that notes how it was called.
    """
    live = {
        "ASSETWRIGHT_GATEWAY": "live",
        "ASSETWRIGHT_TOKENS": "a-token",
        "ASSETWRIGHT_PUBLIC_URL": "http://127.0.0.1:9",
        "ASSETWRIGHT_PIXAZO_URL": "http://127.0.0.1:9",
        "PIXAZO_API_KEY": "a-key",
    }
    program = godot.home / "bin" / "assetwright"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@" >"$HOME/started"\n')
    program.chmod(0o755)
    with a_server(tmp_path / "server", **live) as server:
        play(
            godot,
            "refusals",
            server.http,
            TOKEN="a-token",
            NOBODY="http://127.0.0.1:9",
            STRANGER=stranger,
        )
    assert (godot.home / "started").read_text() == "serve\n"
    kept = godot.home / "xdg_config_home" / "assetwright" / "godot-token"
    assert kept.read_text() == "a-token\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    told = [
        path
        for folder in (godot.project, godot.home)
        for path in folder.rglob("*")
        if path.is_file() and path != kept and b"a-token" in path.read_bytes()
    ]
    assert told == []


def test_a_model_gets_one_collision_body_whoever_makes_it(godot: Godot) -> None:
    """`-convcolonly` is the importer's; else Godot makes the shape; `GLTFDocument` needs help."""
    given = godot.project / "given"
    given.mkdir()
    (given / "with.glb").write_bytes(crate(collision=True))
    (given / "without.glb").write_bytes(crate(collision=False))
    play(godot, "collisions", "127.0.0.1:9")
