"""Runs one command and measures it: wall time, CPU of its whole process tree, peak memory of the tree, CPU of the database server."""

import os
import pathlib
import signal
import subprocess
import threading
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Short commands live less than a tenth of a second, long ones must not be disturbed by being watched.
SAMPLE_SECONDS_FIRST, SAMPLE_SECONDS_LATER = 0.004, 0.02
# The slowest peer needs two minutes at scale 1; some hang for ever.
RUN_SECONDS_MAX = 600


class Failed(Exception):
    """A command that ended with an error, or whose result is not what it should be."""


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += [int(child) for child in file.read().split()]
    except OSError:
        pass  # The process ended meanwhile.
    return found


def tree(pid):
    found = [pid]
    for child in children(pid):
        found += tree(child)
    return found


def resident_bytes(pid):
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        return 0


def peak_bytes(pid):
    """The kernel's own high-water mark of one process: nothing between two samples is missed."""
    try:
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def cpu_seconds(pid, with_ended_children):
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # utime, stime, cutime, cstime: fields 14 to 17 of proc(5).
    ticks = [int(field) for field in fields[11:15]]
    return sum(ticks if with_ended_children else ticks[:2]) / TICKS_PER_SECOND


def server_cpu_seconds(data_folder):
    """CPU that a PostgreSQL server has used so far: its main process, its ended sessions and its living ones."""
    pid = int(pathlib.Path(data_folder, "postmaster.pid").read_text().split()[0])
    return cpu_seconds(pid, True) + sum(cpu_seconds(child, True) for child in children(pid))


class Sampler(threading.Thread):
    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.ended = pid, 0, threading.Event()

    def run(self):
        begin = time.monotonic()
        while True:
            pids = tree(self.pid)
            self.peak = max([self.peak, sum(map(resident_bytes, pids))] + [peak_bytes(pid) for pid in pids])
            wait = SAMPLE_SECONDS_FIRST if time.monotonic() - begin < 1 else SAMPLE_SECONDS_LATER
            if self.ended.wait(wait):
                return


def run(command, environment, log, server_data):
    """Measures one run. `ru_maxrss` is not used: it keeps the memory of the process that forked this one."""
    with open(log, "wb") as output:
        server_before = server_cpu_seconds(server_data)
        begin = time.monotonic()
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )
        sampler = Sampler(process.pid)
        sampler.start()
        killer = threading.Timer(RUN_SECONDS_MAX, os.killpg, (process.pid, signal.SIGKILL))
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begin
        killer.cancel()
        sampler.ended.set()
        sampler.join()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode == -signal.SIGKILL:
        raise Failed(f"killed after {wall:.0f} s")
    if process.returncode != 0:
        tail = pathlib.Path(log).read_text(errors="replace").strip().splitlines()[-8:]
        raise Failed(f"ended with {process.returncode}: " + " | ".join(tail))
    return {
        "wall_seconds": wall,
        "client_cpu_seconds": usage.ru_utime + usage.ru_stime,
        "server_cpu_seconds": server_cpu_seconds(server_data) - server_before,
        "peak_bytes": sampler.peak,
    }
