"""The workloads: for each one the contenders with their commands, what is set up before a run, and how its result is judged."""

import dataclasses
import json
import pathlib
import shutil
import sys
from typing import Callable

import tpch
from measure import Failed

TOOLS = pathlib.Path(__file__).parent / "tools"
LINEITEM = tpch.TABLES["lineitem"]
KEY = ["l_orderkey", "l_linenumber"]
MERGE_COLUMNS = LINEITEM + [("updated_at", "timestamp")]
MERGE_ROWS = 200_000

W4_COLUMNS = [("o_orderkey", "bigint"), ("o_orderdate", "date"), ("o_shippriority", "integer"), ("revenue", "numeric(38,4)")]
# TPC-H query 3 without its limit: every tool moves and joins, and thousands of rows arrive.
W4_SQL = """select o_orderkey, o_orderdate, o_shippriority, sum(l_extendedprice * (1 - l_discount)) as revenue
from customer join orders on c_custkey = o_custkey join lineitem on l_orderkey = o_orderkey
where c_mktsegment = 'BUILDING' and o_orderdate < date '1995-03-15' and l_shipdate > date '1995-03-15'
group by o_orderkey, o_orderdate, o_shippriority"""
W8_COLUMNS = [("id", "integer"), ("name", "varchar(20)"), ("price", "numeric(15,2)")]


@dataclasses.dataclass
class Contender:
    """One tool in one workload. `role`: flowetl, peer, or ceiling (what no tool is expected to beat)."""

    name: str
    role: str
    command: list
    before: Callable = lambda: None
    # Says what is wrong with the result, or None.
    judge: Callable = lambda: None
    environment: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Workload:
    title: str
    contenders: list
    # Called before each round; all contenders of a round see the same data.
    before_round: Callable = lambda: None


class Bench:
    """What the workloads share: the database, the folders, the binaries."""

    def __init__(self, database, data, work, binaries):
        self.database, self.data, self.work = database, data, work
        self.flowetl, self.plain, self.sling, self.psql = (binaries[name] for name in ("flowetl", "plain_datafusion", "sling", "psql"))
        self.url = database.url
        self.wanted = {}

    def out(self, name):
        return self.work / name

    def python(self, tool, *arguments):
        return [sys.executable, str(TOOLS / f"{tool}_peer.py"), *map(str, arguments)]

    def fresh(self, path):
        shutil.rmtree(path, ignore_errors=True)
        pathlib.Path(path).unlink(missing_ok=True)

    def flowetl_home(self, name):
        return {"FLOWETL_HOME": str(self.work / f"home-{name}")}

    def sling_environment(self, duckdb=False):
        """Sling writes Parquet itself, and reads it through a DuckDB command that it would otherwise download."""
        duck = {"DUCKDB_PATH": str(pathlib.Path(sys.executable).parent / "duckdb"), "DUCKDB_USE_INSTALLED_EXTENSIONS": "true"}
        return {
            "SLING_HOME_DIR": str(self.work / "sling"), "SLING_DISABLE_TELEMETRY": "TRUE", "PG": self.url + "?sslmode=disable",
            "SLING_LOGGING_COLOR": "false", **(duck if duckdb else {"SLING_DUCKDB_COMPUTE": "false"}),
        }

    def dlt_environment(self):
        return {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "DLT_DATA_DIR": str(self.work / "dlt-data")}

    def checksums(self, table, columns):
        """Of a table that does not change during the bench."""
        if table not in self.wanted:
            self.wanted[table] = tpch.of_table(self.database, table, columns)
        return self.wanted[table]

    def to_file(self, name, role, command, table, columns, pattern=None, environment=None):
        """A contender that writes the whole of `table` to Parquet; `{out}` in its command is its own path."""
        path = self.out(f"{table}-{name.replace(' ', '-')}.parquet")
        command = [str(part).replace("{out}", str(path)) for part in command]

        def judge():
            found = tpch.of_files(str(path / pattern if pattern else path), columns)
            return tpch.difference(found, self.checksums(table, columns), columns)

        return Contender(name, role, command, lambda: self.fresh(path), judge, environment or {})

    def to_table(self, name, role, command, wanted, columns, environment=None, exists=True):
        """A contender that fills a table from empty; `{table}` in its command is its own table's name."""
        table = "t_" + name.replace(" ", "_")
        command = [str(part).replace("{table}", table) for part in command]

        def before():
            self.database.create(table, columns)
            if not exists:
                self.database.execute(f"drop table {table}")
            if environment and "FLOWETL_HOME" in environment:
                self.fresh(environment["FLOWETL_HOME"])
            self.fresh(self.work / "dlt")
            self.database.execute("checkpoint")

        def judge():
            try:
                found = tpch.of_table(self.database, table, columns)
            except Exception as error:  # Any reason not to find the table is a wrong result.
                return str(error)
            self.database.execute(f"drop table {table}")
            return tpch.difference(found, wanted(), columns)

        return Contender(name, role, command, before, judge, environment or {})


def w1(bench):
    url, flowetl = bench.url, bench.flowetl

    def file(name, role, command, **options):
        return bench.to_file(name, role, command, "lineitem", LINEITEM, **options)

    return Workload("W1 PostgreSQL lineitem to Parquet zstd", [
        Contender("psql COPY", "ceiling", ["sh", "-c", f"{bench.psql} -qc 'copy lineitem to stdout (format binary)' {url} >/dev/null"]),
        file("flowetl", "flowetl", [flowetl, "copy", f"{url}#public.lineitem", "{out}"], environment=bench.flowetl_home("w1")),
        file("duckdb", "peer", bench.python("duckdb", "export", url, "lineitem", "{out}")),
        file("connectorx", "peer", bench.python("connectorx", "export", url, "lineitem", "{out}")),
        file("dlt", "peer", bench.python("dlt", "export", bench.work / "dlt", url, "lineitem", "{out}"),
             pattern="out/lineitem/*.parquet", environment=bench.dlt_environment()),
        # One file is what the others write; Sling loses rows into one file, so that it gets its folder.
        file("sling", "peer", sling(bench, "public.lineitem", "file://{out}/part.parquet",
             {"file_max_rows": 500000, "compression": "zstd"}), pattern="**/*.parquet", environment=bench.sling_environment()),
    ])


def sling(bench, stream, target, options, mode="full-refresh", extra=()):
    source = ["--src-conn", "PG"] if not stream.startswith("file://") else []
    sink = ["--tgt-conn", "PG"] if not target.startswith("file://") else []
    return [bench.sling, "run", *source, "--src-stream", stream, *sink, "--tgt-object", target,
            "--tgt-options", json.dumps(options), "--mode", mode, *extra]


def w2(bench):
    url, flowetl, source = bench.url, bench.flowetl, bench.data / "lineitem.parquet"
    ready = bench.work / "lineitem.copy"
    if not ready.exists():
        with open(ready, "wb") as file, bench.database.connection.cursor() as cursor:
            cursor.copy_expert("copy lineitem to stdout (format binary)", file)

    def table(name, role, command, **options):
        return bench.to_table(name, role, command, lambda: bench.checksums("lineitem", LINEITEM), LINEITEM, **options)

    home = bench.flowetl_home("w2")
    return Workload("W2 Parquet to PostgreSQL", [
        table("psql COPY", "ceiling", [bench.psql, "-qc", f"\\copy t_psql_COPY from '{ready}' (format binary)", url]),
        table("flowetl append", "flowetl", [flowetl, "copy", source, f"{url}#public.{{table}}", "--write", "append"], environment=home),
        table("flowetl replace", "flowetl", [flowetl, "copy", source, f"{url}#public.{{table}}", "--write", "replace"], environment=home),
        table("duckdb", "peer", bench.python("duckdb", "load", url, source, "{table}")),
        table("dlt", "peer", bench.python("dlt", "load", bench.work / "dlt", url, source, "{table}"),
              environment=bench.dlt_environment(), exists=False),
        table("sling", "peer", sling(bench, f"file://{source}", "public.{table}", {"use_bulk": True}),
              environment=bench.sling_environment(duckdb=True), exists=False),
    ])


def w3(bench):
    url = bench.url

    def table(name, role, command, **options):
        return bench.to_table(name, role, command, lambda: bench.checksums("lineitem", LINEITEM), LINEITEM, **options)

    home = bench.flowetl_home("w3")
    pipe = f"{bench.psql} -qc 'copy lineitem to stdout (format binary)' {url} | {bench.psql} -qc 'copy t_psql_COPY from stdin (format binary)' {url}"
    return Workload("W3 PostgreSQL to PostgreSQL", [
        table("psql COPY", "ceiling", ["sh", "-c", pipe]),
        table("flowetl append", "flowetl", [bench.flowetl, "copy", f"{url}#public.lineitem", f"{url}#public.{{table}}", "--write", "append"], environment=home),
        table("flowetl replace", "flowetl", [bench.flowetl, "copy", f"{url}#public.lineitem", f"{url}#public.{{table}}", "--write", "replace"], environment=home),
        table("duckdb", "peer", bench.python("duckdb", "copy", url, "lineitem", "{table}")),
        table("dlt", "peer", bench.python("dlt", "copy", bench.work / "dlt", url, "lineitem", "{table}"),
              environment=bench.dlt_environment(), exists=False),
        table("sling", "peer", sling(bench, "public.lineitem", "public.{table}", {"use_bulk": True}),
              environment=bench.sling_environment(), exists=False),
    ])


def w4(bench):
    url = bench.url
    sql = bench.work / "w4.sql"
    sql.write_text(W4_SQL)
    file = bench.work / "w4.yml"
    file.write_text(json.dumps({  # JSON is YAML.
        "connections": {"db": url},
        "blocks": {
            **{name: {"extract": f"db.public.{name}"} for name in ("customer", "orders", "lineitem")},
            "revenue": {"sql": W4_SQL},
            "publish": {"load": "revenue", "to": "db.public.t_flowetl"},
        },
    }))

    def wanted():
        if "w4" not in bench.wanted:
            bench.wanted["w4"] = tpch.of_table(bench.database, f"({W4_SQL}) as q", W4_COLUMNS)
        return bench.wanted["w4"]

    def table(name, role, command, **options):
        return bench.to_table(name, role, command, wanted, W4_COLUMNS, **options)

    return Workload("W4 PostgreSQL, join and aggregate, PostgreSQL", [
        table("psql insert select", "ceiling", [bench.psql, "-qc", f"insert into t_psql_insert_select {W4_SQL}", url]),
        table("flowetl", "flowetl", [bench.flowetl, "run", file], environment=bench.flowetl_home("w4"), exists=False),
        table("duckdb", "peer", bench.python("duckdb", "query", url, sql, "{table}")),
        table("sling", "peer", sling(bench, W4_SQL, "public.{table}", {"use_bulk": True}),
              environment=bench.sling_environment(), exists=False),
    ])


def w6(bench):
    source = bench.data / "lineitem.csv"

    def file(name, role, command, **options):
        return bench.to_file(name, role, command, "lineitem", LINEITEM, **options)

    return Workload("W6 CSV to Parquet zstd", [
        file("plain datafusion", "ceiling", [bench.plain, source, "{out}"]),
        file("flowetl", "flowetl", [bench.flowetl, "copy", source, "{out}"], environment=bench.flowetl_home("w6")),
        file("duckdb", "peer", bench.python("duckdb", "convert", source, "{out}")),
    ])


def w7(bench):
    database, url = bench.database, bench.url
    names = {"psql": "m_psql", "flowetl": "m_flowetl", "duckdb": "m_duckdb", "dlt": "m_dlt", "sling": "m_sling"}
    rows = "select *, timestamp '2026-01-01' + (l_orderkey || ' ms')::interval as updated_at from lineitem"
    rounds = {"done": 0}

    def prepare():
        database.execute(f"drop table if exists m_source; create table m_source as {rows}")
        database.execute(f"create index on m_source (updated_at); create unique index on m_source ({', '.join(KEY)})")
        for table in (names["psql"], names["duckdb"], names["sling"]):
            database.execute(f"drop table if exists {table}; create table {table} as table m_source")
            database.execute(f"alter table {table} add primary key ({', '.join(KEY)})")
        database.execute(f"drop table if exists {names['flowetl']}, {names['dlt']}")

    def before_round():
        if rounds["done"] == 0:
            prepare()
        else:
            # Half of the rows are changed ones, half are new; their times are later than any before, as an application's are.
            later = f"timestamp '2027-01-01' + interval '{rounds['done']} days' + (l_orderkey || ' ms')::interval"
            half = MERGE_ROWS // 2
            database.execute(f"update m_source set l_quantity = l_quantity + 1, updated_at = {later} where ctid = any(array("
                             f"select ctid from m_source order by md5(l_orderkey || '-' || l_linenumber || '-{rounds['done']}') limit {half}))")
            named = ", ".join(name for name, _ in LINEITEM[1:])
            database.execute(f"insert into m_source select l_orderkey + {rounds['done']} * 100000000::bigint, {named}, {later} "
                             f"from lineitem order by l_orderkey limit {half}")
        database.execute("vacuum analyze m_source")
        database.execute("checkpoint")
        rounds["done"] += 1

    def contender(tool, role, command, environment=None):
        def judge():
            if "w7" not in bench.wanted:
                bench.wanted["w7"] = tpch.of_table(database, "m_source", MERGE_COLUMNS)
            return tpch.difference(tpch.of_table(database, names[tool], MERGE_COLUMNS), bench.wanted["w7"], MERGE_COLUMNS)

        return Contender(tool, role, command, judge=judge, environment=environment or {})

    upsert = merge_sql()
    sql = bench.work / "w7-duckdb.sql"
    sql.write_text(upsert.format(target=names["duckdb"], rows=names["duckdb"] + "_new"))
    psql = (f"begin; create temp table changed on commit drop as select * from m_source where updated_at > (select max(updated_at) from {names['psql']}); "
            f"{upsert.format(target=names['psql'], rows='changed')}; commit")
    return Workload(f"W7 merge {MERGE_ROWS} changed and new rows by cursor and key (the first round, which loads all, is not counted)", [
        contender("psql", "ceiling", [bench.psql, "-qc", psql, url]),
        contender("flowetl", "flowetl", [bench.flowetl, "copy", f"{url}#public.m_source", f"{url}#public.{names['flowetl']}",
                  "--cursor", "updated_at", "--key", ",".join(KEY), "--write", "merge"], bench.flowetl_home("w7")),
        contender("duckdb", "peer", bench.python("duckdb", "merge", url, "m_source", names["duckdb"], sql)),
        contender("dlt", "peer", bench.python("dlt", "merge", bench.work / "dlt-w7", url, "m_source", names["dlt"]), bench.dlt_environment()),
        contender("sling", "peer", sling(bench, "public.m_source", f"public.{names['sling']}", {"use_bulk": True}, "incremental",
                  ["--primary-key", ",".join(KEY), "--update-key", "updated_at"]), bench.sling_environment()),
    ], before_round)


def merge_sql():
    columns = [name for name, _ in MERGE_COLUMNS]
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in KEY)
    named = ", ".join(columns)
    return f"insert into {{target}} ({named}) select {named} from {{rows}} on conflict ({', '.join(KEY)}) do update set {changes}"


def w8(bench):
    url = bench.url
    bench.database.create("three", W8_COLUMNS)
    bench.database.execute("insert into three values (1, 'one', 1.50), (2, 'two', 2.50), (3, null, null)")
    chain = bench.work / "w8-chain.yml"
    blocks = {"b0": {"extract": "db.public.three"}}
    blocks |= {f"b{n}": {"sql": f"select * from b{n - 1} where id > 0"} for n in range(1, 41)}
    path = bench.out("three-flowetl-40-blocks.parquet")
    blocks["end"] = {"load": "b40", "to": str(path)}
    chain.write_text(json.dumps({"connections": {"db": url}, "blocks": blocks}))

    def file(name, role, command, **options):
        return bench.to_file(name, role, command, "three", W8_COLUMNS, **options)

    return Workload("W8 three rows, the whole process", [
        Contender("psql COPY", "ceiling", [bench.psql, "-qc", "copy three to stdout", url]),
        file("flowetl", "flowetl", [bench.flowetl, "copy", f"{url}#public.three", "{out}"], environment=bench.flowetl_home("w8")),
        file("flowetl 40 blocks", "flowetl", [bench.flowetl, "run", chain], environment=bench.flowetl_home("w8")),
        file("duckdb", "peer", bench.python("duckdb", "export", url, "three", "{out}")),
        file("connectorx", "peer", bench.python("connectorx", "export", url, "three", "{out}")),
        file("dlt", "peer", bench.python("dlt", "export", bench.work / "dlt", url, "three", "{out}"),
             pattern="out/three/*.parquet", environment=bench.dlt_environment()),
        file("sling", "peer", sling(bench, "public.three", "file://{out}/part.parquet", {"file_max_rows": 500000, "compression": "zstd"}),
             pattern="**/*.parquet", environment=bench.sling_environment()),
    ])


ALL = {"W1": w1, "W2": w2, "W3": w3, "W4": w4, "W6": w6, "W7": w7, "W8": w8}
