"""The log: gapless, stored before told, the same for every reader."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from server.errors import JobNotFound
from server.jobs.database import Database
from server.jobs.events import Accepted, LogEntry, Notice
from server.jobs.hub import Hub
from server.jobs.ledger import Source, Witness
from server.jobs.model import (
    Charge,
    GenerateSpec,
    IllegalTransition,
    Job,
    JobKind,
    JobState,
    Purchase,
    PurchaseKind,
    Superseded,
)
from server.jobs.postgres import PostgresDatabase
from server.jobs.store import Change, Store
from tests.server.postgres import fresh_database
from tests.server.watching import watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from sqlalchemy import Connection

    from server.jobs.database import Transactions


@pytest.fixture(params=["sqlite", "postgres"])
async def store(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """Both databases keep the same promises."""
    with contextlib.ExitStack() as stack:
        database: Transactions
        if request.param == "sqlite":
            database = Database(tmp_path / "jobs.sqlite3")
        else:
            database = PostgresDatabase(stack.enter_context(fresh_database()))
        yield Store(database, node="n")
        database.close()


def a_job(name: str = "job_1", request_id: str = "request") -> Job:
    now = datetime.now(UTC)
    return Job(
        id=name,
        request_id=request_id,
        kind=JobKind.GENERATE,
        state=JobState.QUEUED,
        spec=GenerateSpec(model="pixal3d", parameters={"seed": 1, "mesh_scale": 1.0}),
        created_at=now,
        updated_at=now,
        last_sequence=0,
        sandbox=False,
    )


ACCEPTED = Accepted(request_id="request", plan=(), sandbox=False)


async def test_many_writers_leave_no_gap_and_no_double(store: Store) -> None:
    """Writes of one job that share a transaction get their numbers one after the other."""
    await store.add(a_job(), fingerprint="f", accepted=ACCEPTED)
    change = Change(events=(Notice(code="A", message=""), Notice(code="B", message="")))
    told = await asyncio.gather(*(store.apply("job_1", change) for _ in range(100)))
    entries = await store.entries("job_1", after=0, limit=1000)
    assert [entry.sequence for entry in entries] == list(range(1, 202))
    assert sorted((entry for some in told for entry in some), key=lambda e: e.sequence) == list(
        entries[1:]
    )


async def test_the_same_request_id_is_one_job_whoever_is_first(store: Store) -> None:
    added = await asyncio.gather(
        *(store.add(a_job(f"job_{n}"), fingerprint=f"f{n}", accepted=ACCEPTED) for n in range(20))
    )
    assert len({job.id for job, _ in added}) == 1
    assert len({fingerprint for _, fingerprint in added}) == 1
    assert len(await store.entries(added[0][0].id, after=0, limit=10)) == 1


async def test_an_illegal_move_changes_nothing(store: Store) -> None:
    """Neither the state nor the log, even in a transaction with others that are legal."""
    await store.add(a_job(), fingerprint="f", accepted=ACCEPTED)
    legal = store.apply("job_1", Change(events=(Notice(code="ok", message=""),)))
    illegal = store.apply(
        "job_1", Change(state=JobState.COMPLETED, events=(Notice(code="no", message=""),))
    )
    _, error = await asyncio.gather(legal, illegal, return_exceptions=True)
    assert isinstance(error, IllegalTransition)
    assert (await store.job("job_1")).state is JobState.QUEUED
    codes = [entry.event for entry in await store.entries("job_1", after=1, limit=10)]
    assert codes == [Notice(code="ok", message="")]


async def test_nothing_follows_the_end(store: Store) -> None:
    await store.add(a_job(), fingerprint="f", accepted=ACCEPTED)
    await store.apply("job_1", Change(state=JobState.CANCELLED))
    with pytest.raises(IllegalTransition):
        await store.apply("job_1", Change(events=(Notice(code="late", message=""),)))
    assert await store.unfinished() == ()


async def test_who_has_lost_the_job_writes_nothing_but_what_it_knows_of_a_payment(
    store: Store,
) -> None:
    await store.add(a_job(), fingerprint="f", accepted=ACCEPTED)
    slow, quick = await store.take("job_1"), await store.take("job_1")
    assert slow is not None
    assert quick is not None
    purchase = Purchase(
        kind=PurchaseKind.RESULT, model="pixal3d", charge=Charge.UNKNOWN, intent="i"
    )
    witness = Witness(source=Source.ANSWER, gateway_request_id="g-1")
    change = Change(events=(Notice(code="late", message=""),), purchase=purchase, witness=witness)
    with pytest.raises(Superseded):
        await store.apply("job_1", change, fence=slow.fence)
    assert len(await store.log("job_1")) == 1
    assert (await store.job("job_1")).purchases == ()
    assert await store.witness_of("job_1", intent="i") == witness
    assert len(await store.apply("job_1", change, fence=quick.fence)) == 1


async def test_an_answer_is_believed_before_anything_else(store: Store) -> None:
    await store.add(a_job(), fingerprint="f", accepted=ACCEPTED)
    assert await store.witness_of("job_1", intent="i") is None
    known = [
        Witness(source=Source.NOT_SENT),
        Witness(source=Source.CALLBACK, gateway_request_id="g-1"),
        Witness(source=Source.ANSWER, gateway_request_id="g-2"),
    ]
    for one in (*known, *known):
        await store.witness("job_1", intent="i", witness=one)
        await store.witness("job_1", intent="another", witness=known[0])
    assert await store.witness_of("job_1", intent="i") == known[-1]
    assert await store.witness_of("job_1", intent="another") == known[0]


async def test_a_change_whose_commit_was_not_heard_of_is_made_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The connection breaks between the commit and its answer; the write is tried again."""
    with fresh_database() as url:
        database = PostgresDatabase(url)
        store = Store(database, node="n")
        await store.add(a_job(), fingerprint="f", accepted=ACCEPTED)
        taken = await store.take("job_1")
        assert taken is not None
        write, tries = database.write, []

        async def cut_off(work: Callable[[Connection], object]) -> object:
            def run(connection: Connection) -> object:
                tries.append(1)
                result = work(connection)
                if len(tries) == 1:
                    driver = connection.connection.driver_connection
                    assert driver is not None
                    driver.commit()
                    connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
                return result

            return await write(run)

        monkeypatch.setattr(database, "write", cut_off)
        change = Change(events=(Notice(code="A", message=""), Notice(code="B", message="")))
        told = await store.apply("job_1", change, fence=taken.fence)
        log = await store.log("job_1")
        database.close()
    assert len(tries) == 2
    assert log[1:] == told
    assert [one.sequence for one in log] == [1, 2, 3]


async def test_a_job_is_the_same_after_the_database_was_closed(tmp_path: Path) -> None:
    """What a restart finds is what was stored, types included: 1 stays 1, 1.0 stays 1.0."""
    database = Database(tmp_path / "jobs.sqlite3")
    stored, _ = await Store(database).add(a_job(), fingerprint="f", accepted=ACCEPTED)
    database.close()
    database = Database(tmp_path / "jobs.sqlite3")
    found = await Store(database).job("job_1")
    database.close()
    assert found == stored
    assert isinstance(found.spec, GenerateSpec)
    assert [type(value) for value in found.spec.parameters.values()] == [int, float]


async def test_sqlite_is_set_up_to_survive_a_power_cut(tmp_path: Path) -> None:
    """WAL with synchronous=NORMAL may lose the last commits, the intent to pay among them."""
    database = Database(tmp_path / "jobs.sqlite3")

    def pragmas(connection: object) -> list[object]:
        return [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()  # type: ignore[attr-defined]
            for name in ("journal_mode", "synchronous", "foreign_keys", "integrity_check")
        ]

    assert await database.read(pragmas) == ["wal", 2, 1, "ok"]
    assert await database.write(pragmas) == ["wal", 2, 1, "ok"]
    database.close()


async def test_an_unknown_job_is_named(store: Store) -> None:
    with pytest.raises(JobNotFound, match="'nobody'"):
        await store.job("nobody")


def entry(sequence: int) -> LogEntry:
    event = Notice(code="N", message="")
    return LogEntry(job_id="j", sequence=sequence, at=datetime.now(UTC), event=event)


async def test_a_slow_reader_is_sent_back_to_the_log_and_holds_no_memory() -> None:
    hub = Hub()
    with hub.subscribe("j") as live:
        for sequence in range(1, 1000):
            hub.publish([entry(sequence)])
        assert live.lagging
        assert len(await live.take(0)) <= 64
    hub.publish([entry(1000)])
    assert hub._by_job == {}


async def test_a_reader_hears_of_its_own_job_only() -> None:
    hub = Hub()
    with hub.subscribe("other") as live:
        hub.publish([entry(1)])
        assert await live.take(0) == []


@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.integers(min_value=1, max_value=90), min_size=1, max_size=6),
    start=st.integers(min_value=0, max_value=40),
)
async def test_a_reader_sees_every_entry_once_however_they_come(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], start: int
) -> None:
    """Bursts beyond what a reader may hold, and any position to start from."""
    await watched(tmp_path_factory.mktemp("log"), steps, start)
