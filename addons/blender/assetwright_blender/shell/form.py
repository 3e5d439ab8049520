"""What a person fills in, and the requests made from it."""

import uuid
import zlib
from pathlib import Path

import bpy
from bpy.props import (
    BoolProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..core.form import parameters as sent_parameters
from ..core.form import takes_picture, usable_models
from ..wire import messages as m
from . import parameters, state

__all__ = [
    "CLASSES",
    "FormError",
    "generate_request",
    "models",
    "picture_bytes",
    "processing",
    "quote_request",
    "title",
]

_NONE = [("NONE", "No models yet", "The server's catalog has not been fetched")]
_items: dict[str, list[tuple[str, str, str, int]]] = {}  # Blender keeps no reference to the texts.


def _model_items(models: list[m.Model], name: str) -> list[tuple[str, str, str, int]]:
    found = [
        (
            one.model_id,
            one.display_name + ("" if one.ready else " (not ready)"),
            one.not_ready_reason or one.description,
            zlib.crc32(one.model_id.encode()) & 0x7FFFFFFF,  # The same whatever else is listed.
        )
        for one in models
    ]
    items = found or [(*_NONE[0], 0)]
    if _items.get(name) != items:
        _items[name] = items
    return _items[name]


def _meshes(_self: object, _context: object) -> list[tuple[str, str, str, int]]:
    return _model_items(usable_models(state.desk().models)[0], "meshes")


def _pictures(_self: object, _context: object) -> list[tuple[str, str, str, int]]:
    return _model_items(usable_models(state.desk().models)[1], "pictures")


# Older ones take paths beside the document in any case, and do not know the option.
_RELATIVE = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (5, 0, 0) else set()


class Form(bpy.types.PropertyGroup):
    """What to make. Belongs to the scene, so it is saved with the document."""

    model: EnumProperty(name="Model", description="What makes the mesh", items=_meshes)
    image_model: EnumProperty(
        name="Picture by", description="What draws the picture from the prompt", items=_pictures
    )
    source: EnumProperty(
        name="From",
        description="What the model is made from",
        items=(
            ("PICTURE", "Picture", "A picture file"),
            ("VIEWPORT", "Viewport", "What the 3D view shows, as a picture"),
            ("PROMPT", "Prompt", "Words; a picture is drawn from them first"),
        ),
    )
    picture: StringProperty(
        name="Picture",
        description="A PNG, JPEG or WebP file",
        subtype="FILE_PATH",
        options=_RELATIVE,
    )
    prompt: StringProperty(name="Prompt", description="What to make, in words")
    size: EnumProperty(
        name="Size",
        description="How large the model becomes",
        items=(
            ("HEIGHT", "Height", "So tall"),
            ("FIT", "Fit the selection", "As large as fits into the selected objects' bounds"),
            ("KEEP", "As it comes", "The model's own size"),
        ),
    )
    height_m: FloatProperty(
        name="Height",
        description="Height of the finished model",
        default=1.0,
        min=0.001,
        soft_max=100.0,
        unit="LENGTH",
    )
    limit_triangles: BoolProperty(
        name="", description="Check the number of triangles", default=True
    )
    max_triangles: IntProperty(
        name="Triangles",
        description="The most triangles",
        default=20_000,
        min=1,
        soft_max=1_000_000,
    )
    over_budget: EnumProperty(
        name="If it has more",
        description="What happens to a model with more triangles",
        items=(
            ("CHECK", "Report it", "Keep the mesh, and say so in the report"),
            ("ENFORCE", "Simplify", "Simplify until it has no more"),
        ),
    )
    place: EnumProperty(
        name="Place",
        description="Where the model's base goes",
        items=(
            ("CURSOR", "3D cursor", "At the 3D cursor"),
            (
                "SELECTION",
                "Instead of the selection",
                "Where the active object stands; it is hidden",
            ),
        ),
    )
    max_price: FloatProperty(
        name="Price limit",
        description="Never pay more than this for one generation, in the quote's currency",
        default=1.0,
        min=0.0,
        precision=2,
    )
    accept_unpriced: BoolProperty(
        name="Without a known price",
        description="Use a model although nobody publishes what it costs",
    )


class FormError(Exception):
    """A field is missing. The message says which and what to do."""


def models(scene: bpy.types.Scene) -> tuple[m.Model | None, m.Model | None]:
    """Return the mesh model, and the picture model where the form starts from a prompt."""
    form = scene.assetwright
    if not state.desk().models:
        return None, None
    mesh = state.model(form.model)
    needs_picture = form.source == "PROMPT" and mesh is not None and takes_picture(mesh)
    return mesh, state.model(form.image_model) if needs_picture else None


def choose(scene: bpy.types.Scene) -> None:
    """Choose the first model that is ready, where none is chosen yet."""
    for name, listed in zip(
        ("model", "image_model"), usable_models(state.desk().models), strict=True
    ):
        known = [one.model_id for one in listed]
        if known and not scene.assetwright.is_property_set(name):
            ready = [one.model_id for one in listed if one.ready]
            setattr(scene.assetwright, name, (ready or known)[0])


def _parameters(scene: bpy.types.Scene, model: m.Model) -> dict[str, m.ParameterValue]:
    return sent_parameters(*parameters.values(scene, model))


def quote_request(scene: bpy.types.Scene) -> m.QuoteRequest | None:
    """Return what to price; None while no model is chosen."""
    mesh, picture = models(scene)
    if mesh is None:
        return None
    stage = None
    if picture is not None:
        stage = m.ImageStage(model=picture.model_id, parameters=_parameters(scene, picture))
    return m.QuoteRequest(
        model=mesh.model_id, parameters=_parameters(scene, mesh), image_stage=stage
    )


def processing(
    scene: bpy.types.Scene, box: tuple[float, float, float] | None
) -> m.ProcessingOptions:
    """Return what is done with the mesh.

    Args:
        scene: Whose form it is.
        box: What to fit into, along Blender's X, Y and Z, in metres; None for the form's size.
    """
    form = scene.assetwright
    options = m.ProcessingOptions(pivot=m.Pivot.BASE, engine_profile=m.EngineProfile.BLENDER)
    if box is not None:
        width, depth, height = box
        options.fit_box = m.Box(width_m=width, height_m=height, depth_m=depth)
    elif form.size == "HEIGHT":
        options.height_m = float(f"{form.height_m:.7g}")
    if form.limit_triangles:
        options.max_triangles = form.max_triangles
        options.budget_action = m.BudgetAction[form.over_budget]
    return options


def generate_request(
    scene: bpy.types.Scene, *, box: tuple[float, float, float] | None
) -> m.GenerateRequest:
    """Return the request that the form stands for, without its picture.

    Args:
        scene: Whose form it is.
        box: As in `processing`.

    Raises:
        FormError: A field is missing.
    """
    form = scene.assetwright
    mesh, _ = models(scene)
    asked = quote_request(scene)
    if mesh is None or asked is None:
        raise FormError("Choose a model first.")
    request = m.GenerateRequest(
        request_id=str(uuid.uuid4()),
        model=asked.model,
        parameters=asked.parameters,
        image_stage=asked.image_stage,
        processing=processing(scene, box),
        delivery=m.Delivery.ANNOUNCE,
        labels={"editor": "blender", "title": title(scene)[:255]},
    )
    if form.source == "PROMPT" or (form.prompt and mesh.takes_prompt):
        request.prompt = form.prompt.strip()
        if not request.prompt:
            raise FormError("Write a prompt first.")
    quote = state.desk().quote(asked)
    limit = round(form.max_price * 1e6)
    currency = "USD"
    if quote is not None and quote.high is not None:
        currency = quote.high.currency_code
        limit = min(limit, quote.high.amount_micros) if _within(quote, limit) else limit
    request.max_cost = m.Money(currency_code=currency, amount_micros=limit)
    if form.accept_unpriced:
        request.accept_unpriced = True
    return request


def _within(quote: m.QuoteResponse, limit: int) -> bool:
    return quote.high is not None and quote.high.amount_micros <= limit


def title(scene: bpy.types.Scene) -> str:
    """Return what the job is called in lists."""
    form = scene.assetwright
    if form.source == "PROMPT":
        return form.prompt.strip()
    return "viewport" if form.source == "VIEWPORT" else Path(bpy.path.abspath(form.picture)).name


def picture_bytes(scene: bpy.types.Scene) -> bytes:
    """Return the chosen picture file's bytes.

    Raises:
        FormError: There is none, or it cannot be read.
    """
    name = scene.assetwright.picture
    if not name:
        raise FormError("Choose a picture first.")
    try:
        return Path(bpy.path.abspath(name)).read_bytes()
    except OSError as wrong:
        raise FormError(f"The picture cannot be read: {wrong.strerror}") from wrong


def register() -> None:
    """Give every scene a form."""
    bpy.types.Scene.assetwright = PointerProperty(type=Form)


def unregister() -> None:
    """Take the forms away; their values stay in the documents."""
    del bpy.types.Scene.assetwright


CLASSES = (Form,)
