"""Files end up inside the folder that was named, whatever the server calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetwright.cli._save import place
from assetwright.enums import AssetRole
from assetwright.errors import IntegrityError
from assetwright.records import Asset

if TYPE_CHECKING:
    from pathlib import Path


def named(name: str) -> Asset:
    return Asset(
        asset_id="ast_1",
        role=AssetRole.MODEL,
        name=name,
        media_type="model/gltf-binary",
        size_bytes=1,
        sha256="",
        job_id=None,
        create_time=None,
        sandbox=False,
    )


@pytest.mark.parametrize("name", ["asset.glb", "source.glb", "textures/base_color.webp"])
def test_the_contracts_names_stay(name: str, tmp_path: Path) -> None:
    assert place(named(name), tmp_path) == tmp_path / name


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\boot.ini", "C_/boot.ini"),
        ("a/./b//c.glb", "a/b/c.glb"),
        ("a\x00b.glb", "a_b.glb"),
        ("..", "ast_1"),
        ("", "ast_1"),
    ],
)
def test_a_hostile_name_stays_inside(name: str, path: str, tmp_path: Path) -> None:
    assert place(named(name), tmp_path) == tmp_path / path


@given(name=st.text())
def test_no_name_leads_out(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert place(named(name), folder).resolve().is_relative_to(folder.resolve())


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "textures").symlink_to(tmp_path)
    with pytest.raises(IntegrityError):
        place(named("textures/base_color.webp"), folder)
