"""What a coordinator tells: runs, their blocks, and what is wrong with a pipeline."""

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Optional

from flowetl.v1 import coordinator_pb2 as wire

END_STATES = frozenset({"success", "failed", "cancelled"})


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a pipeline, and where. A line of 0 means that there is no place to point to."""

    file: str
    line: int
    column: int
    block: Optional[str]
    code: str
    message: str
    hint: Optional[str]

    def __str__(self) -> str:
        place = f"{self.line}:{self.column}:" if self.line else ""
        block = f" block `{self.block}`:" if self.block else ""
        joint = ", " if self.hint and self.hint.startswith("did you mean") else "; "
        return f"{self.file}:{place}{block} {self.message}" + (joint + self.hint if self.hint else "")


@dataclass(frozen=True)
class Failure:
    """Why something failed: the class decides on retries, the block may be unknown."""

    failure_class: str
    block: Optional[str]
    message: str


@dataclass(frozen=True)
class BlockView:
    """One block of a run; `state` is pending, running, retrying, committing, success, failed, cancelled or skipped."""

    state: str
    segment: str
    rows_in: int
    rows_out: int
    rows_quarantined: int
    rows_discarded: int
    bytes_out: int
    seconds: float
    attempts: int
    busy_ms: int
    waiting_ms: int
    blocked_ms: int
    bytes_spilled: int


@dataclass(frozen=True)
class Standing:
    """What an operator does while nothing moves, and for how long; `executor` is the address of one of several."""

    executor: str
    block: str
    stream: int
    activity: str
    ms: int


@dataclass(frozen=True)
class SegmentView:
    """Blocks that run as one plan; `output` is boundary, sink, relation or verdict."""

    state: str
    output: str
    blocks: list[str]
    attempts: int
    stalled: Optional[str]
    standing: list[Standing]
    failure: Optional[Failure]


@dataclass(frozen=True)
class TestResult:
    """One data test's verdict, with up to five samples of what breaks it."""

    block: str
    test: str
    passed: bool
    failures: int
    severity: str
    samples: list[str]


@dataclass(frozen=True)
class SchemaChange:
    """How a source's column differs from what was read of it before; None for a column that was not there, or is gone."""

    block: str
    column: str
    before: Optional[str]
    after: Optional[str]
    policy: str


@dataclass(frozen=True)
class EdgeView:
    """One edge of a run: for how long nothing came over it (`empty_ms`), and rows lay ready that were not taken (`full_ms`)."""

    source: str
    target: str
    rows: int
    bytes: int
    empty_ms: int
    full_ms: int


@dataclass(frozen=True)
class Bottleneck:
    """The block that the others wait for; `share` is of its segment's time, `text` says all of it in one sentence."""

    block: str
    share: float
    text: str


@dataclass(frozen=True)
class RunView:
    """A snapshot of a run; `state` is running, failing, cancelling, success, failed or cancelled."""

    run_id: str
    pipeline: str
    state: str
    started_at: Optional[datetime]
    finished_at: Optional[datetime]
    cpu_seconds: float
    peak_memory_bytes: int
    continued: bool
    blocks: dict[str, BlockView]
    segments: dict[str, SegmentView]
    tests: list[TestResult]
    schema_changes: list[SchemaChange]
    published: list[str]
    error: Optional[Failure]
    edges: list[EdgeView]
    bottleneck: Optional[Bottleneck]

    @property
    def has_ended(self) -> bool:
        return self.state in END_STATES


@dataclass(frozen=True)
class RunSummary:
    """A run in a list."""

    run_id: str
    pipeline: str
    hash: str
    full_refresh: bool
    state: str
    failure: Optional[Failure]
    created_at: Optional[datetime]
    started_at: Optional[datetime]
    finished_at: Optional[datetime]
    is_part: bool
    """Some blocks of the pipeline stayed out, because it was to run until another."""


@dataclass(frozen=True)
class RunEvent:
    """One decision of a run, with what caused it."""

    seq: int
    at: Optional[datetime]
    kind: str
    detail: Any


@dataclass(frozen=True)
class Executor:
    """An executor that is alive; no address where it is the coordinator's own process, 0 slots where nothing limits it. One
    that is draining takes nothing new and ends when it is done."""

    id: str
    address: Optional[str]
    version: str
    slots: int
    busy: int
    draining: bool


def _fields(message: Any, *without: str) -> dict[str, Any]:
    names = [field.name for field in message.DESCRIPTOR.fields if field.name not in without]
    return {name: getattr(message, name) for name in names}


def _time(message: Any, name: str) -> Optional[datetime]:
    return getattr(message, name).ToDatetime(timezone.utc) if message.HasField(name) else None


def _failure(message: Any, name: str) -> Optional[Failure]:
    if not message.HasField(name):
        return None
    failure = getattr(message, name)
    return Failure(getattr(failure, "class"), failure.block or None, failure.message)


def problem(message: wire.Problem) -> Problem:
    fields = _fields(message)
    return Problem(**{**fields, "block": message.block or None, "hint": message.hint or None})


def run_view(message: wire.Run) -> RunView:
    return RunView(
        run_id=message.run_id,
        pipeline=message.pipeline,
        state=message.state,
        started_at=_time(message, "started_at"),
        finished_at=_time(message, "finished_at"),
        cpu_seconds=message.cpu_seconds,
        peak_memory_bytes=message.peak_memory_bytes,
        continued=message.continued,
        blocks={block.block: BlockView(**_fields(block, "block")) for block in message.blocks},
        segments={segment.segment: _segment(segment) for segment in message.segments},
        tests=[TestResult(**{**_fields(test), "samples": list(test.samples)}) for test in message.tests],
        schema_changes=[_change(change) for change in message.schema_changes],
        published=list(message.published),
        error=_failure(message, "error"),
        edges=[_edge(edge) for edge in message.edges],
        bottleneck=Bottleneck(**_fields(message.bottleneck)) if message.HasField("bottleneck") else None,
    )


def _edge(message: wire.Edge) -> EdgeView:
    return EdgeView(getattr(message, "from"), message.to, message.rows, message.bytes, message.empty_ms, message.full_ms)


def _segment(message: wire.SegmentRun) -> SegmentView:
    return SegmentView(
        state=message.state,
        output=message.output,
        blocks=list(message.blocks),
        attempts=message.attempts,
        stalled=message.stalled or None,
        standing=[Standing(**_fields(standing)) for standing in message.standing],
        failure=_failure(message, "failure"),
    )


def _change(message: wire.SchemaChange) -> SchemaChange:
    fields = _fields(message)
    return SchemaChange(**{**fields, "before": message.before or None, "after": message.after or None})


def run_summary(message: wire.RunSummary) -> RunSummary:
    times = {name: _time(message, name) for name in ("created_at", "started_at", "finished_at")}
    return RunSummary(**{**_fields(message), **times, "failure": _failure(message, "failure")})


def run_event(message: wire.RunEvent) -> RunEvent:
    return RunEvent(message.seq, _time(message, "at"), message.kind, json.loads(message.detail_json))


def executor(message: wire.ExecutorInfo) -> Executor:
    return Executor(**{**_fields(message), "address": message.address or None})
