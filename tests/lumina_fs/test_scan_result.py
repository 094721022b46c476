"""The numbers of a scan add up: each original that was found is in one of them, whatever became of it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.cli import main
from lumina_fs.opener import Opener
from lumina_fs.progress import Finished, Ingested
from lumina_fs.scan import ScanResult, scan
from lumina_fs.sidecars import Sidecars
from lumina_fs.worker import Answer, Job

if TYPE_CHECKING:
    from tests.conftest import Library


def sums(result: ScanResult) -> dict[str, int]:
    """The numbers that are not zero, after a look at whether they add up."""
    names = ("added", "updated", "unchanged", "moved", "failed", "left")
    numbers = {name: getattr(result, name) for name in names}
    assert sum(numbers.values()) == result.found, numbers
    assert all(number >= 0 for number in numbers.values()), numbers
    return {name: number for name, number in (numbers | {"missing": result.missing}).items() if number}


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Paths of originals that the disk refuses to read (a mode would not stop root)."""
    paths: set[str] = set()
    run = Opener.run

    def refusing(self: Opener, jobs: Iterator[Sequence[Job]]) -> Iterator[tuple[Job, Answer]]:
        for job, answer in run(self, jobs):
            yield job, Answer("unreadable", message="Input/output error") if job.path in paths else answer

    monkeypatch.setattr(Opener, "run", refusing)
    return paths


def test_the_numbers_of_a_mixed_tree_add_up(library: Library, unreadable: set[str]) -> None:
    for number, name in enumerate(
        ("same", "moving", "edited", "touched", "broken", "rotten", "going", "away", "copied")
    ):
        library.photo(f"{name}.jpg", number)
    assert sums(library.scan()) == {"added": 9}
    assert sums(library.scan()) == {"unchanged": 9}
    (library.root / "away.jpg").unlink()
    assert sums(library.scan()) == {"unchanged": 8, "missing": 1}
    (library.root / "sub").mkdir()
    (library.root / "moving.jpg").rename(library.root / "sub/moved.jpg")
    library.photo("edited.jpg", 20)
    os.utime(library.root / "touched.jpg", ns=(1_700_000_000_123_456_789,) * 2)
    library.sidecar("broken.jpg").write_text("{ this is no JSON")
    (library.root / "going.jpg").unlink()
    for ending in ("", ".lumina.json"):
        shutil.copy2(library.root / f"copied.jpg{ending}", library.root / f"sub/copied.jpg{ending}")
    os.utime(library.root / "rotten.jpg", ns=(1_700_000_000_123_456_789,) * 2)
    library.photo("new.jpg", 21)
    library.photo("closed.jpg", 22)
    unreadable |= {"rotten.jpg", "closed.jpg"}
    first = library.scan()
    assert sums(first) == {
        "added": 2,  # new and closed
        "updated": 3,  # edited, rotten, the copy
        "unchanged": 3,  # same, touched, copied
        "moved": 1,
        "failed": 1,
        "missing": 2,
    }
    assert first.found == 10
    assert sums(library.scan()) == {"unchanged": 9, "failed": 1, "missing": 2}


def test_without_an_index_the_numbers_are_the_same(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(("same", "moving", "broken", "copied")):
        library.photo(f"{name}.jpg", number)
    library.scan()
    (library.root / "sub").mkdir()
    for ending in ("", ".lumina.json"):
        (library.root / f"moving.jpg{ending}").rename(library.root / f"sub/moving.jpg{ending}")
        shutil.copy2(library.root / f"copied.jpg{ending}", library.root / f"sub/copied.jpg{ending}")
    library.sidecar("broken.jpg").write_text("[]")
    monkeypatch.setenv("LUMINA_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert sums(library.scan()) == {"updated": 1, "unchanged": 3, "failed": 1}


def test_a_photo_that_moves_with_its_sidecar_and_is_written_again_counts_once(library: Library) -> None:
    library.photo("a/one.jpg", 1)
    library.photo("a/two.jpg", 2)
    library.scan()
    (library.root / "b").mkdir()
    for ending in ("", ".lumina.json"):
        (library.root / f"a/one.jpg{ending}").rename(library.root / f"b/renamed.jpg{ending}")
    result = library.scan()
    assert sums(result) == {"moved": 1, "unchanged": 1}
    assert library.value("b/renamed.jpg")["original"]["name"] == "renamed.jpg"


def test_sidecars_that_cannot_be_written_are_counted(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.photo("a.jpg", 1)
    library.photo("b.jpg", 2)
    put = Sidecars.put

    def failing(self: Sidecars, changes: Sequence[object]) -> list[object]:
        return [OSError(28, "No space left on device") if change.path == "a.jpg" else saved  # type: ignore[attr-defined]
                for change, saved in zip(changes, put(self, changes), strict=True)]  # type: ignore[arg-type]  # fmt: skip

    monkeypatch.setattr(Sidecars, "put", failing)
    assert sums(library.scan()) == {"added": 1, "failed": 1}


def test_a_copy_of_a_sidecar_that_lies_without_a_photo_is_in_no_number_but_missing(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    shutil.copy2(library.sidecar("a.jpg"), library.root / "gone.jpg.lumina.json")
    assert sums(library.scan()) == {"unchanged": 1, "missing": 1}
    assert library.value("gone.jpg")["id"] != library.value("a.jpg")["id"]


def test_a_scan_that_is_stopped_says_how_many_it_left(library: Library) -> None:
    for number in range(200):
        library.photo(f"{number}.jpg", number)
    cancel = threading.Event()
    result: ScanResult | None = None
    with Catalog.create(str(library.root)) as catalog:
        for event in scan(catalog, cancel=cancel):
            if isinstance(event, Ingested):
                cancel.set()
            if isinstance(event, Finished):
                result = event.result
    assert result is not None
    assert result.cancelled
    assert sums(result)["left"] > 0


def test_the_command_names_what_cannot_be_used(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    library.photo("a.jpg", 1)
    library.photo("b.jpg", 2)
    library.scan()
    library.sidecar("a.jpg").write_text("{")
    main(["scan", str(library.root)])
    assert "1 unchanged, 1 whose sidecar could not be read or written" in capsys.readouterr().out
