"""The operators that ask the server, and start one on this computer."""

from __future__ import annotations

import queue

import bpy

from ..core.local_server import LocalServer, NotInstalledError
from ..core.words import of_problem
from ..wire.address import DEFAULT
from . import state

__all__ = ["CLASSES", "drain", "is_running", "stop"]

_running: list[LocalServer] = []
_news: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()


def is_running() -> bool:
    """Tell whether a server runs that was started from here."""
    return bool(_running)


def stop() -> None:
    """End the server that was started from here."""
    while _running:
        _running.pop().stop()


def drain() -> None:
    """Take note of what the server said since the last time."""
    while not _news.empty():
        what, text = _news.get()
        if what == "ready":
            state.preferences().address = f"http://{text}"
        elif _running:
            _running.clear()
            sentence = f"The local server ended with status {text}; another one may be running."
            state.desk().trouble = of_problem(sentence, "check_address")


class Refresh(bpy.types.Operator):
    """Ask the server for its models"""

    bl_idname = "assetwright.refresh"
    bl_label = "Refresh"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask."""
        state.desk().fetch_catalog(state.connection())
        return {"FINISHED"}


class StartServer(bpy.types.Operator):
    """Start a server on this computer. Without a provider's key it is a sandbox and free"""

    bl_idname = "assetwright.start_server"
    bl_label = "Start a local server"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Tell whether none was started yet."""
        return not _running

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Start the program."""
        program = state.preferences().program
        try:
            server = LocalServer(
                program,
                ready=lambda address: _news.put(("ready", address)),
                ended=lambda status: _news.put(("ended", str(status))),
            )
        except (NotInstalledError, OSError):
            sentence = f"The program {program!r} is not installed here; name it in the settings."
            state.desk().trouble = of_problem(sentence, "check_address")
            self.report({"ERROR"}, sentence)
            return {"CANCELLED"}
        _running.append(server)
        return {"FINISHED"}


class StopServer(bpy.types.Operator):
    """Stop the server that was started from here. Paid jobs go on when it starts again"""

    bl_idname = "assetwright.stop_server"
    bl_label = "Stop the local server"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Tell whether one was started."""
        return bool(_running)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Stop it."""
        stop()
        state.preferences().address = DEFAULT
        return {"FINISHED"}


CLASSES = (Refresh, StartServer, StopServer)
