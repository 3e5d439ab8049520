"""The operators that begin and end jobs. Each returns at once; the timer shows what follows."""

import uuid
from dataclasses import replace

import bpy
from bpy.props import StringProperty

from ..core.record import Phase, Placement, Record
from ..core.words import of_call, of_problem
from ..wire import messages as m
from ..wire.address import AddressError, parse
from ..wire.codec import Message, encode
from ..wire.errors import CallError
from . import bounds, form, state, viewport
from .place import PlaceError, place

__all__ = ["CLASSES", "put", "send_again"]


def _selection(context: bpy.types.Context) -> list[bpy.types.Object]:
    return [one for root in context.selected_objects for one in bounds.family(root)]


def _stand(context: bpy.types.Context) -> tuple[bounds.Box, Placement]:
    """Return the selection's bounds, and the place where its base is.

    Raises:
        FormError: Nothing that has a size is selected.
    """
    chosen = context.selected_objects
    turn = chosen[0].matrix_world.to_euler("XYZ").z if len(chosen) == 1 else 0.0
    found = bounds.stand_of(_selection(context), turn)
    if found is None or min(found[0].size) <= 0:
        raise form.FormError("Select an object that has a height, a width and a depth first.")
    box, where = found
    return box, Placement(location=where, rotation=turn)


def _placement(context: bpy.types.Context) -> Placement:
    settings = context.scene.assetwright
    document = state.document(context.scene)
    if settings.place == "SELECTION":
        active = context.active_object
        if active is None or not active.select_get():
            raise form.FormError("Select the object that the model shall replace first.")
        return replace(_stand(context)[1], replaces=active.name, document=document)
    return Placement(location=tuple(context.scene.cursor.location), document=document)


def _fit(context: bpy.types.Context) -> tuple[float, float, float] | None:
    return _stand(context)[0].size if context.scene.assetwright.size == "FIT" else None


def _send(operator: bpy.types.Operator, request: Message, record: Record) -> set[str]:
    desk, connection = state.desk(), state.connection()
    try:
        record = replace(record, request=encode(request), server=str(parse(connection.address)))
        desk.start(connection, record)
    except CallError as error:
        desk.trouble = of_call(error)
    except AddressError as wrong:
        desk.trouble = of_problem(str(wrong), "check_address")
    except (OSError, ValueError) as wrong:
        operator.report({"ERROR"}, str(wrong))
    else:
        desk.trouble = None
        return {"FINISHED"}
    if desk.trouble is not None:
        operator.report({"ERROR"}, desk.trouble.sentence)
    return {"CANCELLED"}


class Generate(bpy.types.Operator):
    """Make the model. Blender stays usable meanwhile"""

    bl_idname = "assetwright.generate"
    bl_label = "Generate"

    replaces: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Tell whether there is a model to generate with."""
        mesh, _ = form.models(context.scene)
        if mesh is None:
            cls.poll_message_set("The server's models are not known yet")
        elif not mesh.ready:
            cls.poll_message_set(mesh.not_ready_reason or "This model is not ready")
        return mesh is not None and mesh.ready

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Send the form."""
        scene = context.scene
        settings = scene.assetwright
        try:
            placement = self._place(context)
            request = form.generate_request(scene, box=_fit(context))
            picture = b""
            if settings.source == "PICTURE":
                picture = form.picture_bytes(scene)
            elif settings.source == "VIEWPORT":
                picture = viewport.picture(context)
            kept = state.desk().store.keep_picture(picture) if picture else ""
        except (form.FormError, viewport.ViewportError) as missing:
            self.report({"ERROR"}, str(missing))
            return {"CANCELLED"}
        except OSError as wrong:
            self.report({"ERROR"}, f"The picture cannot be kept: {wrong}")
            return {"CANCELLED"}
        record = Record(
            request_id=request.request_id or "",
            method="Generate",
            request=b"",
            title=f"{request.model}: {form.title(scene)}",
            server="",
            picture=kept,
            placement=placement,
            provenance=(
                ("model", request.model),
                ("provider", _provider(request.model)),
                ("made_from", form.title(scene)),
            ),
        )
        return _send(self, request, record)

    def _place(self, context: bpy.types.Context) -> Placement:
        old = bpy.data.objects.get(self.replaces) if self.replaces else None
        if old is None:
            return _placement(context)
        return _same_place(context, old)


def _same_place(context: bpy.types.Context, old: bpy.types.Object) -> Placement:
    where, turn, _ = old.matrix_world.decompose()
    return Placement(
        location=tuple(where),
        rotation=turn.to_euler("XYZ").z,
        replaces=old.name,
        deletes=True,
        document=state.document(context.scene),
    )


def _provider(model_id: str) -> str:
    model = state.model(model_id)
    return model.provider if model else ""


def _ours(context: bpy.types.Context) -> bpy.types.Object | None:
    """Return the active object, or whom it belongs to, if it came from a server."""
    one = context.active_object
    while one is not None and "assetwright_job_id" not in one:
        one = one.parent
    return one


class Reprocess(bpy.types.Operator):
    """Process this model again from the provider's bytes, with the form's size and budget. Free"""

    bl_idname = "assetwright.reprocess"
    bl_label = "Process again (free)"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Tell whether the active object came from a server that kept its source."""
        one = _ours(context)
        return one is not None and bool(one.get("assetwright_source_asset"))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Send the source with the form's options."""
        old = _ours(context)
        if old is None:
            return {"CANCELLED"}
        if context.scene.assetwright.size == "FIT":
            self.report({"ERROR"}, "Choose a height: the selection is the model itself.")
            return {"CANCELLED"}
        options = form.processing(context.scene, None)
        request = m.ProcessRequest(
            request_id=str(uuid.uuid4()),
            asset_id=old["assetwright_source_asset"],
            processing=options,
            labels={"editor": "blender", "title": old.name[:255]},
            delivery=m.Delivery.ANNOUNCE,
        )
        names = ("model", "provider", "made_from")
        kept = tuple((name, str(old.get(f"assetwright_{name}", ""))) for name in names)
        record = Record(
            request_id=request.request_id or "",
            method="Process",
            request=b"",
            title=f"Process: {old.name}",
            server="",
            placement=_same_place(context, old),
            provenance=(*kept, ("source_asset", request.asset_id)),
        )
        return _send(self, request, record)


class Better(bpy.types.Operator):
    """Generate with the form's model, and put the result where this one stands"""

    bl_idname = "assetwright.better"
    bl_label = "Replace with a better version"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Tell whether the active object came from a server."""
        return _ours(context) is not None and Generate.poll(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Send the form."""
        old = _ours(context)
        if old is None:
            return {"CANCELLED"}
        return bpy.ops.assetwright.generate(replaces=old.name)


class _OfJob:
    """An operator on one job of the list."""

    request_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def record(self) -> Record | None:
        """Return the job."""
        return state.desk().record(self.request_id)


class Cancel(_OfJob, bpy.types.Operator):
    """Stop the work. What was submitted already is charged all the same"""

    bl_idname = "assetwright.cancel"
    bl_label = "Cancel"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask the server to stop."""
        state.desk().cancel(self.request_id)
        return {"FINISHED"}


class Forget(_OfJob, bpy.types.Operator):
    """Take the job off this list. The server keeps it"""

    bl_idname = "assetwright.forget"
    bl_label = "Remove from the list"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Drop the record."""
        state.desk().forget(self.request_id)
        return {"FINISHED"}


class Place(_OfJob, bpy.types.Operator):
    """Put the model at the 3D cursor"""

    bl_idname = "assetwright.place"
    bl_label = "Place"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Place it, or fetch it first."""
        record = self.record()
        if record is None:
            return {"CANCELLED"}
        at_cursor = Placement(
            location=tuple(context.scene.cursor.location), document=state.document(context.scene)
        )
        record = replace(record, placement=at_cursor)
        if state.desk().asset_file(record) is None:
            state.desk().update(record)
            return _collect(self, record)
        try:
            put(record)
        except PlaceError as wrong:
            self.report({"ERROR"}, str(wrong))
            return {"CANCELLED"}
        return {"FINISHED"}


def _collect(operator: bpy.types.Operator, record: Record) -> set[str]:
    try:
        state.desk().collect(state.connection(), record.request_id)
    except (CallError, AddressError, OSError) as wrong:
        operator.report({"ERROR"}, str(wrong))
        return {"CANCELLED"}
    return {"FINISHED"}


def put(record: Record) -> None:
    """Place a job's model, and say so.

    Raises:
        PlaceError: As `place`.
    """
    path = state.desk().asset_file(record)
    if path is None:
        raise PlaceError("The file is gone; fetch it again.")
    root = place(record, path)
    state.desk().update(replace(record, phase=Phase.PLACED, placed_as=root.name))


def send_again(request_id: str) -> None:
    """Send a failed job again; what is wrong with the connection stands in the panel then."""
    try:
        state.desk().again(state.connection(), request_id)
    except CallError as error:
        state.desk().trouble = of_call(error)
    except AddressError as wrong:
        state.desk().trouble = of_problem(str(wrong), "check_address")


class History(bpy.types.Operator):
    """Show the server's other jobs in the list"""

    bl_idname = "assetwright.history"
    bl_label = "Fetch the history"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask for the server's jobs."""
        state.desk().fetch_history(state.connection())
        return {"FINISHED"}


CLASSES = (Generate, Reprocess, Better, Cancel, Forget, Place, History)
