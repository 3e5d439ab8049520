"""``assetwright models``: the catalog, or one model of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assetwright.cli import _words
from assetwright.cli._arguments import add_connection, connect
from assetwright.cli._exit import ExitCode
from assetwright.cli._ui import table
from assetwright.enums import InputRole, ModelTask

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from rich.table import Table

    from assetwright.cli._arguments import Commands
    from assetwright.cli._ui import Ui
    from assetwright.records import InputSpec, Model, Parameter, ParameterValue, PriceTable

__all__ = ["add_to"]

_OPEN = "other values pass with a warning"
_OPTIONS = {
    InputRole.SOURCE: "--image",
    InputRole.MASK: "--mask",
    InputRole.DATASET: "--dataset",
}


def add_to(commands: Commands) -> None:
    """Add the command."""
    models = commands.add_parser("models", help="list the models, or show one")
    models.add_argument("model", metavar="MODEL_ID", nargs="?")
    add_connection(models)
    models.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    asyncio.run(_show(arguments, ui) if arguments.model else _list(arguments, ui))
    return ExitCode.OK


async def _list(arguments: argparse.Namespace, ui: Ui) -> None:
    async with connect(arguments) as client:
        models = await client.models()
    rows = table("model", "task", "price", "ready", whole=2)
    for model in models:
        ui.record(model)
        rows.add_row(model.model_id, model.task, _price(model), _ready(model))
    ui.show(rows if models else "No models.")
    ui.show(*_why_not_ready(models))


def _why_not_ready(models: Iterable[Model]) -> list[str]:
    """Return each reason once, with the models that it keeps."""
    kept: dict[str, list[str]] = {}
    for model in models:
        if not model.ready and model.not_ready_reason:
            kept.setdefault(model.not_ready_reason, []).append(model.model_id)
    return [f"Not ready: {', '.join(names)}. {reason}" for reason, names in kept.items()]


async def _show(arguments: argparse.Namespace, ui: Ui) -> None:
    async with connect(arguments) as client:
        model = await client.model(arguments.model)
    ui.record(model)
    ui.show(f"{model.model_id}: {model.display_name}, {model.provider}", model.description)
    ui.show(f"task: {model.task}", f"price: {_price(model)}. {model.price_table.note}".strip())
    ui.show(*_price_rows(model.price_table))
    ui.show(f"ready: {_ready(model)}. {model.not_ready_reason or ''}".strip())
    if model.duration_estimate is not None:
        ui.show(_words.estimate(model.duration_estimate))
    ui.show(_inputs(model), _parameters(model) if model.parameters else "It has no parameters.")


def _price_rows(prices: PriceTable) -> list[str]:
    return [
        f"  {', '.join(f'{name} {value}' for name, value in row.when.items())}: {row.price}"
        for row in prices.rows
        if row.when and row.price is not None
    ]


def _inputs(model: Model) -> Table:
    """Return what goes in beside the parameters, with the option that it is given by."""
    rows = table("input", "option", "needed", "meaning", whole=3)
    rows.add_row("prompt", "--prompt", *_prompt(model))
    for spec in model.inputs:
        types = f" ({', '.join(spec.media_types)})" if spec.media_types else ""
        rows.add_row(spec.role, _OPTIONS.get(spec.role, ""), _needed(spec), spec.help + types)
    return rows


def _prompt(model: Model) -> tuple[str, str]:
    if model.takes_prompt:
        return ("required" if model.requires_prompt else "optional"), "what to make, in words"
    if model.task is ModelTask.IMAGE_TO_3D:
        return "no", "with --image-model alone, which makes the source from it"
    return "no", ""


def _needed(spec: InputSpec) -> str:
    return "required" if spec.required else "optional"


def _parameters(model: Model) -> Table:
    rows = table("parameter", "type", "default", "values", "meaning")
    for parameter in model.parameters:
        default = "required" if parameter.required else _value(parameter.default)
        values = _values(parameter)
        rows.add_row(parameter.name, parameter.type, default, values, parameter.help)
    return rows


def _values(parameter: Parameter) -> str:
    allowed = ", ".join(_value(value) for value in parameter.allowed)
    if allowed:
        return f"{allowed}; {_OPEN}" if parameter.allows_unlisted else allowed
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f"at least {low:g}"
    return "" if high is None else f"at most {high:g}"


def _value(value: ParameterValue | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str("" if value is None else value)


def _price(model: Model) -> str:
    prices = sorted(
        (row.price for row in model.price_table.rows if row.price is not None),
        key=lambda price: price.amount_micros,
    )
    if not prices:
        return "free" if model.price_table.source == "free" else "not published"
    if prices[-1].amount_micros == 0:
        return "free"
    return str(prices[0]) if prices[0] == prices[-1] else f"{prices[0]} to {prices[-1]}"


def _ready(model: Model) -> str:
    if not model.ready:
        return "no"
    return "sandbox" if model.sandbox else "yes"
