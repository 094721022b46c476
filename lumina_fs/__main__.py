"""`python -m lumina_fs` is `lumina`."""

from __future__ import annotations

import sys

from lumina_fs.cli import main
from lumina_fs.collector import ending
from lumina_fs.utf8 import require_utf8

if __name__ == "__main__":
    require_utf8()
    try:
        sys.exit(main())
    finally:
        ending()
