"""How long after a schedule's time its run begins and commits, with 500 schedules within one minute."""

import argparse
import sqlite3
import tempfile
import time
from pathlib import Path

from measure import SMALL, Service, shares


def measure(count, window):
    with tempfile.TemporaryDirectory(prefix="flowetl-ticks.") as folder:
        folder = Path(folder)
        service = Service(folder, None)
        try:
            text = SMALL.split("\n", 1)[1]
            pipelines = [
                service.good("POST", "/pipelines", {"name": f"p{at}", "text": text.replace("small", f"out-{at}"), "folder": str(folder)})
                for at in range(count)
            ]
            begin = int(time.time()) + 20
            for at, pipeline in enumerate(pipelines):
                due = time.gmtime(begin + at * window // count)
                cron = f"{due.tm_sec} {due.tm_min} {due.tm_hour} * * *"
                service.good("POST", "/schedules", {"target_id": pipeline["id"], "cron_expression": cron})
            if time.time() > begin:
                raise SystemExit("the schedules were made too slowly: take fewer of them")
            metadata = sqlite3.connect(f"file:{next(folder.glob('home/*.db'))}?mode=ro", uri=True)
            ended = "select count(*) from run where schedule is not null and state in ('success', 'failed')"
            deadline = begin + window + 120
            while metadata.execute(ended).fetchone()[0] < count and time.time() < deadline:
                time.sleep(1)
            rows = metadata.execute(
                "select r.tick, r.created_at, min(a.started_at), r.finished_at, r.state from run r "
                "join attempt a on a.run = r.id where r.schedule is not null group by r.id"
            ).fetchall()
        finally:
            service.end()
    if len(rows) != count or {row[4] for row in rows} != {"success"}:
        raise SystemExit(f"{len(rows)} of {count} times have a run; states: {sorted({row[4] for row in rows})}")
    print(f"{count} schedules within {window} s, milliseconds after their time\n{'':28}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8}")
    for name, at in {"the run is there": 1, "its first attempt starts": 2, "it is committed": 3}.items():
        taken = shares([row[at] - row[0] for row in rows])
        print(f"{name:28}" + "".join(f"{value:8.0f}" for value in taken))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--schedules", type=int, default=500)
    arguments.add_argument("--window", type=int, default=60, help="seconds that their times lie in")
    counts = arguments.parse_args()
    measure(counts.schedules, counts.window)


if __name__ == "__main__":
    main()
