"""What only some commands need, and may not be installed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from assetwright.cli._exit import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["needing_server_extra"]


@contextmanager
def needing_server_extra() -> Iterator[None]:
    """Explain an import that fails.

    Raises:
        MissingExtra: A module is not installed; the message says how to install it.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f'This command needs more than the client: pip install "assetwright[server]" '
            f"({error.name} is missing).",
            metadata={"extra": "server", "module": error.name or ""},
        ) from error
