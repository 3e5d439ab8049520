"""Write docs/report.schema.json from the report's dataclasses.

python tools/write_report_schema.py           write it
python tools/write_report_schema.py --check   exit with 1 when it differs
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from asset_processing.schema import report_schema

PAGE = Path(__file__).resolve().parent.parent / "docs" / "report.schema.json"


def main() -> int:
    """Write or check the file; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    text = json.dumps(report_schema(), indent=2) + "\n"
    if not parser.parse_args().check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        print("docs/report.schema.json differs; run python tools/write_report_schema.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
