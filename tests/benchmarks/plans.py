"""Figures of plans: proposing, looking at and checking one of a hundred thousand originals."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.measure import Figure, lumina, median, timed


@contextmanager
def recorded(count: int) -> Iterator[Path]:
    """A managed catalog of `count` originals: rows by COPY, files and sidecars by name only."""
    from index.generation import Generation
    from index.postgres import PostgresIndex
    from index.server import serve
    from lumina_fs.catalog import Catalog
    from tests.benchmarks.rows import rows

    with tempfile.TemporaryDirectory(prefix="bench-plan-") as folder, serve() as conninfo:
        root = Path(folder)
        with Catalog.create(folder, managed=True) as catalog:
            index = PostgresIndex(conninfo, catalog.id, catalog.path)
        with index:
            generation = Generation(index, "new")
            with generation.filling() as fill:
                for originals, seen in rows(count):
                    fill(originals, b"", seen)
                    for line in originals.splitlines():
                        path = root / line.split(b"\t", 2)[1].decode()
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.touch()
                        path.with_name(f"{path.name}.lumina.json").touch()
            generation.swap()
            yield root
            index.drop()


def plan(count: int) -> Iterator[Figure]:
    """Proposing and previewing a plan, in one command and in two; reading and checking it."""
    from lumina_fs.plans.files import plan_path
    from schemas.document import load
    from schemas.plan import MAX_PLAN_BYTES, Plan

    with recorded(count) as root:
        at = ("--catalog", str(root))
        both = lumina("plan", "propose", "YYYY/MM", *at, watch=True)
        assert f"{count:,} move" in both.out
        assert f"... and {count - 50:,} more: --all" in both.out, "the preview is there"
        detail = f"{count:,} originals, {both.cpu:.1f} s of processor time"
        yield Figure("propose and preview a plan, seconds", both.wall, 5.0, detail)
        made = lumina("plan", "propose", "YYYY/MM", "--json", *at, watch=True)
        proposed = json.loads(made.out)
        assert proposed["counts"] == {"move": count}
        shown = lumina("plan", "show", proposed["plan"], *at, watch=True)
        assert f"{count:,} move" in shown.out
        detail = f"{made.wall:.1f} s and {shown.wall:.1f} s, {made.cpu:.1f} s and {shown.cpu:.1f} s of processor time"
        yield Figure("the same in two commands, seconds", made.wall + shown.wall, 5.0, detail)
        peaks = (both.peak, made.peak, shown.peak)
        yield Figure("the same, memory in MB", max(peaks), 500, ", ".join(f"{peak:.0f}" for peak in peaks))
        data = (root / plan_path(proposed["plan"])).read_bytes()
        spent = median(lambda: timed(lambda: load(data, Plan, MAX_PLAN_BYTES)), 3)
        yield Figure("validate a plan, seconds", spent, 2.0, f"{count:,} actions, {len(data) / 1e6:.0f} MB")
