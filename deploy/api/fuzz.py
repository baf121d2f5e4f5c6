"""The API against its own description: schemathesis calls every endpoint with what it takes and what it does not, for a minute.

No call may end in a server error, with an answer that the description does not have, or with wrong data taken."""

import os
import subprocess
import sys

from serving import Serving

SCHEMATHESIS = os.environ["SCHEMATHESIS"]
# Cases of each endpoint beside those that its description itself gives: a minute's worth.
EXAMPLES = 25
LIMIT_SECONDS = 240
# What is meant by a text is checked beyond its description: an address, a cron line, a pipeline file. What is none is refused.
NOT_CHECKED = "positive_data_acceptance"
# It would end the session of all other calls. It is called by itself.
LAST = "/auth/logout"


def fuzz(serving, token, *choice):
    """Whether all went well."""
    command = [
        SCHEMATHESIS, "run", serving.url + "/api/v1/openapi.json", "--url", serving.url + "/api/v1",
        "--header", "Authorization: Bearer " + token, "--max-examples", str(EXAMPLES), "--seed", "1",
        "--phases", "examples,coverage,fuzzing", "--checks", "all", "--exclude-checks", NOT_CHECKED,
        "--continue-on-failure", "--request-timeout", "60", "--warnings", "off", "--no-color", *choice,
    ]  # fmt: skip
    # It leaves files of its own where it works.
    folder = serving.folder.name
    return subprocess.run(command, timeout=LIMIT_SECONDS, stdin=subprocess.DEVNULL, cwd=folder).returncode == 0


def main():
    # Without the limit of calls: it would be all that is tested.
    with Serving("--rate-limit", "100000") as serving:
        tokens = serving.register("ann@example.com", organization="Acme")
        went_well = fuzz(serving, tokens["access_token"], "--exclude-path", LAST)
        went_well &= fuzz(serving, tokens["access_token"], "--include-path", LAST)
        said = [line for line in serving.said().splitlines() if "panicked" in line or "a call over HTTP failed" in line]
        status, _ = serving.call("GET", "/health")
    for line in said:
        print(line)
    sys.exit(0 if went_well and not said and status == 200 else 1)


if __name__ == "__main__":
    main()
