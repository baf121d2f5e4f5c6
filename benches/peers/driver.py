"""Measures FlowETL and its peers; started by run.sh, which gives it a PostgreSQL server and the binaries."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys

import measure
import report
import tpch
import workloads


def arguments():
    parser = argparse.ArgumentParser(prog="benches/peers/run.sh")
    parser.add_argument("workloads", nargs="*", metavar="W", help="of " + " ".join(workloads.ALL) + "; all when none is named")
    parser.add_argument("--scale", type=float, default=1, help="TPC-H scale factor (1 is 6 million rows of lineitem)")
    parser.add_argument("--rounds", type=int, default=3, help="times that each command runs, in turn with the others")
    parser.add_argument("--only", default="", help="contenders by the first word of their names, separated by commas")
    parser.add_argument("--work", default="", help="folder for data and output; kept (default: below the cache)")
    parser.add_argument("--json", default="", help="where the figures go (default: results.json in the work folder)")
    options = parser.parse_args()
    unknown = [name for name in options.workloads if name not in workloads.ALL]
    if unknown:
        parser.error(f"unknown workload {', '.join(unknown)}; there are {', '.join(workloads.ALL)}")
    options.workloads = options.workloads or list(workloads.ALL)
    options.only = set(filter(None, options.only.split(",")))
    return options


def find_binaries(options):
    """A tool that is missing ends the bench here, by name, unless it was not asked for."""
    scripts = pathlib.Path(sys.executable).parent
    flowetl = pathlib.Path(os.environ["FLOWETL_BIN"])
    binaries = {"flowetl": flowetl, "plain_datafusion": flowetl.parent / "plain_datafusion", "psql": shutil.which("psql")}
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    binaries["sling"] = next(scripts.parent.glob(f"lib/python*/site-packages/sling_linux_{machine}/bin/sling-linux-{machine}"), None)
    binaries["tpchgen-cli"] = scripts / "tpchgen-cli"
    needed = {"psql", "tpchgen-cli"}
    for name in ("flowetl", "sling"):
        if not options.only or name in options.only:
            needed.add(name)
    if "W6" in options.workloads and (not options.only or "plain" in options.only):
        needed.add("plain_datafusion")
    for name in sorted(needed):
        if binaries[name] is None or not pathlib.Path(binaries[name]).exists():
            sys.exit(f"error: `{name}` is missing (looked for {binaries[name] or 'it'}); see the head of run.sh")
    # Their packages leave these without the right to run.
    for path in (binaries["sling"], scripts / "duckdb"):
        if path and path.exists():
            path.chmod(0o755)
    return {name: str(path) for name, path in binaries.items()}


def log(text):
    print(text, file=sys.stderr, flush=True)


def run_workload(name, workload, options, work, server_data):
    contenders = [c for c in workload.contenders if not options.only or c.name.split()[0] in options.only]
    runs = {contender.name: [] for contender in contenders}
    # W7's targets live on from round to round: the first brings all to the same state, the last one's is judged.
    lives_on = name == "W7"
    uncounted = 1 if lives_on else 0
    last = options.rounds + uncounted - 1
    for number in range(last + 1):
        workload.before_round()
        for contender in contenders:
            if any(isinstance(entry, str) for entry in runs[contender.name]):
                continue
            contender.before()
            try:
                found = measure.run(contender.command, contender.environment, work / "last.log", server_data)
                wrong = None if lives_on and number < last else contender.judge()
            except measure.Failed as error:
                found, wrong = None, str(error)
            if wrong:
                runs[contender.name].append(wrong)
                log(f"{name} {contender.name}: WRONG: {wrong}")
            else:
                if number >= uncounted:
                    runs[contender.name].append(found)
                log(f"{name} {contender.name}: {found['wall_seconds']:.2f} s")
    return {contender.name: contender.role for contender in contenders}, runs


def versions(binaries, database):
    import connectorx
    import dlt
    import duckdb

    commit = subprocess.run(["git", "-C", str(pathlib.Path(__file__).parent), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {
        "flowetl": commit.stdout.strip(), "postgresql": database.execute("show server_version")[0][0], "duckdb": duckdb.__version__,
        "dlt": dlt.__version__, "connectorx": connectorx.__version__, "cores": os.cpu_count(), "load": os.getloadavg()[0],
        "settings": os.environ["FLOWETL_POSTGRES_SETTINGS"].splitlines(),
    }


def main():
    options = arguments()
    binaries = find_binaries(options)
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    work = pathlib.Path(options.work or cache / "flowetl" / "peers-work").absolute()
    data = work / f"tpch-{options.scale:g}"
    runs_folder = work / "runs"
    shutil.rmtree(runs_folder, ignore_errors=True)
    runs_folder.mkdir(parents=True)
    data.mkdir(parents=True, exist_ok=True)
    log(f"making TPC-H data, scale {options.scale:g}, in {data}")
    tpch.make_files(binaries["tpchgen-cli"], data, options.scale)
    database = tpch.Database(os.environ["FLOWETL_TEST_POSTGRES"])
    log("loading it into PostgreSQL")
    database.load(data)
    facts = versions(binaries, database)
    print(f"# Peers, TPC-H scale {options.scale:g}, {options.rounds} rounds, {datetime.datetime.now():%Y-%m-%d %H:%M}\n")
    print("\n".join(f"- {name}: {value}" for name, value in facts.items()) + "\n", flush=True)

    bench = workloads.Bench(database, data, runs_folder, binaries)
    results = {"facts": facts, "scale": options.scale, "workloads": {}}
    wrong = False
    for name in options.workloads:
        workload = workloads.ALL[name](bench)
        roles, runs = run_workload(name, workload, options, runs_folder, os.environ["FLOWETL_TEST_POSTGRES_DATA"])
        found = report.summary(runs)
        wrong = wrong or any("error" in entry for tool, entry in found.items() if roles[tool] == "flowetl")
        results["workloads"][name] = {"title": workload.title, "roles": roles, "summary": found, "runs": runs}
        print(report.table(workload.title, found, roles), flush=True)
        # After each workload, so that a bench that is cut off leaves what it measured.
        pathlib.Path(options.json or work / "results.json").write_text(json.dumps(results, indent=1))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
