"""A real daemon process, and everything that may change under it."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from lumina_fs.catalog import Catalog
from lumina_fs.index_session import connect, exclusive
from tests.lumina_fs.daemon.watched import REPOSITORY, Watched, eventually, photos_in_bulk

if TYPE_CHECKING:
    pass


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lumina_fs", *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=120
    )


def test_what_changes_is_taken_in_without_anybody_asking(watched: Watched) -> None:
    library = watched.library
    library.photo("a.jpg", 1)
    library.photo("old/b.jpg", 2)
    for number in range(4):
        library.photo(f"rest/{number}.jpg", 10 + number)
    library.scan()
    watched.start()
    assert watched.library.search("name:a.jpg") == ["a.jpg"]
    library.photo("new/folder/c.jpg", 3)  # a new photo
    eventually(lambda: library.search("name:c.jpg"))
    assert library.value("new/folder/c.jpg")["measurements"]["phash"]
    watched.edit("a.jpg", caption="herons")  # a hand edit
    eventually(lambda: library.search("herons"))
    good = library.sidecar("a.jpg").read_bytes()
    library.sidecar("a.jpg").write_text('{"broken": ')  # a broken one
    eventually(lambda: library.search("is:stale"))
    assert library.search("herons") == ["a.jpg"]
    assert library.sidecar("a.jpg").read_text() == '{"broken": '
    library.sidecar("a.jpg").write_bytes(good)
    eventually(lambda: not library.search("is:stale"))
    id_ = library.value("old/b.jpg")["id"]
    os.rename(library.root / "old/b.jpg", library.root / "new/d.jpg")  # a move
    eventually(lambda: library.sidecar("new/d.jpg").exists())
    assert library.value("new/d.jpg")["id"] == id_
    os.unlink(library.root / "a.jpg")  # a loss
    eventually(lambda: library.search("is:missing") == ["a.jpg"])
    assert "missing_since" in library.value("a.jpg")["original"]
    library.photo("rest/0.jpg", 99)  # other content
    eventually(lambda: list((library.root / "rest").glob("0.jpg.lumina-orphan-*")))
    os.rename(library.root / "new", library.root / "renamed")  # a folder with all in it
    eventually(lambda: library.search("name:c.jpg") == ["renamed/folder/c.jpg"])
    assert watched.sync()["done"]
    watched.verify()
    assert watched.end() == 0


def test_its_own_writes_make_no_second_work(watched: Watched) -> None:
    watched.library.scan()
    watched.start()
    photos_in_bulk(watched.library, [f"{n % 3}/{n}.jpg" for n in range(60)])
    eventually(lambda: watched.status()["written"] == 60 and watched.status()["state"] == "idle")
    assert watched.sync()["done"]
    before, status = watched.library.tree(), watched.status()
    assert status["written"] == 60
    assert status["narrow_passes"] <= 12
    time.sleep(1.5)
    assert watched.status()["narrow_passes"] == status["narrow_passes"]
    assert watched.status()["passes"] == status["passes"]
    assert watched.library.tree() == before
    assert watched.sync()["done"]
    noted = ".lumina/sources/main.json"  # when everything was compared, and how much that was
    assert {**watched.library.tree(), noted: before[noted]} == before


def test_sync_waits_for_all_that_was_there_even_after_a_stop(watched: Watched) -> None:
    watched.library.scan()
    watched.start()
    os.kill(watched.pid, signal.SIGSTOP)
    photos_in_bulk(watched.library, [f"{n}.jpg" for n in range(40)])
    os.kill(watched.pid, signal.SIGCONT)
    answer = watched.sync()
    assert (answer["done"], answer["found"]) == (True, 40)
    assert watched.missing_sidecars() == []
    assert len(watched.library.search(limit=100)) == 40


def test_a_growing_file_is_taken_in_once_it_is_whole(watched: Watched, tmp_path: Path) -> None:
    whole = watched.library.photo("model.jpg", 5, size=(640, 480)).read_bytes()
    watched.library.scan()
    watched.start()
    with (watched.root / "growing.jpg").open("wb") as file:
        for at in range(0, len(whole), len(whole) // 8 + 1):
            file.write(whole[at : at + len(whole) // 8 + 1])
            file.flush()
            time.sleep(0.25)
        assert not watched.library.sidecar("growing.jpg").exists()
        eventually(lambda: watched.status()["unfinished"] == [str(watched.root / "growing.jpg")])
    assert watched.sync()["done"]
    assert watched.library.value("growing.jpg")["problems"] == []
    assert list(watched.root.glob("*orphan*")) == []


def test_settings_and_sources_are_noticed(watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> None:
    library = watched.library
    library.photo("a.jpg", 1)
    library.photo("drafts/b.jpg", 2)
    library.scan()
    watched.start()
    outside = tmp_path_factory.mktemp("outside")
    (outside / "c.jpg").write_bytes((library.root / "a.jpg").read_bytes())
    with Catalog.open(str(library.root)) as catalog:
        catalog.add_source(str(outside), name="card")
    eventually(lambda: (outside / "c.jpg.lumina.json").exists())
    (outside / "d.jpg").write_bytes((library.root / "drafts/b.jpg").read_bytes())
    eventually(lambda: (outside / "d.jpg.lumina.json").exists())
    document = library.root / ".lumina/catalog.json"
    text = document.read_text()
    document.write_text(text.replace('"settings": {}', '"settings": {"ignore": 7}'))
    eventually(lambda: watched.status()["trouble"])
    document.write_text(text.replace('"settings": {}', '"settings": {"ignore": ["drafts/"]}'))
    eventually(lambda: not library.search("source:main name:b.jpg") and not watched.status()["trouble"])
    outside.rename(outside.with_name("unplugged"))  # offline
    library.photo("e.jpg", 5)
    eventually(lambda: library.search("name:e.jpg"))
    assert watched.sync()["offline"] == ["card"]
    assert library.search("is:missing") == []
    outside.with_name("unplugged").rename(outside)
    (outside / "f.jpg").write_bytes((library.root / "e.jpg").read_bytes())
    eventually(lambda: (outside / "f.jpg.lumina.json").exists())
    assert watched.sync()["done"]


def test_a_source_that_is_suddenly_empty_is_offline_and_recovers(watched: Watched) -> None:
    library = watched.library
    for number in range(6):
        library.photo(f"x/{number}.jpg", number)
    library.scan()
    library.scan()
    watched.start()
    before = library.tree()
    away = library.root.parent / "away"
    os.rename(library.root / "x", away)
    eventually(lambda: watched.status()["offline"])
    answer = watched.sync()
    assert not answer["done"]
    assert "originals are gone" in answer["message"]
    assert library.search("is:missing") == []
    os.rename(away, library.root / "x")
    eventually(lambda: not watched.status()["offline"])
    assert watched.sync()["done"]
    assert {k: v for k, v in library.tree().items() if k.startswith("x/")} == {
        k: v for k, v in before.items() if k.startswith("x/")
    }


def test_folders_without_watches_are_polled(watched: Watched) -> None:
    for number in range(6):
        watched.library.photo(f"{number}/a.jpg", number)
    watched.library.scan()
    document = watched.root / ".lumina/catalog.json"
    limits = '"settings": {"daemon_watches": 5, "daemon_poll_seconds": 0.5}'
    document.write_text(document.read_text().replace('"settings": {}', limits))
    watched.start()
    assert watched.status()["polled"]
    assert "max_user_watches" in watched.log.read_text()
    for number in range(6):
        watched.library.photo(f"{number}/b.jpg", 10 + number)
    eventually(lambda: not watched.missing_sidecars())
    shown = command("daemon", "status", "--catalog", str(watched.root))
    assert "polled" in shown.stdout


def test_the_index_may_be_dropped_or_unreachable_at_any_time(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, postgres: str
) -> None:
    library = watched.library
    library.photo("a.jpg", 1)
    library.scan()
    watched.start()
    with Catalog.open(str(library.root)) as catalog, connect(catalog) as index:
        schema = index.schema
        index.drop()
    library.photo("b.jpg", 2)
    assert watched.sync()["index"] == "current"
    watched.verify()
    for statement in (
        "UPDATE {s}.original SET rating = 5",
        "DELETE FROM {s}.original",
        "TRUNCATE {s}.seen",
        "DROP TABLE {s}.original",
        "ALTER TABLE {s}.original DROP COLUMN rating",
        "ALTER TABLE {s}.seen DROP CONSTRAINT seen_pkey",
    ):
        with psycopg.connect(postgres) as other:
            other.execute(statement.replace("{s}", schema).encode())
        assert watched.sync()["index"] == "current", statement
        watched.verify()
    watched.end()
    monkeypatch.setenv("LUMINA_DATABASE_URL", "host=/nowhere dbname=x")
    watched.start()
    library.photo("c.jpg", 3)
    eventually(lambda: library.sidecar("c.jpg").exists())
    answer = watched.sync(5)
    assert (answer["done"], answer["index"]) == (False, "behind")
    assert command("daemon", "sync", "--catalog", str(watched.root)).returncode == 10
    watched.end()
    monkeypatch.delenv("LUMINA_DATABASE_URL")
    watched.start()
    assert watched.sync()["done"]
    watched.verify()


def test_a_scan_by_hand_is_safe_and_a_long_one_of_the_daemon_gives_way(watched: Watched) -> None:
    watched.library.scan()
    watched.start()
    photos_in_bulk(watched.library, [f"{n}.jpg" for n in range(400)])
    eventually(lambda: len(list(watched.root.glob("*.lumina.json"))) > 10)
    done = command("scan", str(watched.root), "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["found"] == 400
    assert watched.missing_sidecars() == []
    with Catalog.open(str(watched.root)) as catalog, exclusive(catalog, "testing"):
        watched.library.photo("late.jpg", 3)
        time.sleep(1.5)
        assert not watched.library.sidecar("late.jpg").exists()
    eventually(lambda: watched.library.sidecar("late.jpg").exists())
    assert watched.sync()["done"]
    watched.verify()


def test_there_is_one_daemon_for_a_catalog_and_one_may_watch_several(
    watched: Watched, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    Catalog.create(str(watched.root)).close()
    Catalog.create(str(other)).close()
    watched.start(other)
    second = command("daemon", "run", str(other))
    assert second.returncode == 7
    assert f"process {watched.pid}" in second.stderr
    photo = watched.library.photo("a.jpg", 1)
    (other / "b.jpg").write_bytes(photo.read_bytes())
    for root in (watched.root, other):
        assert command("daemon", "sync", "--catalog", str(root)).returncode == 0
    assert (other / "b.jpg.lumina.json").exists()
    shown = json.loads(command("daemon", "status", "--json", "--catalog", str(other)).stdout)
    assert (shown["running"], shown["pid"]) == (True, watched.pid)
    assert command("daemon", "stop", "--catalog", str(other)).returncode == 0
    assert not watched.is_running()
    assert command("daemon", "status", "--catalog", str(other)).returncode == 1
    assert command("daemon", "sync", "--catalog", str(other)).returncode == 1


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_daemon_whichever_thread_the_kernel_gives_it_to(
    watched: Watched, sent: signal.Signals
) -> None:
    Catalog.create(str(watched.root)).close()
    watched.start()
    others = [int(name) for name in os.listdir(f"/proc/{watched.pid}/task") if int(name) != watched.pid]
    assert ctypes.CDLL(None).tgkill(watched.pid, others[0], sent) == 0
    assert watched.ended() == 0


def test_systemd_is_told_and_can_be_given_a_unit(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    monkeypatch.chdir(tmp_path)
    Catalog.create(str(watched.root)).close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        name = f"\0lumina-test-{os.getpid()}"
        systemd.bind(name)
        systemd.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name[1:])
        watched.start()
        assert systemd.recv(1000).startswith(b"READY=1")
        assert watched.end() == 0
        assert systemd.recv(1000) == b"STOPPING=1"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert command("daemon", "install", str(watched.root)).returncode == 0
    unit = tmp_path / "systemd/user/lumina.service"
    assert f'"daemon" "run" "{watched.root}"' in unit.read_text()
    assert "Type=notify" in unit.read_text()
    assert "as it should be" in command("daemon", "install", str(watched.root)).stdout
    unit.write_text("[Service]\n")
    assert command("daemon", "install", str(watched.root)).returncode == 4
    assert unit.read_text() == "[Service]\n"


def test_a_daemon_gives_way_to_all_that_people_do(watched: Watched) -> None:
    watched.library.photo("a.jpg", 1)
    watched.library.scan()
    watched.start()
    assert os.getpriority(os.PRIO_PROCESS, watched.pid) >= 10
