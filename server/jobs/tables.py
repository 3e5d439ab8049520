"""The tables. One place for SQLite and, unchanged, for a larger database."""

from __future__ import annotations

from sqlalchemy import (
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

__all__ = ["ASSETS", "EVENTS", "JOBS", "LABELS", "METADATA", "PURCHASES"]

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
    Column("max_price_micros", Integer, nullable=False),  # What it may cost; 0 where unknown.
    Column("cancel", String(16)),
    Column("error", LargeBinary),
    Column("receipt", LargeBinary),
    Column("report", LargeBinary),
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
    Column("price_micros", Integer),
    Column("price_is_exact", Boolean, nullable=False),
    Column("submitting_since", Float),
    Column("submitted_at", Float),
    Column("gateway_request_id", String(256)),
    Column("generated_at", Float),
    Column("outcome", LargeBinary),
    Index("purchases_by_model", "model", "generated_at"),
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
    Column("size_bytes", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("sandbox", Boolean, nullable=False),
    Index("assets_by_job", "job_id"),
    Index("assets_by_age", "created_at", "id"),
    Index("assets_by_hash", "sha256"),
)
