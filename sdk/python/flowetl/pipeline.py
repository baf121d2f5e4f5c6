"""Pipelines: drawn in code, or as they are written."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Optional, Union

Block = dict[str, Any]
"""One block: its kind's keyword, and its settings, key by key as in the pipeline file."""

CONNECTIONS_FILE = "connections.yml"


def extract(place: Union[str, Mapping[str, Any]], **settings: Any) -> Block:
    """Reads a table, a query (`{"connection": ..., "query": ...}`) or files. Settings: `sync`, `where`, `columns`, ..."""
    return {"extract": place, **settings}


def sql(query: str, **settings: Any) -> Block:
    """A query over other blocks, which are tables by their names."""
    return {"sql": query, **settings}


def in_database(connection: str, query: str, to: str, **settings: Any) -> Block:
    """A query that the database of `connection` runs itself, into the table `to` of its own."""
    return {"sql": query, "in": connection, "to": to, **settings}


def test(block: str, **settings: Any) -> Block:
    """Data tests of a block, which gate every load behind it: `unique=["id"]`, `not_null=[...]`, `rows="> 0"`, ..."""
    return {"test": block, **settings}


def load(block: str, to: Union[str, Mapping[str, Any]], **settings: Any) -> Block:
    """Writes a block's rows to a table or to files. Settings: `write`, `key`, ..."""
    return {"load": block, "to": to, **settings}


@dataclass(frozen=True)
class Source:
    """A pipeline as it is written. Its texts may hold passwords, and are not shown."""

    file: str
    """How problems name it; its stem is the pipeline's name where the text says none."""
    text: str = field(repr=False)
    """YAML or JSON."""
    folder: str = field(default_factory=lambda: str(Path.cwd()))
    """What relative paths in the texts start from, on the executors; absolute."""
    connections_text: Optional[str] = field(default=None, repr=False)
    """The text of `connections.yml` in that folder, where there is one."""


def text(file: str, text: str) -> Source:
    """A pipeline from its text, YAML or JSON."""
    return Source(file, text)


def read(file: Union[str, Path]) -> Source:
    """A pipeline file, with the `connections.yml` beside it where there is one."""
    path = Path(file)
    connections = path.absolute().parent / CONNECTIONS_FILE
    connections_text = connections.read_text("utf-8") if connections.exists() else None
    return Source(str(file), path.read_text("utf-8"), str(path.absolute().parent), connections_text)


class Pipeline:
    """A pipeline drawn in code: what its file would say, key by key. Everything is checked by the coordinator.

    `connections` are systems by name, as URLs or maps; write secrets as `${env:NAME}` or `${file:/path}`: they are read on
    the executors. `settings` are the file's other keys: `retries`, `memory`, `schedule`.
    """

    def __init__(self, name: str, connections: Optional[Mapping[str, Any]] = None, **settings: Any) -> None:
        self._file: dict[str, Any] = {"name": name, **settings}
        if connections:
            self._file["connections"] = dict(connections)
        self._blocks: dict[str, Block] = {}
        self.name = name

    def block(self, name: str, block: Block) -> "Pipeline":
        """Adds a block, under the name by which others read it."""
        self._blocks[name] = block
        return self

    def to_json(self) -> str:
        """The pipeline file, as JSON."""
        return json.dumps({**self._file, "blocks": self._blocks})

    def source(self) -> Source:
        return Source(self.name, self.to_json())
