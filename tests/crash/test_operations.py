"""The commands of docs/operations.md do what the page says."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from server.settings import settings_table
from tests.bucket import make_bucket, s3_server
from tests.crash.postgres import private_postgres
from tests.crash.processes import free_port, without_proxies

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
_SHARE = re.compile(r"^export ASSETWRIGHT_ASSETS=.*$", re.MULTILINE)


def commands(walk_through: str) -> str:
    """Return a walk-through's commands as one script, on ports that are free here."""
    blocks = re.findall(
        rf"^```sh {walk_through}\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE
    )
    script = "".join(blocks)
    for port in sorted(set(re.findall(r"\b500\d\d\b", script))):
        script = script.replace(port, str(free_port()))
    return f"set -euo pipefail\n{script}\nwait\n"


async def run(script: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a script to its end in a folder; return what it said. Nothing is left of it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    child = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        cwd=folder,
        env=without_proxies() | {"PATH": path, "ASSETWRIGHT_MIN_FREE_BYTES": "1", **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(500):
            said = (await child.communicate())[0].decode()
    finally:
        if child.returncode is None:
            os.killpg(child.pid, signal.SIGKILL)
            await child.wait()
    logs = logs_in(folder)
    assert child.returncode == 0, (said, logs)
    assert not any("Traceback" in log for log in logs.values()), logs
    return said


def logs_in(folder: Path) -> dict[str, str]:
    """Return the end of each log."""
    return {path.name: path.read_text()[-2000:] for path in folder.glob("*.log")}


@pytest.mark.timeout(600)
async def test_one_node_is_backed_up_and_restored(tmp_path: Path) -> None:
    said = await run(commands("one-node"), tmp_path, {})
    assert re.search(r"flux-pro\s.*completed", said)
    assert [path.stem for path in (tmp_path / "barrel").iterdir()] == ["image-0"]


@pytest.mark.timeout(600)
async def test_two_nodes_on_a_share_finish_what_one_of_them_began(tmp_path: Path) -> None:
    with private_postgres() as postgres:
        said = await run(commands("two-nodes"), tmp_path, {"DATABASE": postgres.url})
    assert re.search(r"job_\w+\s+flux-pro\s+completed", said)
    assert list((tmp_path / "shared" / "sha256").glob("*/*"))


@pytest.mark.timeout(600)
async def test_two_nodes_on_a_bucket_finish_what_one_of_them_began(tmp_path: Path) -> None:
    (logs := tmp_path / "s3").mkdir()
    with private_postgres() as postgres, s3_server(logs) as s3:
        make_bucket(f"{s3}/assets")
        environment = {
            "DATABASE": postgres.url,
            "AWS_ENDPOINT": s3,
            "AWS_ALLOW_HTTP": "1",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }
        script = _SHARE.sub("export ASSETWRIGHT_ASSETS=s3://assets/of/all", commands("two-nodes"))
        said = await run(script, tmp_path, environment)
    assert re.search(r"job_\w+\s+flux-pro\s+completed", said)
    assert not (tmp_path / "shared").exists()
    assert list((tmp_path / "b" / "blobs" / "cache" / "sha256").glob("*/*"))


@pytest.mark.parametrize("page", ["operations.md", "reliability.md"])
def test_every_setting_that_is_named_exists(page: str) -> None:
    known = {name for name, _, _ in settings_table()} | {"ASSETWRIGHT_SERVER"}
    text = PAGE.with_name(page).read_text()
    named = set(re.findall(r"\bASSETWRIGHT_[A-Z_]+[A-Z]\b", text))
    assert named <= known, named - known
