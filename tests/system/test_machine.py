"""Everything that may happen to photos, sidecars and index, in any order: the promises of the design hold throughout.

A sample in the normal run; many more stories with LUMINA_SWEEP=all.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from index.protocol import IndexUnavailable
from index.tables import schema_of
from lumina_fs.catalog import Catalog
from lumina_fs.durable import Disk
from lumina_fs.errors import SourceOffline
from lumina_fs.index_session import BEHIND
from lumina_fs.kernel import Layer
from lumina_fs.opener import Opener
from lumina_fs.progress import Finished
from lumina_fs.rebuild import rebuild, verify
from lumina_fs.scan import Narrowing, ScanResult, reconcile, scan
from lumina_fs.sidecars import SUFFIX
from tests.lumina_fs.faults import Hooked, Killed, die
from tests.system.world import ALTERATIONS, CARD, FOLDERS, MAIN, NAMES, Key, World, sha256

ALL = os.environ.get("LUMINA_SWEEP") == "all"
STORIES, STEPS = (800, 60) if ALL else (70, 30)
NOWHERE = "host=/nonexistent user=nobody"

some = st.integers(0, 10_000)
places = st.tuples(st.sampled_from((MAIN, MAIN, CARD)), st.sampled_from(FOLDERS), st.sampled_from(NAMES))
#: A few contents, so that they meet again.
contents = st.integers(0, 11)


class Story(RuleBasedStateMachine):
    """One person, one catalog, and all that may go wrong."""

    postgres = ""
    opener: Opener | None = None
    counts: ClassVar[Counter[str]] = Counter()

    @initialize(card_beside=st.booleans(), many=st.integers(0, 6))
    def begin(self, card_beside: bool, many: int) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="lumina-story-"))
        self.world = World(self.base, card_beside=card_beside)
        self.index_up = True
        with Catalog.open(str(self.world.home)) as catalog:
            self.schema = schema_of(catalog.id, catalog.path)
        self.counts["stories"] += 1
        for number in range(many):
            source, folder, name = ((MAIN, CARD)[number % 2], FOLDERS[number % len(FOLDERS)], NAMES[number % 3])
            self.world.put((source, os.path.join(folder, name)), number, old=True)
        self.run()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            os.environ.pop("LUMINA_DATABASE_URL", None)
            with psycopg.connect(self.postgres) as conn:
                conn.execute(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE".encode())
            shutil.rmtree(self.base, ignore_errors=True)

    # -- a person and the photos

    def free(self, place: tuple[str, str, str]) -> Key | None:
        """The place, if nothing is there and its disk is."""
        source, folder, name = place
        key = source, f"{folder}/{name}" if folder else name
        return None if key in self.world.photos or self.world.mounted[source] != "in" else key

    def one(self, number: int) -> Key | None:
        """One of the photos."""
        keys = self.world.reachable()
        return keys[number % len(keys)] if keys else None

    @rule(place=places, content=contents, old=st.booleans())
    def add_a_photo(self, place: tuple[str, str, str], content: int, old: bool) -> None:
        key = self.free(place)
        if key is not None:
            self.world.put(key, content, old=old)
            self.counts["added"] += 1

    @rule(source=st.sampled_from((MAIN, CARD)), folder=st.sampled_from(FOLDERS), first=some, count=st.integers(2, 6))
    def add_many(self, source: str, folder: str, first: int, count: int) -> None:
        for number, name in enumerate(NAMES[:count]):
            key = self.free((source, folder, name))
            if key is not None:
                self.world.put(key, 100 + first + number, old=True)

    @rule(which=some, content=contents, old=st.booleans())
    def put_other_content_in_its_place(self, which: int, content: int, old: bool) -> None:
        key = self.one(which)
        if key is not None:
            self.world.put(key, content, old=old)
            self.counts["replaced"] += 1

    @rule(which=some, place=places, along=st.booleans())
    def copy_a_photo(self, which: int, place: tuple[str, str, str], along: bool) -> None:
        old, new = self.one(which), self.free(place)
        if old is not None and new is not None:
            self.world.copy(old, new, along=along)
            self.counts["copied"] += 1

    @rule(which=some, place=places, along=st.booleans())
    def move_a_photo(self, which: int, place: tuple[str, str, str], along: bool) -> None:
        old, new = self.one(which), self.free(place)
        if old is not None and new is not None:
            self.world.move(old, new, along=along)
            self.counts["moved"] += 1

    @rule(source=st.sampled_from((MAIN, CARD)), names=st.permutations(("x", "z", "w", "x/y")))
    def rename_a_folder(self, source: str, names: list[str]) -> None:
        old, new = names[:2]
        top = self.world.place(source)
        nested = f"{new}/".startswith(f"{old}/")
        parent = (top / new).parent.is_dir()
        there = self.world.mounted[source] == "in" and (top / old).is_dir() and parent
        if there and not nested and not (top / new).exists():
            self.world.rename_folder(source, old, new)
            self.counts["folders renamed"] += 1

    @rule(which=some, along=st.booleans())
    def delete_a_photo(self, which: int, along: bool) -> None:
        key = self.one(which)
        if key is None:
            return
        side = self.world.sidecar(key)
        self.world.delete(key)
        if along and side.exists():
            self.world.delete_sidecar(key[0], side)
        self.counts["deleted"] += 1

    # -- a person and the sidecars

    def document(self, number: int, *, broken: bool = False) -> tuple[str, Path] | None:
        """One of the sidecars within reach."""
        found = [
            (source, path)
            for source, path in self.world.editable()
            if broken or self.world.of(path, source) not in self.world.broken
        ]
        return found[number % len(found)] if found else None

    @rule(which=some, rating=st.integers(0, 5), style=st.integers(0, 31), keys=st.booleans())
    def edit_by_hand(self, which: int, rating: int, style: int, keys: bool) -> None:
        found = self.document(which)
        if found is not None:
            self.counts["edited"] += 1
            curation: dict[str, Any] = {"rating": rating, "caption": f"edit {self.counts['edited']}"}
            if keys:
                curation["x-unknown"] = {"b": [1.50, {}], "a": None}
            self.world.edit(found[1], curation, style)

    @rule(which=some, how=some, rename=st.booleans())
    def break_a_sidecar(self, which: int, how: int, rename: bool) -> None:
        found = self.document(which)
        if found is not None:
            self.world.damage(*found, how, rename=rename)
            self.counts["broken"] += 1

    @rule(which=some)
    def mend_a_sidecar(self, which: int) -> None:
        keys = [key for key in sorted(self.world.broken) if self.world.mounted[key[0]] == "in"]
        if keys:
            self.world.mend(keys[which % len(keys)])
            self.counts["mended"] += 1

    @rule(which=some)
    def delete_a_sidecar(self, which: int) -> None:
        found = self.document(which, broken=True)
        if found is not None:
            self.world.delete_sidecar(*found)

    # -- disks

    @rule(source=st.sampled_from((MAIN, CARD)), how=st.sampled_from(("gone", "emptied")))
    def unplug_or_bring_back(self, source: str, how: str) -> None:
        if self.world.mounted[source] != "in":
            self.world.mount(source)
        else:
            self.world.unmount(source, "emptied" if source == MAIN else how)
            self.counts["unmounted"] += 1

    # -- the index

    @rule()
    def the_server_stops_or_comes_back(self) -> None:
        self.index_up = not self.index_up
        if self.index_up:
            del os.environ["LUMINA_DATABASE_URL"]
        else:
            os.environ["LUMINA_DATABASE_URL"] = NOWHERE
            self.counts["index down"] += 1

    @rule(statement=st.sampled_from(ALTERATIONS))
    def somebody_changes_the_index(self, statement: str) -> None:
        with psycopg.connect(self.postgres) as conn:
            if conn.execute("SELECT to_regclass(%s)", (f"{self.schema}.original",)).fetchone() != (None,):
                with suppress(psycopg.Error):  # a column or a table may be gone already
                    conn.execute(statement.replace("{s}", self.schema).encode())
                self.counts["index altered"] += 1

    # -- the program

    def run(
        self,
        layer: Layer | None = None,
        *,
        accept_missing: bool = False,
        folders: dict[str, dict[str, bool]] | None = None,
    ) -> ScanResult | None:
        """A scan by warm workers; None where all sources are offline."""
        assert self.opener is not None
        self.opener.begin(threading.Event())
        narrowing = Narrowing(self.opener, lambda path: False, folders)
        self.counts["scans"] += 1
        with Catalog.open(str(self.world.home), Disk(layer)) as catalog:
            try:
                *_, last = scan(catalog, cancel=threading.Event(), accept_missing=accept_missing, narrowing=narrowing)
            except SourceOffline:
                return None
        assert isinstance(last, Finished)
        return last.result

    def everything_there(self) -> bool:
        return set(self.world.mounted.values()) == {"in"}

    @rule()
    def scan_everything(self) -> None:
        result = self.run()
        if self.everything_there() and (result is None or result.offline):
            result = self.run(accept_missing=True)  # the person knows that nothing is unplugged
            assert result is not None
            assert result.offline == []
        if self.world.mounted[CARD] == "gone":
            assert result is None or CARD in result.offline
        settled = [name for name in (MAIN, CARD) if result is not None and name not in result.offline]
        settled = [name for name in settled if self.world.mounted[name] == "in"]
        fresh = self.world.check_documents()
        self.check_settled(settled, {record.id for record in fresh})
        if result is not None and result.index == "current":
            self.check_ids(settled)
        if result is not None and result.index == "current":
            self.check_index()
        else:
            assert result is None or (self.world.home / BEHIND).exists()
        self.check_quiet(result)

    def check_settled(self, sources: list[str], fresh: set[str | None]) -> None:
        """Each photo has its sidecar, each sidecar its photo or says that it has none, and each id is there once."""
        world = self.world
        for source in sources:
            ids: Counter[str] = Counter()
            alone, new = set(), set()
            live = {world.sidecar(key): data for key, (data, _) in world.photos.items() if key[0] == source}
            for path in world.documents(source):
                if world.of(path, source) in world.broken:
                    continue
                value = world.value(path)
                digest = value["original"]["sha256"]
                if not path.name.endswith(SUFFIX):
                    alone.add(digest)
                    continue
                ids[value["id"]] += 1
                if path in live:
                    assert digest == sha256(live[path]), path
                    assert "missing_since" not in value["original"], path
                    if value["id"] in fresh:
                        new.add(digest)
                else:
                    assert "missing_since" in value["original"], path
                    alone.add(digest)
            assert all(path.exists() for path in live), [path for path in live if not path.exists()]
            assert not new & alone, "an original got a new sidecar although one of its content was free"
            assert max(ids.values(), default=1) == 1, [id_ for id_, count in ids.items() if count > 1]

    def check_ids(self, sources: list[str]) -> None:
        """No two sidecars have one id, in whatever sources they lie: the index knows where each lies."""
        ids: Counter[str] = Counter()
        for source in sources:
            for path in self.world.documents(source, orphans=False):
                if self.world.of(path, source) not in self.world.broken:
                    ids[self.world.value(path)["id"]] += 1
        assert max(ids.values(), default=1) == 1, [id_ for id_, count in ids.items() if count > 1]

    def check_index(self) -> None:
        """It is what a rebuild would make, of all that is online.

        What a folder that is suddenly empty held is in the index alone. Sidecars in the catalog can be edited while
        their source is away, and are read when it is back.
        """
        assert not (self.world.home / BEHIND).exists()
        if self.world.mounted[MAIN] != "in" or (self.world.mounted[CARD] != "in" and not self.world.card_beside):
            return
        with Catalog.open(str(self.world.home)) as catalog:
            *_, last = verify(catalog, cancel=threading.Event())
        assert isinstance(last, Finished)
        assert last.result.equal, last.result
        self.counts["verified"] += 1

    def check_quiet(self, result: ScanResult | None) -> None:
        """A second scan does nothing."""
        before = self.world.tree()
        again = self.run()
        assert self.world.tree() == before
        if result is not None:
            assert again is not None
            assert again.offline == result.offline
            assert (again.added, again.updated, again.moved) == (0, 0, 0)

    @rule(source=st.sampled_from((MAIN, CARD)), folder=st.sampled_from(FOLDERS), below=st.booleans())
    def look_at_one_folder(self, source: str, folder: str, below: bool) -> None:
        self.run(folders={source: {folder: below}})
        self.counts["looked at a folder"] += 1

    @rule(at=st.integers(1, 60))
    def a_scan_is_killed(self, at: int) -> None:
        try:
            self.run(Hooked(at, die, for_good=True))
        except Killed:
            self.counts["killed"] += 1

    @rule(at=st.integers(1, 40), which=some, style=st.integers(0, 31))
    def a_person_edits_during_a_scan(self, at: int, which: int, style: int) -> None:
        self.run(Hooked(at, lambda: self.edit_by_hand(which, 3, style, True)))

    @rule(at=st.integers(1, 40), which=some, place=places, along=st.booleans())
    def a_person_moves_during_a_scan(self, at: int, which: int, place: tuple[str, str, str], along: bool) -> None:
        self.run(Hooked(at, lambda: self.move_a_photo(which, place, along)))

    @rule(at=st.integers(1, 40))
    def the_server_dies_during_a_scan(self, at: int) -> None:
        if self.index_up:
            self.run(Hooked(at, self.end_connections))

    def end_connections(self) -> None:
        with psycopg.connect(self.postgres) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'lumina-fs' AND pid <> pg_backend_pid()"
            )
        self.counts["connections ended"] += 1

    @rule(how=st.sampled_from((rebuild, reconcile)))
    def the_index_is_made_or_mended(self, how: Callable[..., Iterator[Any]]) -> None:
        before = self.world.tree()
        with Catalog.open(str(self.world.home)) as catalog:
            if not self.index_up:
                with pytest.raises(IndexUnavailable):
                    list(how(catalog, cancel=threading.Event()))
                return
            *_, last = how(catalog, cancel=threading.Event())
        assert without_marks(self.world.tree()) == without_marks(before)
        if (how is rebuild and self.everything_there()) or not getattr(last.result, "offline", [True]):
            self.check_index()
            self.counts["made or mended"] += 1

    # -- always

    @invariant()
    def nothing_is_lost(self) -> None:
        if hasattr(self, "world"):
            self.counts["steps"] += 1
            self.world.check_photos()
            self.world.check_documents()


def without_marks(tree: dict[str, Any]) -> dict[str, Any]:
    """Without locks, and without the note that the index is behind."""
    return {path: found for path, found in tree.items() if "/.lumina/locks/" not in path and not path.endswith(BEHIND)}


def test_the_promises_hold_whatever_happens(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMINA_WORKERS", "1")
    Story.postgres = postgres
    Story.counts = Counter()
    options = settings(
        max_examples=STORIES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    try:
        with Catalog.create(str(tmp_path)) as catalog, Opener(catalog, threading.Event()) as Story.opener:
            run_state_machine_as_test(Story, settings=options)
    finally:
        with suppress(KeyError):
            del os.environ["LUMINA_DATABASE_URL"]
        print(", ".join(f"{count} {what}" for what, count in Story.counts.most_common()))
    assert Story.counts["stories"] >= STORIES
    for what in ("killed", "verified", "index down", "index altered", "unmounted", "moved", "broken", "edited"):
        assert Story.counts[what] > 0, f"no story told of this: {what}"
