"""A person's photos on a disk, all that happens to them outside of Lumina, and what the person may rely on.

What is promised of sidecars is kept as a list of `Record`: content, id, and what the person wrote. Wherever a sidecar
lies, it must say exactly what one of them says.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from lumina_fs.catalog import MARK, Catalog
from lumina_fs.sidecars import ORPHAN, SUFFIX, sidecar_name

MAIN, CARD = "main", "card"
#: Names that are ordinary, differ by case alone, need a cut sidecar name, or are no UTF-8.
NAMES = ("a.jpg", "b.jpg", "A.jpg", "é ü.jpg", "long " * 48 + ".jpg", os.fsdecode(b"\xff.jpg"), "c.jpeg")
FOLDERS = ("", "x", "x/y", "z", "w")
#: What a sidecar holds of its own; all else in it is the person's.
MACHINE = ("$schema", "kind", "version", "id", "original", "origin", "capture", "measurements", "problems")

#: What other hands do to the index.
ALTERATIONS = (
    "UPDATE {s}.original SET rating = 5, words = ''::tsvector",
    "DELETE FROM {s}.original",
    "UPDATE {s}.seen SET path = path || '-'",
    "TRUNCATE {s}.seen",
    "DELETE FROM {s}.problem",
    "INSERT INTO {s}.stale SELECT source, path FROM {s}.original",
    "DROP TABLE {s}.original CASCADE",
    "ALTER TABLE {s}.original DROP COLUMN rating",
    "UPDATE {s}.meta SET value = 'old' WHERE name = 'version'",
    "DROP SCHEMA {s} CASCADE",
)

#: A photo or a sidecar: its source, and its path in that.
Key = tuple[str, str]


class Record(NamedTuple):
    """What one sidecar has to say. `id` is None where copies share one: all but one of them will get another."""

    sha256: str
    id: str | None
    written: str


class Damage(NamedTuple):
    """A sidecar that the person broke: how it lies there, how it was, and what it said then."""

    bad: bytes
    good: bytes
    record: Record

    @property
    def id(self) -> str:
        """The id that it has when it is mended."""
        return str(json.loads(self.good.removeprefix(b"\xef\xbb\xbf"))["id"])


@cache
def picture(number: int) -> bytes:
    """A JPEG of its own content; all have one size, so that only times tell them apart without reading them."""
    from PIL import Image

    out = io.BytesIO()
    Image.linear_gradient("L").resize((24, 16)).save(out, "JPEG")
    text = f"photo {number:06}".encode()
    return out.getvalue()[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + out.getvalue()[2:]


def sha256(data: bytes) -> str:
    """As hex."""
    return hashlib.sha256(data).hexdigest()


def written(value: dict[str, Any]) -> str:
    """What a person wrote into a sidecar, in one form."""
    own = {name: part for name, part in value.items() if name not in MACHINE and part != {}}
    notes = {name: part for name, part in value["original"].items() if name.startswith("x-")}
    return json.dumps([own, notes], sort_keys=True)


NOTHING = json.dumps([{}, {}])


def record_of(value: dict[str, Any]) -> Record:
    """What a sidecar says."""
    return Record(value["original"].get("sha256", ""), value["id"], written(value))


class World:
    """A catalog with a source inside it and one outside, whose sidecars lie beside the photos or in the catalog."""

    def __init__(self, base: Path, *, card_beside: bool) -> None:
        self.home, self.card, self.away = base / "home", base / "card", base / "away"
        for folder in (self.home, self.card, self.away):
            folder.mkdir(parents=True)
        self.card_beside = card_beside
        self.mounted = {MAIN: "in", CARD: "in"}
        self.photos: dict[Key, tuple[bytes, int]] = {}
        self.records: list[Record] = []
        self.broken: dict[Key, Damage] = {}
        self.made = 0
        with Catalog.create(str(self.home)) as catalog:
            catalog.add_source(str(self.card), name=CARD, sidecars="beside" if card_beside else "catalog")

    # -- places

    def place(self, source: str) -> Path:
        """Where the photos of a source are now, whether Lumina can see them there or not."""
        if self.mounted[source] == "in":
            return self.home if source == MAIN else self.card
        return self.away / source

    def photo(self, key: Key) -> Path:
        """The file of a photo."""
        return self.place(key[0]) / key[1]

    def beside(self, source: str) -> bool:
        """Do its sidecars lie with the photos?"""
        return source == MAIN or self.card_beside

    def sidecars_of(self, source: str) -> Path:
        """The folder that holds the sidecars of a source, in folders as the photos are."""
        return self.place(source) if self.beside(source) else self.home / ".lumina/sidecars" / source

    def sidecar(self, key: Key) -> Path:
        """The file of the sidecar of a photo."""
        folder, slash, name = key[1].rpartition("/")
        return self.sidecars_of(key[0]) / (folder + slash + sidecar_name(name))

    def documents(self, source: str, *, orphans: bool = True) -> Iterator[Path]:
        """Every sidecar there is, and those put aside."""
        top = self.sidecars_of(source)
        for folder, inner, names in os.walk(top):
            inner[:] = sorted(name for name in inner if name != ".lumina")
            for name in sorted(names):
                if name.endswith(SUFFIX) or (orphans and ORPHAN in name):
                    yield Path(folder, name)

    def of(self, path: Path, source: str) -> Key:
        """Its name for the model, wherever it is mounted."""
        return source, str(path.relative_to(self.sidecars_of(source)))

    def reachable(self) -> list[Key]:
        """Photos that can be got at."""
        return [key for key in sorted(self.photos) if self.mounted[key[0]] == "in"]

    def editable(self) -> list[tuple[str, Path]]:
        """Sidecars that can be got at, with their sources, without those put aside."""
        return [
            (source, path)
            for source in (MAIN, CARD)
            if self.mounted[source] == "in"
            for path in self.documents(source, orphans=False)
        ]

    # -- what a person does to photos

    def put(self, key: Key, number: int, *, old: bool) -> None:
        """A photo of this content, new or in the place of another; `old`: with times that vouch for it."""
        target = self.photo(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(picture(number))
        self.made += 1
        if old:
            stamp = 1_500_000_000_123_456_789 + self.made * 1_000_000_007
            os.utime(target, ns=(stamp, stamp))
        self.remember(key)

    def remember(self, key: Key) -> None:
        """From now on this photo must stay as it is."""
        path = self.photo(key)
        self.photos[key] = path.read_bytes(), path.stat().st_mtime_ns

    def copy(self, old: Key, new: Key, *, along: bool) -> None:
        """Copy a photo to a free place, with its sidecar or without."""
        self.photo(new).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(self.photo(old), self.photo(new))
        self.remember(new)
        if along and self._may_go_along(old, new):
            shutil.copy2(self.sidecar(old), self.sidecar(new))
            side, now = (self.of(self.sidecar(key), key[0]) for key in (old, new))
            if side in self.broken:
                damage = self.broken[side]
                self.broken[now] = damage._replace(record=damage.record._replace(id=None))
            else:
                self.records.append(record_of(self.value(self.sidecar(new)))._replace(id=None))

    def move(self, old: Key, new: Key, *, along: bool) -> None:
        """Move a photo to a free place, with its sidecar or without."""
        self.photo(new).parent.mkdir(parents=True, exist_ok=True)
        if along and self._may_go_along(old, new):
            self._rename_document(old[0], self.sidecar(old), new[0], self.sidecar(new))
        shutil.move(self.photo(old), self.photo(new))
        del self.photos[old]
        self.remember(new)

    def _may_go_along(self, old: Key, new: Key) -> bool:
        both = self.beside(old[0]) and self.beside(new[0])
        return both and self.sidecar(old).exists() and not self.sidecar(new).exists()

    def _rename_document(self, source: str, old: Path, other: str, new: Path) -> None:
        before = self.of(old, source)
        shutil.move(old, new)
        if before in self.broken:
            self.broken[self.of(new, other)] = self.broken.pop(before)

    def rename_folder(self, source: str, old: str, new: str) -> None:
        """Rename a folder to a free name, with all that is in it."""
        os.rename(self.place(source) / old, self.place(source) / new)
        for key in [key for key in self.photos if key[0] == source and key[1].startswith(old + "/")]:
            self.photos[source, new + key[1][len(old) :]] = self.photos.pop(key)
        if self.beside(source):
            for key in [key for key in self.broken if key[0] == source and key[1].startswith(old + "/")]:
                self.broken[source, new + key[1][len(old) :]] = self.broken.pop(key)

    def delete(self, key: Key) -> None:
        """Delete a photo; its sidecar stays."""
        self.photo(key).unlink()
        del self.photos[key]

    def delete_sidecar(self, source: str, path: Path) -> None:
        """Delete a sidecar: the only way in which what it says may go."""
        damage = self.broken.pop(self.of(path, source), None)
        if damage is None:
            self.forget(record_of(self.value(path)))
        path.unlink()

    # -- what a person does to sidecars

    @staticmethod
    def value(path: Path) -> dict[str, Any]:
        """The sidecar as an editor reads it."""
        found: dict[str, Any] = json.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
        return found

    def edit(self, path: Path, curation: dict[str, Any], style: int) -> None:
        """Save it with another curation, layout and keys that nobody knows, by rename or by truncating."""
        value = self.value(path)
        before = self.forget(record_of(value))
        value["curation"] = curation
        if style & 1:
            value["zz-mine"] = {"of": curation, "n": style}
        if style & 2:
            value["original"]["x-note"] = style
        text = json.dumps(value, indent=(None, 2, 4)[style % 3], ensure_ascii=bool(style & 4)).encode()
        self.save(path, b"\xef\xbb\xbf" + text if style & 8 else text, rename=bool(style & 16))
        self.records.append(record_of(value)._replace(id=before.id))

    @staticmethod
    def save(path: Path, data: bytes, *, rename: bool) -> None:
        """The two ways in which editors save."""
        if rename:
            fresh = path.with_name("editor~")
            fresh.write_bytes(data)
            fresh.replace(path)
        else:
            with path.open("r+b") as file:
                file.truncate()
                file.write(data)

    def damage(self, source: str, path: Path, how: int, *, rename: bool) -> None:
        """Break it in one of several ways."""
        good = path.read_bytes()
        record = self.forget(record_of(self.value(path)))
        value = self.value(path)
        ways = (
            good[:-5],
            b"",
            good.replace(b"{", b"{,", 1),
            json.dumps({**value, "curation": {"rating": 9}}).encode(),
            json.dumps({name: part for name, part in value.items() if name != "id"}).encode(),
            good[:-2] + b', "x": NaN}',
        )
        bad = ways[how % len(ways)]
        self.save(path, bad, rename=rename)
        self.broken[self.of(path, source)] = Damage(bad, good, record)

    def mend(self, key: Key) -> None:
        """Make it what it was."""
        damage = self.broken.pop(key)
        self.save(self.sidecars_of(key[0]) / key[1], damage.good, rename=True)
        self.records.append(damage.record)

    def forget(self, record: Record) -> Record:
        """This may go: the person replaced or removed it. It must have been there; as it was known."""
        for known in (record, record._replace(id=None)):
            if known in self.records:
                self.records.remove(known)
                return known
        assert record.written == NOTHING, f"nobody wrote this: {record}"
        return record

    # -- disks come and go

    def unmount(self, source: str, how: str) -> None:
        """`gone`: its folder is not there any more. `emptied`: it is there, and nothing is in it."""
        target = self.away / source
        if how == "gone":
            os.rename(self.place(source), target)
        else:
            target.mkdir()
            self._move_all(self.place(source), target)
        self.mounted[source] = how

    def mount(self, source: str) -> None:
        """It is back."""
        away, how = self.place(source), self.mounted[source]
        self.mounted[source] = "in"
        if how == "gone":
            os.rename(away, self.place(source))
        else:
            self._move_all(away, self.place(source))
            away.rmdir()

    @staticmethod
    def _move_all(old: Path, new: Path) -> None:
        for name in sorted(os.listdir(old)):
            if name != ".lumina":
                os.rename(old / name, new / name)

    # -- what must hold

    def check_photos(self) -> None:
        """No photo is lost, changed or touched, and there is none that the person did not put there."""
        for key, (data, mtime_ns) in self.photos.items():
            assert self.photo(key).read_bytes() == data, key
            assert self.photo(key).stat().st_mtime_ns == mtime_ns, key
        there = set()
        for source in (MAIN, CARD):
            for folder, inner, names in os.walk(self.place(source)):
                inner[:] = [name for name in inner if name != ".lumina"]
                for name in names:
                    if not name.endswith(".json") and name != MARK and not name.startswith(".lumina-tmp-"):
                        there.add((source, str(Path(folder, name).relative_to(self.place(source)))))
        assert there == set(self.photos)

    def check_documents(self) -> list[Record]:
        """All that a person wrote is there, with its id and its content, once, and nothing else is; the new sidecars.

        New ones hold nothing of a person's. They are remembered from now on.
        """
        for key, damage in self.broken.items():
            assert (self.sidecars_of(key[0]) / key[1]).read_bytes() == damage.bad, key
        found = [
            record_of(self.value(path))
            for source in (MAIN, CARD)
            for path in self.documents(source)
            if self.of(path, source) not in self.broken
        ]
        rest, lost = list(found), []
        for record in sorted(self.records, key=lambda one: one.id is None):
            same = [one for one in rest if one == record or (record.id is None and one == record._replace(id=one.id))]
            if same:
                rest.remove(same[0])
            else:
                lost.append(record)
        assert not lost, f"lost: {lost}; there are: {rest}"
        assert all(one.written == NOTHING for one in rest), f"nobody wrote this: {rest}"
        # by a copied sidecar, which may be broken at the moment: which of them keeps it is not ours to say
        shared = Counter([*(one.id for one in found), *(damage.id for damage in self.broken.values())])
        self.records = [one._replace(id=None) if shared[one.id] > 1 else one for one in found]
        return rest

    def tree(self) -> dict[str, tuple[int, int, int]]:
        """Every file, with inode, size and time."""
        found = {}
        for top in (self.home, self.card, self.away):
            for folder, _, names in os.walk(top):
                for name in names:
                    info = os.lstat(os.path.join(folder, name))
                    found[os.path.join(folder, name)] = info.st_ino, info.st_size, info.st_mtime_ns
        return found
