"""One thread a job: send it, follow it through broken connections, fetch its result."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ..wire.address import parse
from ..wire.calls import Server
from ..wire.codec import decode
from ..wire.errors import CallError
from ..wire.messages import (
    CancelJobRequest,
    CancelJobResponse,
    GenerateRequest,
    GenerateResponse,
    Input,
    InputRole,
    ProcessRequest,
    ProcessResponse,
    WatchJobRequest,
    WatchJobResponse,
)
from .fetch import fetch, is_whole
from .record import Phase, advance
from .upload import upload
from .words import of_call, of_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..wire.calls import Stream
    from ..wire.messages import DownloadAssetResponse, JobEvent
    from .record import Record
    from .store import Store

    _Events = Stream[GenerateResponse] | Stream[ProcessResponse] | Stream[WatchJobResponse]
    _Cancels = _Events | Stream[DownloadAssetResponse]

__all__ = ["Runner"]

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0
_PASSING = {"CONNECTION_LOST", "NO_ANSWER", "SERVER_DOWN"}
_PASSING_REASONS = {"DRAINING", "STORAGE_UNAVAILABLE"}
_DAMAGES = 3
_INLINE_BYTES = 1 << 20  # The contract's limit.


def cancel(server: Server, job_id: str) -> None:
    """Stop a job's work at the server.

    Raises:
        CallError: It could not be asked, or has ended.
    """
    request = CancelJobRequest(job_id=job_id)
    server.unary("GenerationService/CancelJob", request, CancelJobResponse)


class Runner(threading.Thread):
    """Works on one job until it has ended or is told to leave it alone.

    Args:
        record: The job.
        token: For the server.
        store: Where files go.
        publish: Called with each new state of the record, in this thread.
    """

    def __init__(
        self, record: Record, *, token: str, store: Store, publish: Callable[[Record], None]
    ) -> None:
        super().__init__(name=f"assetwright {record.request_id}", daemon=True)
        self._record = record
        self._server = Server(parse(record.server), token)
        self._store = store
        self._publish = publish
        self._leave = threading.Event()
        self._lock = threading.Lock()
        self._stream: _Cancels | None = None
        self._damages = 0
        self._unwanted = threading.Event()

    def leave(self) -> None:
        """Stop following. The job goes on at the server."""
        self._leave.set()
        with self._lock:
            if self._stream is not None:
                self._stream.cancel()

    def cancel(self) -> None:
        """Cancel the job at the server, once it is known there."""
        self._unwanted.set()
        if self._record.job_id:
            cancel(self._server, self._record.job_id)

    def run(self) -> None:
        """Follow the job."""
        pause = _FIRST_PAUSE_S
        while self._record.phase.is_active and not self._leave.is_set():
            before = self._record.sequence
            try:
                self._step()
            except CallError as error:
                if self._leave.is_set():
                    return
                if not self._passes(error):
                    self._end(error)
                    return
                pause = _FIRST_PAUSE_S if self._record.sequence > before else pause
                self._change(waiting=of_call(error))
                self._leave.wait(error.retry_s or pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
            except (OSError, ValueError) as wrong:
                trouble = of_problem(f"This computer's disk: {wrong}", "report")
                self._change(phase=Phase.FAILED, trouble=trouble, ended_s=time.time())
                return

    def _step(self) -> None:
        if self._record.phase is Phase.FETCHING:
            self._fetch()
        elif self._record.job_id:
            self._watch()
        else:
            self._send()

    def _passes(self, error: CallError) -> bool:
        """Tell whether the same call can succeed a little later."""
        if error.condition == "FILE_DAMAGED":
            self._damages += 1
            return self._damages < _DAMAGES
        if error.reason == "POSITION_OUT_OF_RANGE" and self._record.phase is Phase.FETCHING:
            return False
        if error.condition == "SERVER_DOWN" and not self._record.job_id:
            return False  # Nothing was sent, and a person waits for an answer.
        return error.condition in _PASSING or error.reason in _PASSING_REASONS

    def _end(self, error: CallError) -> None:
        self._change(phase=Phase.FAILED, trouble=of_call(error), waiting=None, ended_s=time.time())

    def _change(self, **values: object) -> None:
        self._record = replace(self._record, **values)  # type: ignore[arg-type]  # Its own fields.
        self._publish(self._record)

    def _hold(self, stream: _Cancels) -> None:
        with self._lock:
            self._stream = stream
        if self._leave.is_set():
            stream.cancel()

    def _take(self, event: JobEvent | None) -> None:
        if event is None or event.which("kind") in ("chunk", None):
            return
        known = self._record.job_id
        self._record = advance(self._record, event)
        self._publish(self._record)
        if not known and self._unwanted.is_set():
            cancel(self._server, self._record.job_id)

    def _send(self) -> None:
        data = self._record.request
        if self._record.method == "Generate":
            generate = decode(GenerateRequest, data)
            if self._record.picture:
                generate.inputs = [self._picture()]
            method = "GenerationService/Generate"
            self._follow(self._server.stream(method, generate, GenerateResponse))
        else:
            process = decode(ProcessRequest, data)
            method = "GenerationService/Process"
            self._follow(self._server.stream(method, process, ProcessResponse))

    def _picture(self) -> Input:
        data = self._store.asset_path(self._record.picture, "").read_bytes()
        if len(data) <= _INLINE_BYTES:
            return Input(role=InputRole.SOURCE, inline_data=data)
        asset_id = upload(self._server, data, self._record.picture, leave=self._leave)
        return Input(role=InputRole.SOURCE, asset_id=asset_id)

    def _watch(self) -> None:
        request = WatchJobRequest(job_id=self._record.job_id, after_sequence=self._record.sequence)
        method = "GenerationService/WatchJob"
        self._follow(self._server.stream(method, request, WatchJobResponse))

    def _follow(self, stream: _Events) -> None:
        with stream:
            self._hold(stream)
            for message in stream:
                self._take(message.event)
        if self._record.phase in (Phase.SENDING, Phase.RUNNING):
            lost = "The stream ended before the job did."
            raise CallError("UNAVAILABLE", lost, condition="CONNECTION_LOST")

    def _fetch(self) -> None:
        asset = self._record.result()
        if asset is None:
            trouble = of_problem("The job made nothing that Blender can show.", "show_history")
            self._change(phase=Phase.FAILED, trouble=trouble, ended_s=time.time())
            return
        path = self._store.asset_path(asset.sha256, asset.media_type)
        if not is_whole(path, asset):
            shown = [0.0]

            def tell(fraction: float) -> None:
                now = time.monotonic()
                if now - shown[0] > 0.1:  # noqa: PLR2004  # Seconds; faster than anyone reads.
                    shown[0] = now
                    self._change(fraction=fraction, waiting=None)

            fetch(self._server, asset, path, tell=tell, watch=self._hold)
        self._change(phase=Phase.READY, fraction=None, waiting=None, ended_s=time.time())
