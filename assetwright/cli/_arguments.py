"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from assetwright import Client, RetryPolicy
from assetwright.cli._exit import ExitCode, UsageError
from assetwright.cli._processing import add_processing, has_processing, processing_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from assetwright.retry import Interruption

    Commands: TypeAlias = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

__all__ = [
    "Parser",
    "add_connection",
    "add_inputs",
    "add_processing",
    "connect",
    "has_processing",
    "processing_from",
]

_DEFAULT_SERVER = "127.0.0.1:50051"
_SERVER = "ASSETWRIGHT_SERVER"
_TOKEN = "ASSETWRIGHT_TOKEN"  # noqa: S105  # The variable's name.

EPILOG = "exit codes:\n" + "\n".join(f"  {code.value:>3}  {code.meaning}" for code in ExitCode)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ours, so that they too can be a JSON line."""

    def __init__(self, **options: object) -> None:
        settings = {
            "allow_abbrev": False,  # `--json` is looked for before the arguments are parsed.
            "epilog": EPILOG,
            "formatter_class": argparse.RawDescriptionHelpFormatter,
        }
        super().__init__(**(settings | options))  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        raise UsageError(f"{message}. `{self.prog} --help` shows the arguments.")


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add what every command that talks to a server takes."""
    group = parser.add_argument_group("connection and output")
    group.add_argument(
        "--server",
        metavar="HOST:PORT",
        default=argparse.SUPPRESS,
        help=f"the server's gRPC address (${_SERVER}, else {_DEFAULT_SERVER})",
    )
    group.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help=f"a file with the token (else ${_TOKEN})",
    )
    group.add_argument(
        "--tls-ca",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="connect by TLS and trust these authorities (PEM)",
    )
    group.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help="write one JSON object a line on stdout, and nothing else there",
    )


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add what a price depends on."""
    group = parser.add_argument_group("model parameters")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the model; `assetwright models MODEL` lists them",
    )
    group.add_argument(
        "--image-model", metavar="ID", help="make the picture from the prompt with this model first"
    )
    group.add_argument(
        "--image-set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the image model",
    )


def dollars(text: str) -> Decimal:
    """Read an amount for argparse."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount") from None


def server_of(arguments: argparse.Namespace) -> str:
    """Return the server's address."""
    given: str | None = getattr(arguments, "server", None)
    return given or os.environ.get(_SERVER) or _DEFAULT_SERVER


def connect(
    arguments: argparse.Namespace,
    *,
    on_interruption: Callable[[Interruption], None] | None = None,
) -> Client:
    """Return a client for the server that the arguments name.

    Raises:
        OSError: The file with the token or the authorities cannot be read.
    """
    token_file: Path | None = getattr(arguments, "token_file", None)
    authorities: Path | None = getattr(arguments, "tls_ca", None)
    token = token_file.read_text().strip() if token_file else os.environ.get(_TOKEN)
    return Client(
        server_of(arguments),
        token=token or None,
        root_certificates=authorities.read_bytes() if authorities else None,
        retry=RetryPolicy(on_interruption=on_interruption),
    )
