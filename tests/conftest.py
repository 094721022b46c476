"""Fixtures that every test folder shares: real photographs, a small library of our own, a private Postgres."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import pytest

# how long an example takes says something of the machine, and nothing of the program
hypothesis.settings.register_profile("lumina", deadline=None)
hypothesis.settings.load_profile("lumina")

REPOSITORY = Path(__file__).resolve().parent.parent


#: Files of one or two long tests. They begin first, so that at the end nobody waits for one of them alone.
_LONG = ("test_machine.py", "test_hostile_text.py", "test_storms.py", "test_screenshots.py", "test_in_tmux.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first; all else stays in its order."""
    items.sort(key=lambda item: _LONG.index(item.path.name) if item.path.name in _LONG else len(_LONG))


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photographs with known truth; skips where it is absent. Never write to it."""
    folder = REPOSITORY.parent / "shared" / "photos"
    if not folder.is_dir():
        pytest.skip("the photo corpus (../shared/photos) is not on this machine")
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_home() -> Iterator[Path]:
    """Nothing of the user's is touched: an own list of catalogs, and an own Postgres that ends with the tests."""
    # not pytest's folder: as root the server runs under another account, which has to reach it
    base = Path(tempfile.mkdtemp(prefix="lumina-test-"))
    base.chmod(0o755)
    environment = {"LUMINA_HOME": str(base / "home"), "LUMINA_POSTGRES_DIR": str(base / "postgres")}
    # what is started here writes as it does for a user: through a buffer, where nobody sees it
    unset = ("LUMINA_DATABASE_URL", "PYTHONUNBUFFERED")
    before = {name: os.environ.get(name) for name in (*environment, *unset)}
    os.environ.update(environment)
    for name in unset:
        os.environ.pop(name, None)
    yield base
    from index import server

    if (base / "postgres").is_dir():
        server.stop()
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(own_home: Path) -> Iterator[str]:
    """The conninfo of a running server, kept up while tests that use it run."""
    from index.server import serve

    with serve() as conninfo:
        yield conninfo


@dataclass
class Library:
    """A folder of small photos that is scanned in this process."""

    root: Path
    events: list[Any] = field(default_factory=list)

    def photo(self, path: str, seed: int = 0, size: tuple[int, int] = (96, 64), **exif: str) -> Path:
        """Make a JPEG whose content depends on `seed`; `exif` by name of the tag."""
        import numpy as np
        from PIL import ExifTags, Image

        noise = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
        image = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
        tags = Image.Exif()
        for name, value in exif.items():
            holder = tags.get_ifd(0x8769) if name.startswith("DateTimeO") else tags
            holder[ExifTags.Base[name]] = value
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        image.save(target, "JPEG", quality=90, exif=tags)
        # an hour old, at an odd nanosecond: the times vouch for the content at once
        stamp = 1_600_000_000_123_456_789 + seed * 1_000_000_007
        os.utime(target, ns=(stamp, stamp))
        return target

    def scan(self, **options: Any) -> Any:
        """Run a scan; its result. The events of the last one are in `events`."""
        from lumina_fs.catalog import Catalog
        from lumina_fs.progress import Finished
        from lumina_fs.scan import scan

        self.events = []
        result = None
        with Catalog.create(str(self.root)) as catalog:
            for event in scan(catalog, cancel=options.pop("cancel", None) or threading.Event(), **options):
                if isinstance(event, Finished):
                    result = event.result
                else:
                    self.events.append(event)
        return result

    def sidecar(self, path: str) -> Path:
        """Where the sidecar of an original lies."""
        return self.root / f"{path}.lumina.json"

    def value(self, path: str) -> dict[str, Any]:
        """What the sidecar of an original says."""
        found: dict[str, Any] = json.loads(self.sidecar(path).read_bytes())
        return found

    def curate(self, path: str, **curation: Any) -> bytes:
        """Edit a sidecar by hand; the bytes that were written."""
        value = self.value(path)
        value["curation"] = curation
        text = json.dumps(value, indent=4, ensure_ascii=False).encode()
        self.sidecar(path).write_bytes(text)
        return text

    def search(self, query: str = "", **options: Any) -> list[str]:
        """The paths that a query finds."""
        from lumina_fs.answers import answering_index
        from lumina_fs.catalog import Catalog

        with (
            Catalog.open(str(self.root)) as catalog,
            answering_index(
                catalog, show=lambda event: None, may_rebuild=lambda why: True, cancel=threading.Event()
            ) as index,
        ):
            return [hit.path for hit in index.search(query, **options)]

    def tree(self) -> dict[str, tuple[int, int, int]]:
        """Every file below the root, with inode, size and mtime: equal trees mean that nothing was written."""
        found = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                info = os.lstat(os.path.join(folder, name))
                relative = os.path.relpath(os.path.join(folder, name), self.root)
                found[relative] = (info.st_ino, info.st_size, info.st_mtime_ns)
        return found


@pytest.fixture
def library(tmp_path: Path, postgres: str) -> Library:
    """An empty library with a running index server."""
    root = tmp_path / "library"
    root.mkdir()
    return Library(root)
