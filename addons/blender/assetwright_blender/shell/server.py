"""The operators that ask the server, and start one on this computer."""

from __future__ import annotations

import queue
from dataclasses import dataclass, replace

import bpy

from ..core.local_server import LocalServer, NotInstalledError
from ..core.words import of_problem
from . import state

__all__ = ["CLASSES", "drain", "is_running", "stop"]


@dataclass(frozen=True)
class _Started:
    """A server, and the address that stood in the preferences before it."""

    server: LocalServer
    address: str


_running: list[_Started] = []
_ready: queue.SimpleQueue[str] = queue.SimpleQueue()
_ended: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()


def is_running() -> bool:
    """Tell whether a server runs that was started from here."""
    return bool(_running)


def stop() -> None:
    """End the server that was started from here; the address is what it was before."""
    while _running:
        started = _running.pop()
        started.server.stop()
        _forget_news()
        if state.preferences().address != started.address:
            state.preferences().address = started.address


def _forget_news() -> None:
    for news in (_ready, _ended):
        while not news.empty():
            news.get()


def drain() -> None:
    """Take note of what the server said since the last time."""
    while not _ready.empty():
        state.preferences().address = f"http://{_ready.get()}"
    while not _ended.empty():
        status, words = _ended.get()
        _running.clear()
        sentence = f"The local server ended with status {status}."
        trouble = of_problem(sentence, "check_address")
        state.desk().trouble = replace(trouble, detail=words)


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
        if _running:
            cls.poll_message_set("It was started already; it answers within some seconds")
        return not _running

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Start the program."""
        program = state.preferences().program
        try:
            server = LocalServer(
                program,
                log=state.folder() / "server.log",
                ready=_ready.put,
                ended=lambda status, words: _ended.put((status, words)),
            )
        except NotInstalledError:
            return self._refuse(
                f"The program {program!r} is not installed here; name it in the settings."
            )
        except OSError as wrong:
            return self._refuse(f"The program {program!r} cannot be started: {wrong}.")
        _running.append(_Started(server, state.preferences().address))
        self.report({"INFO"}, "The local server starts; that takes some seconds")
        return {"FINISHED"}

    def _refuse(self, sentence: str) -> set[str]:
        state.desk().trouble = of_problem(sentence, "check_address")
        self.report({"ERROR"}, sentence)
        return {"CANCELLED"}


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
        return {"FINISHED"}


CLASSES = (Refresh, StartServer, StopServer)
