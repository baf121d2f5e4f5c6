"""A connection to a coordinator, and runs there."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Optional, Union

import pyarrow
import pyarrow.ipc

from flowetl import views
from flowetl.errors import FlowetlError, ProblemsError
from flowetl.peers import Access, Peers
from flowetl.pipeline import Pipeline, Source
from flowetl.v1 import coordinator_pb2 as wire

ANSWER_SECONDS = 60
"""How long an answer may take: a few reads or writes of the metadata database, which is itself waited for up to 30 s."""

LOOK_SECONDS = 300
"""How long looking may take: sources and targets are asked, and what a preview shows is computed."""

BEGIN_SECONDS = 600
"""How long a run may take to begin: what an earlier run of the pipeline left open is settled first."""


class Client:
    """A coordinator at `url`, such as `http://127.0.0.1:50051`, or whichever leads of several, with commas between. May be
    shared between threads.

    Where several are named, calls that may be repeated, and runs that are followed, survive the end of the leader: the next
    one is waited for up to 30 s.

    `token` goes with every call, to `https://` coordinators and to those of this machine. `tls_ca` holds the certificates, as
    PEM text, of those whose signature makes an `https://` coordinator believed; without it, those that gRPC trusts do.
    """

    def __init__(self, url: str, token: Optional[str] = None, tls_ca: Union[str, bytes, None] = None) -> None:
        self._peers = Peers(url, Access(token, tls_ca))

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; runs go on."""
        self._peers.close()

    def validate(self, pipeline: Union[Pipeline, Source]) -> list[views.Problem]:
        """Everything that is wrong with a pipeline. Touches nothing."""
        answer = self._ask("Validate", wire.ValidateRequest(source=_source(pipeline)))
        return [views.problem(problem) for problem in answer.problems]

    def plan(self, pipeline: Union[Pipeline, Source]) -> list[dict[str, Any]]:
        """What a run would do, an object for each segment; asks sources and targets what they have, touches nothing."""
        answer = self._ask("Plan", wire.PlanRequest(source=_source(pipeline)), LOOK_SECONDS)
        _nothing_wrong(answer.problems)
        return json.loads(answer.plan_json)

    def preview(self, pipeline: Union[Pipeline, Source], block: str, rows: int = 100) -> pyarrow.Table:
        """The first rows of a block, computed from the sources up to it; writes nothing. `.to_pandas()` makes a frame."""
        request = wire.PreviewRequest(source=_source(pipeline), block=block, rows=rows)
        answer = self._ask("Preview", request, LOOK_SECONDS)
        _nothing_wrong(answer.problems)
        with pyarrow.ipc.open_stream(answer.arrow_stream) as stream:
            return stream.read_all()

    def submit(
        self,
        pipeline: Union[Pipeline, Source],
        full_refresh: bool = False,
        until: Optional[str] = None,
        params: Optional[Mapping[str, Any]] = None,
    ) -> "Run":
        """Runs a pipeline; returns as soon as the run has begun, and it goes on also when this program ends.

        `full_refresh` reads incremental extracts from the beginning; `until` runs only that block and what it needs;
        `params` are values of the pipeline's parameters. The pipeline's newest run is continued instead where beginning anew
        would waste or harm.
        """
        source = _source(pipeline)
        for name, value in (params or {}).items():
            source.params[name] = json.dumps(value) if isinstance(value, (bool, int, float)) else str(value)
        request = wire.SubmitRequest(source=source, full_refresh=full_refresh, until=until or "")
        answer = self._ask("Submit", request, BEGIN_SECONDS, repeat=False)
        _nothing_wrong(answer.problems)
        return Run(self, answer.run_id)

    def resume(self, run_id: str) -> "Run":
        """Goes on with a run that failed, was cancelled or was cut off, from its last durable boundary."""
        self._ask("Resume", wire.ResumeRequest(run_id=run_id), BEGIN_SECONDS, repeat=False)
        return Run(self, run_id)

    def run(self, run_id: str) -> "Run":
        """The run of an id; whether there is one shows when it is asked."""
        return Run(self, run_id)

    def runs(self) -> list[views.RunSummary]:
        """All runs, newest first, up to a thousand."""
        return [views.run_summary(run) for run in self._ask("ListRuns", wire.ListRunsRequest()).runs]

    def executors(self) -> list[views.Executor]:
        """The executors that are alive."""
        return [views.executor(e) for e in self._ask("ListExecutors", wire.ListExecutorsRequest()).executors]

    def _ask(self, method: str, request: Any, seconds: float = ANSWER_SECONDS, repeat: bool = True) -> Any:
        return self._peers.ask(method, request, seconds, repeat)


class Run:
    """One run on a coordinator."""

    def __init__(self, client: Client, run_id: str) -> None:
        self._client = client
        self.id = run_id

    def __repr__(self) -> str:
        return f"Run({self.id!r})"

    def view(self) -> views.RunView:
        """The run as it stands now."""
        return views.run_view(self._client._ask("GetRun", wire.GetRunRequest(run_id=self.id)))

    def follow(self) -> Iterator[views.RunView]:
        """Snapshots, the first at once, the last with the end state. A slow reader misses some, never the last. Where the
        client knows several coordinators, the end of the one that leads costs a pause at most."""
        for message in self._client._peers.stream("Follow", wire.FollowRequest(run_id=self.id)):
            yield views.run_view(message)

    def wait(self) -> views.RunView:
        """The run once it has ended, however it ended."""
        last = None
        for last in self.follow():
            pass
        if last is None or not last.has_ended:
            raise FlowetlError(f"run `{self.id}` has not ended, but the coordinator says no more of it")
        return last

    def cancel(self) -> None:
        """Asks the run to end; `wait` tells when it has. A run that has ended is left as it is."""
        self._client._ask("Cancel", wire.CancelRunRequest(run_id=self.id))

    def events(self) -> list[views.RunEvent]:
        """What happened in the run, in order."""
        answer = self._client._ask("ListEvents", wire.ListEventsRequest(run_id=self.id))
        return [views.run_event(event) for event in answer.events]


def _nothing_wrong(problems: Any) -> None:
    if problems:
        raise ProblemsError([views.problem(problem) for problem in problems])


def _source(pipeline: Union[Pipeline, Source]) -> wire.Source:
    source = pipeline.source() if isinstance(pipeline, Pipeline) else pipeline
    return wire.Source(
        file=source.file,
        text=source.text,
        folder=source.folder,
        connections_text=source.connections_text,
    )
