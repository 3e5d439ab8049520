"""Hostile archives, and the file that a trainer returns."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from server.sandbox.errors import DatasetError, PictureError
from server.sandbox.work import TrainJob
from server.sandbox.work.dataset import DatasetLimits, read_dataset
from server.sandbox.work.train import train

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.conftest import Draw

JOB = TrainJob(base="a model", steps=10, learning_rate=1e-4)


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_pictures_are_read_and_other_files_let_be(draw: type[Draw]) -> None:
    data = zipped({"a/1.png": draw.disc(), "a/1.txt": b"a disc", "2.JPG": draw.disc()})
    assert len(read_dataset(data, DatasetLimits())) == 2
    assert len(read_dataset(draw.disc(), DatasetLimits())) == 1


@pytest.mark.parametrize("name", ["../1.png", "/1.png", "a/../../1.png", "a\\1.png", "C:/1.png"])
def test_a_name_outside_the_archive_is_refused(
    draw: type[Draw], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """Nothing is unpacked to disk anyway; an archive that tries is not worth trusting."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="outside itself"):
        read_dataset(zipped({name: draw.disc()}), DatasetLimits())
    assert list(tmp_path.iterdir()) == list(tmp_path.parent.glob("*.png")) == []


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (DatasetLimits(max_entries=2), "more than 2 entries"),
        (DatasetLimits(max_entry_bytes=100), "larger than 100 bytes"),
        (DatasetLimits(max_total_bytes=1000), "more than 1000 bytes"),
    ],
)
def test_each_limit_is_named(draw: type[Draw], limits: DatasetLimits, message: str) -> None:
    data = zipped({f"{number}.png": draw.disc() for number in range(3)})
    with pytest.raises(DatasetError, match=message):
        read_dataset(data, limits)


def test_a_bomb_is_given_up_at_the_limit() -> None:
    """A hundred MiB of zeros in a hundred KiB; what its header says of its size is not asked."""
    data = zipped({"1.png": bytes(100 * 1024 * 1024)})
    with pytest.raises(DatasetError, match="larger than"):
        read_dataset(data, DatasetLimits(max_entry_bytes=1024 * 1024))


@pytest.mark.parametrize("data", [zipped({}), zipped({"a.txt": b"x"}), b"PK\x03\x04" + bytes(50)])
def test_an_archive_without_pictures_is_refused(data: bytes) -> None:
    with pytest.raises(DatasetError):
        read_dataset(data, DatasetLimits())


def test_damage_is_named(draw: type[Draw]) -> None:
    whole = bytearray(zipped({"1.png": draw.disc()}))
    whole[80:90] = bytes(10)
    with pytest.raises((DatasetError, PictureError)):
        read_dataset(bytes(whole), DatasetLimits())
    with pytest.raises(PictureError, match=r"'1\.png'"):
        read_dataset(zipped({"1.png": b"text"}), DatasetLimits())


def test_the_file_is_valid_safetensors_and_the_same_every_time(draw: type[Draw]) -> None:
    pictures = read_dataset(zipped({"1.png": draw.disc()}), DatasetLimits())
    data = train(JOB, pictures)
    assert data == train(JOB, pictures)
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    assert header["__metadata__"]["sandbox"] == "true"
    assert header["__metadata__"]["base_model"] == "a model"
    assert all(isinstance(value, str) for value in header.pop("__metadata__").values())
    assert (8 + length) % 8 == 0
    ends = [entry["data_offsets"][1] for entry in header.values()]
    assert max(ends) == len(data) - 8 - length
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        values = np.frombuffer(data, "<f4", (last - first) // 4, 8 + length + first)
        assert np.isfinite(values).all()
        assert 4 in entry["shape"], name


def test_absurd_numbers_still_make_a_finite_file(draw: type[Draw]) -> None:
    pictures = read_dataset(draw.disc(), DatasetLimits())
    data = train(TrainJob(base="a model", steps=10**400, learning_rate=1e300), pictures)
    (length,) = struct.unpack_from("<Q", data)
    assert np.isfinite(np.frombuffer(data, "<f4", offset=8 + length)).all()
