"""The process: how soon it answers, and how much memory it holds."""

import time

from . import box
from .http import CONNECTIONS, durable, flawless
from .plinth import READ, Installation
from .results import BARS, entry

SETTLE_SECONDS = 3
COMMANDS = 100_000


def start(options):
    """From the start of the process to the first answer, on a folder with data and on an empty one."""
    box.build("plinth", "plinth-bench")
    installation = Installation()
    cold, first = [], []
    for _ in range(max(options.rounds, 5)):
        with installation.serve(core=None) as server:
            cold.append(server.wait(READ, installation.headers))
        with blank() as server:
            first.append(server.wait("/"))
    conditions = f"{box.machine()}, load {box.load_average():.0f}; {len(cold)} starts, median; files in the page cache"
    bar = BARS["start.cold_ms"][2]
    return [
        entry("start.cold_ms", box.median(cold), bar, "the bar", "ms",
              f"{conditions}; folder with data, until GET {READ} with a key is answered; best {min(cold):.0f}, worst "
              f"{max(cold):.0f} ms", True),
        entry("start.first_ms", box.median(first), bar, "the bar", "ms",
              f"{conditions}; empty folder, every migration included, until the site's first page is answered; best "
              f"{min(first):.0f}, worst {max(first):.0f} ms", True),
    ]


def blank():
    """Plinth on an empty folder."""
    port, data = box.free_port(), box.fresh("blank")
    argv = [box.RELEASE / "plinth", "serve", "--data", data, "--listen", f"127.0.0.1:{port}"]
    return box.Server(argv, port, core=None, log="blank", cwd=data)


def memory(options):
    """Resident memory at rest, and after a hundred thousand durable commands."""
    box.build("plinth", "plinth-bench")
    installation = Installation()
    with installation.serve(core=None) as server:
        server.wait(READ, installation.headers)
        for path in ("/", "/console/", "/openapi.json"):
            server.get(path)
        time.sleep(SETTLE_SECONDS)
        idle = server.rss_mb()
        done = flawless(durable(server, installation.submissions, installation, "--requests", COMMANDS,
                                "--connections", CONNECTIONS, "--deadline-ms", 30_000))
        time.sleep(SETTLE_SECONDS)
        after = server.rss_mb()
    bar = BARS["memory.idle_mb"][2]
    return [
        entry("memory.idle_mb", idle[0], bar, "the bar", "MiB",
              f"{box.machine()}; VmRSS {SETTLE_SECONDS} s after the start, once the site, the console and the OpenAPI document "
              f"were asked for; {idle[1]:.1f} MiB of it not backed by files", True),
        entry("memory.after_100k_mb", after[0], idle[0], "the same process idle", "MiB",
              f"{box.machine()}; VmRSS {SETTLE_SECONDS} s after {COMMANDS} idempotent writes over {CONNECTIONS} connections at "
              f"{done['good_per_second']:.0f}/s; {after[1]:.1f} MiB of it not backed by files", True),
    ]
