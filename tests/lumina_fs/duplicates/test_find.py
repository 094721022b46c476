"""The search in real catalogs: the same answer however one comes to it, and no false group among plain pictures."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.results import load
from lumina_fs.progress import Note, Progress
from tests.lumina_fs.duplicates.made import noise
from tests.lumina_fs.duplicates.searching import fresh_groups, groups, kinds, searched, standings

if TYPE_CHECKING:
    from tests.conftest import Library


def save(image: Image.Image, path: Path, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    os.utime(path, ns=(1_600_000_000_123_456_789,) * 2)


def variants(root: Path, photo: Path, name: str) -> None:
    """A photograph, and copies of it: by bytes, in size, coded again, mirrored, cropped."""
    with Image.open(photo) as opened:
        image = opened.convert("RGB")
    image.thumbnail((400, 400))
    save(image, root / name / "base.jpg", quality=92)
    shutil.copy2(root / name / "base.jpg", root / name / "base copy.jpg")
    w, h = image.size
    save(image.resize((w // 2, h // 2)), root / name / "half.jpg", quality=85)
    save(image, root / name / "again.jpg", quality=60)
    save(image, root / name / "other.png")
    save(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), root / name / "mirror.jpg", quality=90)
    save(image.crop((w // 20, h // 20, w - w // 30, h)), root / name / "crop.jpg", quality=90)


PHOTOS = ("cat_brown", "elephants", "dog_toshi_yellow", "zebra_green_brown")


@pytest.fixture
def two_steps(library: Library, photos: Path) -> tuple[Library, Callable[[], None]]:
    """A library with variants of two photographs, and what adds those of two others, and further copies."""
    content = photos / "content/photoprism"
    for name in PHOTOS[:2]:
        variants(library.root, content / f"{name}.jpg", name)

    def more() -> None:
        for name in PHOTOS[2:]:
            variants(library.root, content / f"{name}.jpg", name)
        with Image.open(content / f"{PHOTOS[0]}.jpg") as image:
            save(image.resize((150, 100)), library.root / "later/small.jpg")
            save(image.resize((900, 600)), library.root / "later/better.png")

    return library, more


def test_every_copy_of_a_photograph_is_found_with_its_kind(two_steps: tuple[Library, Callable[[], None]]) -> None:
    library, _ = two_steps
    library.scan()
    result = searched(library)
    assert result is not None
    assert (result.analysed, result.not_compared, result.threshold) == (12, 0, 5)
    found = groups(library)
    assert [len(others) for _, others in found] == [6, 6]
    for path, kind in kinds(library).items():
        wanted = {"half": ("resized",), "mirror": ("edited",), "crop": ("edited",)}
        assert kind in wanted.get(Path(path).stem, ("exact", "re_encoded", "same_pixels")), (path, kind)


def test_a_search_after_additions_finds_what_one_from_scratch_finds(
    two_steps: tuple[Library, Callable[[], None]], tmp_path: Path, postgres: str
) -> None:
    library, more = two_steps
    library.scan()
    before = fresh_groups(library)
    more()
    library.scan()
    after = searched(library)
    assert after is not None
    assert len(groups(library)) == 4
    assert before != groups(library)
    from tests.conftest import Library as Made

    fresh = Made(tmp_path / "fresh" / "library")
    shutil.copytree(library.root, fresh.root, ignore=shutil.ignore_patterns(".lumina", "*.lumina.json"))
    fresh.scan()
    again = searched(fresh)
    assert again is not None
    assert (again.groups, again.relations, again.analysed) == (after.groups, after.relations, after.analysed)
    assert groups(fresh) == groups(library)


def test_only_what_is_new_is_compared(
    two_steps: tuple[Library, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lumina_fs.duplicates import comparison, looking

    pairs = 0
    real = comparison.look

    def counted(some: list[object]) -> object:
        nonlocal pairs
        pairs += len(some)
        return real(some)  # type: ignore[arg-type]

    monkeypatch.setattr(looking, "look", counted)
    library, more = two_steps
    library.scan()
    first = searched(library)
    assert pairs > 8
    pairs = 0
    assert searched(library) == first
    assert pairs == 0, "nothing is looked at twice"
    more()
    library.scan()
    searched(library)
    assert pairs > 10


def test_the_answer_is_the_same_twice_and_without_any_cache(two_steps: tuple[Library, Callable[[], None]]) -> None:
    library, more = two_steps
    more()
    library.scan()
    first = searched(library)
    assert first is not None
    assert first.groups
    assert searched(library) == first
    cache = library.root / ".lumina/cache"
    shutil.rmtree(cache / "reductions")
    again = searched(library)
    assert again is not None
    assert any(isinstance(event, Note) and "reduced pictures" in event.text for event in library.events)
    assert (again.groups, again.relations) == (first.groups, first.relations)
    assert list((cache / "reductions").glob("*.keys")), "the cache is filled again"
    shutil.rmtree(cache)
    last = searched(library)
    assert last is not None
    assert (last.groups, last.relations) == (first.groups, first.relations)
    searched(library)
    assert not any(isinstance(event, Note) for event in library.events)


@pytest.mark.parametrize("what", ["cut", "empty", "longer", "nonsense"])
def test_a_damaged_cache_is_read_anew_or_left_alone(two_steps: tuple[Library, Callable[[], None]], what: str) -> None:
    library, _ = two_steps
    library.scan()
    first = searched(library)
    assert first is not None
    for path in [
        *(library.root / ".lumina/cache/reductions").iterdir(),
        *(library.root / ".lumina/cache/duplicates").iterdir(),
    ]:
        data = path.read_bytes()
        broken = {"cut": data[: len(data) // 2 - 3], "empty": b"", "longer": data + b"\1\2\3", "nonsense": b"{}[]" * 9}
        path.write_bytes(broken[what])
    again = searched(library)
    assert again is not None
    assert (again.groups, again.relations) == (first.groups, first.relations)
    assert groups(library)


def test_a_search_that_is_stopped_keeps_what_it_saw_and_leaves_the_last_result(
    two_steps: tuple[Library, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lumina_fs.duplicates import comparison, looking

    library, more = two_steps
    library.scan()
    first = searched(library)
    more()
    library.scan()
    cancel = threading.Event()
    real = comparison.look
    looks = 0

    def once(some: list[object]) -> object:
        nonlocal looks
        looks += len(some)
        cancel.set()
        return real(some)  # type: ignore[arg-type]

    monkeypatch.setattr(looking, "look", once)
    assert searched(library, cancel=cancel) is None
    with Catalog.open(str(library.root)) as catalog:
        assert load(catalog) == first
    assert not standings(library).fresh
    before, looks = looks, 0
    assert before
    monkeypatch.setattr(looking, "look", lambda some: once(some) if not cancel.clear() else None)  # type: ignore[func-returns-value]
    result = searched(library)
    assert result is not None
    assert len(result.groups) == 4
    # stopped before it begins, nothing is written
    cancel.set()
    kept = library.tree()
    assert searched(library, cancel=cancel) is None
    assert library.tree() == kept


def test_progress_is_told_with_what_is_counted(two_steps: tuple[Library, Callable[[], None]]) -> None:
    library, _ = two_steps
    library.scan()
    searched(library)
    told = [event for event in library.events if isinstance(event, Progress)]
    assert {"reading hashes", "comparing hashes", "comparing pictures"} <= {event.stage for event in told}
    last = [event for event in told if event.stage == "comparing pictures"][-1]
    assert last.done == last.total


def test_no_file_of_the_person_is_touched_by_a_search(two_steps: tuple[Library, Callable[[], None]]) -> None:
    library, _ = two_steps
    library.scan()
    before = library.tree()
    searched(library)
    now = library.tree()
    assert {path: now.get(path) for path in before} == before
    assert all(path.startswith(".lumina/cache/") for path in set(now) - set(before))


# -- what is no picture


def test_files_that_cannot_be_decoded_are_only_ever_exact_duplicates(library: Library) -> None:
    library.photo("good.jpg", 1)
    for name in ("broken.jpg", "again.jpg", "empty.jpg", "empty2.jpg"):
        (library.root / name).write_bytes(b"" if "empty" in name else b"\xff\xd8\xff\xe0 nothing of use")
    library.scan()
    result = searched(library)
    assert result is not None
    assert result.analysed == 1
    [(keeper, others)] = groups(library)  # of files with nothing in them nobody frees anything
    assert {keeper, *others} == {"broken.jpg", "again.jpg"}


def test_videos_are_only_ever_exact_duplicates(library: Library, photos: Path) -> None:
    for name in ("a.mov", "b.mov"):
        shutil.copy2(photos / "video/quicktime-jpeg.mov", library.root / name)
    data = (photos / "video/quicktime-jpeg.mov").read_bytes()
    (library.root / "longer.mov").write_bytes(data + b"\0\0\0\x08free")  # the same frames, other bytes
    library.scan()
    assert fresh_groups(library) == [("a.mov", ["b.mov"])]
    assert kinds(library) == {"b.mov": "exact"}


def test_an_animation_is_no_copy_of_the_still_that_it_begins_with(library: Library) -> None:
    frames = [Image.fromarray(noise(seed)) for seed in (1, 5, 9)]
    save(frames[0], library.root / "still.gif")
    save(frames[0], library.root / "still.png")
    save(frames[0], library.root / "moving.gif", save_all=True, append_images=frames[1:], duration=200)
    library.scan()
    result = searched(library)
    assert result is not None
    assert [{keeper, *others} for keeper, others in groups(library)] == [{"still.gif", "still.png"}]
    assert {relation.kind for relation in result.relations} == {"similar"}


def test_still_and_video_of_a_live_photo_belong_together_by_their_identifier(library: Library, photos: Path) -> None:
    for name in ("train.jpg", "train.mov"):
        shutil.copy2(photos / "live_photo/apple_pair" / name, library.root / name)
    shutil.copytree(photos / "live_photo/same_stem", library.root / "same_stem")
    shutil.copy2(library.root / "train.mov", library.root / "train copy.mov")
    library.scan()
    result = searched(library)
    assert result is not None
    assert [relation.kind for relation in result.relations] == ["live_photo"]
    assert groups(library) == [("train.mov", ["train copy.mov"])]


def test_a_file_that_is_gone_leaves_its_group(library: Library) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        library.photo(name, 1)
    library.scan()
    assert fresh_groups(library) == [("a.jpg", ["b.jpg", "c.jpg"])]
    (library.root / "a.jpg").unlink()
    library.scan()
    assert groups(library) == [("b.jpg", ["c.jpg"])]  # even before another search
    assert not standings(library).fresh
    (library.root / "b.jpg").unlink()
    library.scan()
    assert fresh_groups(library) == []


def test_the_same_picture_under_other_metadata_is_one_and_of_one_content_many(library: Library) -> None:
    for number in range(5):
        library.photo(f"m{number}.jpg", 1, Make=f"Maker {number}")
        shutil.copy2(library.root / f"m{number}.jpg", library.root / f"n{number}.jpg")
    library.scan()
    [(_, others)] = fresh_groups(library)
    assert len(others) == 9
    assert set(kinds(library).values()) == {"same_pixels", "exact"}


# -- never cry wolf


def plain(number: int, choose: np.random.Generator) -> Image.Image:
    """A flat, dark or bright picture; some with noise, a gradient or a vignette, as a cap or a fog gives."""
    height, width = (int(side) for side in choose.integers(40, 90, 2))
    level = [(0, 6), (249, 256), (20, 235)][number % 3]
    gray = np.full((height, width), float(choose.integers(*level)))
    if number % 2:
        gray += choose.normal(0, choose.uniform(0.5, 6), gray.shape)
    if number % 5 == 1:
        gray += np.linspace(0, choose.uniform(1, 12), width)
    if number % 7 == 1:
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        gray -= choose.uniform(1, 12) * (x**2 + y**2)
    colour = np.clip(gray[..., None] + choose.integers(-4, 5, 3), 0, 255)
    return Image.fromarray(colour.astype(np.uint8))


def test_flat_dark_and_bright_pictures_make_no_group(library: Library) -> None:
    """Sweep: 5,000 of them, else 300."""
    choose = np.random.default_rng(11)
    count = 5000 if os.environ.get("LUMINA_SWEEP") == "all" else 300
    seen: set[bytes] = set()
    for number in range(count):
        image = plain(number, choose)
        if image.tobytes() not in seen:  # equal pixels would be one picture, and rightly so
            seen.add(image.tobytes())
            save(image, library.root / f"{number % 10}/{number}.jpg", quality=int(choose.integers(60, 95)))
    library.scan()
    result = searched(library)
    assert result is not None
    assert result.analysed > 0.95 * len(seen)
    wrong = [(one.kind, one.confidence, [copy.twin.path for copy in one.copies]) for one in standings(library).groups]
    assert wrong == []


def test_gradients_skies_and_textures_make_no_group(library: Library) -> None:
    """With enough contrast to have hashes, and little else: the false alarms of hashes."""
    choose = np.random.default_rng(12)
    for number in range(150):
        height, width = 60, 80
        ramp = np.linspace(choose.uniform(0, 120), choose.uniform(130, 255), height)[:, None] * np.ones((1, width))
        ramp += choose.normal(0, 4, ramp.shape)
        if number % 2:  # a horizon
            ramp[int(choose.integers(20, 50)) :] = choose.uniform(0, 80)
        if number % 3:  # the sun or a bird
            y, x = choose.integers(5, 50), choose.integers(5, 70)
            ramp[y : y + 6, x : x + 6] = choose.choice([0, 255])
        save(Image.fromarray(np.clip(ramp, 0, 255).astype(np.uint8)), library.root / f"{number}.png")
    library.scan()
    searched(library)
    certain = [one for one in standings(library).groups if one.confidence >= 95]
    assert [[copy.twin.path for copy in one.copies] for one in certain] == []
    assert len(standings(library).groups) <= 3, [[c.twin.path for c in one.copies] for one in standings(library).groups]


def test_different_noise_is_never_one_picture(library: Library) -> None:
    for seed in range(80):
        save(Image.fromarray(noise(seed, cells=4 + seed % 9)), library.root / f"{seed}.jpg")
    library.scan()
    assert fresh_groups(library) == []


def test_a_burst_is_told_from_copies_by_its_times(library: Library) -> None:
    for second in range(4):
        library.photo(
            f"IMG_{second:04}.jpg",
            1,
            Make="Canon",
            DateTimeOriginal=f"2019:07:14 12:00:0{second}",
            Software=str(second),
        )
    with Image.open(library.root / "IMG_0000.jpg") as image:
        save(image, library.root / "web.jpg", quality=40)
    library.scan()
    result = searched(library)
    assert result is not None
    # every pixel is the same: that is told, but nobody decides it in a batch
    assert all(one.confidence < 95 for one in standings(library).groups)


@pytest.mark.parametrize("threshold", [0, 1, 10])
def test_any_threshold_finds_equal_hashes(library: Library, threshold: int) -> None:
    for number in range(6):
        library.photo(f"{number}.jpg", number // 2, Software=str(number))
    library.scan()
    assert searched(library, threshold=threshold) is not None
    assert groups(library) == [("0.jpg", ["1.jpg"]), ("2.jpg", ["3.jpg"]), ("4.jpg", ["5.jpg"])]


def test_a_burst_is_told_by_its_first_frame_and_not_by_all_its_pairs(library: Library) -> None:
    random = np.random.default_rng(3)
    scene = Image.fromarray(random.integers(0, 255, (9, 12, 3), dtype=np.uint8)).resize(
        (240, 180), Image.Resampling.BICUBIC
    )
    for number in range(24):
        frame = Image.fromarray(np.clip(np.asarray(scene, np.int16) + number % 5, 0, 255).astype(np.uint8))
        tags = Image.Exif()
        tags[271], tags[272] = "Canon", "EOS 1"
        tags.get_ifd(0x8769)[0x9003] = f"2020:05:01 12:00:{number:02}"
        save(frame, library.root / f"IMG_{number:04}.JPG", quality=80 + number % 7, exif=tags)
    library.scan()
    result = searched(library)
    assert result is not None
    assert not result.groups
    assert {relation.kind for relation in result.relations} == {"burst", "similar"}
    assert len(result.relations) < 2 * 24
