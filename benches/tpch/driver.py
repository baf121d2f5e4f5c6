"""TPC-H on a cluster: starts it, loads the tables, runs each query as a pipeline, and compares its answer with DuckDB's."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse

import duckdb

TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]
FLOWETL = os.environ["FLOWETL_BIN"]
QUERIES = pathlib.Path(__file__).parents[1] / "tests/it/cluster/tpch.sql"
# The slowest takes seconds; one that hangs must say so.
QUERY_SECONDS_MAX = 300


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--generator", required=True)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--executors", default="1,2,3")
    parser.add_argument("--sources", default="s3,postgres")
    parser.add_argument("--queries", default=",".join(str(n) for n in range(1, 23)))
    parser.add_argument("--memory", help="the ceiling of each executor, as in a pipeline file")
    return parser.parse_args()


def flowetl(*command, folder):
    subprocess.run([FLOWETL, *command], cwd=folder, check=True, capture_output=True, timeout=QUERY_SECONDS_MAX)


class Cluster:
    """One coordinator and some executors as processes."""

    def __init__(self, folder, executors):
        self.folder, self.executors = folder, executors
        self.processes = []
        self.url = ""

    def __enter__(self):
        storage = os.environ["FLOWETL_TEST_S3"].replace("?", "/boundaries?", 1)
        common = {"FLOWETL_HTTP": "127.0.0.1:0", "FLOWETL_ETCD": os.environ["FLOWETL_TEST_ETCD"], "FLOWETL_ETCD_PREFIX": f"/tpch-{self.executors}",
                  "FLOWETL_DATABASE_URL": os.environ["FLOWETL_TEST_POSTGRES"], "FLOWETL_STORAGE_URL": storage}
        for name in ["coordinator"] + [f"executor-{n + 1}" for n in range(self.executors)]:
            role = name.split("-")[0]
            home = self.folder / f"{self.executors}-{name}"
            home.mkdir()
            with open(home / "log", "w") as log:
                process = subprocess.Popen([FLOWETL, role, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=log,
                                           text=True, env={**os.environ, **common, "FLOWETL_HOME": str(home)})
            self.processes.append(process)
            said = process.stdout.readline()
            if not said:
                raise SystemExit((home / "log").read_text())
            if role == "coordinator":
                self.url = said.split(" at ")[1].strip()
        self.wait()
        return self

    def wait(self):
        """Until the coordinator has seen every executor."""
        deadline = time.monotonic() + 30
        listed = []
        while len(listed) < self.executors:
            if time.monotonic() > deadline:
                raise SystemExit(f"{len(listed)} of {self.executors} executors are there")
            done = subprocess.run([FLOWETL, "executor", "list", "--server", self.url, "--json"], capture_output=True, text=True)
            listed = json.loads(done.stdout)["executors"] if done.returncode == 0 else []
            time.sleep(0.1)

    def cpu_and_peak(self):
        """CPU seconds of all executors until now, and the greatest memory that one of them has held, in MB."""
        ticks, peak = 0, 0
        for process in self.processes[1:]:
            fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peak = max(peak, int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1000)
        return ticks / os.sysconf("SC_CLK_TCK"), peak

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(timeout=60)


def connections(source, folder):
    text = {"made": f"file://{folder}/made"}
    if source == "postgres":
        text["db"] = os.environ["FLOWETL_TEST_POSTGRES"]
    else:
        text["lake"] = os.environ["FLOWETL_TEST_S3"].replace("?", "/lake?", 1)
    return text


def load(source, folder):
    """Puts the tables where they are read from, by a pipeline of our own."""
    blocks = {}
    for table in TABLES:
        blocks[table] = {"extract": f"files/{table}.parquet"}
        target = {"to": f"db.public.{table}"} if source == "postgres" else {"to": f"lake/{table}/", "file_size": "64MB"}
        blocks[f"{table}_up"] = {"load": table, **target}
    text = {"connections": {**connections(source, folder), "files": f"file://{folder}/tables"}, "blocks": blocks}
    (folder / "up.json").write_text(json.dumps(text))
    flowetl("run", "up.json", folder=folder)


def pipeline(source, number, query, options, folder):
    blocks = {}
    for table in TABLES:
        if re.search(rf"\b{table}\b", query):
            blocks[table] = {"extract": f"db.public.{table}" if source == "postgres" else f"lake/{table}/*.parquet"}
    blocks["answer"] = {"sql": query}
    blocks["load"] = {"load": "answer", "to": f"made/q{number}.parquet"}
    text = {"connections": connections(source, folder), "blocks": blocks}
    if options.memory:
        text["memory"] = options.memory
    name = f"{source}-q{number}.json"
    (folder / name).write_text(json.dumps(text))
    return name


def answers(folder):
    """Of each query, DuckDB's rows."""
    with duckdb.connect() as session:
        for table in TABLES:
            session.execute(f"create view {table} as from '{folder}/tables/{table}.parquet'")
        return [session.execute(query).fetchall() for query in queries()]


def queries():
    return [query for query in QUERIES.read_text().split(";\n") if query.strip()]


def same(made, expected):
    """Equal but for the last digits of what was divided: engines differ in the scale of a quotient."""
    def plain(value):
        if isinstance(value, str):
            return value.rstrip()
        if value is None or not hasattr(value, "__float__"):
            return value
        return float(value)

    def close(a, b):
        if isinstance(a, float) and isinstance(b, float):
            return abs(a - b) <= 1e-6 * max(1.0, abs(a), abs(b))
        return a == b

    def rows(table):
        return sorted(([plain(value) for value in row] for row in table), key=repr)

    made, expected = rows(made), rows(expected)
    return len(made) == len(expected) and all(
        len(a) == len(b) and all(map(close, a, b)) for a, b in zip(made, expected))


def measure(cluster, source, wanted, expected, options, folder):
    """{query: seconds}"""
    walls = {}
    for number in wanted:
        name = pipeline(source, number, queries()[number - 1], options, folder)
        begin = time.monotonic()
        done = subprocess.run([FLOWETL, "run", "--server", cluster.url, "--json", name], cwd=folder, capture_output=True,
                              text=True, timeout=QUERY_SECONDS_MAX)
        walls[number] = time.monotonic() - begin
        if done.returncode != 0:
            raise SystemExit(f"query {number} over {source} on {cluster.executors}: {done.stdout}{done.stderr}")
        made = duckdb.sql(f"from '{folder}/made/q{number}.parquet'").fetchall()
        if not same(made, expected[number - 1]):
            raise SystemExit(f"query {number} over {source} on {cluster.executors} differs: {made[:3]} not {expected[number - 1][:3]}")
    return walls


def plain(wanted):
    """{query: seconds} of one plain DataFusion process."""
    url = urllib.parse.urlsplit(os.environ["FLOWETL_TEST_S3"])
    settings = dict(urllib.parse.parse_qsl(url.query))
    signing = {"AWS_ENDPOINT": settings["endpoint"], "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
               "AWS_ACCESS_KEY_ID": settings["access_key"], "AWS_SECRET_ACCESS_KEY": settings["secret_key"]}
    binary = pathlib.Path(FLOWETL).with_name("plain_queries")
    done = subprocess.run([binary, f"s3://{url.netloc}{url.path.rstrip('/')}/lake", QUERIES], env={**os.environ, **signing}, text=True,
                          capture_output=True, timeout=22 * QUERY_SECONDS_MAX)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    walls = {int(line.split()[0]): float(line.split()[1]) for line in done.stdout.splitlines()}
    return {number: walls[number] for number in wanted}


def report(columns, wanted):
    print("| query | " + " | ".join(columns) + " |\n|---" * 1 + "|---" * len(columns) + "|")
    for number in wanted:
        print(f"| {number} | " + " | ".join(f"{walls[number]:.2f}" for walls, _ in columns.values()) + " |")
    total = {name: sum(walls.values()) for name, (walls, _) in columns.items()}
    print("| all | " + " | ".join(f"{total[name]:.2f}" for name in columns) + " |")
    ceiling = total.get("plain DataFusion, s3")
    if ceiling:
        print("| x plain | " + " | ".join(f"{total[name] / ceiling:.2f}" for name in columns) + " |")
    print("| CPU s, peak MB | " + " | ".join(f"{used[0]:.1f}, {used[1]}" if used else "" for _, used in columns.values()) + " |", flush=True)


def main():
    options = arguments()
    wanted = [int(number) for number in options.queries.split(",")]
    with tempfile.TemporaryDirectory(prefix="flowetl-tpch.") as folder:
        folder = pathlib.Path(folder)
        subprocess.run([options.generator, "parquet", "-s", options.scale, "-o", folder / "tables", "--quiet"], check=True)
        expected = answers(folder)
        columns = {}
        for source in options.sources.split(","):
            load(source, folder)
            if source == "s3":
                columns["plain DataFusion, s3"] = (plain(wanted), None)
            for count in map(int, options.executors.split(",")):
                with Cluster(folder, count) as cluster:
                    walls = measure(cluster, source, wanted, expected, options, folder)
                    columns[f"{source}, {count}"] = (walls, cluster.cpu_and_peak())
                print(f"{source} on {count}: {sum(walls.values()):.2f} s, all answers equal", file=sys.stderr)
        report(columns, wanted)


if __name__ == "__main__":
    main()
