"""Plans in words: their states with a sign each, what an approved one would do, and what is next."""

from __future__ import annotations

from collections.abc import Mapping

from lumina_fs.cli.plan_show import POLICIES
from lumina_fs.plans.facts import Facts
from lumina_fs.wording import plural, size

#: State -> sign, word, look of a table cell.
STATES = {
    "draft": ("○", "draft", ""),
    "approved": ("✓", "approved", "good"),
    "void": ("≠", "void", "warn"),
    "executing": ("▶", "executing", "warn"),
    "interrupted": ("‖", "interrupted", "bad"),
    "complete": ("●", "complete", "good"),
    "failed": ("✗", "failed", "bad"),
    "rolled_back": ("↺", "rolled back", "dim"),
    "undone": ("↶", "undone", "dim"),
    "broken": ("!", "broken", "bad"),
}
#: State -> what may be done next, by key.
NEXT = {
    "draft": "Enter looks at it; there [a] approves it, [r] rejects single actions",
    "approved": "Enter looks at it; there [x] carries it out",
    "void": "it was changed after it was approved: look at it, and approve it again",
    "executing": "it is being carried out; [s] stops it between two actions",
    "interrupted": "it stopped half way, every file is whole: [R] finishes it, [b] takes it back",
    "complete": "[u] proposes the plan that takes it back",
    "failed": "not all could be done: [R] tries again, [b] takes it back, [u] undoes what was done",
    "rolled_back": "everything is back where it was",
    "undone": "another plan took it back",
    "broken": "its file makes no sense: Enter, then [e] opens it in your editor at the line",
}
_DEEDS = {
    "move": "{} moved; sidecars and companions go along",
    "copy": "{} copied; they stay where they are",
    "trash": "{} put into the trash, from where they can be restored",
    "restore": "{} brought back from the trash",
    "edit": "{} edited: fields of the curation in the sidecar, no picture",
    "skip": "{} left alone",
}


def state(status: str) -> str:
    """The state with its sign."""
    sign, word, _ = STATES.get(status, ("?", status, ""))
    return f"{sign} {word}"


def counted(counts: Mapping[str, int]) -> str:
    """`907 move, 3 skip`."""
    return ", ".join(f"{count:,} {do}" for do, count in counts.items()) or "nothing"


def deeds(counts: Mapping[str, int]) -> list[str]:
    """What happens to originals, a line for each kind of action."""
    lines = []
    for do, text in _DEEDS.items():
        if count := counts.get(do):
            lines.append(text.format(plural(count, "original")))
    return lines


def to_approve(facts: Facts) -> list[str]:
    """What a person says yes to."""
    return [
        facts.name, *deeds(facts.counts), f"{size(facts.size)} in all", *rooms(facts, idle=False),
        f"If an action fails: {POLICIES[facts.on_failure]}.", *(f"! {text}" for text in doubts(facts)),
        f"The approval is of exactly these bytes: SHA-256 {facts.digest[:16]}…",
        "Nothing is moved yet: that takes another yes.",
    ]  # fmt: skip


def to_apply(facts: Facts) -> list[str]:
    """What a person sets going."""
    return [
        facts.name, *deeds(facts.counts), f"{size(facts.size)} in all", *rooms(facts, idle=False),
        f"If an action fails: {POLICIES[facts.on_failure]}.",
        "Everything is checked first; if anything is not as the plan says, nothing is touched.",
        f"Approved bytes: SHA-256 {facts.digest[:16]}…",
    ]  # fmt: skip


def doubts(facts: Facts) -> list[str]:
    """What is to be looked at, in numbers."""
    found = [
        (facts.refused, "refused as things are now"), (facts.warned, "with a warning"),
        (facts.uncertain, "of uncertain date"), (facts.collisions, "get another name: theirs is taken"),
    ]  # fmt: skip
    return [f"{count:,} {text}" for count, text in found if count]


def summary(facts: Facts) -> list[str]:
    """A plan at the top of its rows: what it does, then what is to be looked at."""
    first = f"{counted(facts.counts)} · {size(facts.size)} · if one fails: {POLICIES[facts.on_failure]}"
    found = doubts(facts)
    return [first, "! " + " · ".join(found) if found else "no warnings"]


def rooms(facts: Facts, *, idle: bool) -> list[str]:
    """Volumes with what arrives and what is free; with `idle` also those on which nothing arrives."""
    crossing = facts.crossing
    lines = []
    if crossing.moves:
        lines.append(f"across volumes: {plural(crossing.moves, 'move')}, {size(crossing.size)} copied and compared")
    for volume in crossing.volumes:
        if volume.arriving or idle:
            room = "" if volume.fits else ": NOT ENOUGH ROOM"
            lines.append(f"{volume.path}: {size(volume.arriving)} arrive, {size(volume.free)} free{room}")
    return lines
