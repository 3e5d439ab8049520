"""The tables: the same in SQLite and in Postgres."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

__all__ = [
    "ASSETS",
    "EVENTS",
    "JOBS",
    "LABELS",
    "LEDGER",
    "METADATA",
    "NODES",
    "PURCHASES",
    "SCHEMA",
    "SECRETS",
    "USES",
]

METADATA = MetaData()

# Times are seconds since the epoch, UTC. `body` columns are JSON.
JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("request_id", String(64), nullable=False, unique=True),
    Column("fingerprint", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("model", String(64), nullable=False),
    Column("spec", LargeBinary, nullable=False),
    Column("sandbox", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("last_sequence", Integer, nullable=False),
    Column("max_price_micros", BigInteger, nullable=False),  # What it may cost; 0 where unknown.
    Column("cancel", String(16)),
    Column("error", LargeBinary),
    Column("receipt", LargeBinary),
    Column("report", LargeBinary),
    # Whoever takes a job adds one; what is written under an older fence is refused.
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("node", String(64)),  # Who took it last; none: nobody works on it.
    Column("life", Integer, nullable=False, server_default="1"),  # How often it was begun anew.
    # The last change of whoever works on it: one that is sent again is not made again.
    Column("change", String(32)),
    Column("reopened_at", Float),  # Its time runs from then.
    # What is left then is the request_id's memory, and what the job cost.
    Column("deleted_at", Float),
    Index("jobs_by_age", "created_at", "id"),
    Index("jobs_by_state", "state"),
)

PURCHASES = Table(
    "purchases",
    METADATA,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("model", String(64), nullable=False),
    Column("sandbox", Boolean, nullable=False),
    Column("charge", String(16), nullable=False),
    Column("price_micros", BigInteger),
    Column("price_is_exact", Boolean, nullable=False),
    Column("intent", String(32)),
    Column("submitting_since", Float),
    Column("submitted_at", Float),
    Column("gateway_request_id", String(256)),
    Column("generated_at", Float),
    Column("outcome", LargeBinary),
    Index("purchases_by_model", "model", "generated_at"),
)

# What is known about an intent to pay, whoever learnt it: not fenced, never taken back.
LEDGER = Table(
    "ledger",
    METADATA,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("intent", String(32), primary_key=True),
    Column("gateway_request_id", String(256), primary_key=True),  # Empty: the answer named none.
    Column("source", String(16), nullable=False),  # A `server.jobs.ledger.Source`.
    Column("outcome", LargeBinary),
    Column("at", Float, nullable=False),
)

LABELS = Table(
    "labels",
    METADATA,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(63), primary_key=True),
    Column("value", String(255), nullable=False),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

ASSETS = Table(
    "assets",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE")),
    Column("role", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    Column("media_type", String(127), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("sandbox", Boolean, nullable=False),
    Index("assets_by_job", "job_id"),
    Index("assets_by_age", "created_at", "id"),
    Index("assets_by_hash", "sha256"),
)

# Which stored bytes a job works with: they outlive the job that made them.
USES = Table(
    "uses",
    METADATA,
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("asset_id", String(64), primary_key=True),
    Index("uses_by_asset", "asset_id"),
)

NODES = Table(
    "nodes",
    METADATA,
    Column("id", String(64), primary_key=True),
    Column("seen_at", Float, nullable=False),  # By the database's clock.
)

SECRETS = Table(
    "secrets",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

SCHEMA = Table("schema", METADATA, Column("version", Integer, primary_key=True))
