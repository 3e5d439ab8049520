"""The extension's parts that need no Blender, imported as a package of that name."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(_ROOT / "addons" / "blender"))
sys.path.insert(0, str(Path(__file__).parent))  # Tests import what they share by name.
