"""How a request is written down: one JSON object, read back with the care a foreign file needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from server.sandbox.errors import InvalidRequest
from server.sandbox.models import MODELS, parse_generation
from server.sandbox.requests import GatewayRequest, MediaFile, Result, Status
from server.sandbox.webhooks import parse_webhook

if TYPE_CHECKING:
    from server.sandbox.webhooks import Webhook

__all__ = ["KeptRequest", "UnreadableRecord", "decode", "encode"]

_VERSION = 1
_HEADERS = ("x-webhook-url", "x-webhook-mode")  # All that is needed; others might hold a secret.

_Record = dict[str, object]


class UnreadableRecord(Exception):
    """The bytes are no request that this version wrote. Says nothing of what is in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRequest:
    """A request from before a restart, and whom to tell how it goes on."""

    request: GatewayRequest
    webhook: Webhook | None


def encode(request: GatewayRequest) -> bytes:
    """Write a request down, with none of its headers but those that name a webhook."""
    record = {
        "version": _VERSION,
        "id": request.id,
        "model": request.generation.model.name,
        "body": dict(request.generation.body),
        "headers": {name: request.headers[name] for name in _HEADERS if name in request.headers},
        "status": request.status.value,
        "created_at": request.created_at.isoformat(),
        "updated_at": request.updated_at.isoformat(),
        "error": request.error,
        "result": None if request.result is None else _result_record(request.result),
    }
    return json.dumps(record, separators=(",", ":")).encode()


def decode(data: bytes, *, base_url: str, folder: Path) -> KeptRequest:
    """Read a request back.

    Args:
        data: What `encode` wrote.
        base_url: Under which address the sandbox answers now.
        folder: Where the files of results are.

    Raises:
        UnreadableRecord: It was not written by `encode`, or its result is gone.
    """
    try:
        return _kept(_object(json.loads(data)), base_url=base_url, folder=folder)
    except (ValueError, LookupError, TypeError, RecursionError, OSError, InvalidRequest):
        raise UnreadableRecord from None


def _kept(record: _Record, *, base_url: str, folder: Path) -> KeptRequest:
    if record["version"] != _VERSION:
        raise ValueError(record["version"])
    generation = parse_generation(record["body"], MODELS[_text(record["model"])])
    headers = {name: _text(value) for name, value in _object(record["headers"]).items()}
    status = Status(record["status"])
    result = None if record["result"] is None else _result(_object(record["result"]), folder)
    if (result is not None) != (status is Status.COMPLETED):
        raise ValueError(status)
    request = GatewayRequest(
        id=_text(record["id"]),
        generation=generation,
        headers=headers,
        base_url=base_url,
        status=status,
        created_at=_time(record["created_at"]),
        updated_at=_time(record["updated_at"]),
        error=None if record["error"] is None else _text(record["error"]),
        result=result,
    )
    return KeptRequest(request=request, webhook=parse_webhook(headers, generation))


def _result_record(result: Result) -> _Record:
    files = [
        {
            "token": file.token,
            "name": file.name,
            "file": file.path.name,
            "media_type": file.media_type,
        }
        for file in result.files
    ]
    return {"expires_at": result.expires_at.isoformat(), "files": files}


def _result(record: _Record, folder: Path) -> Result:
    listed = record["files"]
    if not isinstance(listed, list) or not listed:
        raise TypeError
    files = tuple(_file(_object(one), folder) for one in listed)
    return Result(files=files, expires_at=_time(record["expires_at"]))


def _file(record: _Record, folder: Path) -> MediaFile:
    name = _text(record["file"])
    path = folder / name
    if Path(name).name != name or not path.is_file():
        raise ValueError(name)
    return MediaFile(
        token=_text(record["token"]),
        name=_text(record["name"]),
        path=path,
        media_type=_text(record["media_type"]),
    )


def _object(value: object) -> _Record:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _time(value: object) -> datetime:
    time = datetime.fromisoformat(_text(value))
    if time.tzinfo is None:
        raise ValueError(value)
    return time
