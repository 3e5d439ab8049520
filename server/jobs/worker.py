"""What runs in a worker process. Imports no gRPC and nothing of the server."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from asset_processing import Limits, ProcessingOptions, Report

__all__ = ["begin", "run", "warm_up"]

_LOOK_S = 1.0


def begin(memory_bytes: int) -> None:
    """Limit this process, and end it when its server is gone."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no resource module.
        import resource  # noqa: PLC0415 - see above

        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def warm_up() -> None:
    """Import what processing needs: scipy alone takes half a second."""
    import scipy.sparse.csgraph  # noqa: F401, PLC0415 - in the worker only

    import asset_processing  # noqa: F401, PLC0415 - in the worker only


def run(
    source: Path, destination: Path, options: ProcessingOptions, limits: Limits | None = None
) -> Report:
    """Post-process a file into a folder, within the default limits where none are given."""
    from asset_processing import Limits, process_file  # noqa: PLC0415 - in the worker only

    return process_file(source, destination, options, limits=limits or Limits())


def _end_with(parent: int) -> None:
    """End this process once its parent has: a killed server must not leave workers behind."""
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)
