"""The floor: how fast this machine moves the same bytes between two Python processes.

One thread sends them from memory with `sendall(256 KiB)`, one receives them with `recv_into`.
No file is read, nothing is framed: no server of ours can be faster.

    python benchmarks/_floor.py serve FILE
    python benchmarks/_floor.py fetch PORT BYTES COPIES
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time
from pathlib import Path

PIECE_BYTES = 256 * 1024
_COPIES = struct.Struct("!I")


def serve(path: Path) -> None:
    """Send the file as often as each connection asks for, until ended."""
    data = memoryview(path.read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                _send(connection, data)


def _send(connection: socket.socket, data: memoryview) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    (copies,) = _COPIES.unpack(connection.recv(_COPIES.size, socket.MSG_WAITALL))
    for _ in range(copies):
        for start in range(0, len(data), PIECE_BYTES):
            connection.sendall(data[start : start + PIECE_BYTES])


def fetch(port: int, size_bytes: int, copies: int) -> None:
    """Receive that many copies, and print how long it took."""
    buffer = bytearray(PIECE_BYTES)
    total = size_bytes * copies
    received = 0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        cpu, began = time.process_time(), time.perf_counter()
        connection.sendall(_COPIES.pack(copies))
        while received < total:
            count = connection.recv_into(buffer)
            if not count:
                raise EOFError("the floor's server ended early")
            received += count
        taken = time.perf_counter() - began
    answer = {"bytes": received, "seconds": taken, "cpu_s": time.process_time() - cpu}
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(Path(sys.argv[2]))
    else:
        fetch(*map(int, sys.argv[2:]))
