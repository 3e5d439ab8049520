"""The parts that numpy would be slow at: our own C, compiled to WebAssembly, run by wasmtime.

Each ``.wasm`` is compiled from the ``.c`` beside it (``make native``): no compiler at installation,
the same bytes and the same results on every platform, and a fault inside is an exception here.
"""

from __future__ import annotations

import atexit
import ctypes
import mmap
import sys
from functools import cache
from importlib.resources import files
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray
    from wasmtime import Engine, Memory, Module, Store
    from wasmtime._instance import InstanceExports

__all__ = ["MAX_MEMORY_BYTES", "Instance"]

MAX_MEMORY_BYTES = 2 * 1024**3
"""What one run of a module may take: enough to simplify about 5,000,000 triangles."""

_GROWTH_BYTES = 64 * 1024**2
_RESERVED_BYTES = 4 * 1024**3  # wasmtime's default.
_compiling = Lock()


@cache
def _compiled(name: str, *, reserving: bool) -> tuple[Engine, Module]:
    """Compile a module, once for the process.

    Args:
        name: Of its file, without the suffix.
        reserving: Reserve 4 GiB of addresses for each memory, so that no access needs a check of
            its bounds: 1.5 times as fast. Where addresses are limited there are none to reserve.
    """
    import wasmtime  # noqa: PLC0415  # 0.1 s that only its callers should pay.

    config = wasmtime.Config()
    if not reserving:
        config.memory_reservation = 0
        config.memory_guard_size = 0
        config.memory_reservation_for_growth = _GROWTH_BYTES
    engine = wasmtime.Engine(config)
    code = files(__package__).joinpath(f"{name}.wasm").read_bytes()
    return engine, wasmtime.Module(engine, code)


# Once the interpreter takes modules down, wasmtime can no longer delete what it made.
atexit.register(_compiled.cache_clear)


def _instantiate(name: str, *, reserving: bool) -> tuple[Store, InstanceExports]:
    import wasmtime  # noqa: PLC0415

    with _compiling:
        engine, module = _compiled(name, reserving=reserving)
    store = wasmtime.Store(engine)
    store.set_limits(memory_size=MAX_MEMORY_BYTES)
    exports = wasmtime.Instance(store, module, []).exports(store)
    if reserving:
        _prefer_huge_pages(exports["memory"], store)  # type: ignore[arg-type]
    return store, exports


def _prefer_huge_pages(memory: Memory, store: Store) -> None:
    """Ask Linux to back a memory by pages of 2 MiB: few page faults, 5 to 10 % less time in all."""
    if sys.platform == "linux":
        address = ctypes.cast(memory.data_ptr(store), ctypes.c_void_p)
        ctypes.CDLL(None).madvise(address, ctypes.c_size_t(_RESERVED_BYTES), mmap.MADV_HUGEPAGE)


class Instance:
    """One run of a module, with memory of its own that goes with it.

    Args:
        module: ``simplify`` or ``survey``.

    An index out of range or a lack of memory inside raises `wasmtime.Trap` or
    `wasmtime.WasmtimeError`; this process is not touched.
    """

    def __init__(self, module: str) -> None:
        import wasmtime  # noqa: PLC0415

        try:
            self._store, self._exports = _instantiate(module, reserving=True)
        except wasmtime.WasmtimeError:  # RLIMIT_AS, for one.
            self._store, self._exports = _instantiate(module, reserving=False)

    def call(self, name: str, *arguments: float) -> int:
        """Call an exported function; integers are unsigned, those above 32 bits as good as that."""
        signed = (_signed(value) if isinstance(value, int) else value for value in arguments)
        result = self._exports[name](self._store, *signed)  # type: ignore[operator]
        return 0 if result is None else int(result) & 0xFFFFFFFF

    def measure(self, name: str) -> float:
        """Call an exported function that takes nothing and gives a number."""
        return float(self._exports[name](self._store))  # type: ignore[operator]

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[np.generic]:
        """A view of what the exported pointer names. Any later call may move it."""
        kind = np.dtype(dtype)
        start, size = self.call(name), int(np.prod(shape)) * kind.itemsize
        memory = self._exports["memory"]
        buffer: bytearray = memory.get_buffer_ptr(self._store)  # type: ignore[union-attr,assignment]
        view = np.frombuffer(buffer, dtype=np.uint8)[start : start + size]
        return view.view(kind).reshape(shape)


def _signed(value: int) -> int:
    """WebAssembly's integers have no sign; wasmtime's arguments do."""
    value = min(value, 0xFFFFFFFF)
    return value - (1 << 32) if value >> 31 else value
