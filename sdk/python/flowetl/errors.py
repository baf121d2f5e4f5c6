"""What can go wrong between a program and a coordinator."""

from flowetl.views import Problem


class FlowetlError(Exception):
    """Any of these."""


class UnreachableError(FlowetlError):
    """No coordinator answers at the address."""


class LostError(FlowetlError):
    """The coordinator does not answer any more: what was asked for may have been done, or may be under way."""


class RefusedError(FlowetlError):
    """The coordinator said no: there is no such run, or it cannot be done as things stand."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        """gRPC's name of the reason: `NOT_FOUND`, `FAILED_PRECONDITION`, ..."""


class ProblemsError(FlowetlError):
    """The pipeline is wrong, and nothing runs."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
