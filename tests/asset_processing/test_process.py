"""From file to folder, as a worker process runs it."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

import asset_processing
from asset_processing import (
    InvalidGlb,
    Limits,
    Pivot,
    ProcessingOptions,
    Report,
    process,
    process_file,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.asset_processing.conftest import Glb


def test_nothing_asked_delivers_the_source_itself(glb: type[Glb]) -> None:
    source = glb.box().to_bytes()
    for given in (source, memoryview(source), memoryview(bytearray(source))):
        asset = process(given)
        assert asset.glb == source
        assert asset.report.source == asset.report.result


def test_the_same_source_and_options_give_the_same_bytes(glb: type[Glb]) -> None:
    options = ProcessingOptions(height_m=1.8, pivot=Pivot.BASE)
    first, second = (process(glb.box().to_bytes(), options) for _ in range(2))
    assert first.glb == second.glb
    assert first.report.to_json() == second.report.to_json()


def test_the_folder_holds_the_file_the_textures_and_the_report(
    glb: type[Glb], tmp_path: Path
) -> None:
    built = glb.box()
    built.add("textures", source=built.image(glb.png(2, 2)))
    built.add("materials", normalTexture={"index": 0})
    source = tmp_path / "in.glb"
    source.write_bytes(built.to_bytes())
    options = ProcessingOptions(height_m=1)
    out = tmp_path / "made" / "here"
    report = process_file(source, out, options)
    written = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert written == {"asset.glb", "report.json", "textures/normal.png"}
    assert (out / "asset.glb").read_bytes() == process(source.read_bytes(), options).glb
    assert (out / "textures" / "normal.png").read_bytes() == glb.png(2, 2)
    assert Report.from_json((out / "report.json").read_text()) == report
    assert process_file(source, out, options) == report  # Over what is there.


def test_a_refused_file_leaves_nothing_behind(tmp_path: Path) -> None:
    source = tmp_path / "in.glb"
    source.write_bytes(b"glTF")
    with pytest.raises(InvalidGlb):
        process_file(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_worker_process_returns_the_report_or_the_error(glb: type[Glb], tmp_path: Path) -> None:
    """Both cross by pickle."""
    good, bad = tmp_path / "good.glb", tmp_path / "bad.glb"
    good.write_bytes(glb.box().to_bytes())
    bad.write_bytes(b"glTF")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        report = pool.submit(process_file, good, tmp_path / "out", limits=Limits()).result()
        assert report == process(good.read_bytes()).report
        failed = pool.submit(process_file, bad, tmp_path / "out")
        assert isinstance(failed.exception(), InvalidGlb)
    assert pickle.loads(pickle.dumps(process_file)) is process_file  # noqa: S301


def test_importing_the_package_loads_neither_trimesh_nor_scipy() -> None:
    """They take longer to import than most files take to process."""
    code = "import sys, asset_processing; print({'trimesh', 'scipy', 'PIL'} & set(sys.modules))"
    found = subprocess.run(  # noqa: S603  # Our own interpreter and code.
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "set()"


def test_everything_that_is_offered_is_there() -> None:
    offered = [getattr(asset_processing, name) for name in asset_processing.__all__]
    assert len(offered) == len(set(asset_processing.__all__))
