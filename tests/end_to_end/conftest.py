"""Pictures to generate from, and the samples that lie beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_SAMPLES = Path(os.environ.get("ASSETWRIGHT_SAMPLES") or _ROOT.parent / "shared" / "samples")
_DEMO = _ROOT / "assetwright" / "cli" / "demo.png"
_ABSENT = pytest.mark.skip(reason="needs shared/samples or ASSETWRIGHT_SAMPLES")


@pytest.fixture(scope="session")
def demo_picture() -> Path:
    """The picture that `assetwright demo` uses."""
    return _DEMO


@pytest.fixture
def samples() -> list[Path]:
    """GLBs that other programs wrote."""
    found = sorted(_SAMPLES.glob("*.glb"))
    if not found:
        pytest.skip("needs shared/samples or ASSETWRIGHT_SAMPLES")
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test the demo's picture and each sample picture, by the name `picture`."""
    if "picture" in metafunc.fixturenames:
        found = sorted((_SAMPLES / "pictures").glob("*.png"))
        absent = [] if found else [pytest.param(None, marks=_ABSENT, id="samples")]
        given = [pytest.param(path, id=path.stem) for path in (_DEMO, *found)]
        metafunc.parametrize("picture", [*given, *absent])
