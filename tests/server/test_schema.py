"""An older release's data folder goes on; a newer one's is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import pytest

from server.gateway.models import InputRole
from server.jobs.database import Database
from server.jobs.model import GenerateSpec, InputRef, JobState
from server.jobs.schema import VERSION
from server.jobs.store import Store
from server.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

# As the first release made them.
FIRST = """
CREATE TABLE jobs (id VARCHAR(64) NOT NULL, request_id VARCHAR(64) NOT NULL,
  fingerprint VARCHAR(64) NOT NULL, kind VARCHAR(16) NOT NULL, state VARCHAR(16) NOT NULL,
  model VARCHAR(64) NOT NULL, spec BLOB NOT NULL, sandbox BOOLEAN NOT NULL,
  created_at FLOAT NOT NULL, updated_at FLOAT NOT NULL, ended_at FLOAT,
  last_sequence INTEGER NOT NULL, max_price_micros INTEGER NOT NULL, cancel VARCHAR(16),
  error BLOB, receipt BLOB, report BLOB, PRIMARY KEY (id), UNIQUE (request_id));
CREATE TABLE purchases (job_id VARCHAR(64) NOT NULL, kind VARCHAR(16) NOT NULL,
  model VARCHAR(64) NOT NULL, sandbox BOOLEAN NOT NULL, charge VARCHAR(16) NOT NULL,
  price_micros INTEGER, price_is_exact BOOLEAN NOT NULL, submitting_since FLOAT,
  submitted_at FLOAT, gateway_request_id VARCHAR(256), generated_at FLOAT, outcome BLOB,
  PRIMARY KEY (job_id, kind), FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE);
CREATE TABLE assets (id VARCHAR(64) NOT NULL, job_id VARCHAR(64), role VARCHAR(16) NOT NULL,
  name VARCHAR(255) NOT NULL, media_type VARCHAR(127) NOT NULL, size_bytes INTEGER NOT NULL,
  sha256 VARCHAR(64) NOT NULL, created_at FLOAT NOT NULL, sandbox BOOLEAN NOT NULL,
  PRIMARY KEY (id), FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE);
CREATE TABLE events (job_id VARCHAR(64) NOT NULL, sequence INTEGER NOT NULL, at FLOAT NOT NULL,
  body BLOB NOT NULL, PRIMARY KEY (job_id, sequence),
  FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE) WITHOUT ROWID;
"""


async def test_the_first_releases_jobs_go_on(tmp_path: Path) -> None:
    """One that waits at the gateway keeps its paid request; what it works with is known."""
    path = tmp_path / "jobs.sqlite3"
    source = InputRef(role=InputRole.SOURCE, asset_id="ast_1")
    spec = msgspec.json.encode(GenerateSpec(model="pixal3d", inputs=(source,)))
    with closing(sqlite3.connect(path)) as older:
        older.executescript(FIRST)
        older.execute(
            "INSERT INTO jobs VALUES ('job_1', 'r', 'f', 'generate', 'generating', 'pixal3d', ?,"
            " 0, 1.0, 2.0, NULL, 0, 300000, NULL, NULL, NULL, NULL)",
            [spec],
        )
        older.execute(
            "INSERT INTO purchases VALUES ('job_1', 'result', 'pixal3d', 0, 'unknown', 300000, 1,"
            " 1.0, 1.5, 'g-1', NULL, NULL)"
        )
        older.execute(
            "INSERT INTO assets VALUES ('ast_1', NULL, 'upload', 'a.png', 'image/png', 1, 'hash',"
            " 1.0, 0)"
        )
        older.commit()
    for _ in range(2):  # The second time there is nothing to be done.
        database = Database(path)
        store = Store(database, node="n")
        (head,) = await store.unfinished()
        taken = await store.take(head.job.id)
        database.close()
    assert head.life == 1
    assert taken is not None
    assert taken.fence == 2
    assert [one.gateway_request_id for one in taken.job.purchases] == ["g-1"]
    assert taken.job.state is JobState.GENERATING
    with closing(sqlite3.connect(path)) as now:
        assert now.execute("SELECT job_id, asset_id FROM uses").fetchall() == [("job_1", "ast_1")]
        assert now.execute("SELECT version FROM schema").fetchall() == [(VERSION,)]


async def test_a_newer_releases_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    Database(path).close()
    with closing(sqlite3.connect(path)) as newer:
        newer.execute("UPDATE schema SET version = version + 1")
        newer.commit()
    with pytest.raises(SettingsError, match=f"version {VERSION + 1}.*up to {VERSION}"):
        Database(path)
