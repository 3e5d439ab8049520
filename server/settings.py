"""Every setting, in one frozen table. The environment is read here and nowhere else."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from asset_processing.limits import Limits
from server.log import LogFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["GatewayMode", "Settings", "SettingsError", "default_data_dir", "settings_table"]

_MIB = 1 << 20


class SettingsError(Exception):
    """A setting has no usable value. The message names the setting and the fix."""


class GatewayMode(Enum):
    """Who answers generations."""

    SANDBOX = "sandbox"
    LIVE = "live"


def default_data_dir(platform: str = sys.platform) -> Path:
    """Return where this platform keeps a user's application data."""
    if platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~")).expanduser() / "assetwright"
    if platform == "darwin":
        return Path("~/Library/Application Support/assetwright").expanduser()
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "assetwright"


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _origins(text: str) -> tuple[str, ...]:
    origins = _words(text)
    for origin in origins:
        if not re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", origin):
            raise ValueError(f"{origin!r} is not of the form https://HOST or http://HOST:PORT")
    return origins


def _flag(text: str) -> bool:
    if text.lower() not in ("0", "1", "false", "true"):
        raise ValueError("it is 0 or 1")
    return text.lower() in ("1", "true")


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError("it is a number greater than 0")
    return number


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("it is a whole number, at least 1")
    return number


def _limits(text: str) -> Limits:
    names = {field.name for field in fields(Limits)}
    found: dict[str, int] = {}
    for word in _words(text):
        name, _, number = word.partition("=")
        if name not in names:
            raise ValueError(f"{name!r} is none of {', '.join(sorted(names))}")
        if not re.fullmatch("[1-9][0-9]*", number, re.ASCII):
            raise ValueError(f"{name} is a whole number, at least 1, as in {name}=1000")
        found[name] = int(number)
    return Limits(**found)


def _bucket(text: str) -> str:
    if not re.fullmatch(r"s3://[A-Za-z0-9][\w.-]+(/[\w./-]*)?", text, re.ASCII):
        raise ValueError("it is s3://BUCKET or s3://BUCKET/PREFIX")
    return text


def _database_url(text: str) -> str:
    if not re.match(r"postgres(ql)?://", text):
        raise ValueError("it is postgresql://USER@HOST:PORT/DATABASE")
    return text


def _assets(text: str) -> str | Path:
    if "://" in text:
        return _bucket(text)
    return Path(text).expanduser()


def _setting(name: str, parse: Callable[[str], Any], default: Any, doc: str) -> Any:
    """Return a dataclass field read from the environment variable `name`."""
    secret = name.endswith(("_KEY", "_KEY_ID", "_TOKEN", "_TOKENS", "_DATABASE_URL"))
    metadata = {"name": name, "parse": parse, "doc": doc, "secret": secret}
    return field(default=default, repr=not secret, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the server is told from outside. Sizes in bytes, durations in seconds."""

    grpc: str = _setting(
        "ASSETWRIGHT_GRPC", str, "127.0.0.1:50051", "HOST:PORT of the gRPC port; port 0 picks one."
    )
    http: str = _setting(
        "ASSETWRIGHT_HTTP", str, "127.0.0.1:50052", "HOST:PORT of the HTTP port; port 0 picks one."
    )
    data_dir: Path | None = _setting(
        "ASSETWRIGHT_DATA_DIR",
        lambda text: Path(text).expanduser(),
        None,
        "Where jobs and assets are kept; by default the platform's folder for application data.",
    )
    database_url: str | None = _setting(
        "ASSETWRIGHT_DATABASE_URL",
        _database_url,
        None,
        "`postgresql://...`, shared by many nodes; by default SQLite in the data folder, for one.",
    )
    node_lease_s: float = _setting(
        "ASSETWRIGHT_NODE_LEASE_S",
        _positive,
        15.0,
        "How long a node may be silent before others take its jobs over.",
    )
    assets: str | Path | None = _setting(
        "ASSETWRIGHT_ASSETS",
        _assets,
        None,
        "Where assets' bytes are: `s3://BUCKET/PREFIX` or a folder, both open to many nodes; "
        "by default in the data folder.",
    )
    asset_cache_bytes: int = _setting(
        "ASSETWRIGHT_ASSET_CACHE_BYTES",
        _count,
        10 * 1024 * _MIB,
        "Most bytes of copies of a bucket's assets that are kept in the data folder.",
    )
    gateway: GatewayMode | None = _setting(
        "ASSETWRIGHT_GATEWAY",
        GatewayMode,
        None,
        "`sandbox` or `live`; by default live when a key is set, else sandbox.",
    )
    pixazo_api_key: str | None = _setting(
        "PIXAZO_API_KEY", str, None, "Pixazo's subscription key (`Ocp-Apim-Subscription-Key`)."
    )
    pixazo_secret_key: str | None = _setting(
        "PIXAZO_SECRET_KEY", str, None, "Pixazo's secret key (`X-Secret-Key`); a few models ask it."
    )
    segmind_api_key: str | None = _setting("SEGMIND_API_KEY", str, None, "Segmind's key.")
    pixazo_url: str = _setting(
        "ASSETWRIGHT_PIXAZO_URL", str, "https://gateway.pixazo.ai", "Pixazo's base address."
    )
    segmind_url: str = _setting(
        "ASSETWRIGHT_SEGMIND_URL", str, "https://api.segmind.com", "Segmind's base address."
    )
    public_url: str | None = _setting(
        "ASSETWRIGHT_PUBLIC_URL",
        str,
        None,
        "Where the internet reaches the HTTP port. Live gateways fetch local pictures from there.",
    )
    input_bucket: str | None = _setting(
        "ASSETWRIGHT_INPUT_BUCKET",
        _bucket,
        None,
        "`s3://BUCKET/PREFIX`: local pictures are put there and fetched by a presigned link.",
    )
    aws_access_key_id: str | None = _setting(
        "AWS_ACCESS_KEY_ID", str, None, "The bucket's key; it may read and write there."
    )
    aws_secret_access_key: str | None = _setting(
        "AWS_SECRET_ACCESS_KEY", str, None, "The secret of the bucket's key."
    )
    aws_session_token: str | None = _setting(
        "AWS_SESSION_TOKEN", str, None, "The token of a temporary key."
    )
    aws_endpoint: str | None = _setting(
        "AWS_ENDPOINT", str, None, "Where the bucket is, if not at AWS: R2, MinIO and their kin."
    )
    aws_region: str | None = _setting(
        "AWS_REGION", str, None, "The bucket's region; without it `us-east-1`; `auto` for R2."
    )
    aws_allow_http: bool = _setting(
        "AWS_ALLOW_HTTP", _flag, False, "1 allows an `AWS_ENDPOINT` without https."
    )
    media_hosts: tuple[str, ...] = _setting(
        "ASSETWRIGHT_MEDIA_HOSTS",
        _words,
        ("*.r2.dev", "*.pixazo.ai", "*.segmind.com"),
        "Hosts that results may be fetched from, comma-separated; `*.` stands for subdomains.",
    )
    tokens: tuple[str, ...] = _setting(
        "ASSETWRIGHT_TOKENS",
        _words,
        (),
        "Tokens that callers may use, comma-separated; none: no token is asked on loopback.",
    )
    allowed_origins: tuple[str, ...] = _setting(
        "ASSETWRIGHT_ALLOWED_ORIGINS",
        _origins,
        (),
        "Origins of web pages that may call the HTTP port, such as `https://tools.example.org`, "
        "comma-separated; none: no page may.",
    )
    tls_cert: Path | None = _setting(
        "ASSETWRIGHT_TLS_CERT", Path, None, "PEM certificate chain of the gRPC port."
    )
    tls_private: Path | None = _setting(
        "ASSETWRIGHT_TLS_PRIVATE", Path, None, "PEM private key of the gRPC port."
    )
    insecure: bool = _setting(
        "ASSETWRIGHT_INSECURE", _flag, False, "1 allows other addresses than loopback without TLS."
    )
    reflection: bool = _setting("ASSETWRIGHT_REFLECTION", _flag, True, "gRPC server reflection.")
    poll_min_s: float | None = _setting(
        "ASSETWRIGHT_POLL_MIN_S",
        _positive,
        None,
        "Shortest pause between two status requests; 5 live (the page's advice), 0.5 sandbox.",
    )
    poll_max_s: float | None = _setting(
        "ASSETWRIGHT_POLL_MAX_S", _positive, None, "Longest pause; 10 live, 1 sandbox."
    )
    max_running_jobs: int = _setting(
        "ASSETWRIGHT_MAX_RUNNING_JOBS", _count, 64, "Jobs that one node works on at once."
    )
    max_queued_jobs: int = _setting(
        "ASSETWRIGHT_MAX_QUEUED_JOBS", _count, 1000, "Jobs that may wait; more are refused."
    )
    model_concurrency: int = _setting(
        "ASSETWRIGHT_MODEL_CONCURRENCY",
        _count,
        64,
        "Jobs of one model at the same time, on all nodes together.",
    )
    model_starts_per_minute: int | None = _setting(
        "ASSETWRIGHT_MODEL_STARTS_PER_MINUTE",
        _count,
        None,
        "Jobs of one model begun in a minute, on all nodes together; none: no limit.",
    )
    queue_poll_s: float = _setting(
        "ASSETWRIGHT_QUEUE_POLL_S", _positive, 0.2, "How often the queues are looked at."
    )
    submission_grace_s: float = _setting(
        "ASSETWRIGHT_SUBMISSION_GRACE_S",
        _positive,
        300.0,
        "How long a lost answer to a paid request is waited for, where another node or a callback "
        "may bring it; then the job ends as SUBMISSION_UNKNOWN.",
    )
    daily_budget_usd: float | None = _setting(
        "ASSETWRIGHT_DAILY_BUDGET_USD",
        _positive,
        None,
        "What the jobs of one day (UTC) may cost at most, in dollars; none: no limit.",
    )
    catalog_dirs: tuple[Path, ...] = _setting(
        "ASSETWRIGHT_CATALOG_DIRS",
        lambda text: tuple(Path(word) for word in _words(text)),
        (),
        "Folders with further models, one TOML file each, comma-separated.",
    )
    job_deadline_s: float = _setting(
        "ASSETWRIGHT_JOB_DEADLINE_S", _positive, 3600.0, "Longest life of a job."
    )
    max_upload_bytes: int = _setting(
        "ASSETWRIGHT_MAX_UPLOAD_BYTES", _count, 256 * _MIB, "Largest upload."
    )
    upload_expiry_s: float = _setting(
        "ASSETWRIGHT_UPLOAD_EXPIRY_S",
        _positive,
        86_400.0,
        "How long an unfinished upload over HTTP can be resumed.",
    )
    max_partial_uploads: int = _setting(
        "ASSETWRIGHT_MAX_PARTIAL_UPLOADS",
        _count,
        100,
        "Unfinished uploads over HTTP that are kept; the oldest make room.",
    )
    max_picture_bytes: int = _setting(
        "ASSETWRIGHT_MAX_PICTURE_BYTES", _count, 20 * _MIB, "Largest input picture."
    )
    max_media_bytes: int = _setting(
        "ASSETWRIGHT_MAX_MEDIA_BYTES", _count, 512 * _MIB, "Largest result that is fetched."
    )
    min_free_bytes: int = _setting(
        "ASSETWRIGHT_MIN_FREE_BYTES",
        _count,
        1024 * _MIB,
        "Free disk space below which jobs are refused.",
    )
    disk_budget_bytes: int | None = _setting(
        "ASSETWRIGHT_DISK_BUDGET_BYTES",
        _count,
        None,
        "What all assets may have together, in bytes; then jobs are refused. None: no limit.",
    )
    retention_days: float = _setting(
        "ASSETWRIGHT_RETENTION_DAYS",
        _positive,
        90.0,
        "How long ended jobs and their assets, and unused uploads, are kept.",
    )
    request_memory_days: float = _setting(
        "ASSETWRIGHT_REQUEST_MEMORY_DAYS",
        _positive,
        365.0,
        "How long the request_id of a deleted job stays taken.",
    )
    process_workers: int = _setting(
        "ASSETWRIGHT_PROCESS_WORKERS", _count, 2, "Worker processes for post-processing."
    )
    process_timeout_s: float = _setting(
        "ASSETWRIGHT_PROCESS_TIMEOUT_S", _positive, 120.0, "Longest post-processing of one model."
    )
    process_memory_bytes: int = _setting(
        "ASSETWRIGHT_PROCESS_MEMORY_BYTES",
        _count,
        4096 * _MIB,
        "Memory that a worker process may allocate (where the platform can limit it).",
    )
    process_limits: Limits | None = _setting(
        "ASSETWRIGHT_PROCESS_LIMITS",
        _limits,
        None,
        "What a GLB may ask for where the defaults do not do, as in "
        "`max_file_bytes=1073741824,max_nodes=20000`; docs/asset-processing.md lists the names.",
    )
    max_streams: int = _setting(
        "ASSETWRIGHT_MAX_STREAMS", _count, 20_000, "RPCs open at the same time."
    )
    drain_s: float = _setting(
        "ASSETWRIGHT_DRAIN_S",
        _positive,
        25.0,
        "How long SIGTERM waits for a paid request that is on its way.",
    )
    sandbox_queue_s: float = _setting(
        "ASSETWRIGHT_SANDBOX_QUEUE_S", float, 1.0, "How long the sandbox says QUEUED."
    )
    sandbox_work_s: float = _setting(
        "ASSETWRIGHT_SANDBOX_WORK_S", float, 1.0, "How long the sandbox says PROCESSING, at least."
    )
    log_level: str = _setting(
        "ASSETWRIGHT_LOG_LEVEL", str.upper, "INFO", "DEBUG, INFO, WARNING or ERROR."
    )
    log_format: LogFormat = _setting(
        "ASSETWRIGHT_LOG_FORMAT", LogFormat, LogFormat.TEXT, "`text` or `json`."
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises:
            SettingsError: A variable has no usable value; the message names it.
        """
        values: dict[str, Any] = {}
        for setting in fields(cls):
            text = environment.get(setting.metadata["name"], "")
            if text:
                values[setting.name] = _parsed(setting, text)
        return cls(**values)

    @property
    def mode(self) -> GatewayMode:
        """Who answers generations: what was said, else live when a key is set."""
        if self.gateway is not None:
            return self.gateway
        keys = (self.pixazo_api_key, self.pixazo_secret_key, self.segmind_api_key)
        return GatewayMode.LIVE if any(keys) else GatewayMode.SANDBOX

    @property
    def folder(self) -> Path:
        """Where jobs and assets are kept."""
        return self.data_dir or default_data_dir()

    @property
    def poll_range_s(self) -> tuple[float, float]:
        """The shortest and the longest pause between two status requests."""
        low, high = (5.0, 10.0) if self.mode is GatewayMode.LIVE else (0.5, 1.0)
        low = self.poll_min_s or min(low, self.poll_max_s or low)
        return low, max(low, self.poll_max_s or high)


def _parsed(setting: Field[Any], text: str) -> object:
    try:
        return setting.metadata["parse"](text)
    except ValueError as exc:
        shown = "its value" if setting.metadata["secret"] else repr(text)
        raise SettingsError(f"{setting.metadata['name']}: {shown} cannot be used: {exc}.") from exc


def settings_table() -> list[tuple[str, str, str]]:
    """Return name, default and meaning of every setting, for the documentation."""
    rows = []
    for setting in fields(Settings):
        default = "" if setting.default in (None, (), MISSING) else setting.default
        shown = default.value if isinstance(default, Enum) else default
        if isinstance(shown, tuple):
            shown = ",".join(shown)
        if isinstance(shown, bool):
            shown = int(shown)
        rows.append((setting.metadata["name"], str(shown), setting.metadata["doc"]))
    return rows
