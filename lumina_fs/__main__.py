"""`python -m lumina_fs` is `lumina`."""

from __future__ import annotations

import sys

from lumina_fs.cli import main

if __name__ == "__main__":
    sys.exit(main())
