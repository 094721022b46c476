"""`python -m tui` is `lumina` with its terminal UI."""

from __future__ import annotations

import sys

from tui.entry import main

if __name__ == "__main__":
    sys.exit(main())
