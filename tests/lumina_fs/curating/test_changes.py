"""What the words of a person mean, and what becomes of a block by them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumina_fs.curating.changes import CurationChange, apply_changes, is_change, parse_change, parse_changes, shown
from lumina_fs.curation import difference, merged, put_fields, renamed_tag, tag_form
from lumina_fs.errors import UsageError
from schemas.sidecar import Curation, tag_parts


@pytest.mark.parametrize(
    ("word", "change"),
    [
        ("rating=4", CurationChange("rating", "set", 4)),
        ("rating=", CurationChange("rating", "clear")),
        ("tags+=people/anna", CurationChange("tags", "add", ("people", "anna"))),
        ("tags-=beach", CurationChange("tags", "remove", ("", "beach"))),
        ("tags+=places/italy/rome", CurationChange("tags", "add", ("places", "italy/rome"))),
        ("rejected_tags+=objects/boat", CurationChange("rejected_tags", "add", ("objects", "boat"))),
        ("tags=beach", CurationChange("tags", "set", ["beach"])),
        ("caption=a = b, c", CurationChange("caption", "set", "a = b, c")),
        ("caption=two\nlines", CurationChange("caption", "set", "two\nlines")),
        ("name=", CurationChange("name", "clear")),
        ("label=Red", CurationChange("label", "set", "red")),
        ("pick=reject", CurationChange("pick", "set", "reject")),
        ("date=1987-08", CurationChange("date", "set", "1987-08")),
        ("metadata.scanned by=Uncle Karl", CurationChange("metadata", "set", "Uncle Karl", "scanned by")),
        ("metadata.a.b=x", CurationChange("metadata", "set", "x", "a.b")),
        ("metadata.roll=", CurationChange("metadata", "clear", None, "roll")),
    ],
)
def test_a_word_means_one_change(word: str, change: CurationChange) -> None:
    assert parse_change(word) == change
    assert is_change(word)
    assert parse_change(shown([change])) == change


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("rating=6", "0, 1, 2, 3, 4 or 5"), ("rating=4.0", "0, 1, 2, 3, 4 or 5"), ("rating=four", "rating"),
        ("rating=٤", "rating"), ("rating+=1", "rating=value"), ("label=crimson", "red, orange, yellow"),
        ("pick=yes", "pick, reject"), ("date=31.8.1987", "1987"), ("date=2019-02-30", "no date of the calendar"),
        ("stars=4", "rating=0..5"), ("tags+=", "takes a tag"), ("tags+=/", "takes a tag"), ("tags+=people/ ", "anna"),
        ("metadata=x", "metadata.KEY"), ("metadata.k+=x", "metadata.KEY"), ("caption.x=1", "no parts"),
        ("caption=\udcff", "not UTF-8"), ("rating", "is no change"), ("name=\udcff", "not UTF-8"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_what_does(word: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_change(word)


def test_a_refusal_shows_what_could_act_on_a_terminal() -> None:
    with pytest.raises(UsageError) as refused:
        parse_change("label=\x1b]52;c;x\x07")
    assert "\x1b" not in str(refused.value)
    assert "\\x1b" in str(refused.value)


def changed(curation: dict[str, Any], *words: str) -> dict[str, Any]:
    return apply_changes(curation, parse_changes(words))


def test_a_tag_is_the_same_in_both_forms_and_keeps_the_one_that_it_has() -> None:
    own = {"tags": [{"category": "people", "value": "anna", "x-note": "mine"}, "beach"]}
    assert changed(own, "tags+=people/anna") == own
    assert changed(own, "tags+=people/bob") == {"tags": [*own["tags"], "people/bob"]}
    assert changed(own, "tags-=people/anna") == {"tags": ["beach"]}
    assert changed({"tags": ["beach"]}, "tags-=beach") == {}


def test_unknown_keys_and_their_places_stay() -> None:
    own = {"x-mine": 1, "rating": 2, "y": {"deep": [1, 2]}, "tags": ["a"]}
    after = changed(own, "rating=4", "caption=new", "tags+=b", "metadata.k=v")
    assert after == {**own, "rating": 4, "caption": "new", "tags": ["a", "b"], "metadata": {"k": "v"}}
    assert list(after) == ["caption", "x-mine", "rating", "y", "tags", "metadata"]
    assert [name for name in after if name in own] == list(own)
    assert changed(own, "rating=") == {"x-mine": 1, "y": {"deep": [1, 2]}, "tags": ["a"]}


def test_changes_are_made_in_their_order() -> None:
    assert changed({}, "tags=a", "tags+=b", "tags-=a") == {"tags": ["b"]}
    assert changed({"metadata": {"a": 1}}, "metadata.b=2", "metadata.a=") == {"metadata": {"b": "2"}}
    assert changed({}, "tags-=nothing", "metadata.x=") == {}


def test_a_tag_is_renamed_in_its_place_and_merges_with_one_that_is_there() -> None:
    tags = ["beach", {"value": "sea"}, "people/anna"]
    assert renamed_tag(tags, ("", "sea"), ("places", "sea")) == ["beach", "places/sea", "people/anna"]
    assert renamed_tag(tags, ("", "beach"), ("people", "anna")) == [{"value": "sea"}, "people/anna"]
    assert renamed_tag(tags, ("people", "anna"), None) == ["beach", {"value": "sea"}]
    assert renamed_tag(tags, ("", "nothing"), ("", "x")) == tags
    deep = ["places/italy", "places/italy/rome", "places/italyish"]
    assert renamed_tag(deep, ("places", "italy"), ("places", "it"), below=True) == [
        "places/it", "places/it/rome", "places/italyish",
    ]  # fmt: skip
    assert renamed_tag(deep, ("places", "italy"), None, below=True) == ["places/italyish"]


_TAGS = st.tuples(st.sampled_from(["", "people", "a b"]), st.text("ab/", min_size=1, max_size=3))
_BLOCKS = st.fixed_dictionaries(
    {},
    optional={
        "rating": st.integers(0, 5), "caption": st.sampled_from(["x", "y"]), "x-mine": st.integers(),
        "tags": st.lists(_TAGS.map(tag_form), min_size=1, max_size=4, unique_by=tag_parts),
        "metadata": st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), min_size=1),
    },
)  # fmt: skip


@given(_TAGS)
def test_the_form_of_a_tag_means_its_parts(parts: tuple[str, str]) -> None:
    assert tag_parts(tag_form(parts)) == parts


@given(_BLOCKS, _BLOCKS)
def test_the_difference_leads_from_one_to_the_other(one: dict[str, Any], other: dict[str, Any]) -> None:
    fields = {name: after for name, (_, after) in difference(one, other).items()}
    assert put_fields(one, fields) == other


@given(_BLOCKS, _BLOCKS)
def test_who_changed_alone_gets_all_that_was_wished(base: dict[str, Any], wished: dict[str, Any]) -> None:
    assert merged(base, wished, base).value == wished
    assert merged(base, wished, wished).value == wished
    assert merged(base, base, wished).value == wished


@given(_BLOCKS, _BLOCKS, _BLOCKS)
def test_merging_loses_nothing(base: dict[str, Any], wished: dict[str, Any], now: dict[str, Any]) -> None:
    found = merged(base, wished, now)
    for name, (_, after) in difference(base, wished).items():
        if name not in ("tags", "metadata"):
            assert found.value.get(name) == after
            assert (name in found.clashes) == (name in difference(base, now) and now.get(name) != after)
    for name in difference(base, now).keys() - difference(base, wished).keys():
        assert found.value.get(name) == now.get(name)

    def parts(block: dict[str, Any]) -> set[tuple[str, str]]:
        return {tag_parts(tag) for tag in block.get("tags", ())}

    assert parts(found.value) >= (parts(wished) - parts(base)) | (
        (parts(now) - parts(base)) - (parts(base) - parts(wished))
    )
    assert not parts(found.value) & (parts(base) - parts(wished))
    validate_block(found.value)


def validate_block(value: dict[str, Any]) -> None:
    Curation.model_validate(value)


@given(
    st.text(max_size=20), st.sampled_from(["rating", "tags", "caption", "date", "metadata.k", "label", "x", "tags+"])
)
def test_any_word_is_a_valid_change_or_is_refused(text: str, field: str) -> None:
    try:
        change = parse_change(f"{field}={text}")
    except UsageError:
        return
    validate_block(apply_changes({"tags": ["a"]}, [change]))


def test_the_published_fields_are_the_ones_that_can_be_set() -> None:
    settable = {"name", "caption", "rating", "label", "pick", "date", "tags", "rejected_tags", "metadata"}
    assert set(Curation.model_fields) - settable == {"related"}
