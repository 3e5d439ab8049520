"""What a person does in Blender, one function each; `python scenarios.py NAME ADDRESS` runs one.

Facts go to the test as lines of JSON, since it alone knows what is right.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

import session
from session import bounds, bpy, desk, fill, newest, say, until

ADDRESS = sys.argv[2]
PICTURE = os.environ["ASSETWRIGHT_TEST_PICTURE"]


def begin() -> None:
    session.install()
    session.enable(ADDRESS)


def ready() -> None:
    """Begin with the catalog there, and the smallest mesh chosen."""
    begin()
    session.catalog()
    session.parameter("pixal3d", "decimation_target", 1_000)


def form() -> None:
    begin()
    session.catalog()
    parameters = session.shell("shell.parameters")
    found = {}
    for model in desk().models:
        made = parameters._made.get(parameters._attribute(model))
        if made is None:
            continue
        group = getattr(bpy.context.scene, parameters._attribute(model))
        shown = {}
        for field in made[0]:
            drawn = group.bl_rna.properties[parameters._name(field, "p_")]
            shown[field.name] = {
                "type": drawn.type,
                "default": drawn.default,
                "help": drawn.description,
                "minimum": getattr(drawn, "hard_min", None),
                "maximum": getattr(drawn, "hard_max", None),
                "choices": [one.identifier for one in getattr(drawn, "enum_items", ())],
                "switched": parameters._name(field, "use_") in group.bl_rna.properties,
            }
        found[model.model_id] = shown
    say(forms=found, chosen=bpy.context.scene.assetwright.model)


def make() -> None:
    ready()
    scene = bpy.context.scene
    fill(picture=PICTURE, height_m=1.37, max_triangles=30_000)
    scene.cursor.location = (3.0, -2.0, 0.0)
    quote = session.quoted()
    say(high_micros=quote.high.amount_micros)
    bpy.ops.ed.undo_push(message="before")
    before = sorted(one.name for one in bpy.data.objects)
    assert bpy.ops.assetwright.generate() == {"FINISHED"}
    lines: list[str] = []
    progress = session.shell("core.progress")

    def watched() -> bool:
        words = progress.line(newest(), newest().created_s).partition(",")[0]
        if words not in lines:
            lines.append(words)
        return session.ended()

    until(watched)
    root = bpy.data.objects[newest().placed_as]
    say(
        phase=newest().phase.value,
        lines=lines,
        bounds=bounds(root),
        origin=list(root.location),
        active=bpy.context.view_layer.objects.active == root,
        notes={name: str(value) for name, value in root.items()},
        size=list(root["assetwright_size"]),
        job_id=newest().job_id,
        materials=len(root.data.materials),
        images=len(bpy.data.images),
    )
    after = sorted(one.name for one in bpy.data.objects)
    bpy.ops.ed.undo()
    undone = sorted(one.name for one in bpy.data.objects)
    bpy.ops.ed.redo()
    redone = sorted(one.name for one in bpy.data.objects)
    session.shell("shell.timer").tick()
    say(undone=undone == before, redone=redone == after, again=len(bpy.data.objects) == len(after))


def cancel() -> None:
    ready()
    fill(picture=PICTURE)
    bpy.ops.assetwright.generate()
    until(lambda: newest().gateway_state)
    say(job_id=newest().job_id)
    bpy.ops.assetwright.cancel(request_id=newest().request_id)
    until(session.ended)
    say(phase=newest().phase.value, objects=len(bpy.data.objects))


def killed() -> None:
    ready()
    fill(picture=PICTURE, height_m=0.8)
    bpy.ops.assetwright.generate()
    until(lambda: newest().gateway_state)
    say(job_id=newest().job_id)
    assert session.heard() == "killed"
    until(lambda: newest().waiting is not None)
    say(waiting=newest().waiting.sentence)
    say(bounds=bounds(session.placed()), phase=newest().phase.value)


def resumed() -> None:
    ready()
    fill(picture=PICTURE, height_m=0.5)
    bpy.ops.assetwright.generate()
    until(lambda: newest().gateway_state)
    job_id = newest().job_id
    session.disable()
    left = [one.name for one in threading.enumerate() if one.name.startswith("assetwright")]
    say(job_id=job_id, threads=left)
    session.enable(ADDRESS)
    root = session.placed()
    say(job_id=newest().job_id, phase=newest().phase.value, bounds=bounds(root))


def another_document() -> None:
    ready()
    fill(picture=PICTURE)
    bpy.ops.assetwright.generate()
    until(lambda: newest().job_id)
    bpy.ops.wm.read_homefile(use_empty=True)
    until(lambda: newest().phase.value == "ready")
    for _ in range(5):
        session.shell("shell.timer").tick()
    say(objects=len(bpy.data.objects), phase=newest().phase.value)
    bpy.context.scene.cursor.location = (1.0, 1.0, 0.5)
    bpy.ops.assetwright.place(request_id=newest().request_id)
    root = bpy.data.objects[newest().placed_as]
    say(bounds=bounds(root), origin=list(root.location))


def instead() -> None:
    """Fit a block that is turned, take its place, process again, replace by a better one."""
    ready()
    bpy.ops.mesh.primitive_cube_add(size=1, location=(2, 0, 1), rotation=(0, 0, 0.5))
    block = bpy.context.active_object
    block.name = "Block"
    block.scale = (0.6, 4.0, 2.0)
    bpy.context.view_layer.update()
    fill(picture=PICTURE, size="FIT", place="SELECTION")
    bpy.ops.assetwright.generate()
    root = session.placed()
    say(
        hidden=block.hide_get(),
        size=list(root["assetwright_size"]),
        origin=list(root.location),
        turn=root.matrix_world.to_euler().z,
    )
    fill(size="HEIGHT", height_m=0.7)
    name = root.name
    assert bpy.ops.assetwright.reprocess() == {"FINISHED"}
    again = session.placed()
    say(
        name_kept=again.name == name,
        bounds=bounds(again),
        origin=list(again.location),
        charge=again["assetwright_charge"],
        model=again["assetwright_model"],
        turn=again.matrix_world.to_euler().z,
    )
    assert bpy.ops.assetwright.better() == {"FINISHED"}
    better = session.placed()
    say(
        name_kept=better.name == name,
        origin=list(better.location),
        meshes=len([one for one in bpy.data.objects if one.type == "MESH" and one != block]),
    )


def several() -> None:
    ready()
    fill(picture=PICTURE)
    for height in (0.5, 1.0, 1.5):
        fill(height_m=height)
        bpy.ops.assetwright.generate()
    at_once = [len([one for one in desk().records() if one.phase.is_active])]
    until(lambda: all(one.phase.value == "placed" for one in desk().records()))
    heights = [bounds(bpy.data.objects[one.placed_as])["size"][2] for one in desk().records()]
    say(at_once=at_once[0], heights=sorted(heights))


def from_words() -> None:
    ready()
    fill(source="PROMPT", prompt="a wooden stool", image_model="flux-1-schnell", height_m=0.45)
    bpy.ops.assetwright.generate()
    until(session.ended)
    trouble = newest().trouble
    say(
        phase=newest().phase.value,
        trouble=str(trouble),
        plan=list(newest().plan),
        bounds=bounds(bpy.data.objects[newest().placed_as]),
    )


def large_picture() -> None:
    ready()
    fill(picture=PICTURE, height_m=0.6)
    bpy.ops.assetwright.generate()
    say(bounds=bounds(session.placed()), phase=newest().phase.value)


def over_budget() -> None:
    ready()
    fill(picture=PICTURE, max_price=0.01)
    session.quoted()
    bpy.ops.assetwright.generate()
    until(session.ended)
    trouble = newest().trouble
    say(
        phase=newest().phase.value,
        name=trouble.name,
        sentence=trouble.sentence,
        action=trouble.action,
        objects=len(bpy.data.objects),
    )


def retried() -> None:
    """Meet a server that is gone, and send the same job again when it is back."""
    ready()
    fill(picture=PICTURE, height_m=0.9)
    say(ready=True)
    assert session.heard() == "killed"
    bpy.ops.assetwright.generate()
    until(session.ended)
    first = newest()
    say(phase=first.phase.value, name=first.trouble.name)
    assert session.heard() == "started"
    bpy.ops.assetwright.way_out(action="retry", request_id=first.request_id)
    say(bounds=bounds(session.placed()), same=newest().request_id == first.request_id)


def unreachable() -> None:
    """Ask a server that is not as it should be, and say what a person reads."""
    begin()
    until(lambda: desk().trouble is not None and not desk().is_busy("catalog"))
    trouble = desk().trouble
    say(name=trouble.name, sentence=trouble.sentence, action=trouble.action, label=trouble.label)


def secret() -> None:
    begin()
    session.preferences().token = os.environ["ASSETWRIGHT_TEST_SECRET"]
    until(lambda: not desk().is_busy("catalog"))
    path = Path(bpy.utils.extension_path_user(session.NAME)) / "token"
    bpy.ops.wm.save_userpref()
    document = session.HOME / "document.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(document), compress=False)
    # What is written as it is would be found as it is.
    bpy.context.preferences.filepaths.use_file_compression = False
    config = Path(bpy.utils.user_resource("CONFIG"))
    everywhere = [one for one in (*config.rglob("*"), document) if one.is_file()]
    say(
        mode=stat.S_IMODE(path.stat().st_mode),
        token=path.read_text(),
        shown=session.preferences().token,
        files=[one.name for one in everywhere],
        leaks=[
            one.name
            for one in everywhere
            if os.environ["ASSETWRIGHT_TEST_SECRET"].encode() in one.read_bytes()
        ],
    )
    session.preferences().token = ""
    say(gone=not path.exists())


def history() -> None:
    ready()
    bpy.ops.assetwright.history()
    until(lambda: desk().records() and not desk().is_busy("history"))
    record = newest()
    say(phase=record.phase.value, job_id=record.job_id)
    bpy.ops.assetwright.place(request_id=record.request_id)
    say(bounds=bounds(session.placed()), phase=newest().phase.value)


def local_server() -> None:
    """Start a server by the button under the error, use it, stop it, and start it again."""
    begin()
    until(lambda: desk().trouble is not None and not desk().is_busy("catalog"))
    server = session.shell("shell.server")
    down = desk().trouble.action
    bpy.ops.assetwright.way_out(action=down)
    session.catalog()
    first = session.preferences().address
    say(action=down, address=first, pid=server._running[0].server.pid, trouble=desk().trouble)
    session.parameter("pixal3d", "decimation_target", 1_000)
    fill(picture=PICTURE, height_m=0.7)
    bpy.ops.assetwright.generate()
    say(bounds=bounds(session.placed()))
    again = bpy.ops.assetwright.start_server.poll()
    bpy.ops.assetwright.stop_server()
    say(again=again, address=session.preferences().address, running=server.is_running())
    bpy.ops.assetwright.start_server()
    bpy.ops.assetwright.stop_server()
    bpy.ops.assetwright.start_server()
    until(lambda: session.preferences().address not in (ADDRESS, first))
    until(lambda: desk().trouble is None and not desk().is_busy("catalog"))
    say(address=session.preferences().address, running=server.is_running(), jobs=len(desk().models))
    assert session.heard() == "seen"


def no_local_server() -> None:
    """Start a program that is not there, and one that does not stay."""
    begin()
    until(lambda: desk().trouble is not None and not desk().is_busy("catalog"))
    session.preferences().program = "no-such-program"
    try:
        bpy.ops.assetwright.start_server()
    except RuntimeError as wrong:
        say(refused=str(wrong), sentence=desk().trouble.sentence, action=desk().trouble.action)
    session.preferences().program = "assetwright"
    server = session.shell("shell.server")
    bpy.ops.assetwright.start_server()
    until(lambda: not server.is_running())
    trouble = desk().trouble
    say(sentence=trouble.sentence, detail=trouble.detail, address=session.preferences().address)


def viewport() -> None:
    """Ask for the view's picture where there is no window; how it is set up and checked."""
    ready()
    fill(source="VIEWPORT")
    try:
        bpy.ops.assetwright.generate()
    except RuntimeError as wrong:
        say(refused=str(wrong), jobs=len(desk().records()))
    view = session.shell("shell.viewport")
    render = bpy.context.scene.render
    names = ("media_type", "file_format", "color_mode", "color_depth")

    def now() -> list[object]:
        settings = [getattr(render.image_settings, name, None) for name in names]
        return [*settings, render.filepath, render.resolution_x, render.film_transparent]

    kept = []
    for kind, file_format, depth in (
        ("VIDEO", "FFMPEG", "8"),
        ("IMAGE", "OPEN_EXR", "32"),
        ("IMAGE", "JPEG", "8"),
    ):
        if hasattr(render.image_settings, "media_type"):
            render.image_settings.media_type = kind
        render.image_settings.file_format = file_format
        render.image_settings.color_depth = depth
        before = now()
        with view.png(bpy.context.scene, session.HOME / "view.png"):
            inside = now()
        kept.append((before == now(), before[1:4:2] == [file_format, depth], inside[1:4]))
    images = bpy.data.images.keys()
    shown = not view.shows_nothing(Path(PICTURE))
    say(kept=kept, shown=shown, left=bpy.data.images.keys() == images)
    empty = bpy.data.images.new("empty", 64, 64, alpha=True)
    empty.generated_color = (0.0, 0.0, 0.0, 0.0)
    empty.file_format = "PNG"
    empty.filepath_raw = str(session.HOME / "empty.png")
    empty.save()
    say(empty=view.shows_nothing(session.HOME / "empty.png"))


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    session.disable()
    say(done=True)
    os._exit(0)  # Blender 4.2's module crashes at exit after any Python operator, even a plain one.
