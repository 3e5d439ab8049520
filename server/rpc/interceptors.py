"""What stands before every call: tokens, and the guard that turns errors into statuses."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
import structlog

from server.errors import AssetwrightError, Draining, InternalError, Unauthenticated
from server.rpc.status import rich_status
from server.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from server.rpc.status import RichStatus

    Context = grpc.aio.ServicerContext[Any, Any]
    Continuation = Callable[
        [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]
    ]

__all__ = ["Guard", "TokenCheck"]

_log = structlog.get_logger()

_OPEN = "/grpc.health.v1.Health/"  # Load balancers carry no token.


class Guard(grpc.aio.ServerInterceptor):
    """Turns errors into statuses, and keeps the text of unexpected ones from callers.

    A handler may yield a message, or one that is encoded already (`server.rpc.chunks`).
    """

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Wrap the call's handler."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        wrap = _guarded_stream if handler.response_streaming else _guarded_call
        return _with_behaviour(handler, wrap(_behaviour(handler), handler_call_details.method))


class TokenCheck(grpc.aio.ServerInterceptor):
    """Asks for a token, when there are any."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = Tokens(tokens)

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Let the call pass, or replace its handler by a refusal of the same shape."""
        handler = await continuation(handler_call_details)
        if handler is None or self._known(handler_call_details):
            return handler
        if handler_call_details.method.startswith(_OPEN):
            return handler
        return _refusing(handler)

    def _known(self, details: grpc.HandlerCallDetails) -> bool:
        sent = dict(details.invocation_metadata or ()).get("authorization", "")
        return self._tokens.allow(sent)


def _guarded_call(behaviour: Any, method: str) -> Any:  # noqa: ANN401 - grpc's own
    async def call(request: object, context: Context) -> object:
        try:
            return await behaviour(request, context)
        except asyncio.CancelledError:
            await _end_if_alive(context)
            raise
        except AssetwrightError as exc:
            await _abort(context, rich_status(exc))
        except grpc.aio.AbortError:
            raise
        except Exception:  # noqa: BLE001 - the outermost edge
            await _abort(context, _bug(method))

    return call


def _guarded_stream(behaviour: Any, method: str) -> Any:  # noqa: ANN401 - grpc's own
    async def stream(request: object, context: Context) -> AsyncIterator[object]:
        try:
            async with contextlib.aclosing(behaviour(request, context)) as messages:
                async for message in messages:
                    yield message
        except asyncio.CancelledError:
            await _end_if_alive(context)
            raise
        except AssetwrightError as exc:
            await _abort(context, rich_status(exc))
        except grpc.aio.AbortError:
            raise
        except Exception:  # noqa: BLE001 - the outermost edge
            await _abort(context, _bug(method))

    return stream


async def _end_if_alive(context: Context) -> None:
    """End a call that nobody cancelled but we.

    A CancelledError that comes from inside (an inner task that was cancelled) sends no status, and
    the client would wait for ever; `cancelling()` tells it from the client's own cancel.
    """
    task = asyncio.current_task()
    if task is not None and not task.cancelling():
        status = rich_status(Draining("The server stopped this call.", retry_after_s="2"))
        await context.abort(status.code, status.message, status.trailers)


async def _abort(context: Context, status: RichStatus) -> NoReturn:
    await context.abort(status.code, status.message, status.trailers)


def _bug(method: str) -> RichStatus:
    error_id = secrets.token_hex(6)
    _log.error("rpc_bug", method=method, error_id=error_id, trace=traceback.format_exc())
    error = InternalError(f"The server made a mistake (id {error_id}).", error_id=error_id)
    return rich_status(error)


def _refusing(handler: grpc.RpcMethodHandler[Any, Any]) -> grpc.RpcMethodHandler[Any, Any]:
    async def refuse(_request: object, context: Context) -> None:
        await _abort(context, rich_status(Unauthenticated("A valid token is needed.")))

    async def refuse_stream(request: object, context: Context) -> AsyncIterator[object]:
        await refuse(request, context)
        yield None

    return _with_behaviour(handler, refuse_stream if handler.response_streaming else refuse)


def _behaviour(handler: grpc.RpcMethodHandler[Any, Any]) -> Any:  # noqa: ANN401 - grpc's own
    return (
        handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    )


def _with_behaviour(
    handler: grpc.RpcMethodHandler[Any, Any],
    behaviour: Any,  # noqa: ANN401 - grpc's own
) -> grpc.RpcMethodHandler[Any, Any]:
    """Return a handler of the same shape that does something else."""
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[handler.request_streaming, handler.response_streaming]
    return make(behaviour, handler.request_deserializer, _passing_bytes(handler))


def _passing_bytes(handler: grpc.RpcMethodHandler[Any, Any]) -> Callable[[Any], bytes]:
    serialize: Any = handler.response_serializer
    return lambda message: message if isinstance(message, bytes) else serialize(message)
