"""Follow a job to its end, save what it made, and say how it went."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from assetwright.cli import _words
from assetwright.cli._arguments import connect
from assetwright.cli._exit import ExitCode, of_event
from assetwright.cli._progress import display
from assetwright.cli._save import Saver
from assetwright.cli._ui import table
from assetwright.errors import JobCancelled, JobFailed
from assetwright.events import Cancelled, Completed, Failed, IntermediateImageReady
from assetwright.v1 import report_pb2

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncGenerator, Callable, Iterable

    from rich.table import Table

    from assetwright import Client
    from assetwright.cli._progress import Display
    from assetwright.cli._save import SavedFile
    from assetwright.cli._ui import Ui
    from assetwright.events import Event
    from assetwright.records import Asset
    from assetwright.retry import Interruption

__all__ = ["follow", "report_table"]

_MARKS = {
    report_pb2.CHECK_OUTCOME_PASSED: "passed",
    report_pb2.CHECK_OUTCOME_FAILED: "FAILED",
    report_pb2.CHECK_OUTCOME_NOT_MEASURED: "not measured",
}


async def follow(
    arguments: argparse.Namespace,
    ui: Ui,
    start: Callable[[Client], AsyncGenerator[Event, None]],
) -> ExitCode:
    """Show a job's log as it grows, then save its assets; the image stage's picture at once.

    Args:
        arguments: ``out`` is the folder; None is ``out/JOB_ID``.
        ui: Where to write.
        start: Returns the log.

    Raises:
        AssetwrightError: The request was refused, or the server was away for too long.
        OSError: A file cannot be read or written.
    """
    with display(ui) as shown:
        async with connect(arguments, on_interruption=_teller(shown)) as client:
            last: Event | None = None
            saver = Saver(client, tell=shown.busy)
            async with aclosing(start(client)) as events:
                async for event in events:
                    last = event
                    ui.following = (event.job_id, event.sequence)
                    ui.record(event)
                    shown.show(event)
                    if isinstance(event, IntermediateImageReady):
                        picture = await saver.save(event.asset, _folder(arguments, event))
                        shown.say(f"The picture is in {picture.path}")
            if last is None:
                ui.say("The job has ended, and nothing happened after that entry.")
                return ExitCode.OK
            ui.following = (last.job_id, 0)  # From here on only a replay tells what to save.
            folder = _folder(arguments, last)
            saved = [await saver.save(asset, folder) for asset in _assets_of(last)]
    ui.record({"kind": "saved", "directory": str(folder)}, files=saved)
    return _summary(ui, last, saved)


def _folder(arguments: argparse.Namespace, event: Event) -> Path:
    return arguments.out or Path("out") / event.job_id


def _teller(shown: Display) -> Callable[[Interruption], None]:
    """Return what tells of broken connections, once for each cause in a row."""
    told = ""

    def tell(interruption: Interruption) -> None:
        nonlocal told
        words = f"Connection lost, trying again: {interruption.cause}"
        if words != told:
            shown.say(words)
        told = words

    return tell


def _assets_of(last: Event) -> tuple[Asset, ...]:
    """Return what is worth keeping, also of a job that failed: it may have been paid for."""
    return last.assets if isinstance(last, Completed | Failed | Cancelled) else ()


def _summary(ui: Ui, last: Event, saved: Iterable[SavedFile]) -> ExitCode:
    code = of_event(last)
    if isinstance(last, Completed) and last.report is not None and last.report.checks:
        ui.show(report_table(last.report))
    # Lines, since a table would cut a long path, which then cannot be copied.
    for file in saved:
        ui.show(f"{file.path}  {_words.role_name(file.role)}, {_words.size(file.size_bytes)}")
    if isinstance(last, Completed | Failed | Cancelled):
        ui.show(_words.receipt(last.receipt))
    if isinstance(last, Failed):
        _explain(ui, last, code)
    if isinstance(last, Cancelled):
        ui.say(f"error: {JobCancelled(last)}")
    if code is ExitCode.CHECK_FAILED:
        ui.say("A check did not pass; the files are there all the same.")
    return code


def _explain(ui: Ui, failed: Failed, code: ExitCode) -> None:
    if not ui.json_lines:  # There the entry itself has said it.
        remedy = failed.error.remedy or _words.remedy(JobFailed(failed))
        ui.fail(failed.error.message, code, error=JobFailed(failed), remedy=remedy)


def report_table(report: report_pb2.Report) -> Table:
    """Return what was asked, what was measured, and whether it holds."""
    rows = table("check", "asked", "measured", "result")
    for check in report.checks:
        rows.add_row(
            check.name,
            _figure(check.asked, check.unit) if check.HasField("asked") else "",
            _figure(check.measured, check.unit) if check.HasField("measured") else "",
            _MARKS.get(check.outcome, "unknown"),
        )
    return rows


def _figure(value: float, unit: str) -> str:
    return f"{value:,.6g} {unit}".strip() if value < 10**6 else f"{value:,.0f} {unit}".strip()
