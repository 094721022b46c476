"""People save sidecars by hand while `lumina set` and others write the same ones: nothing of anybody's is lost."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.curating.direct import change_curation
from lumina_fs.durable import Disk
from lumina_fs.errors import LuminaError
from lumina_fs.history import History
from tests.conftest import REPOSITORY
from tests.lumina_fs.faults import Dying, Failing, Killed, TestLayer, points
from tests.lumina_fs.plans.scenes import NO_INDEX

if TYPE_CHECKING:
    from tests.conftest import Library

#: An editor: reads a sidecar, puts a numbered word into `metadata` and its own field, and saves, by swap or in place.
_EDITOR = """
import json, os, random, sys, time
from lumina_fs.kernel import Layer
style, seconds, *paths = sys.argv[1:]
chance, until, number, saved = random.Random(style), time.monotonic() + float(seconds), 0, {}
print("started", flush=True)
while time.monotonic() < until:
    path = chance.choice(paths)
    try:
        data = open(path, "rb").read()
        value = json.loads(data)
    except ValueError:
        continue  # the other editor is in the middle of it
    number += 1
    value["curation"].setdefault("metadata", {})[style] = number
    text = json.dumps(value, indent=1).encode()
    if style == "swap":
        fresh = f"{path}.{os.getpid()}~"
        open(fresh, "wb").write(text)
        folder = os.open(os.path.dirname(path), os.O_RDONLY)
        Layer().exchange(folder, os.path.basename(fresh), os.path.basename(path))
        os.close(folder)
        displaced = json.loads(open(fresh, "rb").read() or b"{}")
        os.unlink(fresh)
    else:
        with open(path, "r+b") as file:
            file.truncate(0)
            file.write(text)
    saved.setdefault(path, []).append(number)
    time.sleep(chance.choice((0.005, 0.01, 0.02)))
print(json.dumps(saved))
"""


@pytest.fixture
def crowd(library: Library) -> Library:
    for number in range(6):
        library.photo(f"p{number}.jpg", number)
    library.scan()
    return library


def editing(library: Library, style: str, seconds: float) -> subprocess.Popen[str]:
    paths = [str(library.sidecar(f"p{number}.jpg")) for number in range(6)]
    command = [sys.executable, "-c", _EDITOR, style, str(seconds), *paths]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def saved_by(process: subprocess.Popen[str]) -> dict[str, list[int]]:
    said, _ = process.communicate()
    assert process.returncode == 0
    found: dict[str, list[int]] = json.loads(said)
    return found


@pytest.mark.parametrize("style", ["swap", "in place"])
def test_what_an_editor_saves_and_what_is_set_both_stay(crowd: Library, style: str) -> None:
    """The editor changes `metadata` of six sidecars all the time, `lumina set` their rating and tags."""
    process = editing(crowd, style, 4.0)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "LUMINA_DATABASE_URL": NO_INDEX}

    def set_all(tag: str) -> None:
        words = [f"p{number}.jpg" for number in range(6)]
        command = [sys.executable, "-m", "lumina_fs", "set", *words, f"tags+={tag}", "label=red", "--yes", "--json"]
        done = subprocess.run(command, cwd=crowd.root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
        result = json.loads(done.stdout)
        assert (result["failures"], result["left_out"]) == ([], [])

    rounds = 0
    while process.poll() is None:
        set_all(f"r{rounds}")
        rounds += 1
    saved = saved_by(process)
    set_all("end")
    assert rounds >= 1
    assert sum(map(len, saved.values())) > 50
    for number in range(6):
        curation = crowd.value(f"p{number}.jpg")["curation"]
        assert curation["metadata"][style] == saved[str(crowd.sidecar(f"p{number}.jpg"))][-1]
        assert "end" in curation["tags"]
        assert curation["label"] == "red"
    assert not [name for name in os.listdir(crowd.root) if name.startswith(".lumina-tmp-")]


def test_two_hands_that_change_different_fields_at_once_lose_nothing(crowd: Library) -> None:
    """Two processes count up, each its own key of one sidecar, by conditional writes: both arrive at their number."""
    count = 12
    program = (
        "import sys\nfrom lumina_fs.catalog import Catalog\nfrom lumina_fs.curating.direct import change_curation\n"
        "root, key, count = sys.argv[1:]\n"
        "def up(value):\n"
        "    metadata = value.get('metadata', {})\n"
        "    return {**value, 'metadata': {**metadata, key: metadata.get(key, 0) + 1}}\n"
        "with Catalog.open(root) as catalog:\n"
        "    for _ in range(int(count)):\n"
        "        change_curation(catalog, 'main', 'p0.jpg', up)\n"
    )
    environment = {**os.environ, "LUMINA_DATABASE_URL": NO_INDEX}
    hands = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(crowd.root), key, str(count)], cwd=REPOSITORY, env=environment
        )
        for key in ("one", "two")
    ]
    assert [hand.wait() for hand in hands] == [0, 0]
    assert crowd.value("p0.jpg")["curation"]["metadata"] == {"one": count, "two": count}
    with Catalog.open(str(crowd.root)) as catalog:
        assert len(History(catalog.disk, catalog.root, "main").of(crowd.value("p0.jpg")["id"])) >= 2 * count


# -- crashes and failures


@pytest.fixture
def still(crowd: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setenv("LUMINA_DATABASE_URL", NO_INDEX)
    crowd.curate("p0.jpg", caption="before", rating=1)
    return crowd


def changed(library: Library, layer: TestLayer) -> None:
    with Catalog.open(str(library.root), Disk(layer)) as catalog:
        change_curation(catalog, "main", "p0.jpg", lambda value: {**value, "caption": "after"})


def texts(library: Library) -> list[Any]:
    with Catalog.open(str(library.root)) as catalog:
        kept = History(catalog.disk, catalog.root, "main").of(library.value("p0.jpg")["id"])
        return [version.curation.get("caption") for version in kept]


def reset(library: Library, sidecar: bytes) -> None:
    library.sidecar("p0.jpg").write_bytes(sidecar)
    for file in (library.root / ".lumina" / "history").glob("*"):
        file.unlink()


@pytest.mark.parametrize("kind", ["dies", "disk full"])
def test_a_change_that_is_cut_short_anywhere_leaves_the_one_or_the_other_and_loses_neither(
    still: Library, kind: str
) -> None:
    sidecar = still.sidecar("p0.jpg").read_bytes()
    whole = TestLayer()
    changed(still, whole)
    tried = 0
    for at in points(len(whole.trace), sample=12):
        reset(still, sidecar)
        with contextlib.suppress(Killed, LuminaError, OSError):
            changed(still, Dying(at) if kind == "dies" else Failing(at, errno.ENOSPC))
        caption = still.value("p0.jpg")["curation"]["caption"]
        assert caption in ("before", "after"), at
        assert caption == "before" or texts(still) == ["before"], at
        changed(still, TestLayer())
        assert still.value("p0.jpg")["curation"] == {"caption": "after", "rating": 1}
        assert "before" in texts(still), at
        tried += 1
    print(f"\n{tried} points of {len(whole.trace)} tried ({kind})")
    assert tried > 5
