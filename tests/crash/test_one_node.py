"""One server on SQLite, killed in every phase of its jobs."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING

import pytest

from tests.crash.campaign import crash
from tests.crash.jobs import Caller
from tests.crash.phases import PHASES
from tests.crash.processes import Node, closed, settings_for
from tests.crash.verdict import Figures, check_logs, check_results, judge

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.processes import Gateway


@pytest.mark.timeout(1500)
async def test_kills_in_every_phase_cost_no_result_and_no_second_payment(
    tmp_path: Path, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    node = Node("a", tmp_path / "a", settings_for(gateway))
    caller = Caller([node], gateway)
    try:
        await node.start()
        figures = await crash([node], caller, gateway, rounds=3, jobs_each=3)
        await caller.all_ended(600)
        await judge(caller.jobs, gateway, figures)
        await check_logs(caller.jobs, [node])
        assert await check_results(caller.jobs, [node]) > 0
    finally:
        await caller.close()
        await closed([node])
    check_integrity(node.folder / "data")
    assert figures.total.kills == node.kills >= 20
    assert figures.total.jobs >= 50
    with capsys.disabled():
        print("\n" + figures.table("One node, SQLite"))  # noqa: T201 - the figures of the docs


def check_integrity(folder: Path) -> None:
    databases = list(folder.glob("*.sqlite3"))
    assert databases
    for path in databases:
        with contextlib.closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.timeout(600)
async def test_a_callback_brings_back_what_a_kill_during_the_post_cut_off(
    tmp_path: Path, gateway: Gateway
) -> None:
    """The request id comes with the callback, and the status endpoint agrees."""
    settings = settings_for(gateway) | {
        "ASSETWRIGHT_PUBLIC_URL": "http://127.0.0.1:{http_port}",
        "ASSETWRIGHT_SUBMISSION_GRACE_S": "600",
    }
    node = Node("a", tmp_path / "a", settings)
    caller = Caller([node], gateway)
    figures = Figures()
    during = next(phase for phase in PHASES if phase.name == "during the POST")
    try:
        began = time.monotonic()
        await node.start()
        # The callbacks come when the server is back: it takes as long as before, or a little more.
        delay_s = 10 + 3 * (time.monotonic() - began)
        await during.prepare(gateway, 6)
        await gateway.fault(fault="slow", on="webhook", delay_s=delay_s, count=6)
        jobs = await asyncio.gather(*(caller.submit(aim=during.name) for _ in range(6)))
        await asyncio.gather(*(during.reached(gateway, [job]) for job in jobs))
        await node.kill()
        await node.start()
        await caller.all_ended(300)
        await judge(caller.jobs, gateway, figures)
        await check_logs(caller.jobs, [node])
    finally:
        await caller.close()
        await closed([node])
    assert figures.total.completed == figures.total.submissions == 6
