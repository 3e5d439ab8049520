"""The extension's preferences. The token is not among what Blender saves."""

import bpy
from bpy.props import StringProperty

from ..core.token import VARIABLE
from ..wire.address import DEFAULT
from . import state

__all__ = ["CLASSES"]


def _ask_again(_self: bpy.types.AddonPreferences, _context: bpy.types.Context) -> None:
    state.desk().fetch_catalog(state.connection())


def _read_token(_self: bpy.types.AddonPreferences) -> str:
    return state.token_file().read()


def _write_token(_self: bpy.types.AddonPreferences, value: str) -> None:
    state.token_file().write(value.strip())
    state.desk().fetch_catalog(state.connection())


class Preferences(bpy.types.AddonPreferences):
    """Where the server is, and who asks."""

    bl_idname = state.EXTENSION

    address: StringProperty(
        name="Server",
        description="The HTTP address of the Assetwright server",
        default=DEFAULT,
        update=_ask_again,
    )
    token: StringProperty(
        name="Token",
        description="What the server's operator gave you; kept in a file that only you can read",
        subtype="PASSWORD",
        options={"SKIP_SAVE"},
        get=_read_token,
        set=_write_token,
    )
    program: StringProperty(
        name="Program",
        description="The assetwright program, to start a server on this computer",
        default="assetwright",
    )

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the preferences."""
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "address")
        layout.prop(self, "token")
        note = layout.column()
        note.active = False
        note.label(text=f"Empty: the environment's {VARIABLE}. Never saved with Blender's files.")
        layout.separator()
        layout.prop(self, "program")
        row = layout.row()
        row.operator("assetwright.start_server", icon="PLAY")
        row.operator("assetwright.stop_server", icon="PAUSE")
        layout.operator("assetwright.refresh", icon="FILE_REFRESH", text="Test the connection")
        trouble = state.desk().trouble
        if trouble is not None:
            layout.label(text=trouble.sentence, icon="ERROR")
        elif state.desk().models:
            layout.label(text=f"Connected: {len(state.desk().models)} models", icon="CHECKMARK")


CLASSES = (Preferences,)
