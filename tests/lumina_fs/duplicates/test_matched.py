"""Groups in columns say what they were made of, in whatever parts they come; a kept result is whole or none."""

from __future__ import annotations

import hashlib
import itertools
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.parts import keys_of
from lumina_fs.catalog import Catalog
from lumina_fs.duplicates.kinds import SAME_PIXELS, SAME_PLAIN, Case, Judgement, judge
from lumina_fs.duplicates.matched import Bound, Groups, Matched
from lumina_fs.duplicates.results import RESULT, Relation, Result, load, parsed, save
from tests.lumina_fs.duplicates.made import likeness, twin

Star = tuple[str, list[Bound]]


def name_of(number: int) -> str:
    return hashlib.sha256(b"%d" % number).hexdigest()


def judgement(choose: random.Random) -> Judgement:
    """One of each sort: by pixels, by their digests, plain."""
    pick = choose.choice
    seen = likeness(
        detail=pick((0.82, 0.95, 0.99)), agreeing=pick((0.71, 1.0)), area=pick((1.0, 0.8, 1.3)),
        orientation=pick((1, 1, 2, 6)), angle=pick((0.0, 5.0)), brightness=pick((0.0, 12.0)), drawn=pick((False, True)),
    )  # fmt: skip
    one, other = (twin(width=pick((640, 320, None)), recorded="2020-05-01T12:00:00", camera="Canon") for _ in range(2))
    [found] = judge([Case([one], [other], seen, False)])
    assert found is not None
    return pick((found, found, SAME_PIXELS, SAME_PLAIN))


def stars(seed: int, count: int = 12) -> list[Star]:
    choose, numbers = random.Random(seed), itertools.count()
    return [
        (
            name_of(next(numbers)),
            [
                Bound(name_of(next(numbers)), judgement(choose), choose.choice((None, [0, 3], [5, 64])))
                for _ in range(choose.randint(0, 4))
            ],
        )
        for _ in range(count)
    ]


def said(some: list[Star]) -> list[tuple[object, ...]]:
    return [
        (
            primary,
            [(o.sha256, o.judgement.kind, o.judgement.confidence, o.judgement.reasons, o.distance) for o in others],
        )
        for primary, others in some
    ]


def told(groups: Groups | list[Matched]) -> list[tuple[object, ...]]:
    return [
        (one.primary, [(m.sha256, m.kind, m.confidence, tuple(m.reasons), m.distance) for m in one.members])
        for one in groups
    ]


@given(st.integers(0, 10_000))
def test_columns_say_what_they_were_made_of(seed: int) -> None:
    made = stars(seed)
    groups = Groups.of(made)
    assert len(groups) == len(made)
    assert told(groups) == said(made)
    assert told([groups[number] for number in range(len(groups))]) == said(made)
    assert told([groups[-1]]) == said(made[-1:])
    assert told(groups[2:5]) == said(made[2:5])
    assert groups == Groups.of(made)
    assert groups != Groups.of(made[1:])
    with pytest.raises(IndexError):
        groups[len(groups)]


@given(st.integers(0, 10_000), st.randoms())
def test_groups_are_the_same_whatever_parts_they_come_in(seed: int, choose: random.Random) -> None:
    made = stars(seed)
    whole = Groups.joined([Groups.of(made)])
    assert told(whole) == sorted(said(made))
    mixed = choose.sample(made, len(made))
    cut = choose.randint(0, len(mixed))
    much = Groups.of(mixed[:cut] + stars(seed + 1, 3))  # with texts that nobody uses then
    parts = [much.some(np.arange(cut)), Groups.of(mixed[cut:])]
    again = Groups.joined(parts)
    columns = ("primaries", "starts", "members")
    assert [getattr(again, name).tobytes() for name in columns] == [getattr(whole, name).tobytes() for name in columns]
    assert again.texts == whole.texts


@given(st.integers(0, 10_000), st.sets(st.integers(0, 40), max_size=5))
def test_groups_are_found_by_their_contents(seed: int, numbers: set[int]) -> None:
    made = stars(seed)
    groups, wanted = Groups.of(made), {name_of(number) for number in numbers}
    keys = keys_of(sorted(wanted))
    assert groups.touching(keys).tolist() == [not wanted.isdisjoint(one.contents) for one in groups]
    assert groups.of_these(keys).tolist() == [one.primary in wanted and bool(one.members) for one in groups]


def test_a_result_comes_back_as_it_was_and_a_damaged_one_not_at_all(tmp_path: Path) -> None:
    groups = Groups.of(stars(3))
    relation = Relation(name_of(1), name_of(2), "burst", 95, ["two exposures of one camera, 1 s apart"])
    result = Result(5, "g-1", 60, 2, groups, [relation])
    with Catalog.create(str(tmp_path), managed=True) as catalog:
        data = save(catalog, result)
        assert load(catalog) == result
        written = (tmp_path / RESULT).stat()
        assert save(catalog, result) == data
        assert (tmp_path / RESULT).stat() == written
        (tmp_path / RESULT).unlink()
        assert load(catalog) is None
        empty = Result(5, "g-1", 0, 0)
        assert parsed(save(catalog, empty)) == empty
    for damaged in (b"", data[:-1], data[:40], data + b"x", b"{}", data[:100] + bytes([data[100] ^ 1]) + data[101:]):
        assert parsed(damaged) is None
