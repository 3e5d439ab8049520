"""What a sandbox finds in the folder of the one before it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import stat
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import httpx
import pytest

from server.sandbox import SandboxSettings, Worker, run_sandbox
from tests.sandbox.conftest import KEY, Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.sandbox.conftest import PictureHost

    Open = Callable[..., AbstractAsyncContextManager[Client]]

SECRET = "a-key-that-nobody-writes-down"  # noqa: S105  # It opens nothing.


@pytest.fixture
def open_one(worker: Worker, tmp_path: Path) -> Open:
    """Run one sandbox after the other on the same folder; settings by keyword."""

    @contextlib.asynccontextmanager
    async def open_one(**settings: object) -> AsyncIterator[Client]:
        quick: dict[str, object] = {"queue_s": 0.0, "min_work_s": 0.0, "data_dir": tmp_path}
        async with (
            run_sandbox(SandboxSettings(**(quick | settings)), worker=worker) as sandbox,
            httpx.AsyncClient(
                base_url=sandbox.base_url, headers=KEY, timeout=20, trust_env=False
            ) as http,
        ):
            yield Client(sandbox, http)

    return open_one


@dataclass(frozen=True, slots=True)
class Folder:
    """What a sandbox keeps."""

    path: Path

    def records(self) -> list[Path]:
        return sorted((self.path / "requests").iterdir())

    def inputs(self) -> list[Path]:
        return sorted((self.path / "inputs").iterdir())

    def results(self) -> list[Path]:
        return sorted(path for path in self.path.iterdir() if path.is_file())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


async def submitted(client: Client, host: PictureHost, **body: object) -> str:
    reply = await client.submit(image_url=host.url("disc.png"), **body)
    return str(reply.json()["request_id"])


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # Files have no events.
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("waits", "status"),
    [({"queue_s": 30.0}, "QUEUED"), ({"min_work_s": 30.0}, "PROCESSING")],
)
async def test_an_unfinished_request_is_finished_although_its_input_is_gone(
    open_one: Open, host: PictureHost, folder: Folder, waits: dict[str, float], status: str
) -> None:
    """The address of a server's input ends with the server, so the bytes are kept."""
    async with open_one(**waits) as client:
        request_id = await submitted(client, host)
        await until(folder.inputs)
        assert (await client.status(request_id))["status"] == status
    host.files.clear()
    async with open_one() as client:
        found = await client.end(request_id)
        assert found["status"] == "COMPLETED"
        (url,) = found["output"]["media_url"]
        assert url.startswith(f"{client.sandbox.base_url}/media/")
        assert (await client.http.get(url)).content[:4] == b"glTF"
        assert client.sandbox.submissions() == ()
    assert folder.inputs() == []


async def test_a_finished_request_answers_as_before_under_the_new_address(
    open_one: Open, host: PictureHost
) -> None:
    async with open_one() as client:
        before = await client.end(await submitted(client, host))
        old = client.sandbox.base_url
        (url,) = before["output"]["media_url"]
        made = (await client.http.get(url)).content
    async with open_one() as client:
        after = await client.status(before["request_id"])
        assert str(after) == str(before).replace(old, client.sandbox.base_url)
        (url,) = after["output"]["media_url"]
        assert (await client.http.get(url)).content == made


async def test_a_failed_request_still_says_why(open_one: Open, host: PictureHost) -> None:
    async with open_one() as client:
        await client.fault(fault="fail", message="No luck.")
        before = await client.end(await submitted(client, host))
    async with open_one() as client:
        assert await client.status(before["request_id"]) == before


async def test_webhooks_hear_of_the_end_after_a_restart(open_one: Open, host: PictureHost) -> None:
    headers = {"X-Webhook-URL": host.url("hook")}
    async with open_one(queue_s=30.0) as client:
        request_id = await submitted(client, host, headers=headers)
    async with open_one() as client:
        await host.wait_for_callbacks(1)
        (told,) = host.callbacks
        assert (told["request_id"], told["status"]) == (request_id, "COMPLETED")
        assert told["output"]["media_url"][0].startswith(client.sandbox.base_url)


async def test_a_resumed_request_that_errs_is_not_refunded_by_a_wallet_that_never_paid(
    open_one: Open, host: PictureHost
) -> None:
    async with open_one(queue_s=30.0, wallet_usd=Decimal(1)) as client:
        request_id = await submitted(client, host)
    async with open_one(min_work_s=0.1, queue_s=0.3, wallet_usd=Decimal(1)) as client:
        await client.fault(fault="error")
        assert (await client.end(request_id))["status"] == "ERROR"
        assert client.sandbox.wallet.balance == Decimal(1)


async def test_what_is_not_the_sandboxs_own_is_skipped_and_left_alone(
    open_one: Open, host: PictureHost, folder: Folder
) -> None:
    """Each is one way in which a file can be wrong."""
    async with open_one() as client:
        ended = await client.end(await submitted(client, host))
    (record,) = folder.records()
    good = json.loads(record.read_text())
    (file,) = good["result"]["files"]
    wrong = {
        "empty": "",
        "binary": "\x00\ufffd",
        "list": "[]",
        "deep": "[" * 100_000,
        "another-name": json.dumps(good),
        **{
            f"bad-{n}": json.dumps(good | {"id": f"bad-{n}"} | change)
            for n, change in enumerate(
                [
                    {"version": 2},
                    {"model": "nobody"},
                    {"body": {"prompt": 1}},
                    {"status": "QUEUED"},
                    {"result": None},
                    {"created_at": "2026-01-01T00:00:00"},
                    {"headers": {"x-webhook-url": "http://example.com/"}},
                    {"result": good["result"] | {"files": []}},
                    {"result": good["result"] | {"files": [file | {"file": "../a.glb"}]}},
                    {"result": good["result"] | {"files": [file | {"file": "gone.glb"}]}},
                ]
            )
        },
    }
    for name, text in wrong.items():
        (record.parent / f"{name}.json").write_text(text)
    (record.parent / "folder.json").mkdir()
    (record.parent / "notes.txt").write_text("Mine.")
    before = folder.records()
    async with open_one() as client:
        assert (await client.status(ended["request_id"]))["status"] == "COMPLETED"
        for name in wrong:
            reply = await client.http.get(f"/v2/requests/status/{name}")
            assert reply.status_code == 404, name
    assert folder.records() == before


async def test_what_is_forgotten_goes_with_its_file_and_its_result(
    open_one: Open, host: PictureHost, folder: Folder
) -> None:
    async with open_one() as client:
        first = await client.end(await submitted(client, host))
    async with open_one(max_kept_requests=1) as client:
        second = await client.end(await submitted(client, host))
        assert "request_id" not in await client.status(first["request_id"])
    assert [path.stem for path in folder.records()] == [second["request_id"]]
    assert [path.stem for path in folder.results()] == [second["request_id"]]


async def test_no_key_is_written_and_nobody_else_may_read(
    open_one: Open, host: PictureHost, folder: Folder
) -> None:
    """Not even one in a header that no page knows."""
    names = [*KEY, "Authorization", "Cookie", "Api-Key"]
    async with open_one(queue_s=30.0) as client:
        await submitted(client, host, headers=dict.fromkeys(names, SECRET))
        await until(folder.inputs)
    kept = folder.records() + folder.inputs()
    assert len(kept) == 2
    for path in kept:
        assert SECRET.encode() not in path.read_bytes()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_a_crash_left_half_written_is_removed(open_one: Open, folder: Folder) -> None:
    async with open_one():
        pass
    for name in ("requests/a.part", "inputs/b.part", "inputs/ended.0.input"):
        (folder.path / name).write_bytes(b"half")
    async with open_one():
        assert folder.records() + folder.inputs() == []


async def test_a_request_goes_on_where_it_cannot_be_written(
    open_one: Open, host: PictureHost, folder: Folder
) -> None:
    async with open_one() as client:
        for name in ("requests", "inputs"):
            (folder.path / name).rmdir()
        assert (await client.end(await submitted(client, host)))["status"] == "COMPLETED"
