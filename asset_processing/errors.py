"""What can go wrong with an asset, as one tree.

Every error carries a stable ``reason`` for programs, a sentence for people, and the varying parts
of that sentence as ``metadata``. All of them survive pickling, because they are raised in worker
processes and answered for in another one.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = ["GlbTooLarge", "InvalidGlb", "InvalidOption", "ProcessingError", "UnsupportedGlb"]


class ProcessingError(Exception):
    """Base of everything this package raises on purpose. Never raised itself.

    Args:
        message: A sentence for people: what is wrong, where, and what to do. May change.
        **metadata: The varying parts of the message, such as ``pointer`` (an RFC 6901 JSON
            pointer into the file's JSON).
    """

    reason: ClassVar[str]  # Stable, for programs.

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.metadata = metadata

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild from the message, then restore what Exception's own pickling would lose."""
        return _rebuild, (type(self), str(self), self.metadata)


class InvalidGlb(ProcessingError):
    """The bytes are not a valid, self-contained GLB 2.0 file."""

    reason = "ASSET_INVALID"


class GlbTooLarge(ProcessingError):
    """The file asks for more than the limits allow; see `asset_processing.limits`."""

    reason = "ASSET_TOO_COMPLEX"


class UnsupportedGlb(ProcessingError):
    """The file is valid, but needs something this release does not do."""

    reason = "ASSET_UNSUPPORTED"


class InvalidOption(ProcessingError):
    """An option is wrong, by itself or for this file.

    ``metadata["field"]`` names the option, such as ``height_m``.
    """

    reason = "INVALID_REQUEST"

    @property
    def field(self) -> str:
        """Name of the option as `ProcessingOptions` spells it; several are joined by commas."""
        return self.metadata.get("field", "")


def _rebuild(
    kind: type[ProcessingError], message: str, metadata: dict[str, str]
) -> ProcessingError:
    return kind(message, **metadata)
