"""Post-processing in worker processes, each with a time and a memory limit.

A worker that hangs or dies costs one job, with a named error, and is replaced. Files travel by
path, never by pickling: the worker reads the source and leaves its results in a folder.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from typing import TYPE_CHECKING

from pebble import ProcessExpired, ProcessPool

from asset_processing import InvalidOption, ProcessingError
from server.errors import (
    AssetInvalid,
    AssetTooComplex,
    AssetUnsupported,
    InvalidRequest,
    ProcessingFailed,
    Violation,
)
from server.jobs import worker

if TYPE_CHECKING:
    from pathlib import Path

    from asset_processing import Limits, ProcessingOptions, Report
    from server.errors import AssetwrightError

__all__ = ["Workshop"]

_BY_REASON: dict[str, type[AssetwrightError]] = {
    error.reason: error for error in (AssetInvalid, AssetTooComplex, AssetUnsupported)
}


class Workshop:
    """A pool of worker processes."""

    def __init__(
        self, *, workers: int, timeout_s: float, memory_bytes: int, limits: Limits | None = None
    ) -> None:
        self._timeout_s = timeout_s
        self._limits = limits
        self._pool = ProcessPool(
            max_workers=workers,
            # Never fork: a fork of a process that runs a gRPC server may crash.
            context=multiprocessing.get_context("spawn"),
            initializer=worker.begin,
            initargs=(memory_bytes,),
        )

    def warm_up(self) -> None:
        """Start a worker now, so that the first job does not wait for its imports."""
        self._pool.schedule(worker.warm_up)

    async def process(self, source: Path, destination: Path, options: ProcessingOptions) -> Report:
        """Post-process a file into a folder.

        Raises:
            AssetInvalid, AssetTooComplex, AssetUnsupported: What is wrong with the file.
            ProcessingFailed: It took too long or too much memory, or the worker died.
        """
        task = self._pool.schedule(
            worker.run, args=(source, destination, options, self._limits), timeout=self._timeout_s
        )
        try:
            report: Report = await asyncio.wrap_future(task)
        except ProcessingError as exc:
            raise _translated(exc) from exc
        except TimeoutError as exc:
            raise ProcessingFailed(
                f"Post-processing took longer than {self._timeout_s:g} s "
                "(ASSETWRIGHT_PROCESS_TIMEOUT_S).",
                timeout_s=f"{self._timeout_s:g}",
            ) from exc
        except MemoryError as exc:
            raise ProcessingFailed(
                "Post-processing needs more memory than ASSETWRIGHT_PROCESS_MEMORY_BYTES allows."
            ) from exc
        except ProcessExpired as exc:
            raise ProcessingFailed("The worker process died.", exit_code=str(exc.exitcode)) from exc
        return report

    def close(self) -> None:
        """End all workers; what they did is done again when its job resumes."""
        self._pool.stop()  # type: ignore[no-untyped-call]  # pebble's own
        self._pool.join()


def _translated(error: ProcessingError) -> AssetwrightError:
    if isinstance(error, InvalidOption):
        return InvalidRequest(Violation(f"processing.{error.field}", str(error)))
    return _BY_REASON.get(error.reason, AssetUnsupported)(str(error), **error.metadata)
