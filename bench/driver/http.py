"""The edge: a limited read next to three peers, a durable write next to one, and both at three times capacity."""

import re
import shutil
import uuid

from . import box
from .plinth import READ, Installation
from .postgres import Postgres
from .results import entry

CONNECTIONS = 64
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}

OVERLOAD = 3
OVERLOAD_CONNECTIONS = 1000
OVERLOAD_DEADLINE_MS = 250
OVERLOAD_READ = "/v1/submissions?limit=25"


def setting(options):
    return (
        f"{box.machine()}, load {box.load_average():.0f}; server on one core, load on another; {CONNECTIONS} keep-alive "
        f"connections, {options.rounds} interleaved rounds of {options.seconds:g} s, medians"
    )


# ---- the read ----

def read(options):
    """One small document behind a key and a limit."""
    box.build("plinth", "plinth-bench")
    box.need("wrk", "wrk")
    installation = Installation()
    peers = {
        "plinth": lambda: (installation.serve(), READ),
        "axum": lambda: (axum(installation), "/read"),
        "haproxy": lambda: (haproxy(installation), "/read"),
        "express": lambda: (express(installation), "/read"),
    }
    express_files()
    runs = {name: [] for name in peers}
    for n in range(options.rounds):
        for name, start in peers.items():
            server, path = start()
            with server:
                server.wait(path, installation.headers)
                runs[name].append(wrk(server, path, installation.headers, options.seconds))
        box.say(f"round {n + 1}: " + ", ".join(f"{name} {runs[name][-1]['rps']:.0f}/s" for name in peers)
                + f", load {box.load_average():.1f}")
    plinth = middle(runs["plinth"], "rps")
    says = {name: describe(name, runs[name]) for name in runs}
    common = f"{setting(options)}; wrk; Plinth GET {READ} with a secret key, every limit on; the same document from each"

    def versus(id, name, peer_name, note):
        ratios = sorted(a["rps"] / b["rps"] for a, b in zip(runs["plinth"], runs[name]))
        return entry(id, plinth, middle(runs[name], "rps"), peer_name, "requests/s",
                     f"{common}. {says['plinth']}. {says[name]}; {note}. Rounds: {ratios[0]:.2f} to {ratios[-1]:.2f}×")

    return [
        versus("http.read_vs_axum", "axum", "bare axum handler", "no key, no limit, no log"),
        versus("http.read_vs_haproxy_limited", "haproxy", "HAProxy, stick-table limit",
               f"{haproxy_version()}, counted per key, request id, no key look-up, document from memory"),
        versus("http.read_vs_express_limited", "express", "Express, key check and express-rate-limit",
               f"Node {box.run(['node', '--version']).strip()}, Express 5, helmet, cors, limit in memory"),
    ]


def axum(installation):
    port = box.free_port()
    argv = [box.RELEASE / "plinth-bench", "axum", "--listen", f"127.0.0.1:{port}", "--body", installation.document]
    return box.Server(argv, port, log="axum")


def haproxy(installation):
    port = box.free_port()
    program = box.need("haproxy", "haproxy", "/usr/sbin/haproxy")
    env = {"BENCH_LISTEN": f"127.0.0.1:{port}", "BENCH_BODY": str(installation.document)}
    return box.Server([program, "-db", "-f", box.BENCH / "peers" / "haproxy.cfg"], port, env=env, log="haproxy")


def haproxy_version():
    return "HAProxy " + box.run([box.need("haproxy", "haproxy", "/usr/sbin/haproxy"), "-v"]).split()[2].split("-")[0]


def express_files():
    """The peer with its dependencies, installed away from the sources."""
    box.need("node", "nodejs")
    box.need("npm", "npm")
    target = box.WORK / "express"
    target.mkdir(parents=True, exist_ok=True)
    source = box.BENCH / "peers" / "express"
    lock = (source / "package-lock.json").read_text()
    for name in ("package.json", "package-lock.json", ".npmrc", "server.mjs"):
        shutil.copy(source / name, target / name)
    stamp = target / "installed.json"
    if not stamp.exists() or stamp.read_text() != lock:
        box.run(["npm", "ci"], cwd=target)
        stamp.write_text(lock)
    return target


def express(installation, database=None):
    port = box.free_port()
    env = {
        "NODE_ENV": "production",
        "BENCH_PORT": str(port),
        "BENCH_BODY": str(installation.document),
        "BENCH_KEY": installation.key,
    }
    if database:
        env["BENCH_DATABASE"] = database
    return box.Server(["node", box.WORK / "express" / "server.mjs"], port, env=env, log="express")


def wrk(server, path, headers, seconds):
    """A warm-up and a run; an answer that is not a success makes the run worthless."""
    command = box.pinned(box.LOAD_CORE) + ["wrk", "-t1", f"-c{CONNECTIONS}", "--latency"]
    for header in headers:
        command += ["-H", header]
    url = f"http://{server.address}{path}"
    box.run([*command, "-d1s", url])
    with box.Instructions(server.pid) as counted:
        out = box.run([*command, f"-d{seconds:g}s", url])
    if re.search(r"Non-2xx|Socket errors", out):
        raise SystemExit(f"{server.address}{path} did not answer as it should:\n{out}")
    times = {p: float(v) * MILLISECONDS[u] for p, v, u in re.findall(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", out, re.M)}
    requests = int(re.search(r"(\d+) requests in", out)[1])
    return {
        "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]),
        "p50": times["50"],
        "p99": times["99"],
        "instructions": counted.per(requests),
    }


def middle(runs, figure):
    return box.median(run[figure] for run in runs)


def describe(name, runs):
    text = f"{name}: p50 {middle(runs, 'p50'):.1f} ms, p99 {middle(runs, 'p99'):.1f} ms"
    counted = [run["instructions"] for run in runs if run["instructions"]]
    if counted:
        user, kernel = (box.median(column) for column in zip(*counted))
        text += f", {user:.1f}k user and {kernel:.1f}k kernel instructions a request"
    return text


# ---- the write ----

def durable(server, path, installation, *more):
    """Posts the submission with an idempotency key of its own each time."""
    headers = [part for header in installation.headers for part in ("--header", header)]
    return box.bench("http", server.address, path, "--method", "POST", "--body", installation.body,
                     "--idempotency", uuid.uuid4().hex[:12], *headers, *more, core=box.LOAD_CORE)


def idempotent_write(options):
    """The same durable, idempotent command through Plinth and through Express and pg."""
    box.build("plinth", "plinth-bench")
    installation = Installation()
    express_files()
    load = ["--connections", CONNECTIONS, "--seconds", options.seconds, "--deadline-ms", 10_000]
    ours, theirs = [], []
    with Postgres() as postgres:
        for n in range(options.rounds):
            with installation.serve() as server:
                server.wait("/readyz")
                ours.append(flawless(durable(server, installation.submissions, installation, *load)))
            with express(installation, postgres.database()) as server:
                server.wait("/read", installation.headers)
                theirs.append(flawless(durable(server, "/forms/frm_bench/submissions", installation, *load)))
            box.say(f"round {n + 1}: plinth {ours[-1]['good_per_second']:.0f}/s, express {theirs[-1]['good_per_second']:.0f}/s, "
                    f"load {box.load_average():.1f}")
        version = postgres.version()
    ratios = sorted(a["good_per_second"] / b["good_per_second"] for a, b in zip(ours, theirs))
    return [entry(
        "http.idempotent_write", middle(ours, "good_per_second"), middle(theirs, "good_per_second"),
        "Express, pg, PostgreSQL", "requests/s",
        f"{setting(options)}; POST of a form's answer, each with an Idempotency-Key of its own, durable when answered. "
        f"Plinth on SQLite: {latency(ours)}. Peer: Node {box.run(['node', '--version']).strip()} on the server's core, "
        f"PostgreSQL {version} free to use both, 32 connections, fsync on: {latency(theirs)}. "
        f"Rounds: {ratios[0]:.1f} to {ratios[-1]:.1f}×",
    )]


def flawless(run):
    if any(not status.startswith("2") for status in run["statuses"]) or run["broken"]:
        raise SystemExit(f"not every request succeeded: {run}")
    return run


def latency(runs):
    return ", ".join(f"{p} {box.median(run['latency'][f'{p}_ms'] for run in runs):.1f} ms" for p in ("p50", "p99"))


# ---- overload ----

def overload(options):
    """What is answered in time at three times capacity, of what is answered at capacity."""
    box.build("plinth", "plinth-bench")
    installation = Installation()
    kinds = {
        "write": lambda server, *more: durable(server, installation.submissions, installation, *more),
        "read": lambda server, *more: box.bench(
            "http", server.address, OVERLOAD_READ, "--header", installation.headers[0], *more, core=box.LOAD_CORE),
    }
    peaks, overs = {kind: [] for kind in kinds}, {kind: [] for kind in kinds}
    with installation.serve() as server:
        server.wait("/readyz")
        for n in range(options.rounds):
            for kind, load in kinds.items():
                # Twice, before and after: capacity drifts with whatever else the machine does.
                peak = lambda: flawless(load(server, "--connections", CONNECTIONS, "--seconds", options.seconds))
                before = peak()
                capacity = before["good_per_second"]
                over = load(server, "--rate", OVERLOAD * capacity, "--connections", OVERLOAD_CONNECTIONS,
                            "--deadline-ms", OVERLOAD_DEADLINE_MS, "--seconds", options.seconds)
                after = peak()
                peaks[kind].append({**before, "good_per_second": (capacity + after["good_per_second"]) / 2})
                overs[kind].append(over)
                box.say(f"round {n + 1}: {kind} peak {capacity:.0f} and {after['good_per_second']:.0f}/s, at {OVERLOAD}× "
                        f"{over['good_per_second']:.0f}/s good, {over['statuses']}, late {over['late']}, unsent {over['unsent']}")
    return [
        entry(
            "http.overload_goodput" if kind == "write" else "http.overload_goodput_read",
            middle(overs[kind], "good_per_second"), middle(peaks[kind], "good_per_second"), "Plinth's own peak",
            "requests/s",
            f"{setting(options)}; {what}. Peak: closed loop. Overload: open loop at {OVERLOAD}× peak over "
            f"{OVERLOAD_CONNECTIONS} connections; good is a 2xx within {OVERLOAD_DEADLINE_MS} ms of when it was due, then the "
            f"caller hangs up. Peak: {latency(peaks[kind])}. Overload: {latency(overs[kind])}, {share(overs[kind])}",
        )
        for kind, what in (("write", "idempotent POST of a form's answer"), ("read", f"GET {OVERLOAD_READ}"))
    ]


def share(runs):
    """What became of the requests."""
    total = lambda figure: sum(figure(run) for run in runs)
    shed = total(lambda run: sum(count for status, count in run["statuses"].items() if status in ("429", "503")))
    good, late, unsent = total(lambda r: r["good"]), total(lambda r: r["late"]), total(lambda r: r["unsent"])
    everything = max(good + shed + late + unsent, 1)
    return ", ".join(f"{100 * n / everything:.0f} % {what}" for n, what in
                     ((good, "good"), (shed, "shed"), (late, "given up"), (unsent, "not sent")))
