"""`python -m server` is `assetwright serve` with settings from the environment alone."""

import sys

from server.app import serve

if __name__ == "__main__":
    sys.exit(serve())
