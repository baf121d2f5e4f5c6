"""FlowETL from Python: draw a pipeline or read its file, run it on a coordinator, follow it to its end.

    from flowetl import Client, Pipeline, extract, load, sql

    pipeline = Pipeline("large_orders", connections={"shop": "postgres://etl:${env:SHOP_PASSWORD}@127.0.0.1/shop"})
    pipeline.block("orders", extract("shop.public.orders"))
    pipeline.block("large", sql("select * from orders where total > 100"))
    pipeline.block("publish", load("large", "shop.public.large_orders"))
    with Client("http://127.0.0.1:50051") as client:
        print(client.submit(pipeline).wait().state)
"""

from flowetl.client import Client, Run
from flowetl.errors import FlowetlError, LostError, ProblemsError, RefusedError, UnreachableError
from flowetl.pipeline import Block, Pipeline, Source, extract, in_database, load, read, sql, test, text
from flowetl.views import (
    BlockView,
    Bottleneck,
    EdgeView,
    Executor,
    Failure,
    Problem,
    RunEvent,
    RunSummary,
    RunView,
    SchemaChange,
    SegmentView,
    Standing,
    TestResult,
)

__all__ = [
    "Block",
    "BlockView",
    "Bottleneck",
    "Client",
    "EdgeView",
    "Executor",
    "Failure",
    "FlowetlError",
    "LostError",
    "Pipeline",
    "Problem",
    "ProblemsError",
    "RefusedError",
    "Run",
    "RunEvent",
    "RunSummary",
    "RunView",
    "SchemaChange",
    "SegmentView",
    "Source",
    "Standing",
    "TestResult",
    "UnreachableError",
    "extract",
    "in_database",
    "load",
    "read",
    "sql",
    "test",
    "text",
]
