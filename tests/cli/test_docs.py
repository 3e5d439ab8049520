"""What the documentation says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assetwright import errors, events
from assetwright.cli._exit import ExitCode
from assetwright.cli._main import _parser

DOCS = Path(__file__).parents[2] / "docs"


def test_the_exit_codes_are_the_enums() -> None:
    rows = re.findall(
        r"^\| (\d+) \| (.+) \|$", (DOCS / "command-line.md").read_text(), re.MULTILINE
    )
    assert [(int(code), meaning) for code, meaning in rows] == [
        (code.value, code.meaning) for code in ExitCode
    ]


def test_every_command_is_described() -> None:
    described = set(re.findall(r"^\| `(\w+)", (DOCS / "command-line.md").read_text(), re.MULTILINE))
    help_text = _parser().format_help()
    assert described == set(re.findall(r"^    ([a-z]+)  ", help_text, re.MULTILINE))


def test_every_error_and_event_is_described() -> None:
    text = (DOCS / "client.md").read_text()
    for name in {*errors.__all__, *events.__all__} - {"Violation", "Event"}:
        assert f"`{name}`" in text, name


@pytest.mark.parametrize("name", ["client.md", "command-line.md"])
def test_links_lead_somewhere(name: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)", (DOCS / name).read_text()):
        assert (DOCS / link).exists(), link
