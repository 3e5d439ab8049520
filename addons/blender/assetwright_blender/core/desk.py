"""Everything that runs beside the editor, behind one lock; the editor only looks and asks.

No Blender here. What happens is put into a queue, which the editor's timer empties.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..wire.address import AddressError, parse
from ..wire.calls import Server
from ..wire.codec import encode
from ..wire.errors import CallError
from ..wire.messages import (
    ListJobsRequest,
    ListJobsResponse,
    ListModelsRequest,
    ListModelsResponse,
    Model,
    QuoteRequest,
    QuoteResponse,
)
from .record import Phase, Record, from_job, renewed
from .runner import Runner
from .words import Trouble, of_call, of_condition, of_problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .store import Store

__all__ = ["Change", "Connection", "Desk"]

_STOP_S = 2.0


@dataclass(frozen=True)
class Connection:
    """Where the server is and who asks, read from the preferences in the editor's thread.

    Attributes:
        address: As it stands in the preferences.
        token: Empty for none.
        online: The editor allows other computers to be reached.
    """

    address: str
    token: str = ""
    online: bool = False

    def server(self) -> Server:
        """Return the server.

        Raises:
            AddressError: The address is none.
            CallError: It is another computer, and that is not allowed, or not safely possible.
        """
        address = parse(self.address)
        if not address.is_loopback:
            if not self.online:
                raise CallError("UNAVAILABLE", str(address), condition="OFFLINE")
            if self.token and not address.secure:
                raise AddressError(f"The token goes over https alone: https://{address.host}.")
        return Server(address, self.token)


@dataclass(frozen=True)
class Change:
    """Something that the editor may want to show: ``catalog``, ``quote`` or ``job``."""

    what: str
    request_id: str = ""


class Desk:
    """The jobs, the catalog and the price.

    Attributes:
        changes: What happened, for the editor's timer.
    """

    def __init__(self, store: Store) -> None:
        self.changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self.store = store
        self._lock = threading.RLock()
        self._records: dict[str, Record] = {one.request_id: one for one in store.load()}
        self._runners: dict[str, Runner] = {}
        self._models: list[Model] = []
        self._quote: QuoteResponse | None = None
        self._quoted = b""
        self._trouble: Trouble | None = None
        self._busy: set[str] = set()
        self._waiting: dict[str, Callable[[], None]] = {}

    @property
    def models(self) -> list[Model]:
        """The catalog; empty before it was fetched."""
        with self._lock:
            return self._models

    @property
    def trouble(self) -> Trouble | None:
        """What is wrong with the connection; None while nothing is."""
        with self._lock:
            return self._trouble

    @trouble.setter
    def trouble(self, value: Trouble | None) -> None:
        with self._lock:
            self._trouble = value
        self.changes.put(Change("catalog"))

    def is_busy(self, what: str) -> bool:
        """Tell whether a question of this name is on its way."""
        with self._lock:
            return what in self._busy

    def records(self) -> list[Record]:
        """Return the jobs, newest first."""
        with self._lock:
            return sorted(self._records.values(), key=lambda one: -one.created_s)

    def record(self, request_id: str) -> Record | None:
        """Return a job."""
        with self._lock:
            return self._records.get(request_id)

    def quote(self, request: QuoteRequest) -> QuoteResponse | None:
        """Return the price of exactly this request; None while it is not known."""
        with self._lock:
            return self._quote if self._quoted == encode(request) else None

    def fetch_catalog(self, connection: Connection) -> None:
        """Ask for the models."""

        def ask() -> None:
            models: list[Model] = []
            page = ListModelsResponse()
            server = connection.server()
            while not models or page.next_page_token:
                request = ListModelsRequest(page_size=500, page_token=page.next_page_token)
                page = server.unary("ModelService/ListModels", request, ListModelsResponse)
                models += page.models
                if not page.models:
                    break
            with self._lock:
                self._models = models
                self._trouble = None

        self._ask("catalog", ask)

    def fetch_quote(self, connection: Connection, request: QuoteRequest) -> None:
        """Ask what this request would cost."""
        asked = encode(request)

        def ask() -> None:
            answer = connection.server().unary("GenerationService/Quote", request, QuoteResponse)
            with self._lock:
                self._quote, self._quoted = answer, asked

        self._ask("quote", ask)

    def start(self, connection: Connection, record: Record) -> None:
        """Send a job, or take up one that is not finished.

        Raises:
            AddressError, CallError: As `Connection.server`.
            OSError: The record cannot be written, so nothing is sent.
        """
        connection.server()
        self.store.save(record)
        runner = Runner(record, token=connection.token, store=self.store, publish=self._publish)
        with self._lock:
            self._records[record.request_id] = record
            self._runners[record.request_id] = runner
        self.changes.put(Change("job", record.request_id))
        runner.start()

    def resume(self, connection: Connection) -> None:
        """Take up every job that is not finished, as far as the connection is the one it had."""
        for record in self.records():
            with self._lock:
                running = record.request_id in self._runners
            if record.phase.is_active and not running:
                own = replace(connection, address=record.server)
                if record.server != _same(connection.address):
                    own = replace(own, token="")
                try:
                    self.start(own, record)
                except CallError as error:
                    self._publish(replace(record, waiting=of_call(error)))
                except AddressError as wrong:
                    self._publish(replace(record, waiting=of_problem(str(wrong), "check_address")))

    def cancel(self, request_id: str) -> None:
        """Stop a job's work. Its line says so when the server has confirmed it."""
        with self._lock:
            runner = self._runners.get(request_id)
        if runner is not None:
            self._ask(f"cancel {request_id}", runner.cancel)

    def fetch_history(self, connection: Connection) -> None:
        """Ask for the server's jobs, and take those into the list that are not in it."""

        def ask() -> None:
            server = connection.server()
            page = server.unary("GenerationService/ListJobs", ListJobsRequest(), ListJobsResponse)
            for job in page.jobs:
                if self.record(job.request_id) is None:
                    self._publish(from_job(job, str(server.address)))

        self._ask("history", ask)

    def collect(self, connection: Connection, request_id: str) -> None:
        """Fetch the result of a job that ended at the server.

        Raises:
            AddressError, CallError, OSError: As `start`.
        """
        record = self.record(request_id)
        if record is None:
            return
        if record.result() is None:  # The list of jobs names no assets; the job's log does.
            phase, sequence = Phase.RUNNING, 0
        else:
            phase, sequence = Phase.FETCHING, record.sequence
        self.start(connection, replace(record, phase=phase, sequence=sequence, trouble=None))

    def again(self, connection: Connection, request_id: str) -> None:
        """Send a failed job again: as it is where it was never accepted, else as a new job.

        Raises:
            AddressError, CallError, OSError: As `start`.
        """
        record = self.record(request_id)
        if record is None or record.phase is not Phase.FAILED or not record.request:
            return
        reused = record.trouble is not None and record.trouble.name == "REQUEST_ID_REUSED"
        if record.result() is not None:
            fresh = replace(record, phase=Phase.FETCHING, trouble=None, ended_s=0.0)
        elif not record.job_id and not reused:
            fresh = replace(record, phase=Phase.SENDING, trouble=None, ended_s=0.0)
        else:
            fresh = renewed(record)
            self.forget(request_id)
        self.start(connection, fresh)

    def update(self, record: Record) -> None:
        """Take a record that the editor has changed."""
        self._publish(record)

    def forget(self, request_id: str) -> None:
        """Drop a job from the list; the server keeps it."""
        self._leave(request_id)
        with self._lock:
            self._records.pop(request_id, None)
        self.store.forget(request_id)
        self.changes.put(Change("job", request_id))

    def stop(self) -> None:
        """Leave all jobs alone; they go on at the server."""
        with self._lock:
            runners = list(self._runners.values())
            self._runners.clear()
        for runner in runners:
            runner.leave()
        deadline = time.monotonic() + _STOP_S
        for runner in runners:
            runner.join(max(deadline - time.monotonic(), 0))

    def asset_file(self, record: Record) -> Path | None:
        """Return the result's file; None while it is not there."""
        asset = record.result()
        if asset is None:
            return None
        path = self.store.asset_path(asset.sha256, asset.media_type)
        return path if path.exists() else None

    def _leave(self, request_id: str) -> None:
        with self._lock:
            runner = self._runners.pop(request_id, None)
        if runner is not None:
            runner.leave()

    def _publish(self, record: Record) -> None:
        with self._lock:
            before = self._records.get(record.request_id)
            self._records[record.request_id] = record
            if not record.phase.is_active:
                self._runners.pop(record.request_id, None)
            moved = (
                before is None
                or (before.phase, before.sequence) != (record.phase, record.sequence)
                or before.placement != record.placement
            )
            if moved:
                self.store.save(record)
        self.changes.put(Change("job", record.request_id))

    def _ask(self, what: str, question: Callable[[], None]) -> None:
        """Put a question in a thread; one of the same name that waits is overtaken."""
        with self._lock:
            self._waiting[what] = question
            if what in self._busy:
                return
            self._busy.add(what)
        threading.Thread(
            target=self._answer, args=(what,), name=f"assetwright {what}", daemon=True
        ).start()

    def _answer(self, what: str) -> None:
        while True:
            with self._lock:
                question = self._waiting.pop(what, None)
                if question is None:
                    self._busy.discard(what)
                    break
            trouble = _trouble_of(question)
            if trouble is not None:
                with self._lock:
                    self._trouble = trouble
        self.changes.put(Change(what.partition(" ")[0]))


def _trouble_of(question: Callable[[], None]) -> Trouble | None:
    try:
        question()
    except CallError as error:
        return of_call(error)
    except AddressError as wrong:
        return of_problem(str(wrong), "check_address")
    except OSError as wrong:
        return of_condition("UNEXPECTED", str(wrong))
    return None


def _same(address: str) -> str:
    try:
        return str(parse(address))
    except AddressError:
        return ""
