"""Accept requests, work on them, remember them."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from server.sandbox.errors import InputError
from server.sandbox.faults import FaultKind, FaultQueue, Place
from server.sandbox.models import Protocol
from server.sandbox.requests import Clock, GatewayRequest, MediaFile, Result, Status, new_uuid
from server.sandbox.webhooks import Webhook, deliver
from server.sandbox.worker import WorkerError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping

    import httpx

    from server.sandbox.keep import Keep
    from server.sandbox.maker import Maker
    from server.sandbox.models import Currency, Generation
    from server.sandbox.records import KeptRequest
    from server.sandbox.settings import SandboxSettings
    from server.sandbox.wallet import Wallet

__all__ = ["Engine", "TooManyRequests"]

_log = structlog.get_logger()


class TooManyRequests(Exception):
    """As many unfinished requests are held as the settings allow."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What a request turns to next, and why."""

    status: Status
    error: str | None = None
    result: Result | None = None


class Engine:
    """Holds every request and owns the tasks that work on them."""

    def __init__(
        self,
        settings: SandboxSettings,
        *,
        http: httpx.AsyncClient,
        maker: Maker,
        wallets: Mapping[Currency, Wallet],
        faults: FaultQueue,
        clock: Clock,
        keep: Keep | None,
    ) -> None:
        self._settings = settings
        self._http = http
        self._maker = maker
        self._wallets = wallets
        self._faults = faults
        self._clock = clock
        self._keep = keep
        self._requests: dict[str, GatewayRequest] = {}
        self._ended: dict[str, asyncio.Future[GatewayRequest]] = {}
        self._by_token: dict[str, str] = {}
        self._recalled: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def recall(self, kept: Iterable[KeptRequest]) -> None:
        """Take requests over from before a restart, and work on those that are unfinished."""
        for one in kept:
            request = one.request
            self._recalled.add(request.id)
            self._remember(request)
            self._ended[request.id] = asyncio.get_running_loop().create_future()
            if request.status.is_final:
                self._ended[request.id].set_result(request)
            else:
                self._start(self._work(request.id, one.webhook), name=f"sandbox {request.id}")
                _log.info("sandbox_request_resumed", request_id=request.id)

    async def accept(
        self,
        generation: Generation,
        *,
        headers: Mapping[str, str],
        base_url: str,
        webhook: Webhook | None,
    ) -> GatewayRequest:
        """Take a request that is paid for and start working on it.

        Raises:
            TooManyRequests: Too many are unfinished.
        """
        now = self._clock()
        self._forget_old()
        open_now = sum(not request.status.is_final for request in self._requests.values())
        if open_now >= self._settings.max_open_requests:
            raise TooManyRequests
        is_batch = generation.model.protocol is Protocol.BATCH
        prefix = "" if is_batch else f"{generation.model.model_id}_"
        request = GatewayRequest(
            id=f"{prefix}{new_uuid(now)}",
            generation=generation,
            headers=headers,
            base_url=base_url,
            status=Status.QUEUED,
            created_at=now,
            updated_at=now,
        )
        self._remember(request)
        self._ended[request.id] = asyncio.get_running_loop().create_future()
        await self._save(request)
        self._start(self._work(request.id, webhook), name=f"sandbox {request.id}")
        _log.info("sandbox_request_accepted", request_id=request.id)
        return request

    def request(self, request_id: str) -> GatewayRequest | None:
        """Look a request up by its id."""
        return self._requests.get(request_id)

    async def ended(self, request: GatewayRequest, *, within_s: float | None) -> GatewayRequest:
        """Wait for a request's end, or for the time to run out, and say how it stands."""
        ended = self._ended[request.id]
        await asyncio.wait({ended}, timeout=within_s)
        return ended.result() if ended.done() else self._requests[request.id]

    def requests(self) -> tuple[GatewayRequest, ...]:
        """Every request that was accepted since the start and is remembered, oldest first."""
        return tuple(one for one in self._requests.values() if one.id not in self._recalled)

    def media(self, token: str) -> MediaFile | None:
        """Find the file behind a media link; `None` once the link has expired."""
        request = self._requests.get(self._by_token.get(token, ""))
        if request is None or request.result is None:
            return None
        if self._clock() >= request.result.expires_at:
            return None
        return next(file for file in request.result.files if file.token == token)

    async def aclose(self) -> None:
        """Stop working; what is unfinished stays unfinished."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[None, None, None], *, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, request_id: str, webhook: Webhook | None) -> None:
        """Take a request from where it stands to its end."""
        request = self._requests[request_id]
        if request.status is Status.QUEUED:
            await self._queue(request)
            request = await self._move(request_id, _Step(Status.PROCESSING))
        if webhook is not None:
            self._start(self._tell(webhook, request), name=f"webhook {request.id}")
        shown_until = asyncio.get_running_loop().time() + self._settings.min_work_s
        try:
            end = await self._end_of(request)
        except Exception:  # noqa: BLE001  # The outermost edge of this task: its caller must not wait for ever.
            _log.exception("sandbox_request_broke", request_id=request_id)
            end = _Step(Status.ERROR, error="Internal error.")
        await asyncio.sleep(shown_until - asyncio.get_running_loop().time())
        request = await self._move(request_id, end)
        if request.status is Status.ERROR and request_id not in self._recalled:  # Another wallet's.
            self._wallets[request.generation.model.currency].refund(request.generation.price)
        self._ended[request_id].set_result(request)
        if webhook is not None and webhook.wants(request.status):
            self._call(webhook, request)

    async def _queue(self, request: GatewayRequest) -> None:
        """Wait for its turn. What can be kept is fetched by then; what fails is tried again."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._settings.queue_s
        with contextlib.suppress(InputError, TimeoutError):
            async with asyncio.timeout_at(until):
                await self._maker.fetch_early(request)
        await asyncio.sleep(until - loop.time())

    async def _end_of(self, request: GatewayRequest) -> _Step:
        """Do what the next fault for results asks for, or the real work."""
        fault = self._faults.take(Place.RESULT)
        if fault is not None and fault.kind is FaultKind.FAIL:
            return _Step(Status.FAILED, error=fault.message or "The generation failed.")
        if fault is not None and fault.kind is FaultKind.ERROR:
            return _Step(Status.ERROR, error=fault.message or "Internal error.")
        if fault is not None:
            await asyncio.sleep(fault.delay_s)
        try:
            return _Step(Status.COMPLETED, result=await self._maker.make(request))
        except InputError as exc:
            return _Step(Status.FAILED, error=str(exc))
        except WorkerError as exc:
            return _Step(Status.ERROR, error=str(exc))

    async def _move(self, request_id: str, step: _Step) -> GatewayRequest:
        """Write down what a request turns to, then show it."""
        moved = self._requests[request_id].moved_to(
            step.status, at=self._clock(), error=step.error, result=step.result
        )
        await self._save(moved)
        self._remember(moved)
        _log.info("sandbox_request_moved", request_id=request_id, status=step.status.value)
        return moved

    async def _save(self, request: GatewayRequest) -> None:
        if self._keep is not None:
            await self._keep.save(request)

    def _remember(self, request: GatewayRequest) -> None:
        self._requests[request.id] = request
        for file in () if request.result is None else request.result.files:
            self._by_token[file.token] = request.id

    async def _tell(self, webhook: Webhook, request: GatewayRequest) -> None:
        """Report progress again and again, where the webhook asks for it."""
        while webhook.wants(request.status) and not request.status.is_final:
            self._call(webhook, request)
            request = await self.ended(request, within_s=self._settings.sync_webhook_s)

    def _call(self, webhook: Webhook, request: GatewayRequest) -> None:
        """Deliver in a task of its own: a slow endpoint holds up nothing."""
        call = deliver(self._http, webhook, request, faults=self._faults)
        self._start(call, name=f"webhook {request.id}")

    def _forget_old(self) -> None:
        """Drop the oldest finished requests beyond the limit, with their files."""
        finished = [one for one in self._requests.values() if one.status.is_final]
        excess = len(self._requests) - self._settings.max_kept_requests + 1
        for request in finished[: max(0, excess)]:
            del self._requests[request.id]
            del self._ended[request.id]
            self._recalled.discard(request.id)
            if self._keep is not None:
                self._keep.forget(request)
            for file in () if request.result is None else request.result.files:
                del self._by_token[file.token]
                file.path.unlink(missing_ok=True)
