"""DuckDB with its postgres extension: `duckdb_peer.py ACTION URL ...`."""

import pathlib
import sys

import duckdb


def session(url):
    import duckdb_extension_postgres_scanner as package

    # From the package, since DuckDB's own download needs the internet.
    extension = next(pathlib.Path(package.__file__).parent.rglob("postgres_scanner.duckdb_extension"))
    opened = duckdb.connect()
    opened.execute(f"load '{extension}'")
    opened.execute(f"attach '{url}' as pg (type postgres)")
    return opened


def export(url, table, path):
    session(url).execute(f"copy (select * from pg.public.{table}) to '{path}' (format parquet, compression zstd)")


def load(url, path, table):
    session(url).execute(f"insert into pg.public.{table} select * from '{path}'")


def copy(url, source, target):
    session(url).execute(f"insert into pg.public.{target} select * from pg.public.{source}")


def query(url, sql_path, target):
    opened = session(url)
    opened.execute("use pg.public")
    opened.execute(f"insert into {target} {pathlib.Path(sql_path).read_text()}")


def convert(path, target):
    duckdb.connect().execute(f"copy (select * from read_csv('{path}')) to '{target}' (format parquet, compression zstd)")


def merge(url, source, target, merge_sql):
    opened = session(url)
    since = opened.execute(f"select * from postgres_query('pg', 'select max(updated_at) from {target}')").fetchone()[0]
    opened.execute("begin")
    opened.execute(f"call postgres_execute('pg', 'create unlogged table {target}_new (like {target})')")
    opened.execute(f"insert into pg.public.{target}_new select * from pg.public.{source} where updated_at > '{since}'")
    opened.execute(f"call postgres_execute('pg', '{pathlib.Path(merge_sql).read_text()}')")
    opened.execute(f"call postgres_execute('pg', 'drop table {target}_new')")
    opened.execute("commit")


if __name__ == "__main__":
    {action.__name__: action for action in (export, load, copy, query, convert, merge)}[sys.argv[1]](*sys.argv[2:])
