"""``assetwright generate``, ``quote``: what a model makes, and what it costs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from assetwright.cli import _words
from assetwright.cli._arguments import (
    add_connection,
    add_inputs,
    add_processing,
    connect,
    dollars,
    has_processing,
    processing_from,
)
from assetwright.cli._exit import ExitCode, UsageError
from assetwright.cli._follow import follow
from assetwright.cli._values import pairs, typed

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncGenerator

    from assetwright import Client
    from assetwright.cli._arguments import Commands
    from assetwright.cli._ui import Ui
    from assetwright.events import Event
    from assetwright.records import ParameterValue

__all__ = ["add_to", "fill_generate", "run_generate"]


def add_to(commands: Commands) -> None:
    """Add the commands."""
    generate = commands.add_parser("generate", help="buy a generation and save what it makes")
    fill_generate(generate)
    generate.set_defaults(run=run_generate)
    quote = commands.add_parser("quote", help="say what a generation would cost")
    quote.add_argument("model", metavar="MODEL")
    add_inputs(quote)
    add_connection(quote)
    quote.set_defaults(run=_run_quote)


def fill_generate(parser: argparse.ArgumentParser) -> None:
    """Add what ``generate`` takes."""
    parser.add_argument("model", metavar="MODEL", help="a model's id; `assetwright models` lists")
    _add_request(parser)
    add_inputs(parser)
    add_processing(parser)
    add_connection(parser)


def _add_request(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prompt", metavar="TEXT", help="what to make, in words")
    parser.add_argument("--image", metavar="FILE_OR_URL", help="the picture to start from")
    parser.add_argument("--mask", metavar="FILE_OR_URL", help="the mask: white is painted anew")
    parser.add_argument("--dataset", metavar="FILE_OR_URL", help="the archive to train from")
    parser.add_argument(
        "--max-cost", type=dollars, metavar="USD", help="refuse when it may cost more than this"
    )
    parser.add_argument(
        "--accept-unpriced", action="store_true", help="buy even if no price is published"
    )
    parser.add_argument(
        "--request-id", metavar="ID", help="the idempotency key; the same request attaches"
    )
    parser.add_argument("--label", action="append", default=[], metavar="K=V", help="a free label")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where the files go (out/JOB_ID otherwise)"
    )


def run_generate(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    """Buy a generation, follow it, save what it makes."""
    labels = pairs(arguments.label, option="--label")
    _texts(arguments)  # Wrong arguments are said before anything is asked.

    async def events(client: Client) -> AsyncGenerator[Event, None]:
        parameters, image_parameters = await _parameters(arguments, client)
        async for event in client.generate(
            arguments.model,
            prompt=arguments.prompt,
            image=arguments.image,
            mask=arguments.mask,
            dataset=arguments.dataset,
            parameters=parameters,
            processing=processing_from(arguments) if has_processing(arguments) else None,
            image_model=arguments.image_model,
            image_parameters=image_parameters,
            max_cost_usd=arguments.max_cost,
            accept_unpriced=arguments.accept_unpriced or None,
            labels=labels,
            request_id=arguments.request_id,
        ):
            yield event

    return asyncio.run(follow(arguments, ui, events))


def _run_quote(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    return asyncio.run(_quote(arguments, ui))


async def _quote(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    async with connect(arguments) as client:
        parameters, image_parameters = await _parameters(arguments, client)
        quote = await client.quote(
            arguments.model,
            parameters=parameters,
            image_model=arguments.image_model,
            image_parameters=image_parameters,
        )
    ui.record(quote)
    ui.show(f"{arguments.model}: {_words.price_range(quote)}")
    if quote.note:
        ui.show(f"{quote.note} {f'(as of {quote.as_of})' if quote.as_of else ''}".strip())
    return ExitCode.OK


async def _parameters(
    arguments: argparse.Namespace, client: Client
) -> tuple[dict[str, ParameterValue], dict[str, ParameterValue]]:
    """Return both models' parameters, typed as the catalog says.

    Asking for the model also fails at once where no server is, instead of after all the patience.
    """
    given, image_given = _texts(arguments)
    model = await client.model(arguments.model)
    parameters = typed(given, model, option="--set")
    if arguments.image_model is None:
        return parameters, {}
    painter = await client.model(arguments.image_model)
    field = "image_stage.parameters"
    return parameters, typed(image_given, painter, option="--image-set", field=field)


def _texts(arguments: argparse.Namespace) -> tuple[dict[str, str], dict[str, str]]:
    """Return both models' parameters as they were given.

    Raises:
        UsageError: They are not NAME=VALUE, or for an image model that is not named.
    """
    if arguments.image_set and arguments.image_model is None:
        raise UsageError("--image-set needs --image-model: it has the parameters of that model.")
    return pairs(arguments.set, option="--set"), pairs(arguments.image_set, option="--image-set")
