"""What a keeper takes over: tags together, the highest rating, captions joined, the rest where all agree."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lumina_fs.duplicates.merging import Said, merged
from schemas.plan import FieldChange
from schemas.sidecar import Curation, tag_parts

ROME, PARIS = {"latitude": 41.9, "longitude": 12.5}, {"latitude": 48.9, "longitude": 2.4}


def said(path: str, gps: Any = None, /, **curation: Any) -> Said:
    capture = {} if gps is None else {"gps": gps}
    return Said("main", path, {"id": path, "curation": curation, "capture": capture})


def after(keeper: Said, *going: Said) -> dict[str, Any]:
    return {name: change["after"] for name, change in merged(keeper, going).items()}


def test_tags_are_united_in_their_order_and_each_origin_is_named() -> None:
    keeper = said("k", tags=["lake", {"category": "people", "value": "anna"}])
    one = said("a", tags=["lake", "sun"])
    other = said("b", tags=["people/anna", "sun", {"category": "birds", "value": "heron"}])
    nothing_new = said("c", tags=["sun"])
    [change] = merged(keeper, [one, other, nothing_new]).values()
    assert change["before"] == ["lake", {"category": "people", "value": "anna"}]
    assert change["after"][:2] == change["before"]
    assert [tag_parts(tag) for tag in change["after"][2:]] == [tag_parts("sun"), tag_parts("birds/heron")]
    assert change["origins"] == [{"source": "main", "path": "a"}, {"source": "main", "path": "b"}]


def test_a_tag_that_somebody_gave_is_not_rejected_by_the_copy_of_it() -> None:
    """A person who tagged one copy 'dog' and rejected the machine's 'dog' on another: what was given stays given."""
    assert "rejected_tags" not in after(said("k", tags=["dog"]), said("a", rejected_tags=["dog"]))
    found = after(said("k"), said("a", tags=["dog"]), said("b", rejected_tags=["dog", "cat"]))
    assert found == {"tags": ["dog"], "rejected_tags": ["cat"]}


def test_the_highest_rating_wins_and_a_lower_one_changes_nothing() -> None:
    assert after(said("k", rating=3), said("a", rating=5), said("b", rating=4)) == {"rating": 5}
    assert after(said("k", rating=5), said("a", rating=4)) == {}
    assert after(said("k"), said("a", rating=0)) in ({}, {"rating": 0})
    change = merged(said("k"), [said("a", rating=4), said("b", rating=4), said("c", rating=1)])["rating"]
    assert (change["before"], [place["path"] for place in change["origins"]]) == (None, ["a", "b"])


def test_captions_are_joined_and_none_is_lost() -> None:
    assert after(said("k", caption="Lake"), said("a", caption="Rome"), said("b", caption="Lake")) == {
        "caption": "Lake\nRome"
    }
    assert after(said("k"), said("a", caption="Rome")) == {"caption": "Rome"}
    assert after(said("k", caption="Lake\nRome"), said("a", caption="Rome")) == {}
    # a word that is inside another word is not said by it
    assert after(said("k", caption="A party"), said("a", caption="Art")) == {"caption": "A party\nArt"}
    assert after(said("k", caption="Partly cloudy"), said("a", caption="art")) == {"caption": "Partly cloudy\nart"}


def test_what_only_one_can_be_is_taken_where_all_agree() -> None:
    for name, value, other in (
        ("name", "x", "y"),
        ("label", "red", "blue"),
        ("pick", "pick", "reject"),
        ("date", "2019", "2020"),
    ):
        assert after(said("k"), said("a", **{name: value}), said("b", **{name: value}), said("c")) == {name: value}
        assert after(said("k"), said("a", **{name: value}), said("b", **{name: other})) == {}
        assert after(said("k", **{name: other}), said("a", **{name: value})) == {}


def test_a_place_is_taken_only_if_all_agree_and_the_keeper_has_none() -> None:
    assert after(said("k"), said("a", ROME), said("b", ROME), said("c")) == {"metadata": {"gps": ROME}}
    assert after(said("k"), said("a", ROME), said("b", PARIS)) == {}
    assert after(said("k", PARIS), said("a", ROME)) == {}
    assert after(said("k", metadata={"gps": PARIS}), said("a", ROME)) == {}
    # also where a person wrote it
    assert after(said("k"), said("a", metadata={"gps": ROME}), said("b", metadata={"gps": PARIS})) == {}
    assert after(said("k"), said("a", metadata={"gps": ROME}), said("b", PARIS)) == {}
    assert after(said("k", PARIS), said("a", metadata={"gps": ROME})) == {}


def test_metadata_are_taken_key_by_key_where_all_agree() -> None:
    found = after(
        said("k", metadata={"a": 1}), said("x", metadata={"a": 2, "b": 3, "c": 4}), said("y", metadata={"b": 3, "c": 5})
    )
    assert found == {"metadata": {"a": 1, "b": 3}}


def test_relations_are_united_and_none_leads_to_the_keeper_itself() -> None:
    keeper = said("k", related={"similar": ["1"]})
    found = after(keeper, said("a", related={"similar": ["1", "2", "k"], "mine": ["3"]}))
    assert found == {"related": {"similar": ["1", "2"], "mine": ["3"]}}
    assert after(keeper, said("a", related={"similar": ["k"]})) == {}


def test_nothing_is_changed_where_nothing_is_new() -> None:
    assert (
        merged(said("k", rating=5, tags=["a"], caption="x"), [said("a"), said("b", tags=["a"], caption="x", rating=5)])
        == {}
    )
    assert merged(said("k"), []) == {}


CURATION = st.fixed_dictionaries({}, optional={
    "name": st.text(max_size=5), "caption": st.text(max_size=9), "rating": st.integers(0, 5),
    "label": st.sampled_from(["red", "blue"]), "pick": st.sampled_from(["pick", "reject"]),
    "tags": st.lists(st.sampled_from(["a", "b", "c/d", {"category": "c", "value": "d"}]), max_size=4),
    "rejected_tags": st.lists(st.sampled_from(["a", "b", "c/d"]), max_size=3),
    "related": st.dictionaries(st.sampled_from("xy"), st.lists(st.sampled_from("12k"), max_size=3), max_size=2),
    "metadata": st.dictionaries(st.sampled_from(["gps", "m", "n"]), st.integers(0, 2), max_size=2),
})  # fmt: skip


@given(CURATION, st.lists(CURATION, max_size=4))
@settings(max_examples=200, deadline=None)
def test_a_merge_changes_no_argument_takes_nothing_from_the_keeper_and_is_settled_at_once(
    own: dict[str, Any], others: list[dict[str, Any]]
) -> None:
    keeper, going = said("k", **own), [said(str(number), **other) for number, other in enumerate(others)]
    before = json.dumps([own, others])
    changes = merged(keeper, going)
    assert json.dumps([own, others]) == before
    for name, change in changes.items():
        FieldChange.model_validate(change)
        assert change["before"] == own.get(name)
        assert change["after"] != change["before"]
        assert change["origins"]
        for place in change["origins"]:
            assert others[int(place["path"])].get(name) is not None, "an origin said something of it"
    new = {**own, **{name: change["after"] for name, change in changes.items()}}
    assert set(map(tag_parts, own.get("tags", []))) <= set(map(tag_parts, new.get("tags", [])))
    assert (own.get("rating") or 0) <= (new.get("rating") or 0)
    assert own.get("caption", "") in new.get("caption", "")
    assert merged(said("k", **new), going) == {}, "doing it twice is doing it once"
    Curation.model_validate({name: value for name, value in new.items() if name != "related"})
