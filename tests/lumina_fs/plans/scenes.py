"""A catalog with a plan of thirty actions over two volumes, built from small files; and the ways to run it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumina_fs import compose
from lumina_fs.catalog import Catalog
from lumina_fs.durable import TEMP_PREFIX, Disk
from lumina_fs.kernel import Layer
from lumina_fs.plans import apply as applying
from lumina_fs.plans.files import read_plan, write_approval, write_draft
from lumina_fs.progress import Finished
from lumina_fs.sidecars import sidecar_name
from schemas.text import dump

#: A server that is not there: the index stays out of tests that are about files.
NO_INDEX = "host=127.0.0.1 port=1 connect_timeout=1"
#: Folders that are often in memory, where a sync costs nothing, each a volume of its own.
IN_MEMORY = ("/dev/shm", f"/run/user/{os.getuid()}", "/run/lock", "/run")

Tree = dict[str, tuple[str, int, int]]


def volumes() -> list[Path]:
    """Folders that can be written to, each on a volume of its own with some room; temporary files' own is the last."""
    found: dict[int, Path] = {}
    temporary = tempfile.gettempdir()
    for name in (*IN_MEMORY, temporary):
        with contextlib.suppress(OSError):
            room = os.statvfs(name)
            if os.access(name, os.W_OK) and room.f_bavail * room.f_frsize > 50_000_000:
                found.setdefault(os.stat(name).st_dev, Path(name))
    found.pop(os.stat(temporary).st_dev, None)
    return [*found.values(), Path(temporary)]


def other_volume() -> Path | None:
    """A folder on another volume than temporary folders are on; None where there is none."""
    return volumes()[0] if len(volumes()) > 1 else None


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Scene:
    """A catalog in `main`, and a second source `far` in `other`."""

    main: Path
    other: Path

    @classmethod
    def make(cls, base: Path, far: Path, *, managed: bool = True) -> Scene:
        scene = cls(base / "library", far / "far")
        scene.main.mkdir(parents=True)
        scene.other.mkdir(parents=True)
        with Catalog.create(str(scene.main), managed=managed) as catalog:
            catalog.add_source(str(scene.other), name="far", managed=managed)
        return scene

    def at(self, source: str, path: str) -> Path:
        return (self.main if source == "main" else self.other) / path

    def photo(self, path: str, *, source: str = "main", sidecar: bool = True, size: int = 300) -> Path:
        """A file with content of its own, and its sidecar with something that a person wrote."""
        target = self.at(source, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        data = (f"{source}/{path} ".encode() * (size // len(path) + 1))[:size]
        target.write_bytes(data)
        target.chmod(0o640)
        stamp = 1_500_000_000_123_456_789 + len(data) * 1_000_003
        os.utime(target, ns=(stamp, stamp))
        if sidecar:
            self.sidecar(path, source=source)
        return target

    def sidecar(self, path: str, *, source: str = "main", **curation: Any) -> Path:
        """Write the sidecar of a photo as a scan would."""
        target = self.at(source, path)
        info = target.stat()
        original = {
            "media": "image", "name": target.name, "size": info.st_size, "mtime_ns": info.st_mtime_ns,
            "sha256": sha256(target.read_bytes()), "format": "JPEG",
        }  # fmt: skip
        value = compose.new_sidecar({"original": original}, schema="x.json", source=source, mode="reference", path=path)
        value["curation"] = curation or {"caption": f"what a person says of {path}"}
        place = target.with_name(sidecar_name(target.name))
        place.write_bytes(dump(value))
        return place

    def file(self, path: str, data: bytes, *, source: str = "main") -> Path:
        target = self.at(source, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return target

    # -- plans

    def action(self, do: str, path: str, *, source: str = "main", **more: Any) -> dict[str, Any]:
        """An action on a file that is there."""
        data = self.at(source, path).read_bytes()
        return {"do": do, "source": source, "path": path, "size": len(data), "sha256": sha256(data), **more}

    def move(self, path: str, to: str, *, source: str = "main", into: str = "main", **more: Any) -> dict[str, Any]:
        return self.action("move", path, source=source, to={"source": into, "path": to}, **more)

    def copy(self, path: str, to: str, *, source: str = "main", into: str = "main", **more: Any) -> dict[str, Any]:
        return self.action("copy", path, source=source, to={"source": into, "path": to}, **more)

    def companion(self, part: str, path: str, to: str | None, *, source: str = "main") -> dict[str, Any]:
        data = self.at(source, path).read_bytes()
        value: dict[str, Any] = {"part": part, "path": path, "size": len(data), "sha256": sha256(data)}
        return value if to is None else {**value, "to": to}

    def draft(self, actions: Iterable[Mapping[str, Any]], **more: Any) -> str:
        """A plan that is not approved; its id."""
        value = {"name": "a test", "purpose": "organise", "actions": list(actions), **more}
        with Catalog.open(str(self.main)) as catalog:
            return write_draft(catalog, value)

    def approved(self, actions: Iterable[Mapping[str, Any]], **more: Any) -> str:
        """An approved plan; its id."""
        plan_id = self.draft(actions, **more)
        self.approve(plan_id)
        return plan_id

    def approve(self, plan_id: str) -> None:
        with Catalog.open(str(self.main)) as catalog:
            write_approval(catalog, read_plan(catalog, plan_id))

    def run(self, what: str, plan_id: str, layer: Layer | None = None) -> applying.Applied:
        """apply, resume or rollback; the result."""
        job: Callable[..., Iterator[Any]] = getattr(applying, what)
        with Catalog.open(str(self.main), Disk(layer)) as catalog:
            [result] = [event.result for event in job(catalog, read_plan(catalog, plan_id)) if is_end(event)]
        assert isinstance(result, applying.Applied)
        return result

    # -- what lies there

    def tree(self, *, trash: bool = False) -> Tree:
        """Every file of the person's and every sidecar: digest, mode and mtime by place.

        The id of the sidecar of a copy is left out, as are temporaries, which have no names of photos.
        """
        found: Tree = {}
        for base in (self.main, self.other):
            for path in sorted(base.rglob("*")):
                inner = str(path.relative_to(base))
                ours = inner.startswith(".lumina")
                if not path.is_file() or path.name.startswith(TEMP_PREFIX) or (ours and not trash):
                    continue
                if ours and not (inner.startswith(".lumina/trash/") and inner.count("/") > 2):
                    continue
                info = path.stat()
                written = info.st_mtime_ns if not path.name.endswith(".lumina.json") else 0
                found[f"{base.name}/{inner}"] = (logical(path), info.st_mode, written)
        return found

    def photos(self) -> Counter[str]:
        """Digests of all photos and what belongs to them, sidecars left out, in tree and trash."""
        return Counter(
            digest for name, (digest, _, _) in self.tree(trash=True).items() if not name.endswith(".lumina.json")
        )


def logical(path: Path) -> str:
    """The digest of a file; of a sidecar, of what it says without its id and the way to its schema."""
    data = path.read_bytes()
    if path.name.endswith(".lumina.json") and data:
        try:
            value = json.loads(data)
        except json.JSONDecodeError:  # killed in the midst, where neither renameat2 nor links publish a whole file
            return sha256(data)
        value.pop("id")
        value.pop("$schema")
        return sha256(json.dumps(value).encode())
    return sha256(data)


def is_end(event: object) -> bool:
    return isinstance(event, Finished)


def thirty_actions(scene: Scene) -> list[dict[str, Any]]:
    """Moves, copies, trash and an edit, on one volume and to another, with sidecars, XMP and a Live Photo."""
    actions: list[dict[str, Any]] = []
    for number in range(7):
        scene.photo(f"in/{number}.jpg", size=200 + number, sidecar=number != 3)
        actions.append(scene.move(f"in/{number}.jpg", f"2019/0{number % 2 + 1}/{number}.jpg"))
    for number in range(3):  # with other names
        scene.photo(f"in/r{number}.jpg", size=250 + number)
        actions.append(scene.move(f"in/r{number}.jpg", f"2020/renamed-{number}.jpg"))
    for number in range(4):
        scene.photo(f"in/x{number}.jpg", size=400 + number)
        actions.append(scene.move(f"in/x{number}.jpg", f"from-main/{number % 2}/x{number}.jpg", into="far"))
    for number in range(3):
        scene.photo(f"out/f{number}.jpg", source="far", size=500 + number)
        actions.append(scene.move(f"out/f{number}.jpg", f"from-far/f{number}.jpg", source="far"))
    for number in range(3):
        scene.photo(f"keep/c{number}.jpg", size=600 + number)
        actions.append(scene.copy(f"keep/c{number}.jpg", f"copies/c{number}.jpg", into="far" if number else "main"))
    for number in range(3):
        scene.photo(f"bad/t{number}.jpg", size=700 + number)
        scene.file(f"bad/t{number}.xmp", b"<xmp of t%d/>" % number)
        companions = [scene.companion("xmp", f"bad/t{number}.xmp", None)]
        actions.append(scene.action("trash", f"bad/t{number}.jpg", companions=companions))
    scene.photo("out/gone.jpg", source="far")
    actions.append(scene.action("trash", "out/gone.jpg", source="far"))
    actions += _units(scene)
    scene.photo("keep/edited.jpg")
    before = "what a person says of keep/edited.jpg"
    fields = {"caption": {"before": before, "after": "another"}, "rating": {"before": None, "after": 4}}
    actions.append(scene.action("edit", "keep/edited.jpg", fields=fields))
    # a name that is free only because of an action before it
    scene.photo("in/second.jpg", size=801)
    actions.append(scene.move("in/second.jpg", "in/0.jpg"))
    actions.append({"do": "skip", **{k: v for k, v in actions[0].items() if k not in ("do", "to")}, "reason": "no"})
    return actions


def _units(scene: Scene) -> Iterator[dict[str, Any]]:
    for number, into in enumerate(("main", "far")):
        name = f"in/L{number}"
        scene.photo(f"{name}.HEIC", size=900 + number)
        scene.photo(f"{name}.MOV", size=950 + number)
        scene.file(f"{name}.HEIC.xmp", b"<long xmp %d/>" % number)
        parts = (("live_photo", ".MOV"), ("xmp", ".HEIC.xmp"))
        companions = [scene.companion(part, name + end, f"live/L{number}{end}") for part, end in parts]
        companions.append(
            {"part": "sidecar", "path": f"{name}.HEIC.lumina.json", "to": f"live/L{number}.HEIC.lumina.json"}
        )
        yield scene.move(f"{name}.HEIC", f"live/L{number}.HEIC", into=into, companions=companions)
    scene.photo("in/P.CR2", size=980)
    scene.photo("in/P.JPG", size=981)
    yield scene.move("in/P.CR2", "pairs/Q.CR2", companions=[scene.companion("jpeg", "in/P.JPG", "pairs/Q.JPG")])
    scene.photo("nested/one.jpg")
    scene.photo("nested/deep/two.jpg", sidecar=False)
    yield scene.move("nested/one.jpg", "a/b/c/one.jpg")
    yield scene.move("nested/deep/two.jpg", "a/b/c/d/two.jpg", into="far")


def copy_scene(scene: Scene, base: Path, far: Path) -> Scene:
    """The same scene elsewhere, times and modes included."""
    made = Scene(base / "library", far / "far")
    shutil.copytree(scene.main, made.main)
    shutil.copytree(scene.other, made.other)
    source = made.main / ".lumina/sources/far.json"
    source.write_text(source.read_text().replace(str(scene.other), str(made.other)))
    return made
