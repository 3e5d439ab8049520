"""Read a request body of limited size: JSON, or a form where the page shows one."""

from __future__ import annotations

import json
from email import policy
from email.parser import BytesParser
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from server.sandbox.models import Parameter

__all__ = ["UnusableBody", "read_form", "read_json"]

_FORM = "multipart/form-data"


class UnusableBody(Exception):
    """The body is too large, of another type, or no JSON. `status` is the answer's."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_json(request: Request, *, max_bytes: int) -> object:
    """Decode a JSON body.

    Raises:
        UnusableBody: There is nothing to decode.
    """
    if _kind(request) != "application/json":
        raise UnusableBody(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json."
        )
    try:
        body: object = json.loads(await _read(request, max_bytes=max_bytes))
    except (ValueError, RecursionError):
        raise UnusableBody(HTTPStatus.BAD_REQUEST, "The body is not valid JSON.") from None
    return body


async def read_form(
    request: Request, parameters: Mapping[str, Parameter], *, max_bytes: int
) -> object:
    """Decode a multipart form, or JSON where the body is that.

    Forms know text alone: a field whose parameter refuses text is read as a number.

    Raises:
        UnusableBody: There is nothing to decode.
    """
    if _kind(request) != _FORM:
        return await read_json(request, max_bytes=max_bytes)
    data = await _read(request, max_bytes=max_bytes)
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode("latin-1")
    message = BytesParser(policy=policy.HTTP).parsebytes(head + data)
    fields: dict[str, object] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(value, bytes):
            raise UnusableBody(HTTPStatus.BAD_REQUEST, "The form could not be read.")
        fields[name] = _value(value.decode("utf-8", "replace"), parameters.get(name))
    if not fields:
        raise UnusableBody(HTTPStatus.BAD_REQUEST, "The form could not be read.")
    return fields


def _value(text: str, parameter: Parameter | None) -> object:
    if parameter is None or parameter.check(text) is None:
        return text
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _read(request: Request, *, max_bytes: int) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > max_bytes:
            raise UnusableBody(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {max_bytes} bytes."
            )
    return bytes(data)
