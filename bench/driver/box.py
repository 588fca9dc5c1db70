"""The machine: cores to pin to, tools to install, processes to start and to stop."""

import json
import os
import re
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
WORK = ROOT / "target" / "bench"
RELEASE = ROOT / "target" / "release"

LOAD_CORE, SERVER_CORE = "0", "1"
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 30

# Whether `build` builds; off when somebody wants the executables that are there measured.
builds = True


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(argv, **options):
    """Runs a command to its end; a failure ends the run with what it said."""
    done = subprocess.run([str(arg) for arg in argv], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, argv))}\nended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def bench(*args, core=None):
    """Runs a command of plinth-bench and reads the object it prints; `cpu_seconds` is what the process used."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = json.loads(run(pinned(core) + [RELEASE / "plinth-bench", *args]))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    report["cpu_seconds"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return report


def pinned(core):
    """The prefix that keeps a command on one core, where there is more than one."""
    return [] if core is None or (os.cpu_count() or 1) < 2 else ["taskset", "-c", core]


def need(program, package, *elsewhere):
    """The path of a program, from Debian's package when it is missing."""
    for attempt in range(2):
        found = shutil.which(program) or next((str(p) for p in elsewhere if Path(p).exists()), None)
        if found:
            return found
        if attempt == 0:
            say(f"installing {package}")
            run(["apt-get", "install", "-y", "--no-install-recommends", package])
    raise SystemExit(f"{program} is missing, and Debian's package {package} did not bring it")


def build(*packages):
    """Release builds, gently: a machine that measures may have other work."""
    if not builds:
        return
    say(f"building {', '.join(packages)}")
    argv = ["nice", "-n", "10", "cargo", "build", "--release", "--locked"]
    for package in packages:
        argv += ["-p", package]
    if subprocess.run(argv, cwd=ROOT).returncode != 0:
        raise SystemExit("the release build failed")


class Share:
    """A CPU group of the run's own with a large share, so that other work on the machine hardly counts.

    Without it a busy machine favours whoever has more processes: Linux shares cores between sessions, and each of
    PostgreSQL's sixty-four connections is a session. Linux and root only.
    """

    VERSIONS = [  # directory, file, value, whether the version is there
        (Path("/sys/fs/cgroup/plinth-bench"), "cpu.weight", "5000", Path("/sys/fs/cgroup/cgroup.controllers")),
        (Path("/sys/fs/cgroup/cpu/plinth-bench"), "cpu.shares", "51200", Path("/sys/fs/cgroup/cpu/cpu.shares")),
    ]

    def __enter__(self):
        found = [version for version in self.VERSIONS if version[3].exists()]
        if not found or os.geteuid() != 0:
            raise SystemExit("--priority needs root and Linux control groups")
        self.group, file, value, _ = found[0]
        self.group.mkdir(exist_ok=True)
        (self.group / file).write_text(value)
        (self.group / "cgroup.procs").write_text(str(os.getpid()))

    def __exit__(self, *_):
        (self.group.parent / "cgroup.procs").write_text(str(os.getpid()))
        try:
            self.group.rmdir()
        except OSError:
            say(f"{self.group} is still in use; remove it when its processes have ended")


def tree(pid):
    """A process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [pid, *(deeper for child in children.read_text().split() for deeper in tree(int(child)))]
    except OSError:
        return [pid]


def cpu_seconds(pid):
    """CPU time of a process, of its living descendants, and of those it has seen end."""
    ticks = 0
    for member in tree(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15] if member == pid else fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def fresh(name):
    """An empty directory of this name under target/bench."""
    path = WORK / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process that answers on a port of 127.0.0.1; ended when the block ends."""

    def __init__(self, argv, port, core=SERVER_CORE, env=None, log="server", cwd=None):
        WORK.mkdir(parents=True, exist_ok=True)
        self.port, self.address = port, f"127.0.0.1:{port}"
        self.log = WORK / f"{log}.log"
        self.started = time.perf_counter()
        with open(self.log, "ab") as log_file:
            self.process = subprocess.Popen(
                [str(arg) for arg in pinned(core) + list(argv)],
                env={**os.environ, **(env or {})},
                cwd=cwd,
                stdout=log_file,
                stderr=log_file,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    def wait(self, path, headers=()):
        """Asks until the answer is 200; how long that took since the start, in milliseconds."""
        while time.perf_counter() - self.started < START_SECONDS_MAX:
            if self.process.poll() is not None:
                break
            if self.get(path, headers)[0] == 200:
                return (time.perf_counter() - self.started) * 1000
            time.sleep(0.001)
        tail = self.log.read_text(errors="replace")[-2000:]
        raise SystemExit(f"no answer from {self.address}{path}\n{tail}")

    def get(self, path, headers=()):
        return self.ask("GET", path, headers)

    def ask(self, method, path, headers=(), body=None):
        """One request on a connection of its own: status and body, or 0 when there is no answer."""
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            sent = dict(header.split(": ", 1) for header in headers)
            if body is not None:
                sent["Content-Type"] = "application/json"
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return 0, b""
        finally:
            connection.close()

    def rss_mb(self):
        """Resident memory in MiB: all of it, and the part that is not pages of files."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        kb = lambda name: int(re.search(rf"^{name}:\s+(\d+) kB", status, re.M)[1])
        return kb("VmRSS") / 1024, kb("RssAnon") / 1024


class Instructions:
    """Instructions of a process while the block runs: the figure that a busy machine does not blur. None without perf."""

    def __init__(self, pid):
        self.user = self.kernel = None
        self.pid, self.process = pid, None

    def __enter__(self):
        if shutil.which("perf"):
            self.process = subprocess.Popen(
                ["perf", "stat", "-x,", "-e", "instructions:u,instructions:k", "-p", str(self.pid)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        if self.process is None:
            return
        self.process.send_signal(2)
        _, text = self.process.communicate(timeout=10)
        counts = re.findall(r"^(\d+),,instructions:([uk])", text, re.M)
        for count, where in counts:
            setattr(self, "user" if where == "u" else "kernel", int(count))

    def per(self, requests):
        if not requests or self.user is None or self.kernel is None:
            return None
        return self.user / requests / 1000, self.kernel / requests / 1000


def median(values):
    return statistics.median(values)


def machine():
    """The machine in a few words."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    name = model[1].strip() if model else os.uname().machine
    return f"{os.cpu_count()} × {name}, Linux {os.uname().release.split('-')[0]}"


def load_average():
    return os.getloadavg()[0]
