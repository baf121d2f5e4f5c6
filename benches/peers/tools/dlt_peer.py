"""dlt with its fastest backends: `dlt_peer.py ACTION HOME URL ...`; HOME keeps dlt's own state between runs."""

import sys

import dlt
import pyarrow.parquet as parquet
from dlt.sources.sql_database import sql_table


def pipeline(home, name, destination, dataset):
    return dlt.pipeline(name, pipelines_dir=home, destination=destination, dataset_name=dataset)


def database(url):
    # dlt wants a password, also where the server asks for none.
    return dlt.destinations.postgres(url.replace("postgres@", "postgres:unused@"), create_indexes=False)


def sqlalchemy_url(url):
    return url.replace("postgres://", "postgresql+psycopg2://", 1)


def table(url, name, **options):
    # ConnectorX reads for dlt; it wants the plain scheme, which dlt derives from this one.
    return sql_table(sqlalchemy_url(url), table=name, backend="connectorx", reflection_level="full_with_precision", **options)


def export(home, url, source, folder):
    target = dlt.destinations.filesystem(f"file://{folder}")
    pipeline(home, "export", target, "out").run(table(url, source), loader_file_format="parquet", write_disposition="replace")


def load(home, url, path, target):
    def batches():
        for batch in parquet.ParquetFile(path).iter_batches(65536):
            yield batch

    rows = dlt.resource(batches, name=target)
    pipeline(home, "load", database(url), "public").run(rows, loader_file_format="parquet", write_disposition="append")


def copy(home, url, source, target):
    rows = table(url, source).with_name(target)
    rows.apply_hints(table_name=target)
    pipeline(home, "copy", database(url), "public").run(rows, loader_file_format="parquet", write_disposition="append")


def merge(home, url, source, target):
    rows = table(url, source, incremental=dlt.sources.incremental("updated_at"), primary_key=["l_orderkey", "l_linenumber"])
    rows.apply_hints(table_name=target, write_disposition={"disposition": "merge", "strategy": "upsert"})
    pipeline(home, "merge", database(url), "public").run(rows, loader_file_format="parquet")


if __name__ == "__main__":
    {action.__name__: action for action in (export, load, copy, merge)}[sys.argv[1]](*sys.argv[2:])
