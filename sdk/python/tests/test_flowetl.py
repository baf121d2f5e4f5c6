"""The package against a real `flowetl up`, which `FLOWETL_BIN` names."""

import hashlib
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from flowetl import Client, Pipeline, ProblemsError, RefusedError, UnreachableError, extract, load, read, sql, test

ROOT = Path(__file__).resolve().parents[3]
PIPELINE = "blocks:\n  orders: {extract: orders.csv}\n  out: {load: orders, to: all.csv}\n"


class Serving(unittest.TestCase):
    """A coordinator that is served in a folder of its own."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="flowetl-python-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "orders.csv").write_text("id,total\n1,50\n2,150\n3,250\n")
        before = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)
        self.serving = subprocess.Popen(
            [os.environ["FLOWETL_BIN"], "up", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", *self.arguments()],
            env={**os.environ, "FLOWETL_HOME": str(self.folder / "home")},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self.stop)
        self.url = self.serving.stdout.readline().split()[-1]

    def arguments(self) -> list[str]:
        """What is served with besides."""
        return []

    def stop(self) -> None:
        self.serving.terminate()
        self.assertEqual(self.serving.wait(timeout=60), 0)
        self.serving.stdout.close()


class Served(Serving):
    def test_runs_what_it_draws(self) -> None:
        pipeline = Pipeline("large", memory="128MB")
        pipeline.block("orders", extract("orders.csv"))
        pipeline.block("large", sql("select * from orders where total > 100", boundary="checkpoint"))
        pipeline.block("checks", test("large", unique=["id"], accepted_values={"id": [2]}, severity="warn"))
        pipeline.block("publish", load("large", "large.csv"))
        with Client(self.url) as client:
            self.assertEqual(client.validate(pipeline), [])
            run = client.submit(pipeline)
            views = list(run.follow())
            view = run.wait()
            self.assertEqual((views[-1], view.state, view.error), (view, "success", None))
            self.assertEqual(view.blocks["publish"].rows_out, 2)
            self.assertEqual({result.test: result.passed for result in view.tests}["unique(id)"], True)
            self.assertEqual([result.failures for result in view.tests if not result.passed], [1])
            self.assertLess(view.started_at, view.finished_at)
            self.assertEqual([summary.run_id for summary in client.runs()], [run.id])
            self.assertEqual(run.events()[0].kind, "begun")
            self.assertEqual([executor.draining for executor in client.executors()], [False])
            run.cancel()
        self.assertEqual((self.folder / "large.csv").read_text(), "id,total\n2,150\n3,250\n")

    def test_looks_without_touching(self) -> None:
        pipeline = Pipeline("large")
        pipeline.block("orders", extract("orders.csv"))
        pipeline.block("large", sql("select id, total * 2 as twice from orders where total > 100"))
        pipeline.block("publish", load("large", "large.csv"))
        with Client(self.url) as client:
            rows = client.preview(pipeline, "large", rows=1)
            self.assertEqual(rows.to_pydict(), {"id": [2], "twice": [300]})
            [segment] = client.plan(pipeline)
            self.assertEqual((segment["segment"], segment["blocks"]), ("publish", ["orders", "large", "publish"]))
            with self.assertRaisesRegex(RefusedError, "there is no block `larg`, did you mean `large`"):
                client.preview(pipeline, "larg")
            pipeline.block("lost", extract("no.csv"))
            with self.assertRaises(ProblemsError):
                client.plan(pipeline)
        self.assertFalse((self.folder / "large.csv").exists())

    def test_runs_a_file_up_to_a_block(self) -> None:
        (self.folder / "p.yml").write_text(PIPELINE)
        with Client(self.url) as client:
            view = client.submit(read("p.yml")).wait()
            self.assertEqual((view.pipeline, view.state), ("p", "success"))
        self.assertEqual((self.folder / "all.csv").read_text(), (self.folder / "orders.csv").read_text())

    def test_says_what_is_wrong(self) -> None:
        with Client(self.url) as client:
            with self.assertRaises(ProblemsError) as wrong:
                client.submit(Pipeline("wrong").block("out", load("nothing", "out.csv")))
            self.assertTrue(wrong.exception.problems)
            self.assertIn("block `out`:", str(wrong.exception))
            with self.assertRaises(RefusedError) as unknown:
                client.run("none").wait()
            self.assertEqual((unknown.exception.code, str(unknown.exception)), ("NOT_FOUND", "there is no run `none`"))
        with self.assertRaises(UnreachableError):
            Client("127.0.0.1:50051")


class Guarded(Serving):
    """With a certificate and tokens."""

    def arguments(self) -> list[str]:
        certificates, tokens = self.folder / "certificates", self.folder / "tokens"
        script = ROOT / "deploy/certificates.sh"
        subprocess.run([script, certificates, "coordinator"], check=True, stderr=subprocess.DEVNULL)
        self.ca = (certificates / "ca.crt").read_text()
        tokens.write_text(f"ann {hashlib.sha256(b'secret').hexdigest()}\n")
        shown = ["--tls-cert", certificates / "coordinator.crt", "--tls-key", certificates / "coordinator.key"]
        return [str(argument) for argument in [*shown, "--tokens", tokens]]

    def test_answers_who_has_a_token(self) -> None:
        (self.folder / "p.yml").write_text(PIPELINE)
        with Client(self.url, token="secret", tls_ca=self.ca) as client:
            self.assertEqual(client.submit(read("p.yml")).wait().state, "success")
        for token in [None, "other"]:
            with Client(self.url, token=token, tls_ca=self.ca.encode()) as client:
                with self.assertRaises(RefusedError) as refused:
                    client.runs()
            self.assertEqual(refused.exception.code, "UNAUTHENTICATED")
            self.assertIn("token", str(refused.exception))

    def test_shows_its_token_to_nobody_else(self) -> None:
        with self.assertRaises(ValueError):
            Client("http://etl.example:50051", token="secret")
        with self.assertRaises(ValueError):
            Client(self.url, token="two words", tls_ca=self.ca)


if __name__ == "__main__":
    unittest.main()
