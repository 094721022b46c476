"""The scan: what it writes, what it does not open again, and what it says of damaged and hostile files."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lumina_fs.errors import Locked
from lumina_fs.progress import Progress

if TYPE_CHECKING:
    from tests.conftest import Library

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def test_a_scan_writes_a_sidecar_beside_each_photo_and_changes_none(library: Library) -> None:
    photo = library.photo("2019/a.jpg", 1, Make="Canon", Model="Canon EOS 40D")
    before = (photo.read_bytes(), photo.stat().st_mtime_ns)
    result = library.scan()
    assert (result.found, result.added, result.unchanged, result.problems) == (1, 1, 0, 0)
    assert (photo.read_bytes(), photo.stat().st_mtime_ns) == before
    value = library.value("2019/a.jpg")
    assert value["original"]["format"] == "JPEG"
    assert (value["original"]["width"], value["original"]["height"]) == (96, 64)
    assert value["capture"]["camera"] == {"make": "Canon", "model": "Canon EOS 40D"}
    assert set(value["measurements"]) == {"dhash", "ahash", "phash", "whash", "information", "quality"}
    quality = value["measurements"]["quality"]
    assert quality["value"] == pytest.approx(sum(quality["parts"].values()))
    schema = os.path.normpath(os.path.join(library.root, "2019", value["$schema"]))
    assert os.path.isfile(schema)


def test_a_second_scan_writes_nothing_and_opens_no_photo(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        library.photo(f"{number}.jpg", number)
    (library.root / "notes").write_text("no extension, and no photo")
    library.scan()
    library.scan()  # the sidecars' times vouch for them now, and so does the index
    before = library.tree()

    def refuse(*_: object) -> None:
        raise AssertionError("a photo was opened")

    monkeypatch.setattr("lumina_fs.opener.Opener._started", refuse)
    monkeypatch.setattr("lumina_fs.roots.Root.open_file", refuse)
    result = library.scan()
    assert (result.unchanged, result.added, result.updated) == (3, 0, 0)
    assert library.tree() == before


def test_a_photo_that_was_only_touched_updates_the_index_alone(library: Library) -> None:
    photo = library.photo("a.jpg", 1)
    library.scan()
    before = library.sidecar("a.jpg").read_bytes()
    os.utime(photo, ns=(1_700_000_000_000_000_001, 1_700_000_000_000_000_001))
    result = library.scan()
    assert (result.unchanged, result.updated) == (1, 0)
    assert library.sidecar("a.jpg").read_bytes() == before


def test_rehash_tells_damage_from_an_edit(library: Library) -> None:
    rotten, edited = library.photo("rotten.jpg", 1), library.photo("edited.jpg", 2)
    library.photo("whole.jpg", 3)
    library.scan()
    times = (rotten.stat().st_atime_ns, rotten.stat().st_mtime_ns)
    data = bytearray(rotten.read_bytes())
    data[-20] ^= 1
    rotten.write_bytes(data)
    os.utime(rotten, ns=times)
    library.photo("edited.jpg", 5)
    good = library.value("rotten.jpg")["original"]["sha256"]
    assert library.scan().problems == 0  # same size, same times: only rehash can know
    result = library.scan(rehash=True)
    assert result.problems == 1
    assert library.value("rotten.jpg")["problems"][0]["code"] == "bit_rot"
    assert library.value("rotten.jpg")["original"]["sha256"] == good
    assert library.value("edited.jpg")["problems"] == []
    assert edited.exists()
    again = library.scan(rehash=True)
    assert (again.problems, again.updated, again.unchanged) == (1, 0, 3)  # still damaged, and nothing to write
    # restored from a backup, it is well again
    data[-20] ^= 1
    rotten.write_bytes(data)
    os.utime(rotten, ns=times)
    library.scan(rehash=True)
    assert library.value("rotten.jpg")["problems"] == []


def test_only_the_measurer_that_is_missing_runs_again(library: Library) -> None:
    library.photo("a.jpg", 1)
    library.scan()
    value = library.value("a.jpg")
    dhash = value["measurements"].pop("dhash")
    value["measurements"]["phash"]["value"] = "0123456789abcdef"  # would be put right if it were measured
    value["measurements"]["mine"] = {"version": 3, "value": "a measurer that nobody here knows"}
    library.sidecar("a.jpg").write_text(json.dumps(value))
    assert library.scan().updated == 1
    after = library.value("a.jpg")["measurements"]
    assert after["dhash"] == dhash
    assert after["phash"]["value"] == "0123456789abcdef"
    assert after["mine"]["version"] == 3
    assert library.scan().unchanged == 1


def test_raw_files_are_measured_from_their_preview_and_videos_from_a_frame(library: Library, photos: Path) -> None:
    for name in ("raw/real/Canon-R6-pruned.CR3", "video/quicktime-hvc1.mov", "heic/iphone/IMG_8062.HEIC"):
        shutil.copy2(photos / name, library.root / os.path.basename(name))
    library.scan()
    raw, video = library.value("Canon-R6-pruned.CR3"), library.value("quicktime-hvc1.mov")
    assert raw["problems"] == video["problems"] == []
    assert (raw["original"]["width"], raw["original"]["height"]) == (3408, 2272)  # the photo's, not the preview's
    assert raw["measurements"]["phash"]
    assert raw["measurements"]["quality"]["parts"]["format"] == 40
    assert (video["original"]["width"], video["original"]["height"]) == (720, 1280)
    assert video["original"]["duration"] > 0
    assert video["measurements"]["phash"]
    assert video["capture"]["taken"]["offset"] == "+02:00"


def test_broken_lying_and_empty_files_get_a_sidecar_with_the_reason(library: Library) -> None:
    photo = library.photo("good.jpg", 1)
    (library.root / "liar.heic").write_bytes(photo.read_bytes())
    (library.root / "cut.jpg").write_bytes(library.photo("x.jpg", 2, size=(640, 480)).read_bytes()[:3000])
    (library.root / "empty.jpg").write_bytes(b"")
    (library.root / "noise.jpg").write_bytes(os.urandom(500))
    (library.root / "deadly.bmp").write_bytes(b"\x1f\x8b\x08\xff")
    library.scan()
    codes = {name: [p["code"] for p in library.value(name)["problems"]] for name in
             ("good.jpg", "liar.heic", "cut.jpg", "empty.jpg", "noise.jpg", "deadly.bmp")}  # fmt: skip
    assert codes == {
        "good.jpg": [],
        "liar.heic": ["extension_mismatch"],
        "cut.jpg": ["truncated"],
        "empty.jpg": ["empty"],
        "noise.jpg": ["undecodable"],
        "deadly.bmp": ["undecodable", "metadata_unreadable"],
    }
    assert library.value("liar.heic")["original"]["format"] == "JPEG"
    assert library.value("good.jpg")["capture"]["tags"]
    assert library.search("-has:problems") == ["x.jpg", "good.jpg"]


def test_what_is_not_the_persons_is_left_alone(library: Library) -> None:
    library.photo("a.jpg", 1)
    for other in ("@eaDir/a.jpg", ".lumina/x.jpg", "._a.jpg", ".thumbnails/t.jpg", "drafts/d.jpg"):
        library.photo(other, 2)
    (library.root / ".DS_Store").write_bytes(b"x")
    library.scan()
    document = library.root / ".lumina/catalog.json"
    document.write_text(document.read_text().replace('"settings": {}', '"settings": {"ignore": ["drafts/"]}'))
    assert library.scan().found == 1


def test_names_that_are_not_utf8_are_kept_exactly(library: Library) -> None:
    plain = library.photo("a.jpg", 1)
    odd = os.path.join(os.fsencode(library.root), b"caf\xe9 %41.jpg")
    with open(odd, "wb") as file:
        file.write(plain.read_bytes()[:-1] + b"\xd9")
    result = library.scan()
    assert (result.added, result.problems) == (2, 0)
    assert os.path.exists(odd + b".lumina.json")
    assert "bytes:caf%E9 %2541.jpg" in library.search()
    assert library.scan().unchanged == 2
    os.rename(odd, os.path.join(os.fsencode(library.root), b"th\xe9.jpg"))
    assert library.scan().moved == 1


def test_a_very_long_name_gets_a_sidecar_too(library: Library) -> None:
    name = "x" * 251 + ".jpg"
    library.photo("a.jpg", 1)
    os.rename(library.root / "a.jpg", library.root / name)
    assert library.scan().added == 1
    assert library.scan().unchanged == 1
    assert library.search() == [name]


def test_a_link_is_not_followed(library: Library, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    photo = library.photo("a.jpg", 1)
    (outside / "secret.jpg").write_bytes(photo.read_bytes())
    os.symlink(outside, library.root / "linked")
    os.symlink(outside / "secret.jpg", library.root / "linked.jpg")
    assert library.scan().found == 1
    assert [path.name for path in outside.iterdir()] == ["secret.jpg"]


def test_two_scans_at_once_are_told_apart(library: Library) -> None:
    from lumina_fs.catalog import Catalog
    from lumina_fs.index_session import exclusive

    library.photo("a.jpg", 1)
    with (
        Catalog.create(str(library.root)) as catalog,
        exclusive(catalog, "scanning"),
        pytest.raises(Locked, match=f"process {os.getpid()}"),
    ):
        library.scan()


def test_a_cancelled_scan_leaves_everything_valid_and_the_next_completes_it(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMINA_WORKERS", "1")  # so that it lasts long enough on any machine
    for number in range(200):
        library.photo(f"{number}.jpg", number)
    cancel = threading.Event()

    def watch() -> None:
        while not any(isinstance(event, Progress) for event in library.events):
            time.sleep(0.002)
        cancel.set()

    thread = threading.Thread(target=watch)
    thread.start()
    result = library.scan(cancel=cancel)
    thread.join()
    assert result.cancelled
    assert result.added < 200
    assert library.scan().found == 200
    assert len(list(library.root.glob("*.lumina.json"))) == 200
    assert len(library.search(limit=300)) == 200


def test_a_scan_that_is_killed_is_completed_by_the_next(library: Library) -> None:
    for number in range(150):
        library.photo(f"{number}.jpg", number)
    for wait in (0.9, 1.1, 1.3):
        process = subprocess.Popen(
            [sys.executable, "-m", "lumina_fs", "scan", str(library.root), "--quiet"], cwd=REPOSITORY,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        time.sleep(wait)
        family = descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        wait_for_the_end_of(family)
        for sidecar in library.root.glob("*.lumina.json"):
            library.value(sidecar.name.removesuffix(".lumina.json"))  # each is whole
    result = library.scan()
    assert result.found == 150
    assert result.added + result.unchanged == 150
    assert len(library.search(limit=200)) == 150


def descendants(pid: int) -> set[int]:
    """The processes below `pid`; the server is nobody's child and not among them."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry))
    found, waiting = set(), [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            found.add(child)
            waiting.append(child)
    return found


def wait_for_the_end_of(family: set[int]) -> None:
    """Workers and their ExifTools must not outlive the scan that was killed."""
    deadline = time.monotonic() + 20
    left = family
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {pid for pid in left if running(pid)}
    assert not left


def running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_that_dies_costs_one_file_and_is_remembered(
    library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The decoder of spawned workers is replaced, through their environment, by one that a certain picture kills."""
    trap = tmp_path_factory.mktemp("trap")
    (trap / "sitecustomize.py").write_text(
        "import os, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'PIL.WebPImagePlugin' and 'spawn_main' in ' '.join(sys.orig_argv): os._exit(9)\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{trap}{os.pathsep}{REPOSITORY}")
    for number in range(6):
        library.photo(f"{number}.jpg", number)
    (library.root / "killer.webp").write_bytes(b"RIFF0000WEBPVP8 " + bytes(60))
    result = library.scan()
    assert result.added == 7
    assert [problem["code"] for problem in library.value("killer.webp")["problems"]] == ["decoder_crashed"]
    assert all(library.value(f"{number}.jpg")["measurements"]["dhash"] for number in range(6))
    assert (library.root / ".lumina/cache/poison.json").exists()
