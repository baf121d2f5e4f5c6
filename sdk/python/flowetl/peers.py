"""The coordinators of a cluster: which of them is asked, and where the question goes when it does not answer."""

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Optional, Union
from urllib.parse import urlsplit

import grpc

from flowetl.errors import FlowetlError, LostError, RefusedError, UnreachableError
from flowetl.v1.coordinator_pb2_grpc import CoordinatorStub

CONNECT_SECONDS = 10
"""How long a connection may take to come about."""

FAILOVER_SECONDS = 30
"""How long a leader is looked for once the one before is gone: twice as long as it takes the next to lead."""

FAILOVER_PAUSE = 0.25
"""The pause, in seconds, before the next coordinator is asked."""

LEADER_HEADER = "flowetl-leader"
"""What a coordinator that stands by marks its refusals with: the URL of the one that leads, or nothing."""

OPTIONS = [
    # A thousand blocks take half a mebibyte, a thousand runs in a list as much; tests bring samples of rows.
    ("grpc.max_receive_message_length", 64 << 20),
    # A connection that is silent for so long is asked for a sign of life, and has as long again to give it.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # A run that is followed may be silent for long.
    ("grpc.http2.max_pings_without_data", 0),
    # A coordinator is a neighbour: no proxy of the environment stands between.
    ("grpc.enable_http_proxy", 0),
    # Each connection is tried at once, whatever another has met at the same address.
    ("grpc.use_local_subchannel_pool", 1),
]

LOST = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
}


class Access:
    """What a client shows to coordinators, and whom it believes to be one."""

    def __init__(self, token: Optional[str], tls_ca: Union[str, bytes, None]) -> None:
        self.metadata: tuple[tuple[str, str], ...] = ()
        if token is not None:
            token = token.strip()
            if not token or not all("!" <= character <= "~" for character in token):
                raise ValueError("the token is empty, or has something else in it than letters, digits and signs")
            self.metadata = (("authorization", f"Bearer {token}"),)
        self._roots = tls_ca.encode() if isinstance(tls_ca, str) else tls_ca

    def check(self, url: str) -> None:
        """Refuses a URL that is none, or that the token must not be sent to."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UnreachableError(
                f"`{url}` is not the address of a coordinator: write `http://host:port` or `https://host:port`"
            )
        if self.metadata and parts.scheme == "http" and not _is_here(parts.hostname):
            raise ValueError(
                f"the token would be sent to `{url}` for everyone between to read: write `https://host:port`"
            )

    def channel(self, url: str) -> grpc.Channel:
        """A connection to the coordinator at a URL that may be used."""
        self.check(url)
        parts = urlsplit(url)
        if parts.scheme == "https":
            return grpc.secure_channel(parts.netloc, grpc.ssl_channel_credentials(self._roots), OPTIONS)
        return grpc.insecure_channel(parts.netloc, OPTIONS)


@dataclass(frozen=True, eq=False)
class Peer:
    """A coordinator that has taken a connection."""

    url: str
    channel: grpc.Channel
    stub: CoordinatorStub


class Peers:
    """All coordinators that a client was told of, and the one that answered last. May be shared between threads."""

    def __init__(self, servers: str, access: Access) -> None:
        self._urls = [url.strip() for url in servers.split(",")]
        self._access = access
        for url in self._urls:
            access.check(url)
        # What others may still be using is closed at the end; the end of a leader is rare.
        self._left: list[Peer] = []
        # Held while a leader is looked for: whoever else asks waits for it.
        self._lock = threading.Lock()
        self._current = self._first()

    def close(self) -> None:
        with self._lock:
            for peer in [*self._left, self._current]:
                peer.channel.close()

    def ask(self, method: str, request: Any, seconds: float, repeat: bool) -> Any:
        """The answer of the one that leads. `repeat` says whether to ask again what may have been heard already."""
        deadline = time.monotonic() + FAILOVER_SECONDS
        while True:
            peer = self._current
            try:
                return getattr(peer.stub, method)(request, timeout=seconds, metadata=self._access.metadata)
            except grpc.RpcError as error:
                self._leave(peer, error, repeat, deadline)

    def stream(self, method: str, request: Any) -> Iterator[Any]:
        """The messages of the one that leads. They begin anew with the next one where it ends before they do."""
        deadline = None
        while True:
            peer = self._current
            try:
                # A stream may last for ever; that the coordinator is there is seen by keepalives.
                for message in getattr(peer.stub, method)(request, metadata=self._access.metadata):
                    deadline = None
                    yield message
                return
            except grpc.RpcError as error:
                deadline = deadline or time.monotonic() + FAILOVER_SECONDS
                self._leave(peer, error, True, deadline)

    def _leave(self, peer: Peer, error: grpc.RpcError, repeat: bool, deadline: float) -> None:
        """Goes on with another coordinator where an error of `peer` leaves that open; else fails with it."""
        leader = self._elsewhere(error, repeat)
        if leader is None or time.monotonic() >= deadline:
            raise _told(peer.url, error) from None
        with self._lock:
            # Whoever shares this client may have gone on already.
            if self._current is peer:
                next_one = self._next(peer.url, leader, deadline)
                self._left.append(peer)
                self._current = next_one

    def _elsewhere(self, error: grpc.RpcError, repeat: bool) -> Optional[str]:
        """The URL of who may answer instead, nothing for whoever comes next, and `None` where nobody may."""
        said = dict(error.trailing_metadata() or ())
        has_others = len(self._urls) > 1
        if LEADER_HEADER in said:
            # It has done nothing, and says so.
            return said[LEADER_HEADER] or ("" if has_others else None)
        # What a coordinator has answered comes with headers of its own.
        is_broken = not said and error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN)
        return "" if has_others and repeat and is_broken else None

    def _next(self, url: str, leader: str, deadline: float) -> Peer:
        """Whoever takes a connection: the leader, or those after `url` in turn."""
        if leader and leader != url:
            wanted = leader
        else:
            time.sleep(FAILOVER_PAUSE)
            wanted = self._after(url)
        while True:
            try:
                return self._open(wanted)
            except UnreachableError:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(FAILOVER_PAUSE)
            wanted = self._after(wanted)

    def _after(self, url: str) -> str:
        """The one after `url` in the order they were named; the first after one that was not."""
        at = self._urls.index(url) + 1 if url in self._urls else 0
        return self._urls[at % len(self._urls)]

    def _first(self) -> Peer:
        """The first that takes a connection."""
        for url in self._urls[:-1]:
            try:
                return self._open(url)
            except UnreachableError:
                continue
        return self._open(self._urls[-1])

    def _open(self, url: str) -> Peer:
        channel = self._access.channel(url)
        states: queue.SimpleQueue[grpc.ChannelConnectivity] = queue.SimpleQueue()
        heard = states.put
        channel.subscribe(heard, try_to_connect=True)
        deadline = time.monotonic() + CONNECT_SECONDS
        try:
            while True:
                state = states.get(timeout=max(deadline - time.monotonic(), 0))
                if state is grpc.ChannelConnectivity.READY:
                    return Peer(url, channel, CoordinatorStub(channel))
                if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                    break
        except queue.Empty:
            pass
        finally:
            channel.unsubscribe(heard)
        channel.close()
        raise UnreachableError(f"no coordinator answers at `{url}`")


def _told(url: str, error: grpc.RpcError) -> FlowetlError:
    """gRPC's error as ours."""
    if error.code() in LOST:
        return LostError(f"the coordinator at `{url}` does not answer any more: {error.details()}")
    return RefusedError(error.code().name, error.details())


def _is_here(host: str) -> bool:
    """Whether a host is this machine, so that what is sent there stays in it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
