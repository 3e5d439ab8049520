"""The buttons under errors: each action of ``words.json`` as something that Blender does."""

from collections.abc import Callable

import bpy
from bpy.props import StringProperty

from ..core.words import Trouble
from . import drawing, jobs, state

__all__ = ["ACTIONS", "CLASSES", "draw"]

_DETAILS = 6


def _open_preferences() -> None:
    bpy.ops.preferences.addon_show(module=state.EXTENSION)


def _retry(request_id: str) -> None:
    if request_id:
        jobs.send_again(request_id)
    else:
        bpy.ops.assetwright.refresh()


def _copy(request_id: str) -> None:
    record = state.desk().record(request_id)
    trouble = record.trouble if record and record.trouble else state.desk().trouble
    if trouble is None:
        return
    version = bpy.app.version_string
    lines = [trouble.name, trouble.sentence, trouble.detail, f"Blender {version}"]
    if record is not None:
        lines += [f"job {record.job_id}", f"server {record.server}"]
    bpy.context.window_manager.clipboard = "\n".join(line for line in lines if line)


def _nothing(request_id: str) -> None:
    if request_id:
        state.desk().forget(request_id)
    else:
        state.desk().trouble = None


def _accept_unpriced(_request_id: str) -> None:
    bpy.context.scene.assetwright.accept_unpriced = True
    state.desk().trouble = None


def _change(part: str) -> None:
    bpy.ops.assetwright.change("INVOKE_DEFAULT", part=part)


ACTIONS: dict[str, Callable[[str], object]] = {
    "none": _nothing,
    "retry": _retry,
    "check_address": lambda _: _open_preferences(),
    "start_server": lambda _: bpy.ops.assetwright.start_server(),
    "change_token": lambda _: _open_preferences(),
    "update_server": _copy,
    "change_form": lambda _: _change("PARAMETERS"),
    "change_input": lambda _: _change("INPUT"),
    "choose_model": lambda _: bpy.ops.assetwright.refresh(),
    "raise_cap": lambda _: _change("PRICE"),
    "accept_unpriced": _accept_unpriced,
    "show_history": lambda _: bpy.ops.assetwright.history(),
    "reprocess": lambda _: bpy.ops.assetwright.reprocess(),
    "change_processing": lambda _: _change("PROCESSING"),
    "tell_operator": _copy,
    "report": _copy,
}


class WayOut(bpy.types.Operator):
    """Do what helps"""

    bl_idname = "assetwright.way_out"
    bl_label = "Do what helps"

    action: StringProperty(options={"HIDDEN", "SKIP_SAVE"})
    request_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def description(cls, _context: bpy.types.Context, values: bpy.types.OperatorProperties) -> str:
        """Return the tooltip."""
        return values.action.replace("_", " ").capitalize()

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Do it."""
        try:
            ACTIONS[self.action](self.request_id)
        except RuntimeError as wrong:  # An operator that cannot run now says why.
            self.report({"ERROR"}, str(wrong))
            return {"CANCELLED"}
        return {"FINISHED"}


class Change(bpy.types.Operator):
    """Change what was wrong, and generate again"""

    bl_idname = "assetwright.change"
    bl_label = "Change and generate again"

    part: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Open the fields."""
        return context.window_manager.invoke_props_dialog(self, width=380)

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the fields."""
        self.layout.use_property_split = True
        drawing.PARTS[self.part](self.layout, context.scene)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Generate."""
        return bpy.ops.assetwright.generate()


def draw(layout: bpy.types.UILayout, trouble: Trouble, request_id: str = "") -> None:
    """Draw a failure: the sentence, the server's words, and the button that leads out."""
    box = layout.box()
    drawing.notes(box, f"{trouble.sentence} {trouble.charged}", "ERROR")
    details = [text for one in trouble.detail.splitlines() for text in drawing.lines(one)]
    small = box.column(align=True)
    small.scale_y = 0.75
    small.active = False
    for text in details[:_DETAILS]:
        small.label(text=text, icon="BLANK1")
    if trouble.action == "none":
        return
    button = box.operator("assetwright.way_out", text=trouble.label)
    button.action = trouble.action
    button.request_id = request_id


CLASSES = (WayOut, Change)
