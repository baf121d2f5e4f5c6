"""Makes the messages of the wire from `proto/`, as part of every build: nothing generated is kept."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PROTO = Path(__file__).resolve().parents[2] / "proto"


class BuildWithWire(build_py):
    def run(self) -> None:
        super().run()
        # Needed for building only, and there in the environment that pip builds in.
        from grpc_tools import protoc

        target = self.build_lib
        (Path(target) / "flowetl" / "v1").mkdir(parents=True, exist_ok=True)
        arguments = ["protoc", f"-I{PROTO}", f"-I{Path(protoc.__file__).parent / '_proto'}"]
        arguments += [f"--python_out={target}", f"--pyi_out={target}", f"--grpc_python_out={target}"]
        if protoc.main([*arguments, str(PROTO / "flowetl/v1/coordinator.proto")]) != 0:
            raise SystemExit("the messages of the wire could not be made: build from a checkout of the whole repository")


setup(cmdclass={"build_py": BuildWithWire})
