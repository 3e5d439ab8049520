"""Blender's properties for each model's parameters, made from the server's schema."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..core.form import Field, Kind, fields_of

if TYPE_CHECKING:
    from ..core.form import Value
    from ..wire.messages import Model

__all__ = ["draw", "ensure", "unregister", "values"]

# What is registered on the scene, by attribute: the fields it was made from, and its class.
_made: dict[str, tuple[list[Field], type]] = {}
_NAME_LENGTH = 60


def _attribute(model: Model) -> str:
    return f"assetwright_{zlib.crc32(model.model_id.encode()):08x}"


def _name(field: Field, prefix: str) -> str:
    return prefix + re.sub(r"\W", "_", field.name, flags=re.ASCII)[:_NAME_LENGTH]


def ensure(models: list[Model]) -> None:
    """Make the properties of these models, or make them anew where a schema has changed."""
    for model in models:
        attribute, fields = _attribute(model), fields_of(model)
        made = _made.get(attribute)
        if made and made[0] == fields:
            continue
        _drop(attribute)
        notes: dict[str, Any] = {}
        for field in fields:
            notes[_name(field, "p_")] = _property(field)
            if field.is_switched:
                help_text = f"Send {field.label}; without it the provider decides"
                notes[_name(field, "use_")] = BoolProperty(name="", description=help_text)
        name = f"ASSETWRIGHT_PG_{attribute.rpartition('_')[2]}"
        cls = type(name, (bpy.types.PropertyGroup,), {"__annotations__": notes})
        bpy.utils.register_class(cls)
        setattr(bpy.types.Scene, attribute, PointerProperty(type=cls))
        _made[attribute] = (fields, cls)


def unregister() -> None:
    """Take all of them out. Values stay in the documents."""
    for attribute in list(_made):
        _drop(attribute)


def _drop(attribute: str) -> None:
    made = _made.pop(attribute, None)
    if made:
        delattr(bpy.types.Scene, attribute)
        bpy.utils.unregister_class(made[1])


def _property(field: Field) -> Any:  # Blender's deferred property.
    common = {"name": field.label, "description": field.help}
    if field.kind is Kind.BOOL:
        return BoolProperty(**common, default=field.default)
    if field.kind is Kind.CHOICE:
        items = [(one.text, one.text, field.help) for one in field.choices]
        return EnumProperty(**common, items=items, default=field.default)
    if field.kind is Kind.TEXT:
        return StringProperty(**common, default=field.default)
    limits = {
        name: value
        for name, value in (("min", field.minimum), ("max", field.maximum))
        if value is not None
    }
    if field.kind is Kind.INT:
        return IntProperty(**common, default=field.default, **limits)
    return FloatProperty(**common, default=field.default, precision=3, **limits)


def values(scene: bpy.types.Scene, model: Model) -> tuple[list[Field], dict[str, Value]]:
    """Return the model's fields, and the values of those that are switched on."""
    attribute = _attribute(model)
    if attribute not in _made:
        return [], {}
    fields, group = _made[attribute][0], getattr(scene, attribute)
    found = {}
    for field in fields:
        if not field.is_switched or getattr(group, _name(field, "use_")):
            found[field.name] = getattr(group, _name(field, "p_"))
    return fields, found


def draw(layout: bpy.types.UILayout, scene: bpy.types.Scene, model: Model) -> None:
    """Draw the model's parameters."""
    attribute = _attribute(model)
    if attribute not in _made:
        return
    group = getattr(scene, attribute)
    for field in _made[attribute][0]:
        if not field.is_switched:
            layout.prop(group, _name(field, "p_"))
            continue
        row = layout.row(heading=field.label)
        row.prop(group, _name(field, "use_"))
        value = row.row()
        value.active = getattr(group, _name(field, "use_"))
        value.prop(group, _name(field, "p_"), text="")
