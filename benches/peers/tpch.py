"""TPC-H data: makes the files, loads them into PostgreSQL, and knows checksums of a table wherever it lies."""

import decimal
import glob
import subprocess

import duckdb
import psycopg2

TABLES = {
    "customer": [
        ("c_custkey", "bigint"), ("c_name", "varchar(25)"), ("c_address", "varchar(40)"), ("c_nationkey", "bigint"),
        ("c_phone", "char(15)"), ("c_acctbal", "numeric(15,2)"), ("c_mktsegment", "char(10)"), ("c_comment", "varchar(117)"),
    ],
    "orders": [
        ("o_orderkey", "bigint"), ("o_custkey", "bigint"), ("o_orderstatus", "char(1)"), ("o_totalprice", "numeric(15,2)"),
        ("o_orderdate", "date"), ("o_orderpriority", "char(15)"), ("o_clerk", "char(15)"), ("o_shippriority", "integer"),
        ("o_comment", "varchar(79)"),
    ],
    "lineitem": [
        ("l_orderkey", "bigint"), ("l_partkey", "bigint"), ("l_suppkey", "bigint"), ("l_linenumber", "integer"),
        ("l_quantity", "numeric(15,2)"), ("l_extendedprice", "numeric(15,2)"), ("l_discount", "numeric(15,2)"),
        ("l_tax", "numeric(15,2)"), ("l_returnflag", "char(1)"), ("l_linestatus", "char(1)"), ("l_shipdate", "date"),
        ("l_commitdate", "date"), ("l_receiptdate", "date"), ("l_shipinstruct", "char(25)"), ("l_shipmode", "char(10)"),
        ("l_comment", "varchar(44)"),
    ],
}


def make_files(generator, folder, scale):
    """CSV of each table, and Parquet of lineitem with the types that the database has; made once for a folder."""
    if not all((folder / f"{table}.csv").exists() for table in TABLES):
        command = [generator, "csv", "-s", str(scale), "-T", ",".join(TABLES), "-o", str(folder), "--overwrite", "--quiet"]
        subprocess.run(command, check=True)
    if not (folder / "lineitem.parquet").exists():
        types = {name: "varchar" if "char" in kind else kind for name, kind in TABLES["lineitem"]}
        half = folder / "lineitem.parquet.half"
        with duckdb.connect() as session:
            session.execute(f"copy (from read_csv('{folder}/lineitem.csv', columns = {types})) to '{half}' (format parquet, compression zstd)")
        half.rename(folder / "lineitem.parquet")


class Database:
    """The server of the run, for everything outside the measured spans."""

    def __init__(self, url):
        self.url = url
        self.connection = psycopg2.connect(url)
        self.connection.autocommit = True

    def execute(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None

    def load(self, folder):
        for table, columns in TABLES.items():
            self.create(table, columns)
            with open(folder / f"{table}.csv") as file, self.connection.cursor() as cursor:
                cursor.copy_expert(f"copy {table} from stdin (format csv, header)", file)
            self.execute(f"vacuum (freeze, analyze) {table}")
        self.execute("checkpoint")

    def create(self, table, columns):
        self.execute(f"drop table if exists {table}")
        self.execute(f"create table {table} ({', '.join(f'{name} {kind}' for name, kind in columns)})")


def checksums(rows_of, columns, dialect):
    """One query whose single row holds the number of rows, then for each column how many values it has and a sum that
    depends on each of them, then a sum over whole rows, so that values that changed places are found."""
    parts, whole = ["count(*)"], []
    for name, kind in columns:
        if kind.startswith("numeric"):
            value = f"cast({name} as decimal(15,2))"
        elif kind == "date":
            value = f"(cast({name} as date) - date '1970-01-01')"
        elif kind in ("bigint", "integer"):
            value = f"cast({name} as decimal(18,0))"
        elif kind == "timestamp":
            value = f"cast(round(extract(epoch from {name}) * 1000000) as decimal(18,0))"
        else:
            value = hashed(f"rtrim({name})", dialect)
        parts += [f"count({name})", f"sum({value})"]
        whole.append(f"coalesce(cast({value} as varchar), '-')")
    parts.append(f"sum({hashed(' || '.join(whole), dialect)})")
    return f"select {', '.join(parts)} from {rows_of}"


def hashed(text, dialect):
    digits = f"substr(md5({text}), 1, 8)"
    return f"('x' || {digits})::bit(32)::bigint" if dialect == "postgres" else f"('0x' || {digits})::bigint"


def plain(row):
    """Numbers that are equal look equal: 1.50 and 1.5, 3 and 3.0."""
    return [decimal.Decimal(str(value if value is not None else 0)).normalize() for value in row]


def of_table(database, table, columns):
    return plain(database.execute(checksums(table, columns, "postgres"))[0])


def of_files(pattern, columns):
    if not glob.glob(pattern, recursive=True):
        return None
    with duckdb.connect() as session:
        return plain(session.execute(checksums(f"read_parquet('{pattern}')", columns, "duckdb")).fetchone())


def difference(found, wanted, columns):
    """What a person must know when a result is wrong; None when it is right."""
    if found is None:
        return "no output"
    if found == wanted:
        return None
    if found[0] != wanted[0]:
        return f"{found[0]:f} rows instead of {wanted[0]:f}"
    names = ["rows"] + [f"{part} of {name}" for name, _ in columns for part in ("number", "sum")] + ["whole rows"]
    return "differs in " + ", ".join(name for name, a, b in zip(names, found, wanted) if a != b)
