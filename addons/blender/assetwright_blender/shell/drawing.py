"""The parts of the form, for the panel and for the dialogs that correct it."""

from __future__ import annotations

import textwrap

import bpy

from ..core.form import takes_picture
from ..core.progress import estimate_words, quote_words
from . import form, parameters, state

__all__ = ["PARTS", "lines", "notes"]

_DIALOG_UNITS = 380
_MARGIN_UNITS, _CHARACTER_UNITS = 90, 6.2  # Of Blender's own font, at its normal size.


def lines(text: str) -> list[str]:
    """Return the text in lines that fit into the region that is being drawn."""
    region = bpy.context.region
    scale = bpy.context.preferences.system.ui_scale
    units = region.width / scale if region and region.type == "UI" else _DIALOG_UNITS
    return textwrap.wrap(text, max(int((units - _MARGIN_UNITS) / _CHARACTER_UNITS), 16))


def notes(layout: bpy.types.UILayout, text: str, icon: str) -> None:
    """Draw a text of several lines."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, one in enumerate(lines(text)):
        column.label(text=one, icon="BLANK1" if number and icon != "NONE" else icon)


def _input(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    settings = scene.assetwright
    mesh, picture = form.models(scene)
    row = layout.row(align=True)
    row.use_property_split = False
    row.prop(settings, "source", expand=True)
    if settings.source == "PICTURE":
        layout.prop(settings, "picture")
    if settings.source == "PROMPT" or (mesh is not None and mesh.takes_prompt):
        layout.prop(settings, "prompt")
    if settings.source == "PROMPT" and mesh is not None and takes_picture(mesh):
        layout.prop(settings, "image_model")
        if picture is not None and not picture.ready:
            layout.label(text=picture.not_ready_reason or "Not ready", icon="ERROR")


def _parameters(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    for model in form.models(scene):
        if model is not None and model.parameters:
            column = layout.column(heading=model.display_name)
            column.label(text=model.display_name)
            parameters.draw(column, scene, model)


def _processing(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    settings = scene.assetwright
    layout.prop(settings, "size")
    if settings.size == "HEIGHT":
        layout.prop(settings, "height_m")
    row = layout.row(heading="Triangles")
    row.prop(settings, "limit_triangles")
    limit = row.row()
    limit.active = settings.limit_triangles
    limit.prop(settings, "max_triangles", text="")
    if settings.limit_triangles:
        layout.prop(settings, "over_budget")
    layout.prop(settings, "place")


def _price(layout: bpy.types.UILayout, scene: bpy.types.Scene) -> None:
    settings = scene.assetwright
    asked = form.quote_request(scene)
    quote = state.desk().quote(asked) if asked else None
    layout.prop(settings, "max_price")
    if quote is None:
        layout.label(text="Price: asking the server…" if asked else "Price: choose a model")
        return
    notes(layout, quote_words(quote), "NONE")
    if quote.high is None and not _is_free(quote.source):
        layout.prop(settings, "accept_unpriced")
    mesh, _ = form.models(scene)
    if mesh is not None and mesh.duration_estimate is not None:
        words = estimate_words(mesh.duration_estimate)
        layout.label(text=f"Time: {words}")


def _is_free(source: int) -> bool:
    from ..wire.messages import PriceSource  # noqa: PLC0415

    return source == PriceSource.FREE


PARTS = {"INPUT": _input, "PARAMETERS": _parameters, "PROCESSING": _processing, "PRICE": _price}
