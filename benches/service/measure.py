"""Fills a metadata database, then asks the service's list and read endpoints while a run keeps every core busy."""

import argparse
import http.client
import json
import os
import random
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

# A pipeline that reads nothing and computes for hours.
BUSY = """blocks:
  busy: {sql: "select sum(a.value % 7 * b.value) as n from generate_series(1, 10000000) a cross join generate_series(1, 10000000) b"}
  out: {load: busy, to: busy.parquet}
"""
# What all other pipelines are copies of.
SMALL = """schedule: {cron: "0 3 * * *"}
blocks:
  numbers: {sql: "select value as n from generate_series(1, 10) t"}
  out: {load: numbers, to: small.parquet}
"""
YEAR_MS = 365 * 24 * 3_600_000
# The newest runs have segments, attempts and events, so that they can be looked at one by one.
DETAILED = 10_000
UP_LIMIT_S = 120


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Service:
    """`flowetl up` over a metadata database of its own."""

    def __init__(self, folder, database):
        self.port, self.database = free_port(), database
        environment = dict(os.environ, FLOWETL_HOME=str(folder / "home"))
        if database:
            environment["FLOWETL_DATABASE_URL"] = database
        program = os.environ["FLOWETL_BIN"]
        key = subprocess.run([program, "keygen"], capture_output=True, text=True, check=True).stdout.strip()
        environment["ENCRYPTION_KEY"] = key
        arguments = [program, "up", "--listen", f"127.0.0.1:{free_port()}", "--http", f"127.0.0.1:{self.port}"]
        # One person makes all calls here.
        arguments += ["--rate-limit", "1000000"]
        self.log = open(folder / "up.log", "w")
        self.process = subprocess.Popen(arguments, env=environment, cwd=folder, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + UP_LIMIT_S
        while True:
            try:
                if self.ask("GET", "/health")[0] == 200:
                    break
            except OSError:
                pass
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(f"the service does not start: {(folder / 'up.log').read_text()}")
            time.sleep(0.1)
        person = {"email": "ann@example.com", "password": "correct horse", "name": "Ann", "organization": "Acme"}
        self.token = self.good("POST", "/auth/register", person)["access_token"]
        me = self.good("GET", "/auth/me")
        self.organization = me["memberships"][0]["organization"]["id"]

    def ask(self, method, path, body=None, connection=None):
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}"} if hasattr(self, "token") else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        own.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
        answer = own.getresponse()
        text = answer.read()
        if connection is None:
            own.close()
        return answer.status, text

    def good(self, method, path, body=None):
        status, text = self.ask(method, path, body)
        if status >= 300:
            raise SystemExit(f"{method} {path}: {status} {text.decode()}")
        return json.loads(text) if text else None

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_until_busy(self):
        """Until it has kept nearly every core of this machine busy for a second."""
        deadline = time.monotonic() + UP_LIMIT_S
        while time.monotonic() < deadline:
            before, began = self.cpu_seconds(), time.monotonic()
            time.sleep(1)
            if (self.cpu_seconds() - before) / (time.monotonic() - began) > 0.8 * os.cpu_count():
                return
        raise SystemExit("the run does not keep the cores busy")

    def end(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


def statements(store, service, template, counts):
    """What fills the database with copies of one pipeline, one connection and one run."""
    series = {
        "sqlite": "with recursive s(n) as (select 1 union all select n + 1 from s where n < {most}) select {columns} from s, {of}",
        "postgres": "select {columns} from generate_series(cast(1 as bigint), cast({most} as bigint)) s(n), {of}",
    }[store]
    hexed = {
        "sqlite": lambda value, width: f"printf('%0{width}x', {value})",
        "postgres": lambda value, width: f"lpad(to_hex(cast({value} as bigint)), {width}, '0')",
    }[store]
    now = int(time.time() * 1000)
    step = max(1, YEAR_MS // counts.runs)
    at = f"({now - 60_000} - s.n * {step})"
    run_id = f"{hexed(f'{at} / 65536', 8)} || '-' || {hexed(f'{at} % 65536', 4)} || '-7000-8000-' || {hexed('s.n', 12)}"
    other = lambda n: f"'00000000-0000-7000-8000-' || {hexed(n, 12)}"
    pipeline = f"(s.n % {counts.pipelines} + 1)"
    state = "case when s.n % 20 = 7 then 'failed' when s.n % 50 = 9 then 'cancelled' else 'success' end"
    failure = "case when s.n % 20 = 7 then '{\"class\":\"source_transient\",\"block\":\"numbers\",\"message\":\"connection refused\"}' end"

    def insert(table, most, columns, of):
        names = ", ".join(columns)
        return f"insert into {table} ({names}) " + series.format(most=most, columns=", ".join(columns.values()), of=of)

    name = "'copy ' || s.n"
    yield insert("stored_pipeline", counts.pipelines, {
        "id": other("s.n"), "organization": "p.organization", "name": name, "key": name, "status": "p.status",
        "description": "p.description", "revision": "1", "layout": "p.layout", "created_at": "p.created_at",
        "updated_at": "p.updated_at"}, f"(select * from stored_pipeline where id = '{template['pipeline']}') p")
    yield insert("revision", counts.pipelines, {
        "pipeline": other("s.n"), "number": "1", "source": "v.source", "definition": "v.definition", "author": "v.author",
        "message": "v.message", "restored": "null", "created_at": "v.created_at"},
        f"(select * from revision where pipeline = '{template['pipeline']}' and number = 1) v")
    yield insert("schedule", counts.pipelines, {
        "id": other("s.n"), "organization": "c.organization", "pipeline": other("s.n"), "with_upstream": "0", "cron": "c.cron",
        "timezone": "c.timezone", "missed": "c.missed", "until": "null", "is_active": "1", "of_file": "1",
        "next_at": f"{now + 40 * 24 * 3_600_000}", "created_at": "c.created_at", "updated_at": "c.updated_at"},
        f"(select * from schedule where pipeline = '{template['pipeline']}') c")
    yield insert("connection", counts.connections, {
        "id": other("s.n"), "organization": "c.organization", "name": "'copy_' || s.n", "type": "c.type",
        "direction": "c.direction", "folder": "c.folder", "config": "c.config", "sealed": "c.sealed",
        "created_at": "c.created_at", "updated_at": "c.updated_at + s.n"},
        f"(select * from connection where id = '{template['connection']}') c")
    yield insert("pipeline", counts.pipelines, {"name": name, "created_at": "0"}, "(select 1 as one) o")
    of_run = f"(select * from run where id = '{template['run']}') r"
    yield insert("pipeline_version", counts.pipelines, {
        "pipeline": name, "hash": "v.hash", "definition": "v.definition", "created_at": "0"},
        f"(select v.* from pipeline_version v join run r on r.pipeline = v.pipeline and r.hash = v.hash "
        f"where r.id = '{template['run']}') v")
    yield insert("run", counts.runs, {
        "id": run_id, "pipeline": f"'copy ' || {pipeline}", "hash": "r.hash", "options": "r.options", "state": state,
        "failure": failure, "term": "0", "seq": "r.seq", "created_at": at, "started_at": at, "finished_at": f"{at} + 1000",
        "kept": "0", "organization": "r.organization", "stored_pipeline": other(pipeline), "revision": "1",
        "began_by": "case when s.n % 9 = 0 then 'manual' else 'schedule' end",
        "error_message": "case when s.n % 20 = 7 then 'connection refused' end", "rows_extracted": "10", "rows_loaded": "10",
        "cpu_ms": "5"}, of_run)
    yield ("update pipeline set newest_run = (select max(r.id) from run r where r.pipeline = pipeline.name), newest_state = "
           "(select r.state from run r where r.pipeline = pipeline.name order by r.id desc limit 1)")
    detailed = min(DETAILED, counts.runs)
    yield insert("segment", detailed, {
        "run": run_id, "id": "g.id", "place": "g.place", "spec": "g.spec", "state": "g.state", "failures": "0",
        "winner": "g.winner"}, f"(select * from segment where run = '{template['run']}') g")
    yield insert("event", detailed, {
        "run": run_id, "seq": "e.seq", "at": at, "kind": "e.kind", "detail": "e.detail"},
        f"(select * from event where run = '{template['run']}') e")
    yield {"sqlite": "analyze", "postgres": "analyze"}[store]


def fill(store, folder, database, all_statements):
    started = time.monotonic()
    if store == "sqlite":
        connection = sqlite3.connect(folder / "home" / "flowetl.db", timeout=600)
        for statement in all_statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
    else:
        for statement in all_statements:
            done = subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", database, "-c", statement], capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{statement}: {done.stderr}")
    print(f"{store}: filled in {time.monotonic() - started:.0f} s", flush=True)


def endpoints(service, counts):
    page = service.good("GET", "/runs?limit=500")
    newest = [run["id"] for run in page["runs"]]
    old = service.good("GET", f"/runs?limit=1&to={iso(time.time() - 300 * 24 * 3600)}")["runs"][0]["id"]
    copies = lambda most: f"00000000-0000-7000-8000-{random.randint(1, most):012x}"
    name = lambda: quote(f"copy {random.randint(1, counts.pipelines)}")
    week, day = iso(time.time() - 7 * 24 * 3600), iso(time.time() - 24 * 3600)
    return {
        "GET /runs": lambda: "/runs",
        "GET /runs, far back": lambda: f"/runs?before={old}",
        "GET /runs?status=failed": lambda: "/runs?status=failed",
        "GET /runs?status=pending": lambda: "/runs?status=pending",
        "GET /runs?pipeline=": lambda: f"/runs?pipeline={name()}",
        "GET /runs?pipeline=&status=failed": lambda: f"/runs?pipeline={name()}&status=failed",
        "GET /runs?trigger=manual": lambda: "/runs?trigger=manual",
        "GET /runs?from=&to=": lambda: f"/runs?from={week}&to={day}",
        "GET /runs?search=, found": lambda: "/runs?search=refused",
        "GET /runs?search=, not found": lambda: "/runs?search=nowhere",
        "GET /runs/{run}": lambda: f"/runs/{random.choice(newest)}",
        "GET /runs/{run}/logs": lambda: f"/runs/{random.choice(newest)}/logs",
        "GET /dashboard": lambda: "/dashboard",
        "GET /executors": lambda: "/executors",
        "GET /pipelines": lambda: "/pipelines",
        "GET /pipelines?search=": lambda: f"/pipelines?search={random.randint(1, 99)}",
        "GET /pipelines/{pipeline}": lambda: f"/pipelines/{copies(counts.pipelines)}",
        "GET /connections, all of them": lambda: "/connections",
        "GET /connections?limit=50": lambda: "/connections?limit=50",
        "GET /connections/{connection}": lambda: f"/connections/{copies(counts.connections)}",
        "GET /schedules": lambda: "/schedules",
        "GET /events": lambda: "/events?after=0",
        "GET /auth/me": lambda: "/auth/me",
    }


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def load(service, asked, calls, counts):
    """All endpoints in turn, from several clients at once; milliseconds of each call by endpoint.

    Calls are due at a steady rate, and each is counted from when it was due: one that waits for a free client is late.
    """
    times = {name: [] for name in asked}
    due = [name for name in asked for _ in range(calls)]
    random.shuffle(due)
    begin = time.perf_counter()
    todo = [(begin + at / counts.rate, name) for at, name in enumerate(due)]
    todo.reverse()
    lock = threading.Lock()

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        while True:
            with lock:
                if not todo:
                    break
                started, name = todo.pop()
            path = asked[name]()
            time.sleep(max(0, started - time.perf_counter()))
            status, text = service.ask("GET", path, connection=connection)
            taken = (time.perf_counter() - started) * 1000
            if status >= 300:
                print(f"GET {path}: {status} {text.decode()}", flush=True)
            with lock:
                times[name].append(taken)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(counts.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def show(store, title, times):
    print(f"\n{store}, {title}: milliseconds\n{'':38}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8}")
    everything = []
    for name, taken in times.items():
        everything += taken
        print(f"{name:38}" + "".join(f"{value:8.1f}" for value in shares(taken)))
    print(f"{'all':38}" + "".join(f"{value:8.1f}" for value in shares(everything)), flush=True)


def shares(taken):
    taken = sorted(taken)
    return [taken[min(len(taken) - 1, int(len(taken) * share))] for share in (0.5, 0.95, 0.99, 1)]


def measure(store, counts):
    with tempfile.TemporaryDirectory(prefix="flowetl-service.") as folder:
        folder = Path(folder)
        database = os.environ["FLOWETL_TEST_POSTGRES"] if store == "postgres" else None
        service = Service(folder, database)
        try:
            made = service.good("POST", "/pipelines", {"name": "small", "text": SMALL, "folder": str(folder)})
            run = service.good("POST", f"/pipelines/{made['id']}/run")
            while service.good("GET", f"/runs/{run['id']}")["status"] not in ("success", "failed", "cancelled"):
                time.sleep(0.1)
            wish = {"name": "one", "type": "postgres", "host": "127.0.0.1", "database": "shop", "username": "ann", "password": "x"}
            connection = service.good("POST", "/connections", wish)
            template = {"pipeline": made["id"], "run": run["id"], "connection": connection["id"]}
            fill(store, folder, database, statements(store, service, template, counts))
            asked = endpoints(service, counts)
            load(service, asked, 3, counts)
            show(store, "nothing else runs", load(service, asked, counts.calls, counts))
            busy = service.good("POST", "/pipelines", {"name": "busy", "text": BUSY, "folder": str(folder)})
            busy = service.good("POST", f"/pipelines/{busy['id']}/run")
            service.wait_until_busy()
            show(store, "beside a run that keeps every core busy", load(service, asked, counts.calls, counts))
            assert service.good("GET", f"/runs/{busy['id']}")["status"] == "running", "the run is to last"
            service.ask("POST", f"/runs/{busy['id']}/cancel")
        finally:
            service.end()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stores", default="sqlite,postgres")
    arguments.add_argument("--runs", type=int, default=1_000_000)
    arguments.add_argument("--pipelines", type=int, default=1_000)
    arguments.add_argument("--connections", type=int, default=1_000)
    arguments.add_argument("--calls", type=int, default=200, help="of each endpoint")
    arguments.add_argument("--clients", type=int, default=16, help="calls under way at most")
    arguments.add_argument("--rate", type=float, default=50, help="calls a second")
    counts = arguments.parse_args()
    for store in counts.stores.split(","):
        measure(store, counts)


if __name__ == "__main__":
    main()
