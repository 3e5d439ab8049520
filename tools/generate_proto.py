"""Generate `assetwright/v1` from `protos/`, or check that it is up to date.

The generator is pinned far behind the runtime on purpose: generated code refuses an older
protobuf or grpcio than its generator's, and add-ons bundle runtimes that we do not choose. It
lives in an environment of its own, since its pins would pull the whole project down.

    python tools/generate_proto.py           write the files
    python tools/generate_proto.py --check   exit with 1 and a list when they differ
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
PACKAGE = Path("assetwright/v1")
ENVIRONMENT = ROOT / ".venv" / "proto"
# setuptools: grpcio-tools 1.71 imports pkg_resources, which newer ones no longer have.
PINS = ("grpcio-tools==1.71.2", "mypy-protobuf==3.6.0", "setuptools==80.9.0")


def generator() -> Path:
    """Return the directory of the pinned generator's programs, made at the first call."""
    stamp = ENVIRONMENT / ".made-with"
    programs = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin")
    if not stamp.exists() or stamp.read_text() != " ".join(PINS):
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        pip = [str(programs / "python"), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", *PINS], check=True)
        stamp.write_text(" ".join(PINS))
    return programs


def generate(out: Path) -> None:
    """Write the generated files below `out`."""
    programs = generator()
    sources = sorted(path.relative_to(PROTOS) for path in PROTOS.rglob("*.proto"))
    services = [path for path in sources if path.stem.endswith("_service")]
    protoc = [str(programs / "python"), "-W", "ignore", "-m", "grpc_tools.protoc", f"-I{PROTOS}"]
    plugins = [
        f"--plugin={name}={programs / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
    ]
    for files, outputs in (
        (sources, ("--python_out", "--mypy_out")),
        (services, ("--grpc_python_out", "--mypy_grpc_out")),
    ):
        options = [f"{option}={'quiet:' if 'mypy' in option else ''}{out}" for option in outputs]
        subprocess.run([*protoc, *plugins, *options, *map(str, files)], check=True)


def generated(root: Path) -> dict[str, bytes]:
    """Return the generated files below `root` by name."""
    return {path.name: path.read_bytes() for path in (root / PACKAGE).glob("*_pb2*")}


def main() -> int:
    """Generate or check, as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    if not parser.parse_args().check:
        for path in (ROOT / PACKAGE).glob("*_pb2*"):
            path.unlink()
        generate(ROOT)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh, ours = generated(Path(folder)), generated(ROOT)
    stale = sorted(name for name in fresh.keys() | ours.keys() if fresh.get(name) != ours.get(name))
    for name in stale:
        print(f"{PACKAGE / name} does not match the protos: run `make proto`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
