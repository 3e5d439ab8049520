"""The examples run as their pages say, against a real server with the sandbox."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from PIL import Image, ImageDraw

from assetwright.v1 import generation_service_pb2 as pb
from server.sandbox import Fault, FaultKind, Place
from tests.server.house import quick_settings, start_house
from tests.server.test_live import live

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Node, Server
    from tests.server.house import House

pytestmark = pytest.mark.timeout(180)  # Each makes several models in processes of its own.

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
# About the smallest that the model makes, so that the tests are quick.
QUICK = ("--set", "decimation_target=2000", "--set", "texture_size=1024")


async def run(address: str, script: str, *words: str | Path, code: int = 0) -> tuple[str, str]:
    """Run an example to its end; return what it wrote to standard output and error."""
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        EXAMPLES / script,
        *words,
        env={**os.environ, "ASSETWRIGHT_SERVER": address},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, complained = await program.communicate()
    assert program.returncode == code, told + complained
    return told.decode(), complained.decode()


def rows(out: Path) -> dict[str, dict[str, str]]:
    with (out / "reports.csv").open(newline="") as file:
        return {row["picture"]: row for row in csv.DictReader(file)}


def draw(path: Path, *, seed: int) -> None:
    """Write a picture of a round thing; no two seeds give the same."""
    picture = Image.new("RGBA", (96, 96))
    ImageDraw.Draw(picture).ellipse((20, 12 + 4 * seed, 76, 84), fill=(180, 60, 40, 255))
    picture.save(path)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three pictures, two of which differ in their ending alone, and a file that is none."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed, name in enumerate(("chair.png", "lamp.png", "lamp.webp")):
        draw(folder / name, seed=seed)
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest_asyncio.fixture
async def paid(tmp_path: Path) -> AsyncIterator[House]:
    """A server with a key, and a gateway that takes money for each job, play money."""
    async with live(quick_settings(tmp_path), process_workers=2) as (house, _):
        yield house


async def price(house: House) -> Decimal:
    request = pb.QuoteRequest(model="pixal3d")
    request.parameters["decimation_target"].int_value = 2000
    request.parameters["texture_size"].int_value = 1024
    return Decimal((await house.generation.Quote(request)).high.amount_micros) / 1_000_000


async def jobs(house: House) -> int:
    return len((await house.generation.ListJobs(pb.ListJobsRequest(page_size=500))).jobs)


async def test_a_folder_becomes_a_folder_with_a_table(
    paid: House, pictures: Path, tmp_path: Path
) -> None:
    """Run again, it finds everything done, buys nothing, and writes the same table."""
    out = tmp_path / "out"
    address = paid.running.grpc_address
    command = (pictures, out, "--budget", "5", "--height-m", "0.5", *QUICK)
    await run(address, "batch.py", *command)
    assert {path.name for path in out.iterdir()} == {
        "chair.glb", "lamp.png.glb", "lamp.webp.glb", "reports.csv",
    }  # fmt: skip
    table = rows(out)
    assert set(table) == {"chair.png", "lamp.png", "lamp.webp"}
    for name, file in (("chair.png", "chair.glb"), ("lamp.webp", "lamp.webp.glb")):
        row = table[name]
        assert (row["state"], row["charge"], row["checks_failed"]) == ("done", "charged", "")
        assert row["sha256"] == hashlib.sha256((out / file).read_bytes()).hexdigest()
        assert float(row["height_m"]) == pytest.approx(0.5, rel=0.01)
        assert int(row["triangles"]) > 0
        assert Decimal(row["amount_usd"]) == await price(paid)
    told, _ = await run(address, "batch.py", *command)
    assert "3 done, 0 failed, 0 over budget" in told
    assert (await jobs(paid), rows(out)) == (3, table)


async def test_a_lost_file_and_a_lost_table_cost_nothing(
    paid: House, pictures: Path, tmp_path: Path
) -> None:
    """The request ids are made from what is asked, so the server knows the jobs again."""
    out = tmp_path / "out"
    command = (pictures, out, "--budget", "5", *QUICK)
    await run(paid.running.grpc_address, "batch.py", *command)
    table = rows(out)
    (out / "chair.glb").unlink()
    (out / "reports.csv").unlink()
    await run(paid.running.grpc_address, "batch.py", *command)
    assert (await jobs(paid), rows(out)) == (3, table)
    assert (
        hashlib.sha256((out / "chair.glb").read_bytes()).hexdigest()
        == (table["chair.png"]["sha256"])
    )


async def test_it_stops_before_the_budget_is_passed(
    paid: House, pictures: Path, tmp_path: Path
) -> None:
    """Two fit and the third does not, however many are begun at once; more budget goes on."""
    out = tmp_path / "out"
    budget = await price(paid) * Decimal("2.5")
    command = (paid.running.grpc_address, "batch.py", pictures, out, *QUICK, "--budget")
    await run(*command, str(budget), code=3)
    assert sorted(row["state"] for row in rows(out).values()) == ["done", "done", "over budget"]
    assert sum(Decimal(row["amount_usd"] or 0) for row in rows(out).values()) <= budget
    assert await jobs(paid) == 2
    await run(*command, str(budget * 2))
    assert {row["state"] for row in rows(out).values()} == {"done"}


async def test_what_costs_nothing_leaves_the_budget_as_it_is(
    pictures: Path, tmp_path: Path
) -> None:
    """The sandbox charges nothing: a budget for one job lets all through, one after the other."""
    out = tmp_path / "out"
    async with start_house(quick_settings(tmp_path)) as house:
        budget = await price(house)
        command = (pictures, out, *QUICK, "--budget", str(budget))
        told, _ = await run(house.running.grpc_address, "batch.py", *command)
    assert "3 done" in told
    assert "$0 spent" in told
    assert {row["sandbox"] for row in rows(out).values()} == {"yes"}


async def test_what_is_no_picture_fails_alone_and_costs_nothing(
    paid: House, pictures: Path, tmp_path: Path
) -> None:
    (pictures / "broken.png").write_text("no picture at all")
    out = tmp_path / "out"
    command = (pictures, out, "--budget", "5", *QUICK)
    await run(paid.running.grpc_address, "batch.py", *command, code=1)
    broken = rows(out).pop("broken.png")
    assert (broken["state"], broken["amount_usd"]) == ("failed", "")
    assert "picture" in broken["message"]
    assert rows(out)["chair.png"]["state"] == "done"


async def test_a_failed_generation_is_tried_anew_and_its_price_is_not_forgotten(
    tmp_path: Path, pictures: Path
) -> None:
    """A new attempt is a new request id: the old one would only show the old failure again."""
    out = tmp_path / "out"
    for name in ("lamp.png", "lamp.webp"):
        (pictures / name).unlink()
    async with live(quick_settings(tmp_path)) as (house, gateway):
        gateway.faults.add(Fault(kind=FaultKind.FAIL, place=Place.RESULT))
        command = (pictures, out, "--budget", "5", *QUICK)
        await run(house.running.grpc_address, "batch.py", *command, code=1)
        failed = rows(out)["chair.png"]
        assert failed["state"] == "failed"
        await run(house.running.grpc_address, "batch.py", *command)
    row = rows(out)["chair.png"]
    assert (row["state"], row["attempt"]) == ("done", "2")
    assert Decimal(row["earlier_usd"]) == Decimal(failed["amount_usd"])


async def test_a_server_that_is_not_there_is_told_in_a_sentence(
    pictures: Path, tmp_path: Path
) -> None:
    words = (pictures, tmp_path / "out", "--budget", "5")
    _, complained = await run("127.0.0.1:1", "batch.py", *words, code=1)
    assert "Traceback" not in complained
    assert complained


async def test_asyncio_follows_a_job_and_comes_back_to_it(
    paid: House, pictures: Path, tmp_path: Path
) -> None:
    first, again = tmp_path / "a.glb", tmp_path / "b.glb"
    address = paid.running.grpc_address
    told, _ = await run(address, "follow.py", pictures / "chair.png", first)
    assert "completed" in told
    assert "height_m: " in told
    (job,) = (await paid.generation.ListJobs(pb.ListJobsRequest())).jobs
    await run(address, "follow.py", "--job", job.job_id, again)
    assert again.read_bytes() == first.read_bytes()
    await run(address, "follow.py", first, code=2)


def test_node_makes_the_same_from_the_protos(
    node: Node, server: Server, pictures: Path, tmp_path: Path
) -> None:
    """Run twice it attaches to its job. It runs in a copy, beside packages that are there."""
    folder = tmp_path / "examples" / "node"
    shutil.copytree(EXAMPLES / "node", folder)
    (tmp_path / "protos").symlink_to(ROOT / "protos")
    (folder / "node_modules").symlink_to(ROOT / "tests" / "node" / "node_modules")
    out = tmp_path / "chair.glb"
    made = set()
    for _ in range(2):
        done = subprocess.run(  # noqa: S603  # Ours.
            [node.program, folder / "generate.mjs", pictures / "chair.png", out],
            env={**os.environ, "ASSETWRIGHT_SERVER": server.grpc},
            capture_output=True,
            text=True,
            timeout=80,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "height_m: " in done.stdout
        jobs_now = server.generation.ListJobs(pb.ListJobsRequest(), timeout=10).jobs
        made.add((len(jobs_now), out.read_bytes()))
    ((_, data),) = made
    assert data[:4] == b"glTF"


def test_the_node_examples_packages_are_those_that_are_tested() -> None:
    """So that what is tested here is what `npm install` brings there."""
    ours, tested = (
        json.loads((folder / "package.json").read_text())["dependencies"]
        for folder in (EXAMPLES / "node", ROOT / "tests" / "node")
    )
    assert ours.items() <= tested.items()
