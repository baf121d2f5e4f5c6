"""ConnectorX, as a stream of batches into one Parquet file: `connectorx_peer.py export URL TABLE PATH`."""

import sys

import connectorx
import pyarrow.parquet as parquet


def export(url, table, path):
    reader = connectorx.read_sql(url, f"select * from {table}", return_type="arrow_stream", batch_size=65536)
    with parquet.ParquetWriter(path, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)


if __name__ == "__main__":
    {"export": export}[sys.argv[1]](*sys.argv[2:])
