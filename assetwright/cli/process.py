"""``assetwright process``: post-process a GLB, here or on a server. Free."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from assetwright.cli import _words
from assetwright.cli._arguments import (
    add_connection,
    add_processing,
    has_processing,
    processing_from,
)
from assetwright.cli._exit import ExitCode, ProcessingFailed, UsageError
from assetwright.cli._extras import needing_server_extra
from assetwright.cli._follow import follow
from assetwright.cli._local import local_options
from assetwright.enums import ErrorReason
from assetwright.errors import Violation

if TYPE_CHECKING:
    import argparse

    from asset_processing import ProcessingError, Report
    from assetwright.cli._arguments import Commands
    from assetwright.cli._ui import Ui

__all__ = ["add_to"]


def add_to(commands: Commands) -> None:
    """Add the command."""
    process = commands.add_parser(
        "process", help="post-process a GLB: here, or on the server that --server names"
    )
    process.add_argument("file", type=Path, metavar="FILE.glb")
    process.add_argument("--out", type=Path, metavar="DIR", help="where the files go")
    add_processing(process)
    add_connection(process)
    process.set_defaults(run=_run)


def _run(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    if not hasattr(arguments, "server"):
        return _process_here(arguments, ui)
    options = processing_from(arguments) if has_processing(arguments) else None
    return asyncio.run(
        follow(arguments, ui, lambda client: client.process(arguments.file, processing=options))
    )


def _process_here(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    with needing_server_extra():
        from asset_processing import ProcessingError, process_file  # noqa: PLC0415  # Optional.
    out: Path = arguments.out or Path("out") / arguments.file.stem
    try:
        report = process_file(arguments.file, out, local_options(processing_from(arguments)))
    except ProcessingError as error:
        raise _explained(error) from error
    names = ["asset.glb", "report.json", *(f"textures/{t.file_name}" for t in report.textures)]
    names += [output.name for output in report.outputs]
    ui.record({"kind": "processed"}, report=report)
    files = [{"path": str(out / name), "size_bytes": _size(out / name)} for name in names]
    ui.record({"kind": "saved", "directory": str(out)}, files=files)
    ui.show(report.to_text().rstrip())
    ui.show(*(f"{out / name}  {_words.size(_size(out / name))}" for name in names))
    return _code(report)


def _size(path: Path) -> int:
    return path.stat().st_size


def _code(report: Report) -> ExitCode:
    return ExitCode.OK if report.passed else ExitCode.CHECK_FAILED


def _explained(error: ProcessingError) -> UsageError | ProcessingFailed:
    """Return an error of the processing as one of ours."""
    reason = ErrorReason(error.reason)
    if reason is not ErrorReason.INVALID_REQUEST:
        return ProcessingFailed(str(error), reason=reason, metadata=error.metadata)
    fields = error.metadata.get("field", "").split(",")
    return UsageError(
        str(error), violations=tuple(Violation(f"processing.{field}", "") for field in fields)
    )
