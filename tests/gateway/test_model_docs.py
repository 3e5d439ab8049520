"""docs/models.md is what the catalog says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.gateway.wire import CATALOG

if TYPE_CHECKING:
    from types import ModuleType

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "write_model_docs", _ROOT / "tools" / "write_model_docs.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_does_not_drift(tool: ModuleType) -> None:
    written = (_ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert written == tool.page(CATALOG), "run `python tools/write_model_docs.py`"


def test_the_page_names_every_model_and_every_parameter(tool: ModuleType) -> None:
    page = tool.page(CATALOG)
    for one in CATALOG:
        _, _, section = page.partition(f"\n## {one.id}\n")
        section, _, _ = section.partition("\n## ")
        assert one.path in section
        assert one.prices.note in section
        assert all(f"| `{parameter.name}` |" in section for parameter in one.parameters)


def test_the_check_fails_when_the_page_is_old(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the page is somewhere else; the real one stays as it is."""
    monkeypatch.setattr(tool, "PAGE", tmp_path / "models.md")
    monkeypatch.setattr(sys, "argv", ["write_model_docs.py", "--check"])
    assert tool.main() == 1
    monkeypatch.setattr(sys, "argv", ["write_model_docs.py"])
    assert tool.main() == 0
    monkeypatch.setattr(sys, "argv", ["write_model_docs.py", "--check"])
    assert tool.main() == 0
    (tmp_path / "models.md").write_text("old")
    assert tool.main() == 1
