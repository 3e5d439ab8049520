"""What can be wrong with what a request brings along."""

from __future__ import annotations

__all__ = ["DatasetError", "InputError", "InvalidRequest", "PictureError"]


class InvalidRequest(Exception):
    """The body breaks the published contract. The message goes into the `error` field."""


class InputError(Exception):
    """An input is unusable. The message is fit for the gateway's `error` field."""


class PictureError(InputError):
    """The picture cannot be read, is too large, or shows no subject."""


class DatasetError(InputError):
    """The archive cannot be trained on."""
