"""The compiled modules: what their sources give, and harmless where they are asked for nonsense."""

from __future__ import annotations

import hashlib
from importlib.resources import files

import pytest
import wasmtime

from asset_processing.native import Instance


@pytest.mark.parametrize("name", ["simplify", "survey"])
def test_a_module_is_compiled_from_the_source_beside_it(name: str) -> None:
    """`make check-native` compiles again and compares every byte; this needs no compiler."""
    folder = files("asset_processing.native")
    source = folder.joinpath(f"{name}.c").read_bytes() + folder.joinpath("memory.h").read_bytes()
    expected = int(hashlib.sha256(source).hexdigest()[:8], 16)
    assert Instance(name).call("source_hash") == expected


def test_more_memory_than_there_is_ends_the_run_and_not_the_process() -> None:
    with pytest.raises(wasmtime.Trap):
        Instance("survey").call("create", 0xFFFFFFFF, 1, 0)
    with pytest.raises(wasmtime.Trap):
        Instance("survey").call("create", 0x3FFFFFF, 0x3FFFFFF, 0)
