"""The timer: shows what the threads have done, places what is ready, asks for the price."""

from __future__ import annotations

import time
from dataclasses import replace

import bpy

from ..core.form import usable_models
from ..core.record import Phase
from ..core.words import of_problem
from . import form, jobs, parameters, server, state
from .place import PlaceError

__all__ = ["note_seen", "register", "tick", "unregister"]

_BUSY_S, _IDLE_S = 0.2, 0.5
_SEEN_S = 2.0
_RETRY_S = 10.0
_seen = [0.0]
_asked = [0.0]
_resumed = [False]


def note_seen() -> None:
    """Note that the panel is on the screen, so that it is worth asking the server."""
    _seen[0] = time.monotonic()


def register() -> None:
    """Start. The timer outlives the loading of files."""
    _resumed[0] = False
    bpy.app.timers.register(tick, first_interval=0.1, persistent=True)


def unregister() -> None:
    """Stop."""
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)


def tick() -> float:
    """Do what there is to do, shortly, and return when to come again, in seconds."""
    desk = state.desk()
    if not _resumed[0]:
        _resumed[0] = True
        desk.resume(state.connection())
    server.drain()
    changed = False
    while not desk.changes.empty():
        changed = True
        if desk.changes.get().what == "catalog":
            meshes, pictures = usable_models(desk.models)
            parameters.ensure(meshes + pictures)
            form.choose(bpy.context.scene)
    _place_one()
    active = any(one.phase.is_active for one in desk.records())
    if time.monotonic() - _seen[0] < _SEEN_S:
        _ask()
    if changed or active:
        _redraw()
    return _BUSY_S if active or changed else _IDLE_S


def _ask() -> None:
    """Ask for the catalog or the price, if one of them is wanted."""
    desk = state.desk()
    if not desk.models:
        if time.monotonic() - _asked[0] > _RETRY_S:
            _asked[0] = time.monotonic()
            desk.fetch_catalog(state.connection())
        return
    request = form.quote_request(bpy.context.scene)
    if request is not None and desk.quote(request) is None:
        desk.fetch_quote(state.connection(), request)


def _place_one() -> None:
    """Place one model that is ready, if it was asked for in this document."""
    scene = bpy.context.scene
    for record in state.desk().records():
        if record.phase is not Phase.READY or not state.is_here(record.placement.document, scene):
            continue
        try:
            jobs.put(record)
        except PlaceError as wrong:
            waiting = of_problem(str(wrong), "none")
            if record.waiting != waiting:
                state.desk().update(replace(record, waiting=waiting))
            continue
        return


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "PREFERENCES"}:
                area.tag_redraw()
        # The status bar is no area of the screen: this is what draws it again. It would also
        # take away what a modal operator says there.
        if not len(getattr(window, "modal_operators", ())):
            window.workspace.status_text_set(None)
