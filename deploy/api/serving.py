"""The program as it serves, and calls of it, for the checks of this folder. Standard library only."""

import json
import os
import socket
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

BIN = os.environ["FLOWETL_BIN"]
# Debug builds on busy machines answer late.
ANSWER_LIMIT = 60


def free_port():
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


class Serving:
    """`flowetl up` in a home of its own, until the `with` ends."""

    def __init__(self, *arguments, **settings):
        self.folder = tempfile.TemporaryDirectory(prefix="flowetl-api-")
        self.port = settings.pop("port", None) or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        own = {key: value for key, value in os.environ.items() if not key.startswith("FLOWETL_")}
        own |= {"FLOWETL_HOME": self.folder.name + "/home", "RUST_LOG": "warn", "RUST_BACKTRACE": "1"} | settings
        command = [BIN, "up", "--listen", "127.0.0.1:0", "--http", f"127.0.0.1:{self.port}", *arguments]
        self.log = open(self.folder.name + "/log", "w+")
        self.process = subprocess.Popen(
            command, env=own, cwd=self.folder.name, stdout=subprocess.PIPE, stderr=self.log, text=True
        )

    def __enter__(self):
        if not self.process.stdout.readline():
            raise RuntimeError(f"`flowetl up` does not serve: {self.said()}")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(ANSWER_LIMIT)
        self.log.close()
        self.folder.cleanup()

    def said(self):
        """What it has written to its log."""
        with open(self.folder.name + "/log") as log:
            return log.read()

    def call(self, method, path, token=None, body=None):
        """The status and the document of an answer."""
        request = urllib.request.Request(self.url + "/api/v1" + path, method=method)
        if token:
            request.add_header("Authorization", "Bearer " + token)
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_LIMIT) as answer:
                return answer.status, json.loads(answer.read() or "null")
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read() or "null")

    def register(self, email, **more):
        """The tokens of someone who signs up."""
        wish = {"email": email, "password": "correct horse", "name": "Someone"} | more
        status, tokens = self.call("POST", "/auth/register", body=wish)
        assert status == 201, tokens
        return tokens
