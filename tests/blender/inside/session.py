"""A Blender with the extension installed from its zip; runs inside Blender's own Python."""

from __future__ import annotations

import json
import os
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = Path(os.environ["ASSETWRIGHT_TEST_HOME"])
os.environ["BLENDER_USER_RESOURCES"] = str(HOME / "blender")

# isort: off
import bpy  # noqa: E402  # Blender reads the variable above when it is imported,
import addon_utils  # noqa: E402  # and has this module afterwards.

# isort: on

NAME = "bl_ext.user_default.assetwright"
WAIT_S = 150.0


def install() -> None:
    """Unpack the zip to where Blender unpacks extensions."""
    folder = Path(bpy.utils.user_resource("EXTENSIONS")) / "user_default" / "assetwright"
    with zipfile.ZipFile(os.environ["ASSETWRIGHT_TEST_ZIP"]) as archive:
        archive.extractall(folder)


def enable(address: str) -> None:
    """Register the extension and tell it where the server is."""
    assert addon_utils.enable(NAME, default_set=True) is not None
    preferences().address = address


def disable() -> None:
    """Unregister the extension."""
    addon_utils.disable(NAME, default_set=True)


def preferences() -> Any:  # noqa: ANN401  # bpy has no types.
    return bpy.context.preferences.addons[NAME].preferences


def shell(name: str) -> Any:  # noqa: ANN401  # As above.
    """Return one of the extension's modules."""
    __import__(f"{NAME}.{name}")
    return sys.modules[f"{NAME}.{name}"]


def desk() -> Any:  # noqa: ANN401  # As above.
    return shell("shell.state").desk()


def until(condition: Callable[[], object]) -> None:
    """Turn Blender's timer, which does not run in a module, until the condition holds."""
    timer = shell("shell.timer")
    deadline = time.monotonic() + WAIT_S
    while True:
        timer.tick()
        if condition():
            return
        assert time.monotonic() < deadline, [desk().trouble, *map(str, desk().records())]
        time.sleep(0.02)


def catalog() -> None:
    """Wait for the models."""
    until(lambda: desk().models and not desk().is_busy("catalog"))
    until(lambda: bpy.context.scene.assetwright.is_property_set("model"))


def quoted() -> Any:  # noqa: ANN401  # As above.
    """Wait for the form's price and return it."""
    form, timer = shell("shell.form"), shell("shell.timer")

    def known() -> Any:  # noqa: ANN401  # As above.
        timer.note_seen()
        return desk().quote(form.quote_request(bpy.context.scene))

    until(known)
    return known()


def fill(**values: object) -> None:
    """Fill in the form."""
    for name, value in values.items():
        setattr(bpy.context.scene.assetwright, name, value)


def parameter(model_id: str, name: str, value: object) -> None:
    """Set one of a model's own parameters."""
    parameters, form = shell("shell.parameters"), bpy.context.scene
    model = shell("shell.state").model(model_id)
    group = getattr(form, parameters._attribute(model))
    setattr(group, f"p_{name}", value)


def newest() -> Any:  # noqa: ANN401  # As above.
    return desk().records()[0]


def ended() -> bool:
    return newest().phase.value in ("placed", "failed", "cancelled")


def placed() -> Any:  # noqa: ANN401  # As above.
    """Wait for the newest job's model, and return its object."""
    until(ended)
    assert newest().phase.value == "placed", (newest().trouble, newest().waiting)
    return bpy.data.objects[newest().placed_as]


def say(**facts: object) -> None:
    """Tell the test something."""
    sys.stdout.write("FACT " + json.dumps(facts) + "\n")
    sys.stdout.flush()


def heard() -> str:
    """Wait for a word from the test."""
    return sys.stdin.readline().strip()


def bounds(root: Any) -> dict[str, list[float]]:  # noqa: ANN401  # As above.
    """Measure an object and all below it, vertex by vertex, in the world."""
    bpy.context.view_layer.update()
    points = [
        one.matrix_world @ vertex.co
        for one in (root, *root.children_recursive)
        if one.type == "MESH"
        for vertex in one.data.vertices
    ]
    low = [min(point[axis] for point in points) for axis in range(3)]
    high = [max(point[axis] for point in points) for axis in range(3)]
    return {"low": low, "high": high, "size": [b - a for a, b in zip(low, high, strict=True)]}
