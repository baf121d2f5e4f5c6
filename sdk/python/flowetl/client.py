"""A connection to a coordinator, and runs there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, Optional, Union
from urllib.parse import urlsplit

import grpc
import pyarrow
import pyarrow.ipc

from flowetl import views
from flowetl.errors import FlowetlError, LostError, ProblemsError, RefusedError, UnreachableError
from flowetl.pipeline import Pipeline, Source
from flowetl.v1 import coordinator_pb2 as wire
from flowetl.v1.coordinator_pb2_grpc import CoordinatorStub

CONNECT_SECONDS = 10
"""How long a connection may take to come about."""

ANSWER_SECONDS = 60
"""How long an answer may take: a few reads or writes of the metadata database, which is itself waited for up to 30 s."""

LOOK_SECONDS = 300
"""How long looking may take: sources and targets are asked, and what a preview shows is computed."""

BEGIN_SECONDS = 600
"""How long a run may take to begin: what an earlier run of the pipeline left open is settled first."""

OPTIONS = [
    # A thousand blocks take half a mebibyte, a thousand runs in a list as much; tests bring samples of rows.
    ("grpc.max_receive_message_length", 64 << 20),
    # A connection that is silent for so long is asked for a sign of life, and has as long again to give it.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # A coordinator is a neighbour: no proxy of the environment stands between.
    ("grpc.enable_http_proxy", 0),
]

LOST = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
}


class Client:
    """A coordinator at `url`, such as `http://127.0.0.1:50051`. May be shared between threads.

    `token` goes with every call, to `https://` coordinators and to those of this machine. `tls_ca` holds the certificates, as
    PEM text, of those whose signature makes an `https://` coordinator believed; without it, those that gRPC trusts do.
    """

    def __init__(self, url: str, token: Optional[str] = None, tls_ca: Union[str, bytes, None] = None) -> None:
        scheme, host, target = _address(url)
        self._url = url
        self._metadata = ()
        if token is not None:
            token = token.strip()
            if not token or not all("!" <= character <= "~" for character in token):
                raise ValueError("the token is empty, or has something else in it than letters, digits and signs")
            if scheme == "http" and not _is_here(host):
                raise ValueError(
                    f"the token would be sent to `{url}` for everyone between to read: write `https://host:port`"
                )
            self._metadata = (("authorization", f"Bearer {token}"),)
        if scheme == "https":
            roots = tls_ca.encode() if isinstance(tls_ca, str) else tls_ca
            self._channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(roots), OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, OPTIONS)
        try:
            grpc.channel_ready_future(self._channel).result(CONNECT_SECONDS)
        except grpc.FutureTimeoutError:
            self._channel.close()
            raise UnreachableError(f"no coordinator answers at `{url}`") from None
        self._stub = CoordinatorStub(self._channel)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; runs go on."""
        self._channel.close()

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
        self, pipeline: Union[Pipeline, Source], full_refresh: bool = False, until: Optional[str] = None
    ) -> "Run":
        """Runs a pipeline; returns as soon as the run has begun, and it goes on also when this program ends.

        `full_refresh` reads incremental extracts from the beginning; `until` runs only that block and what it needs. The
        pipeline's newest run is continued instead where beginning anew would waste or harm.
        """
        request = wire.SubmitRequest(source=_source(pipeline), full_refresh=full_refresh, until=until or "")
        answer = self._ask("Submit", request, BEGIN_SECONDS)
        _nothing_wrong(answer.problems)
        return Run(self, answer.run_id)

    def resume(self, run_id: str) -> "Run":
        """Goes on with a run that failed, was cancelled or was cut off, from its last durable boundary."""
        self._ask("Resume", wire.ResumeRequest(run_id=run_id), BEGIN_SECONDS)
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

    def _ask(self, method: str, request: Any, seconds: Optional[float] = ANSWER_SECONDS) -> Any:
        with self._errors():
            return getattr(self._stub, method)(request, timeout=seconds, metadata=self._metadata)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turns gRPC's errors into ours."""
        try:
            yield
        except grpc.RpcError as error:
            if error.code() in LOST:
                raise LostError(
                    f"the coordinator at `{self._url}` does not answer any more: {error.details()}"
                ) from None
            raise RefusedError(error.code().name, error.details()) from None


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
        """Snapshots, the first at once, the last with the end state. A slow reader misses some, never the last."""
        with self._client._errors():
            # A run may take for ever; that the coordinator is there is seen by keepalives.
            for message in self._client._ask("Follow", wire.FollowRequest(run_id=self.id), None):
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


def _address(url: str) -> tuple[str, str, str]:
    """The scheme of a coordinator's URL, its host, and what gRPC calls its target."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnreachableError(
            f"`{url}` is not the address of a coordinator: write `http://host:port` or `https://host:port`"
        )
    return parts.scheme, parts.hostname, parts.netloc


def _is_here(host: str) -> bool:
    """Whether a host is this machine, so that what is sent there stays in it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
