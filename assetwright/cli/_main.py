"""Run a command: parse, run, and turn whatever goes wrong into an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING

import assetwright
from assetwright.cli import demo, generate, jobs, models, process, serve, spend
from assetwright.cli._arguments import Parser
from assetwright.cli._exit import ExitCode, of_error
from assetwright.cli._ui import Ui
from assetwright.errors import AssetwrightError, ServerUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments without the program's name; None takes the process's.

    Returns:
        The exit code; `ExitCode` lists them.
    """
    given = sys.argv[1:] if argv is None else list(argv)
    # Before parsing, so that wrong arguments are a JSON line too.
    ui = Ui(json_lines="--json" in given)
    try:
        code = _run(given, ui)
        sys.stdout.flush()
    except BrokenPipeError:
        return _unread()
    return code


def _run(given: Sequence[str], ui: Ui) -> int:
    try:
        arguments = _parser().parse_args(given)
        return int(arguments.run(arguments, ui))
    except SystemExit as ended:  # --help and --version have printed what they do.
        return int(ended.code or 0)
    except KeyboardInterrupt:
        return _detached(ui)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  # The outermost edge.
        return _failed(ui, error)


def _parser() -> Parser:
    parser = Parser(
        prog="assetwright",
        description="Turn a prompt or a picture into a game-ready asset.",
    )
    parser.add_argument(
        "--version", action="version", version=f"assetwright {assetwright.__version__}"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for part in (demo, generate, jobs, spend, models, process, serve):
        part.add_to(commands)
    return parser


def _unread() -> ExitCode:
    """Stop because whoever read our output has left, as ``head`` does."""
    # Python flushes standard output once more at its end, and would complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.DETACHED


def _detached(ui: Ui) -> ExitCode:
    message = f"Detached. {_watch_again(ui)}" if ui.following else "Interrupted."
    job_id, sequence = ui.following or (None, None)
    ui.record({"kind": "detached", "job_id": job_id, "sequence": sequence, "message": message})
    ui.say(message)
    return ExitCode.DETACHED


def _watch_again(ui: Ui) -> str:
    """Return how to follow the job further; empty without one."""
    if ui.following is None:
        return ""
    job_id, sequence = ui.following
    command = f"assetwright watch {job_id}" + (f" --after {sequence}" if sequence else "")
    return f"The job goes on. Follow it again: {command}"


def _failed(ui: Ui, error: Exception) -> ExitCode:
    again = _watch_again(ui)
    if isinstance(error, ServerUnavailable):
        again = again or "Start one with `assetwright serve`, or name another by --server."
    if isinstance(error, AssetwrightError):
        return ui.fail_with(error, of_error(error), remedy=again)
    if isinstance(error, OSError):
        # Before a job it is a wrong argument; behind one, say how to get what was paid for.
        code = ExitCode.UNEXPECTED if ui.following else ExitCode.USAGE
        return ui.fail(_described(error), code, remedy=again)
    traceback.print_exception(error)  # A bug of ours.
    return ui.fail(f"{type(error).__name__}: {error}", ExitCode.UNEXPECTED, remedy=again)


def _described(error: OSError) -> str:
    if error.filename is None:
        return str(error)
    return f"{error.filename}: {error.strerror}"
