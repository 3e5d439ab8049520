"""The secret that signs links."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from server.jobs.database import Database
from server.jobs.secret import link_secret

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_secret_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    """So links outlive a restart."""
    path = tmp_path / "jobs.sqlite3"
    database = Database(path)
    none = tmp_path / "links.secret"
    first, same = await asyncio.gather(*(link_secret(database, older=none) for _ in range(2)))
    database.close()
    database = Database(path)
    assert len(first) == 32
    assert {first, same} == {await link_secret(database, older=none)}
    database.close()
    assert path.stat().st_mode & 0o077 == 0


async def test_the_first_releases_secret_is_kept_if_it_is_whole(tmp_path: Path) -> None:
    """Its links go on working; one that was not written whole would let anybody sign."""
    older = tmp_path / "links.secret"
    for number, content in enumerate((b"s" * 32, b"")):
        older.write_bytes(content)
        database = Database(tmp_path / f"{number}.sqlite3")
        secret = await link_secret(database, older=older)
        assert (secret == content) is (len(content) == 32)
        assert len(secret) == 32
        database.close()
