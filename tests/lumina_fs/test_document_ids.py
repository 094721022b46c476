"""Which document a person means by an id, or by a part of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lumina_fs.document_ids import ids_in, matching, the_one
from lumina_fs.errors import UsageError
from lumina_fs.roots import Root


def test_documents_are_listed_by_id_in_order_and_other_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "plans").mkdir()
    for name in ("b.json", "a.json", "a.approval.json", "a.journal.jsonl", ".c.json", "d.cancel", ".lumina-tmp-1"):
        (tmp_path / "plans" / name).touch()
    with Root.open(str(tmp_path)) as root:
        assert ids_in(root, "plans") == ["a", "b"]
        assert ids_in(root, "nothing") == ids_in(root, "plans/a.json") == []


@pytest.mark.parametrize(
    ("reference", "found"),
    [("abc", ["abc"]), ("ab", ["ab"]), ("a", ["abc", "ab"]), ("c", ["abc"]), ("b", ["ab"]), ("x", []), ("bc", ["abc"])],
)
def test_an_id_is_found_by_itself_or_by_its_start_or_end(reference: str, found: list[str]) -> None:
    assert matching(["abc", "ab"], reference) == found


def test_none_and_several_are_refused_with_what_to_do() -> None:
    assert the_one(["abc"], "a", "there is none") == "abc"
    with pytest.raises(UsageError, match="there is none"):
        the_one([], "a", "there is none")
    with pytest.raises(UsageError, match="may be any of abc, ab; give more"):
        the_one(["abc", "ab"], "a", "there is none")
