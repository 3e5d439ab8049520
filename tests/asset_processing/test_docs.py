"""The page says what the code does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING

from asset_processing import Limits
from asset_processing.issues import ISSUES

if TYPE_CHECKING:
    import pytest

    from tests.asset_processing.conftest import Glb

_PAGE = (Path(__file__).parents[2] / "docs" / "asset-processing.md").read_text(encoding="utf-8")


def test_the_example_runs(glb: type[Glb], capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", _PAGE, re.DOTALL)
    exec(compile(example, "docs", "exec"), {"source": glb.box().to_bytes()})  # noqa: S102
    assert "passed    height_m: 1.8 m asked" in capsys.readouterr().out
    exec(compile(example, "docs", "exec"), {"source": b""})  # noqa: S102
    assert capsys.readouterr().out.startswith("ASSET_INVALID The file has 0 bytes")


def test_every_limit_is_in_the_table_with_its_default() -> None:
    for field in dataclasses.fields(Limits):
        assert f"| `{field.name}` | {field.default:,} |" in _PAGE


def test_every_issue_is_in_the_table_as_it_is_told() -> None:
    for code, (severity, meaning) in ISSUES.items():
        assert f"| `{code.value}` | {severity.value} | {meaning} |" in _PAGE
