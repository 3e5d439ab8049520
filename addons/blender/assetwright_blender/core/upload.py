"""Sending a picture that is too large for the request itself, by the HTTP port's uploads."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

from ..wire.calls import lost, open_connection
from ..wire.errors import CallError, Violation

if TYPE_CHECKING:
    import threading

    from ..wire.calls import Server

__all__ = ["upload"]

_PIECE_BYTES = 1 << 20
_SILENCE_S = 30.0
_CREATED, _ACCEPTED, _FORBIDDEN, _MISPLACED = 201, 202, 403, 416


def upload(server: Server, data: bytes, sha256: str, *, leave: threading.Event) -> str:
    """Store the bytes at the server, beginning where an earlier try stopped.

    The hash is the upload's id, so that another try, even after a restart, is the same upload.

    Args:
        server: Where to.
        data: What.
        sha256: Its hash, which the server checks.
        leave: Ends the upload between two pieces.

    Returns:
        The asset's id.

    Raises:
        CallError: It was refused, the connection broke, or it was told to leave.
    """
    connection = open_connection(server.address, _SILENCE_S)
    headers = server.headers() | {"upload-sha256": sha256, "upload-name": "picture"}
    piece, span = b"", f"bytes */{len(data)}"
    try:
        while not leave.is_set():
            fields = headers | {"content-range": span}
            connection.request("PUT", f"/v1/uploads/{sha256}", piece, fields)
            response = connection.getresponse()
            body = response.read()
            if response.status == _CREATED:
                return str(_json(body)["asset"]["asset_id"])
            offset = response.headers.get("upload-offset", "")
            if response.status not in (_ACCEPTED, _MISPLACED) or not offset.isdecimal():
                raise _refusal(response.status, body)
            first = int(offset)
            piece = data[first : first + _PIECE_BYTES]
            span = f"bytes {first}-{first + len(piece) - 1}/{len(data)}"
    except (OSError, http.client.HTTPException) as wrong:
        raise lost(wrong) from wrong
    finally:
        connection.close()
    raise CallError("CANCELLED", "The upload was stopped here.")


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def _refusal(status: int, body: bytes) -> CallError:
    error = _json(body).get("error")
    if not isinstance(error, dict):
        condition = "SERVER_REFUSES_ORIGIN" if status == _FORBIDDEN else "SERVER_WRONG"
        return CallError("UNKNOWN", f"HTTP {status}", condition=condition)
    violations = tuple(
        Violation(str(one.get("field")), str(one.get("message")))
        for one in error.get("violations") or ()
    )
    return CallError(
        str(error.get("status")),
        str(error.get("message")),
        reason=str(error.get("reason") or ""),
        violations=violations,
    )
