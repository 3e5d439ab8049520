"""Jobs, their logs and their assets, as rows. Every change of a job goes through `apply`."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from sqlalchemy import Connection, Select, and_, case, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from server.errors import (
    AssetNotFound,
    BudgetExceeded,
    InvalidRequest,
    JobNotFound,
    RequestIdReused,
    Violation,
)
from server.jobs import ledger
from server.jobs.events import Estimate, Event, LogEntry
from server.jobs.model import (
    MOVES,
    AfterSubmission,
    Asset,
    AssetRole,
    Charge,
    IllegalTransition,
    Job,
    JobState,
    Purchase,
    Superseded,
)
from server.jobs.rows import (
    asset_of,
    asset_row,
    assets_used,
    entry_of,
    entry_row,
    job_of,
    job_row,
    purchase_of,
    purchase_row,
)
from server.jobs.signals import CHANNEL, cancelled, logged, poked
from server.jobs.tables import ASSETS, EVENTS, JOBS, LABELS, PURCHASES, USES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.jobs.database import Transactions
    from server.jobs.ledger import Witness

__all__ = ["AssetQuery", "Budget", "Change", "Head", "JobQuery", "Page", "Store", "Taken"]

Item = TypeVar("Item")

_MICROS = 1_000_000
_ESTIMATE_SAMPLES = 50
_WHOLE_LOG = 100_000
_UNFINISHED = [state.value for state in JobState if not state.is_terminal]
_BUDGET_LOCK = func.hashtext("assetwright budget")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to a job in one transaction."""

    events: tuple[Event, ...] = ()
    state: JobState | None = None
    assets: tuple[Asset, ...] = ()
    purchase: Purchase | None = None
    values: Mapping[str, object] = field(default_factory=dict)  # Columns of `jobs`.
    witness: Witness | None = None  # Kept even if the job was taken by another run.


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A job that a run has taken, and what its writes must carry."""

    job: Job
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where an unfinished job is in the hands of the engine."""

    job: Job
    life: int
    node: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What jobs that were accepted since a time may cost together, in millionths of a dollar."""

    limit_micros: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """Which jobs, newest first."""

    page_size: int
    page_token: str = ""
    states: tuple[JobState, ...] = ()
    model: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetQuery:
    """Which assets, newest first."""

    page_size: int
    page_token: str = ""
    job_id: str | None = None
    roles: tuple[AssetRole, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item]):
    """A page of a list; an empty token at its end."""

    items: tuple[Item, ...]
    next_token: str


class Store:
    """Reads and writes jobs."""

    def __init__(self, database: Transactions, *, node: str = "") -> None:
        """Use a database; `node` is how this process is called there."""
        self._database = database
        self._node = node

    @property
    def database(self) -> Transactions:
        """Where the rows are."""
        return self._database

    @property
    def node(self) -> str:
        """How this process is called in the database."""
        return self._node

    async def add(
        self,
        job: Job,
        *,
        fingerprint: str,
        accepted: Event,
        max_price_micros: int = 0,
        budget: Budget | None = None,
    ) -> tuple[Job, str]:
        """Store a new job with its first event, or find the one that has its request_id.

        Returns:
            The job as stored and its fingerprint, which differs from `fingerprint` when the
            request_id is another request's.

        Raises:
            BudgetExceeded: With it the day might cost more than the budget.
        """
        change = _new_change()

        def work(connection: Connection) -> tuple[Job, str]:
            if budget is not None and self._database.is_shared:
                connection.execute(select(func.pg_advisory_xact_lock(_BUDGET_LOCK)))
            return _add(
                connection,
                job,
                fingerprint,
                accepted,
                change,
                max_price_micros=max_price_micros,
                budget=budget,
            )

        return await self._database.write(work)

    async def by_request_id(self, request_id: str) -> tuple[Job, str] | None:
        """Return the job that has a request_id, and its fingerprint.

        Raises:
            RequestIdReused: That job was deleted.
        """

        def work(connection: Connection) -> tuple[Job, str] | None:
            row = connection.execute(select(JOBS).where(JOBS.c.request_id == request_id)).first()
            return None if row is None else _known(connection, row)

        return await self._database.read(work)

    async def apply(
        self, job_id: str, change: Change, *, fence: int | None = None
    ) -> tuple[LogEntry, ...]:
        """Change a job and append to its log; return the new entries once they are on disk.

        Args:
            job_id: The job.
            change: What happens to it.
            fence: From `take`. None: this is not the work of a run, so nobody can have taken
                the job from it.

        Raises:
            IllegalTransition: The job is in a state that does not allow it.
            Superseded: Another run has taken the job. Only the change's witness was kept.
        """
        token = _new_change()

        def work(connection: Connection) -> tuple[LogEntry, ...] | None:
            if change.witness is not None and change.purchase is not None:
                intent = change.purchase.intent or ""
                ledger.note(connection, job_id=job_id, intent=intent, witness=change.witness)
            if fence is not None and _fence(connection, job_id) != fence:
                return None
            entries = _apply(connection, job_id, change, None if fence is None else token)
            if entries:
                self._tell(connection, job_id)
            return entries

        entries = await self._database.write(work)
        if entries is None:
            raise Superseded(job_id)
        return entries

    async def take(self, job_id: str) -> Taken | None:
        """Take a job that has not ended: what other runs of it write from now on is refused."""
        token = _new_change()

        def work(connection: Connection) -> Taken | None:
            this = (JOBS.c.id == job_id, JOBS.c.ended_at.is_(None), JOBS.c.deleted_at.is_(None))
            fence = connection.scalar(select(JOBS.c.fence).where(*this).with_for_update())
            if fence is None:
                return None
            values = {"fence": fence + 1, "node": self._node, "change": token}
            connection.execute(update(JOBS).where(*this).values(values))
            job = _one_job(connection, JOBS.c.id == job_id, job_id)
            return Taken(job=job, fence=fence + 1)

        return await self._database.write(work)

    async def request_cancel(self, job_id: str, after_submission: AfterSubmission) -> None:
        """Have it on disk that a job shall stop, and tell whoever works on it elsewhere.

        Raises:
            IllegalTransition: It has ended.
        """

        def work(connection: Connection) -> None:
            _apply(connection, job_id, Change(values={"cancel": after_submission.value}), None)
            said = cancelled(self._node, job_id, after_submission)
            self._database.notify(connection, CHANNEL, said)

        await self._database.write(work)

    async def cancelled_here(self) -> list[tuple[str, AfterSubmission]]:
        """Return what this node works on although somebody cancelled it."""
        query = select(JOBS.c.id, JOBS.c.cancel).where(
            JOBS.c.state.in_(_UNFINISHED),
            JOBS.c.node == self._node,
            JOBS.c.cancel.is_not(None),
        )
        return await self._database.read(
            lambda c: [(row.id, AfterSubmission(row.cancel)) for row in c.execute(query)]
        )

    async def tell_poke(self, job_id: str) -> None:
        """Tell other nodes that there may be news of a job."""
        if self._database.is_shared:
            said = poked(self._node, job_id)
            await self._database.write(lambda c: self._database.notify(c, CHANNEL, said))

    async def put_down(self, job_id: str, fence: int) -> None:
        """Say that nobody works on a job any more, if it is still ours."""
        this = (JOBS.c.id == job_id, JOBS.c.fence == fence)
        await self._database.write(lambda c: c.execute(update(JOBS).where(*this).values(node=None)))

    async def begin_anew(self, job_id: str, life: int) -> int | None:
        """Count a job's lives; None when somebody else did, or it has ended."""
        this = (JOBS.c.id == job_id, JOBS.c.life == life, JOBS.c.ended_at.is_(None))

        def work(connection: Connection) -> int | None:
            done = connection.execute(update(JOBS).where(*this).values(life=life + 1, node=None))
            return life + 1 if done.rowcount else None

        return await self._database.write(work)

    async def witness(self, job_id: str, *, intent: str, witness: Witness) -> None:
        """Write down what somebody knows about an intent to pay."""
        await self._database.write(
            lambda c: ledger.note(c, job_id=job_id, intent=intent, witness=witness)
        )

    async def witness_of(self, job_id: str, *, intent: str) -> Witness | None:
        """Return what is known about an intent to pay."""
        return await self._database.read(
            lambda c: ledger.witness_of(c, job_id=job_id, intent=intent)
        )

    async def head_of(self, job_id: str) -> Head:
        """Return a job and who has it.

        Raises:
            JobNotFound: There is none.
        """

        def work(connection: Connection) -> Head:
            job = _one_job(connection, JOBS.c.id == job_id, job_id)
            row = connection.execute(
                select(JOBS.c.life, JOBS.c.node).where(JOBS.c.id == job_id)
            ).one()
            return Head(job=job, life=row.life, node=row.node)

        return await self._database.read(work)

    def _tell(self, connection: Connection, job_id: str) -> None:
        self._database.notify(connection, CHANNEL, logged(self._node, job_id))

    async def job(self, job_id: str) -> Job:
        """Return a job with its assets.

        Raises:
            JobNotFound: There is none.
        """
        return await self._database.read(lambda c: _one_job(c, JOBS.c.id == job_id, job_id))

    async def head(self, job_id: str) -> tuple[JobState, int]:
        """Return a job's state and the last sequence of its log.

        Raises:
            JobNotFound: There is none.
        """
        query = select(JOBS.c.state, JOBS.c.last_sequence).where(
            JOBS.c.id == job_id, JOBS.c.deleted_at.is_(None)
        )
        row = await self._database.read(lambda c: c.execute(query).first())
        if row is None:
            raise _no_job(job_id)
        return JobState(row.state), row.last_sequence

    async def entries(self, job_id: str, *, after: int, limit: int) -> tuple[LogEntry, ...]:
        """Return a job's log after a position, oldest first."""
        query = (
            select(EVENTS)
            .where(EVENTS.c.job_id == job_id, EVENTS.c.sequence > after)
            .order_by(EVENTS.c.sequence)
            .limit(limit)
        )
        return await self._database.read(lambda c: tuple(entry_of(row) for row in c.execute(query)))

    async def log(self, job_id: str) -> tuple[LogEntry, ...]:
        """Return a job's whole log."""
        return await self.entries(job_id, after=0, limit=_WHOLE_LOG)

    async def jobs(self, query: JobQuery) -> Page[Job]:
        """Return a page of jobs, without their assets and reports."""
        wanted = _job_query(query)
        return await self._database.read(
            lambda c: _page([job_of(row) for row in c.execute(wanted)], query.page_size)
        )

    async def unfinished(self) -> tuple[Head, ...]:
        """Return the jobs that have not ended, oldest first, without assets and purchases."""
        query = select(JOBS).where(JOBS.c.state.in_(_UNFINISHED)).order_by(JOBS.c.created_at)
        return await self._database.read(
            lambda c: tuple(
                Head(job=job_of(row), life=row.life, node=row.node) for row in c.execute(query)
            )
        )

    async def unfinished_count(self) -> int:
        """Return how many jobs have not ended."""
        query = select(func.count()).select_from(JOBS).where(JOBS.c.state.in_(_UNFINISHED))
        return await self._database.read(lambda c: c.scalar(query) or 0)

    async def estimate(self, model: str, *, sandbox: bool) -> Estimate | None:
        """Return how long this server's latest generations took, from submission to result."""
        took = PURCHASES.c.generated_at - PURCHASES.c.submitted_at
        query = (
            select(took)
            .where(
                PURCHASES.c.model == model,
                PURCHASES.c.sandbox == sandbox,
                PURCHASES.c.generated_at.is_not(None),
            )
            .order_by(PURCHASES.c.generated_at.desc())
            .limit(_ESTIMATE_SAMPLES)
        )
        durations = await self._database.read(lambda c: list(c.scalars(query)))
        if not durations:
            return None
        return Estimate(median_s=median(durations), sample_size=len(durations))

    async def add_asset(self, asset: Asset) -> Asset:
        """Store an upload's row, or return the upload that has the same bytes."""

        def work(connection: Connection) -> Asset:
            same = select(ASSETS).where(
                ASSETS.c.sha256 == asset.sha256, ASSETS.c.role == AssetRole.UPLOAD.value
            )
            if (row := connection.execute(same).first()) is not None:
                return asset_of(row)
            connection.execute(insert(ASSETS), [asset_row(asset)])
            return asset

        return await self._database.write(work)

    async def asset(self, asset_id: str) -> Asset:
        """Return an asset.

        Raises:
            AssetNotFound: There is none.
        """
        query = select(ASSETS).where(ASSETS.c.id == asset_id)
        row = await self._database.read(lambda c: c.execute(query).first())
        if row is None:
            raise AssetNotFound(f"There is no asset {asset_id!r}.", asset_id=asset_id)
        return asset_of(row)

    async def asset_bytes(self) -> int:
        """Return how many bytes all assets have; the same bytes count once."""
        each = select(func.max(ASSETS.c.size_bytes).label("size")).group_by(ASSETS.c.sha256)
        query = select(func.coalesce(func.sum(each.subquery().c.size), 0))
        return await self._database.read(lambda c: int(c.scalar(query) or 0))

    async def assets(self, query: AssetQuery) -> Page[Asset]:
        """Return a page of assets."""
        wanted = _after_token(select(ASSETS), ASSETS, query.page_token).limit(query.page_size + 1)
        if query.job_id is not None:
            wanted = wanted.where(ASSETS.c.job_id == query.job_id)
        if query.roles:
            wanted = wanted.where(ASSETS.c.role.in_([role.value for role in query.roles]))
        return await self._database.read(
            lambda c: _page([asset_of(row) for row in c.execute(wanted)], query.page_size)
        )


def _new_change() -> str:
    return secrets.token_hex(8)


def _add(
    connection: Connection,
    job: Job,
    fingerprint: str,
    accepted: Event,
    change: str,
    *,
    max_price_micros: int,
    budget: Budget | None,
) -> tuple[Job, str]:
    same = select(JOBS).where(JOBS.c.request_id == job.request_id)
    if (known := connection.execute(same).first()) is not None:
        return _known(connection, known)
    if budget is not None:
        _check_budget(connection, budget, max_price_micros)
    row = job_row(job, fingerprint=fingerprint, max_price_micros=max_price_micros, change=change)
    try:
        with connection.begin_nested():
            connection.execute(insert(JOBS), [row])
    except IntegrityError:  # Another node was quicker with the same request_id.
        return _known(connection, connection.execute(same).one())
    if job.spec.labels:
        rows = [{"job_id": job.id, "key": k, "value": v} for k, v in job.spec.labels.items()]
        connection.execute(insert(LABELS), rows)
    if used := assets_used(job.spec):
        connection.execute(insert(USES), [{"job_id": job.id, "asset_id": one} for one in used])
    _apply(connection, job.id, Change(events=(accepted,)), None)
    return _one_job(connection, JOBS.c.id == job.id, job.id), fingerprint


def _known(connection: Connection, row: Any) -> tuple[Job, str]:  # noqa: ANN401 - SQLAlchemy's own
    if row.deleted_at is not None:
        raise RequestIdReused(
            "This request_id belongs to a job that was deleted.",
            request_id=row.request_id,
            job_id=row.id,
        )
    return _with_assets(connection, job_of(row)), row.fingerprint


def _fence(connection: Connection, job_id: str) -> int | None:
    return connection.scalar(select(JOBS.c.fence).where(JOBS.c.id == job_id).with_for_update())


def _apply(
    connection: Connection, job_id: str, change: Change, token: str | None
) -> tuple[LogEntry, ...]:
    """Make a change, unless `token` says that it was made already."""
    now = datetime.now(UTC)
    row = connection.execute(
        select(JOBS.c.state, JOBS.c.last_sequence, JOBS.c.change)
        .where(JOBS.c.id == job_id)
        .with_for_update()
    ).one()
    if token is not None and row.change == token:
        return _last_entries(connection, job_id, row.last_sequence, len(change.events))
    current = JobState(row.state)
    wanted = change.state or current
    if (wanted is not current and wanted not in MOVES[current]) or current.is_terminal:
        raise IllegalTransition(job_id=job_id, current=current, wanted=wanted)
    entries = tuple(
        LogEntry(job_id=job_id, sequence=row.last_sequence + place, at=now, event=one)
        for place, one in enumerate(change.events, start=1)
    )
    values = {
        "state": wanted.value,
        "updated_at": now.timestamp(),
        "last_sequence": row.last_sequence + len(entries),
        **({} if token is None else {"change": token}),
        **change.values,
    }
    if wanted.is_terminal:
        values["ended_at"] = now.timestamp()
    connection.execute(update(JOBS).where(JOBS.c.id == job_id).values(values))
    if change.purchase is not None:
        _put_purchase(connection, job_id, change.purchase)
    if change.assets:
        connection.execute(insert(ASSETS), [asset_row(asset) for asset in change.assets])
    if entries:
        connection.execute(insert(EVENTS), [entry_row(entry) for entry in entries])
    return entries


def _last_entries(
    connection: Connection, job_id: str, last: int, count: int
) -> tuple[LogEntry, ...]:
    query = (
        select(EVENTS)
        .where(EVENTS.c.job_id == job_id, EVENTS.c.sequence > last - count)
        .order_by(EVENTS.c.sequence)
    )
    return tuple(entry_of(row) for row in connection.execute(query))


def _one_job(connection: Connection, condition: Any, name: str) -> Job:  # noqa: ANN401 - SQLAlchemy's own
    row = connection.execute(select(JOBS).where(condition, JOBS.c.deleted_at.is_(None))).first()
    if row is None:
        raise _no_job(name)
    return _with_assets(connection, job_of(row))


def _no_job(name: str) -> JobNotFound:
    return JobNotFound(f"There is no job {name!r}.", job_id=name)


def _with_assets(connection: Connection, job: Job) -> Job:
    assets = select(ASSETS).where(ASSETS.c.job_id == job.id).order_by(ASSETS.c.created_at)
    purchases = select(PURCHASES).where(PURCHASES.c.job_id == job.id)
    return msgspec.structs.replace(
        job,
        assets=tuple(asset_of(row) for row in connection.execute(assets)),
        purchases=tuple(purchase_of(row) for row in connection.execute(purchases)),
    )


def _put_purchase(connection: Connection, job_id: str, purchase: Purchase) -> None:
    """Write a purchase as it is now, whether or not it was written before."""
    this = (PURCHASES.c.job_id == job_id, PURCHASES.c.kind == purchase.kind.value)
    values = purchase_row(purchase)
    if connection.execute(update(PURCHASES).where(*this).values(values)).rowcount == 0:
        sandbox = connection.scalar(select(JOBS.c.sandbox).where(JOBS.c.id == job_id))
        key = {"job_id": job_id, "kind": purchase.kind.value, "sandbox": sandbox}
        connection.execute(insert(PURCHASES), [{**key, **values}])


def _check_budget(connection: Connection, budget: Budget, asked_micros: int) -> None:
    """Refuse what the budget may not bear: ended jobs count what they cost, others their cap."""
    spent = (
        select(func.coalesce(func.sum(PURCHASES.c.price_micros), 0))
        .where(PURCHASES.c.job_id == JOBS.c.id, PURCHASES.c.charge != Charge.NOT_CHARGED.value)
        .scalar_subquery()
    )
    bound = case((JOBS.c.ended_at.is_(None), JOBS.c.max_price_micros), else_=spent)
    query = select(func.coalesce(func.sum(bound), 0)).where(
        JOBS.c.created_at >= budget.since.timestamp(), JOBS.c.sandbox.is_(False)
    )
    bound_micros = connection.scalar(query) or 0
    if bound_micros + asked_micros > budget.limit_micros:
        raise BudgetExceeded(
            f"Today's jobs may cost ${bound_micros / _MICROS:g} already; with "
            f"${asked_micros / _MICROS:g} more they exceed the daily budget of "
            f"${budget.limit_micros / _MICROS:g} (ASSETWRIGHT_DAILY_BUDGET_USD).",
            bound_micros=str(bound_micros),
            price_micros=str(asked_micros),
            budget_micros=str(budget.limit_micros),
        )


def _job_query(query: JobQuery) -> Select[Any]:
    there = select(JOBS).where(JOBS.c.deleted_at.is_(None))
    wanted = _after_token(there, JOBS, query.page_token).limit(query.page_size + 1)
    if query.states:
        wanted = wanted.where(JOBS.c.state.in_([state.value for state in query.states]))
    if query.model is not None:
        wanted = wanted.where(JOBS.c.model == query.model)
    for key, value in query.labels.items():
        wanted = wanted.where(
            exists().where(
                LABELS.c.job_id == JOBS.c.id, LABELS.c.key == key, LABELS.c.value == value
            )
        )
    return wanted


def _after_token(query: Select[Any], table: Any, token: str) -> Select[Any]:  # noqa: ANN401 - a Table
    """Order newest first, and start behind the row that the token names."""
    ordered = query.order_by(table.c.created_at.desc(), table.c.id.desc())
    if not token:
        return ordered
    try:
        at, _, last_id = base64.urlsafe_b64decode(token.encode()).decode().partition(" ")
        created = float(at)
    except (ValueError, binascii.Error) as exc:
        problem = Violation("page_token", "It is not one that this call returned.")
        raise InvalidRequest(problem) from exc
    older = or_(
        table.c.created_at < created, and_(table.c.created_at == created, table.c.id < last_id)
    )
    return ordered.where(older)


def _page(items: list[Any], size: int) -> Page[Any]:
    """Cut the row that was read to see whether more follow."""
    if len(items) <= size:
        return Page(items=tuple(items), next_token="")
    last = items[size - 1]
    text = f"{last.created_at.timestamp()!r} {last.id}"
    token = base64.urlsafe_b64encode(text.encode()).decode()
    return Page(items=tuple(items[:size]), next_token=token)
