"""The job: `.lumina/jobs/<id>.json`, how a long piece of work goes or went. State, no truth: it may be deleted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from schemas.document import Block, Document

WorkKind = Literal["scan", "rehash", "duplicates", "thumbnails", "rebuild", "verify", "tag", "apply"]
State = Literal["pending", "running", "success", "failure", "cancelled"]


class Process(Block):
    """The process that does the work."""

    pid: int = Field(ge=1)
    """Its number."""
    host: str
    """The machine that it runs on."""


class Step(Block):
    """One step of a chain."""

    work: WorkKind
    """What is done."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """With which arguments."""


class Chain(Block):
    """The chain that a job is a step of: a failure or a cancel ends the chain."""

    id: str = Field(min_length=1)
    """The same for all steps of one run."""
    position: int = Field(ge=1)
    """Which step this is, from 1."""
    steps: list[Step] = Field(min_length=1)
    """All steps, in order."""


class JobProblem(Block):
    """A file that could not be treated as it should."""

    source: str
    """Name of the source."""
    path: str
    """Path in that source."""
    code: str
    """What is wrong, in one word."""
    message: str
    """What is wrong, in words."""
    line: int | None = None
    """Line of a document."""
    column: int | None = None
    """Column of a document."""


class Job(Document):
    """How a long piece of work goes or went."""

    kind: Literal["job"]
    version: Literal[1]
    work: WorkKind
    """What is done."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """With which arguments; `lumina jobs retry` uses them again."""
    state: State
    """How it stands. One that says pending or running while no process holds its lock was interrupted."""
    attempts: int = Field(default=1, ge=1)
    """How often it was started."""
    created: str
    """When it was asked for, in UTC."""
    started: str | None = None
    """When it began to run, in UTC; null while it waits for another of its kind."""
    ended: str | None = None
    """When it ended, in UTC."""
    process: Process
    """Who does it."""
    stage: str = ""
    """What it is at."""
    current: int = Field(default=0, ge=0)
    """How many things of this stage are done."""
    total: int | None = Field(default=None, ge=0)
    """How many things this stage has; null while that is not known."""
    unit: str = ""
    """What is counted."""
    percent: Annotated[float, Field(ge=0, le=100)] | None = None
    """The part of this stage that is done."""
    rate: Annotated[float, Field(ge=0)] | None = None
    """Things done in a second."""
    seconds_left: Annotated[float, Field(ge=0)] | None = None
    """Seconds until this stage is done, at this rate."""
    message: str = ""
    """The last thing that a person should know: a note, or why it failed."""
    counts: dict[str, int] = Field(default_factory=dict)
    """Sidecars written, by outcome, and problems."""
    problems: list[JobProblem] = Field(default_factory=list)
    """The first problems that were met; `counts` says how many there were."""
    changed: bool | None = None
    """False when it found nothing to do."""
    result: dict[str, JsonValue] | None = None
    """What came of it."""
    chain: Chain | None = None
    """The chain that it is a step of."""
    schedule: str | None = None
    """Name of the schedule that started it."""
    on_end: str | None = None
    """What became of the command that the setting `on_job_end` names; null where it went well or there is none."""
