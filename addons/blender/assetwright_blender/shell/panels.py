"""The panels of the 3D view's sidebar, and the line in the status bar."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import bpy

from ..core.progress import line, receipt_words
from ..core.record import Phase
from . import drawing, form, state, timer, ways_out

if TYPE_CHECKING:
    from ..core.record import Record

__all__ = ["CLASSES", "register", "unregister"]

_LISTED = 12


class _Panel:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Assetwright"


class Main(_Panel, bpy.types.Panel):
    """What to make, what it costs, and the button."""

    bl_idname = "ASSETWRIGHT_PT_main"
    bl_label = "Assetwright"

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the form."""
        timer.note_seen()
        layout, scene, desk = self.layout, context.scene, state.desk()
        layout.use_property_split = True
        layout.use_property_decorate = False
        trouble = desk.trouble
        if trouble is not None:
            ways_out.draw(layout, trouble)
        if not desk.models:
            text = "Asking the server…" if desk.is_busy("catalog") else "Ask the server"
            layout.operator("assetwright.refresh", text=text, icon="FILE_REFRESH")
            return
        row = layout.row(align=True)
        row.prop(scene.assetwright, "model")
        row.operator("assetwright.refresh", text="", icon="FILE_REFRESH")
        mesh, _ = form.models(scene)
        if mesh is not None and not mesh.ready:
            drawing.notes(layout, mesh.not_ready_reason or "This model is not ready.", "ERROR")
        drawing.PARTS["INPUT"](layout, scene)
        drawing.PARTS["PROCESSING"](layout, scene)
        drawing.PARTS["PRICE"](layout, scene)
        button = layout.row()
        button.scale_y = 1.5
        button.operator("assetwright.generate", icon="MESH_MONKEY")
        if mesh is not None and mesh.sandbox:
            note = "Sandbox: made by the server itself, not by the model. Nothing is charged."
            drawing.notes(layout, note, "INFO")
        elif mesh is not None:
            drawing.notes(layout, f"Results are under the terms of {mesh.provider}.", "INFO")


class Parameters(_Panel, bpy.types.Panel):
    """The chosen models' parameters, as the server describes them."""

    bl_idname = "ASSETWRIGHT_PT_parameters"
    bl_parent_id = "ASSETWRIGHT_PT_main"
    bl_label = "Model settings"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012  # Blender's own attribute.

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Tell whether there are any."""
        return any(model is not None and model.parameters for model in form.models(context.scene))

    def draw(self, context: bpy.types.Context) -> None:
        """Draw them."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        drawing.PARTS["PARAMETERS"](self.layout, context.scene)


class Jobs(_Panel, bpy.types.Panel):
    """What is being made, and what was."""

    bl_idname = "ASSETWRIGHT_PT_jobs"
    bl_label = "Jobs"

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the newest."""
        records = state.desk().records()
        for record in records[:_LISTED]:
            _draw_job(self.layout, record)
        if len(records) > _LISTED:
            self.layout.label(text=f"and {len(records) - _LISTED} older ones")
        self.layout.operator("assetwright.history", icon="TIME")


def _draw_job(layout: bpy.types.UILayout, record: Record) -> None:
    box = layout.box()
    row = box.row()
    row.label(text=record.title, icon=_ICONS[record.phase])
    if record.phase.is_active:
        row.operator("assetwright.cancel", text="", icon="CANCEL").request_id = record.request_id
    else:
        row.operator("assetwright.forget", text="", icon="X").request_id = record.request_id
    words = line(record, time.time())
    if record.phase.is_active and record.fraction is not None:
        box.progress(factor=record.fraction, text=f"{words}, {record.fraction:.0%}")
    else:
        drawing.notes(box, words, "NONE")
    if record.waiting is not None:
        drawing.notes(box, record.waiting.sentence, "UNLINKED")
    if record.trouble is not None:
        ways_out.draw(box, record.trouble, record.request_id)
    elif record.phase in (Phase.READY, Phase.PLACED, Phase.REMOTE):
        words = "Place again" if record.phase is Phase.PLACED else "Place at the 3D cursor"
        text = receipt_words(record.receipt)
        split = box.row()
        split.label(text=text)
        split.operator("assetwright.place", text=words).request_id = record.request_id


_ICONS = {
    Phase.SENDING: "EXPORT",
    Phase.RUNNING: "SORTTIME",
    Phase.FETCHING: "IMPORT",
    Phase.READY: "CHECKMARK",
    Phase.PLACED: "CHECKMARK",
    Phase.FAILED: "ERROR",
    Phase.CANCELLED: "CANCEL",
    Phase.REMOTE: "URL",
}


class Imported(_Panel, bpy.types.Panel):
    """Where the active object is from, and what was measured on it."""

    bl_idname = "ASSETWRIGHT_PT_imported"
    bl_label = "This model"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Tell whether the active object came from a server."""
        return context.active_object is not None and "assetwright_job_id" in context.active_object

    def draw(self, context: bpy.types.Context) -> None:
        """Draw what is known about it."""
        layout, root = self.layout, context.active_object
        size = root.get("assetwright_size")
        if size:
            x, y, z = (f"{one:.3g}" for one in size)
            words = f"Measured: {z} m high, {x} m wide, {y} m deep"
            drawing.notes(layout, words, "CON_SIZELIKE")
        made_from = root.get("assetwright_made_from")
        names = [root.get("assetwright_model"), root.get("assetwright_provider")]
        layout.label(text="By " + ", ".join(name for name in names if name), icon="INFO")
        if made_from:
            layout.label(text=f"From {made_from}", icon="BLANK1")
        if root.get("assetwright_sandbox"):
            drawing.notes(layout, "Sandbox: made by the server itself, not by the model.", "INFO")
        elif root.get("assetwright_provider"):
            drawing.notes(layout, f"Under the terms of {root['assetwright_provider']}.", "INFO")
        if root.get("assetwright_charge"):
            layout.label(text=root["assetwright_charge"], icon="BLANK1")
        _draw_report(layout, root.get("assetwright_report", "{}"))
        layout.operator("assetwright.reprocess", icon="FILE_REFRESH")
        layout.operator("assetwright.better", icon="SORT_DESC")


def _draw_report(layout: bpy.types.UILayout, text: str) -> None:
    try:
        report = json.loads(text)
    except ValueError:
        return
    if report.get("triangles") is not None:
        layout.label(text=f"{report['triangles']:,} triangles", icon="MESH_DATA")
    for check in report.get("checks", ()):
        words = f"{check['name']}: {check['outcome']}"
        if check.get("measured") is not None:
            words += f", {check['measured']:.4g} {check['unit']}"
        icons = {"passed": "CHECKMARK", "failed": "CANCEL"}
        drawing.notes(layout, words, icons.get(check["outcome"], "QUESTION"))
    for issue in report.get("issues", ())[:4]:
        drawing.notes(layout, issue, "DOT")


def _draw_status(self: bpy.types.Header, _context: bpy.types.Context) -> None:
    active = [one for one in state.desk().records() if one.phase.is_active]
    if not active:
        return
    newest = active[0]
    words = f"{newest.title}: {line(newest, time.time())}"
    if len(active) > 1:
        words += f"; {len(active) - 1} more"
    if newest.fraction is not None:
        self.layout.progress(factor=newest.fraction, text=words)
    else:
        self.layout.label(text=words, icon="SORTTIME")


def register() -> None:
    """Add the line to the status bar."""
    bpy.types.STATUSBAR_HT_header.append(_draw_status)


def unregister() -> None:
    """Take the line away."""
    bpy.types.STATUSBAR_HT_header.remove(_draw_status)


CLASSES = (Main, Parameters, Jobs, Imported)
