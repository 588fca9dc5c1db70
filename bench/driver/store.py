"""Durable commands: through the store, through a plain driver, and what the disk alone confirms."""

from . import box
from .postgres import Postgres
from .results import entry

CLIENTS = 64
POOL = 16


def measure(options):
    """Rounds of disk, plain driver and store, one after the other, so that a busy minute hits all of them."""
    box.build("plinth-bench")
    disk, store, driver, pooled, on_postgres = [], [], [], [], []
    with Postgres() as postgres:
        server = lambda command, *more: on_server(postgres, command, options, *more)
        for n in range(options.rounds):
            disk.append(box.bench("disk", box.fresh("disk"), "--seconds", 1))
            store.append(load("store", f"sqlite:{box.fresh('store') / 'bench.db'}", options))
            driver.append(server("driver"))
            pooled.append(server("driver", "--connections", POOL))
            on_postgres.append(server("store"))
            box.say(
                f"round {n + 1}: disk {rate(disk[-1]):.0f}/s, store {rate(store[-1]):.0f}/s, driver {rate(driver[-1]):.0f}/s, "
                f"driver with {POOL} connections {rate(pooled[-1]):.0f}/s, store on PostgreSQL {rate(on_postgres[-1]):.0f}/s, "
                f"load {box.load_average():.1f}"
            )
        version = postgres.version()
    # The peer is given whichever number of connections serves it better.
    peer, connections = max((driver, CLIENTS), (pooled, POOL), key=lambda runs: middle(runs[0]))
    common = (
        f"{box.machine()}, load {box.load_average():.0f}; {CLIENTS} clients, {options.rounds} interleaved rounds of "
        f"{options.seconds:g} s, medians; disk {middle(disk):.0f} fdatasync/s (p50 {middle_of(disk, 'p50_ms'):.2f}, "
        f"p99 {middle_of(disk, 'p99_ms'):.2f} ms)"
    )
    sqlite = (
        f"Plinth on SQLite, WAL, synchronous=FULL: {box.median(s['units_per_commit'] for s in store):.0f} units a commit, "
        f"{describe(store)}"
    )
    against = (
        f"PostgreSQL {version} on a unix socket, fsync and synchronous_commit on, prepared statements, {connections} "
        f"connections: {describe(peer)}; with {POOL} connections {middle(pooled):.0f}/s, with {CLIENTS} {middle(driver):.0f}/s"
    )
    return [
        entry("store.write_vs_postgres", middle(store), middle(peer), "tokio-postgres", "commands/s",
              f"{common}. {sqlite}. Peer: {against}. Rounds: {spread(store, peer)}"),
        entry("store.write_vs_fsync", middle(store), middle(disk), "fdatasync of the disk", "per second",
              f"{common}, 4 KiB overwritten by one writer. {sqlite}. Rounds: {spread(store, disk)}"),
        entry("store.write_postgres_engine", middle(on_postgres), middle(peer), "tokio-postgres", "commands/s",
              f"{common}. Plinth on PostgreSQL, 16 connections, gapless order of events: {describe(on_postgres)}. Peer: "
              f"{against}. Rounds: {spread(on_postgres, peer)}"),
    ]


def load(command, database, options, *more):
    """One run, with the CPU time that a command took: of the client's process alone."""
    report = box.bench(command, database, "--clients", CLIENTS, "--seconds", options.seconds, *more)
    report["cpu_us"] = report["cpu_seconds"] / report["commands_with_warmup"] * 1e6
    return report


def on_server(postgres, command, options, *more):
    """The same with the server's CPU time added."""
    database = postgres.database()
    before = postgres.cpu_seconds()
    report = load(command, database, options, *more)
    report["cpu_us"] += (postgres.cpu_seconds() - before) / report["commands_with_warmup"] * 1e6
    return report


def describe(runs):
    return (
        f"p50 {middle_of(runs, 'p50_ms'):.1f}, p99 {middle_of(runs, 'p99_ms'):.1f} ms, "
        f"{box.median(run['cpu_us'] for run in runs):.0f} µs CPU a command"
    )


def rate(run):
    return run["per_second"]


def middle(runs):
    return box.median(rate(run) for run in runs)


def middle_of(runs, percentile):
    return box.median(run["latency"][percentile] for run in runs)


def spread(plinth, peer):
    """The ratio of each round, smallest and largest."""
    ratios = sorted(rate(a) / rate(b) for a, b in zip(plinth, peer))
    return f"{ratios[0]:.1f} to {ratios[-1]:.1f}×"
