"""`make bench`: print each figure with its target.

For the figures in docs/performance.md: make bench ARGS="--corpus C2000 --tree C100K --rows 1000000", with corpora that
the shared generator made.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from index import server
from tests.benchmarks.carrying_out import RUNS
from tests.benchmarks.cases import CASES as SCANS
from tests.benchmarks.figures import Options

CASES = {**SCANS, **RUNS}


def main() -> int:
    """Run the cases that were named, or all but the peer."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("case", nargs="*", help=", ".join(CASES))
    parser.add_argument("--corpus", type=Path, help="camera photos (default: a few hundred are made)")
    parser.add_argument("--tree", type=Path, help="a tree of many small photos (default: two thousand are made)")
    parser.add_argument("--rows", type=int, default=100_000, help="rows to search in (100,000)")
    parser.add_argument("--catalog", type=Path, help="a large catalog that was scanned before, to look around in")
    args = parser.parse_args()
    missed = 0
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as base, ExitStack() as stack:
        os.chmod(base, 0o755)
        os.environ["LUMINA_HOME"] = f"{base}/home"
        if args.catalog is None:  # else its index is where it was made
            os.environ["LUMINA_POSTGRES_DIR"] = f"{base}/postgres"
            stack.callback(server.stop)
        options = Options(args.corpus, args.tree, args.rows, stack, args.catalog)
        for name in args.case or [case for case in CASES if case != "peer"]:
            for figure in CASES[name](options):
                missed += not figure.met
                sign = ">=" if figure.at_least else "<="
                mark = "ok  " if figure.met else "MISS"
                print(
                    f"{mark} {figure.name:48} {figure.value:8.2f} ({sign} {figure.target:g})  {figure.detail}",
                    flush=True,
                )
    print(f"{missed} missed" if missed else "all met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
