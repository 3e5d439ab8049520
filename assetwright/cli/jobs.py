"""``assetwright watch``, ``jobs``, ``cancel``, ``resolve``: jobs that exist already."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from assetwright.cli import _words
from assetwright.cli._arguments import add_connection, connect
from assetwright.cli._exit import ExitCode
from assetwright.cli._follow import follow, report_table
from assetwright.cli._ui import table
from assetwright.cli._values import pairs
from assetwright.enums import AfterSubmission, JobState

if TYPE_CHECKING:
    import argparse

    from assetwright.cli._arguments import Commands
    from assetwright.cli._ui import Ui
    from assetwright.records import Job

__all__ = ["add_to"]


def add_to(commands: Commands) -> None:
    """Add the commands."""
    watch = commands.add_parser("watch", help="follow a job and save what it makes")
    watch.add_argument("job_id", metavar="JOB_ID")
    watch.add_argument(
        "--after", type=int, default=0, metavar="N", help="the last entry already seen"
    )
    watch.add_argument("--out", type=Path, metavar="DIR", help="where the files go")
    add_connection(watch)
    watch.set_defaults(run=_run_watch)
    _add_jobs(commands)
    cancel = commands.add_parser("cancel", help="stop work on a job")
    cancel.add_argument("job_id", metavar="JOB_ID")
    cancel.add_argument(
        "--collect", action="store_true", help="keep the result if it is paid for already"
    )
    add_connection(cancel)
    cancel.set_defaults(run=_run_cancel)
    _add_resolve(commands)


def _add_jobs(commands: Commands) -> None:
    jobs = commands.add_parser("jobs", help="list jobs, or show one")
    jobs.add_argument(
        "--state",
        type=JobState,
        choices=[state for state in JobState if state is not JobState.UNKNOWN],
        metavar="STATE",
        action="append",
        default=[],
        help="only those in this state",
    )
    jobs.add_argument("--model", metavar="MODEL", help="only those of this model")
    jobs.add_argument("--label", action="append", default=[], metavar="K=V", help="only those with")
    jobs.add_argument("--limit", type=int, default=20, metavar="N", help="at most this many")
    add_connection(jobs)
    jobs.set_defaults(run=_run_jobs)
    what = jobs.add_subparsers(metavar="{show,resolve,delete}")
    show = what.add_parser("show", help="show one job")
    show.add_argument("job_id", metavar="JOB_ID")
    add_connection(show)
    show.set_defaults(run=_run_show)
    _add_resolve(what)
    delete = what.add_parser("delete", help="delete an ended job and what only it made")
    delete.add_argument("job_id", metavar="JOB_ID")
    add_connection(delete)
    delete.set_defaults(run=_run_delete)


def _add_resolve(commands: Commands) -> None:
    resolve = commands.add_parser("resolve", help="decide a job that ended as SUBMISSION_UNKNOWN")
    resolve.add_argument("job_id", metavar="JOB_ID")
    decision = resolve.add_mutually_exclusive_group(required=True)
    decision.add_argument("--adopt", metavar="GATEWAY_REQUEST_ID", help="collect this request")
    decision.add_argument("--resubmit", action="store_true", help="pay again: it never arrived")
    add_connection(resolve)
    resolve.set_defaults(run=_run_resolve)


def _run_watch(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    return asyncio.run(
        follow(
            arguments,
            ui,
            lambda client: client.watch(arguments.job_id, after_sequence=arguments.after),
        )
    )


def _run_jobs(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    found = asyncio.run(_list(arguments))
    for job in found:
        ui.record(job)
    rows = table("job", "model", "state", "accepted", "cost")
    for job in found:
        cost = _words.receipt(job.receipt) if job.receipt else ""
        accepted = f"{job.create_time.astimezone():%Y-%m-%d %H:%M}"
        rows.add_row(job.job_id, job.model or job.kind, job.state, accepted, cost)
    ui.show(rows if found else "No jobs.")
    return ExitCode.OK


async def _list(arguments: argparse.Namespace) -> list[Job]:
    labels = pairs(arguments.label, option="--label")
    found: list[Job] = []
    async with connect(arguments) as client:
        async for job in client.list_jobs(
            states=arguments.state, model=arguments.model, labels=labels
        ):
            if len(found) >= arguments.limit:
                break
            found.append(job)
    return found


def _run_show(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    return asyncio.run(_show(arguments, ui))


async def _show(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    async with connect(arguments) as client:
        job = await client.get_job(arguments.job_id)
    ui.record(job)
    ui.show(f"{job.job_id}  {job.model or job.kind}  {job.state}")
    if job.error is not None:
        ui.show(f"{job.error.message} {job.error.remedy}".strip())
    if job.receipt is not None:
        ui.show(_words.receipt(job.receipt))
    if job.report is not None and job.report.checks:
        ui.show(report_table(job.report))
    ui.show(*(f"{asset.name}  {_words.size(asset.size_bytes)}" for asset in job.assets))
    return ExitCode.OK


def _run_cancel(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    return asyncio.run(_cancel(arguments, ui))


async def _cancel(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    after = AfterSubmission.COLLECT if arguments.collect else AfterSubmission.DISCARD
    async with connect(arguments) as client:
        job = await client.cancel(arguments.job_id, after_submission=after)
    ui.record(job)
    ui.show(f"Job {job.job_id} is {job.state}.")
    return ExitCode.OK


def _run_resolve(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    return asyncio.run(_resolve(arguments, ui))


async def _resolve(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    async with connect(arguments) as client:
        if arguments.resubmit:
            job = await client.resubmit(arguments.job_id)
        else:
            job = await client.adopt(arguments.job_id, arguments.adopt)
    ui.record(job)
    ui.show(f"Job {job.job_id} is {job.state} again.")
    ui.show(f"Follow it: assetwright watch {job.job_id} --after {job.last_sequence}")
    return ExitCode.OK


def _run_delete(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    return asyncio.run(_delete(arguments, ui))


async def _delete(arguments: argparse.Namespace, ui: Ui) -> ExitCode:
    async with connect(arguments) as client:
        await client.delete_job(arguments.job_id)
    ui.show(f"Job {arguments.job_id} is deleted; its request id stays taken.")
    return ExitCode.OK
