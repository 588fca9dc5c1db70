"""A private PostgreSQL server with everything on that makes a commit durable."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from . import box

# Defaults but for memory and log size, which are raised so that neither holds the peer back.
SETTINGS = """
listen_addresses = ''
max_connections = 200
shared_buffers = 512MB
max_wal_size = 4GB
fsync = on
synchronous_commit = on
full_page_writes = on
"""


class Postgres:
    """Started for the block, on a unix socket, on the same disk as Plinth's file; its cluster is removed afterwards."""

    def __init__(self):
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        initdb = box.need("initdb", "postgresql", *reversed(installed))
        self.bin = Path(initdb).resolve().parent
        self.home = box.fresh("postgres")
        self.socket = self.home / "socket"
        self.socket.mkdir()
        self.databases = 0
        # The server refuses to run as root.
        self.prefix = []
        if os.geteuid() == 0:
            self.prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            for path in (self.home, self.socket):
                shutil.chown(path, "postgres", "postgres")

    def __enter__(self):
        data = self.home / "data"
        box.run(self.prefix + [self.bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"],
                cwd=self.home)
        with open(data / "postgresql.conf", "a") as settings:
            settings.write(f"{SETTINGS}unix_socket_directories = '{self.socket}'\n")
        self.log = open(self.home / "log", "ab")
        self.process = subprocess.Popen(
            [str(arg) for arg in self.prefix + [self.bin / "postgres", "-D", data]],
            cwd=self.home, stdout=self.log, stderr=self.log,
        )
        for _ in range(300):
            if subprocess.run([str(self.bin / "pg_isready"), "-q", "-h", str(self.socket)]).returncode == 0:
                return self
            time.sleep(0.1)
        raise SystemExit(f"PostgreSQL does not start; see {self.home / 'log'}")

    def __exit__(self, *_):
        self.process.send_signal(2)  # fast shutdown
        self.process.wait(60)
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def database(self):
        """Connection string of a new, empty database."""
        self.databases += 1
        name = f"bench_{self.databases}"
        box.run([self.bin / "createdb", "-h", self.socket, "-U", "postgres", name])
        return f"postgres://postgres@{str(self.socket).replace('/', '%2F')}/{name}"

    def cpu_seconds(self):
        """CPU time of the server and of every connection it has had."""
        return box.cpu_seconds(self.process.pid)

    def version(self):
        return box.run([self.bin / "postgres", "--version"]).split()[2]
