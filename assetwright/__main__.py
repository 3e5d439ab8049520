"""``python -m assetwright`` is the command line."""

import sys

from assetwright.cli import main

if __name__ == "__main__":
    sys.exit(main())
