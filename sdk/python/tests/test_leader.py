"""The package against two real coordinators, of which one leads and is killed. Wants the servers of `deploy/servers/up.sh`."""

import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from flowetl import Client, LostError, Pipeline, UnreachableError, extract, load


class Led(unittest.TestCase):
    """Two coordinators and an executor."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="flowetl-python-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # The database looks into it too.
        self.folder.chmod(0o755)
        self.database = os.environ["FLOWETL_TEST_POSTGRES"]
        self.first, first_url = self.start("coordinator", "one")
        _, second_url = self.start("coordinator", "two")
        self.start("executor", "three")
        self.urls = [first_url, second_url]

    def start(self, role: str, home: str) -> tuple[subprocess.Popen, str]:
        """A process of the cluster, and where it is."""
        process = subprocess.Popen(
            [os.environ["FLOWETL_BIN"], role, "--listen", "127.0.0.1:0"],
            env={
                **os.environ,
                "FLOWETL_HOME": str(self.folder / home),
                "FLOWETL_DATABASE_URL": self.database,
                "FLOWETL_ETCD": os.environ["FLOWETL_TEST_ETCD"],
                "FLOWETL_HTTP": "127.0.0.1:0",
                "FLOWETL_ETCD_PREFIX": f"/test{self.folder}",
                "FLOWETL_STORAGE_URL": f"file://{self.folder}/storage",
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.stop, process)
        return process, process.stdout.readline().split()[-1]

    def stop(self, process: subprocess.Popen) -> None:
        process.kill()
        process.wait()
        process.stdout.close()

    def held(self) -> Pipeline:
        """A copy of a row that is there as soon as the file `go` is."""
        seen = f"(pg_stat_file('{self.folder}/go', true)).size"
        query = (
            f"with recursive look(n) as (select 1 union all select n + 1 from look, pg_sleep(0.05) where {seen} is null) "
            "select max(n)::bigint as looks from look"
        )
        pipeline = Pipeline("held", connections={"db": self.database})
        pipeline.block("rows", extract({"connection": "db", "query": query}))
        return pipeline.block("out", load("rows", f"{self.folder}/out.csv"))

    def test_follows_the_leader(self) -> None:
        # One that stands by names the one that leads.
        with Client(self.urls[1]) as client:
            self.assertEqual(client.runs(), [])
        with Client(",".join(reversed(self.urls))) as client, Client(self.urls[0]) as forsaken:
            while not client.executors():
                time.sleep(0.05)
            run = client.submit(self.held())
            views = run.follow()
            while next(views).blocks["rows"].state != "running":
                pass
            self.first.send_signal(signal.SIGKILL)
            # What is asked while nobody leads is answered by whoever leads next.
            self.assertEqual([summary.run_id for summary in client.runs()], [run.id])
            with self.assertRaises(LostError):
                forsaken.runs()
            (self.folder / "go").touch()
            last = None
            for last in views:
                pass
            self.assertEqual((last.state, last.blocks["out"].rows_out, last.blocks["out"].attempts), ("success", 1, 1))
            self.assertEqual(client.run(run.id).wait(), last)
        with self.assertRaises(UnreachableError):
            Client(self.urls[0])


if __name__ == "__main__":
    unittest.main()
