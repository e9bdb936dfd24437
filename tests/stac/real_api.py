"""A real STAC API on loopback: PostgreSQL, PostGIS, pgstac, stac-fastapi, COGs behind nginx.

``python tests/stac/real_api.py`` installs what is missing (Debian packages as root, Python
packages into ``.venv-stac``, about two minutes once); tests start it in a few seconds, on ports
and in folders of its own, and take it down again. Nothing of the system's PostgreSQL is touched.

Seen working: PostgreSQL 15.18, PostGIS 3.3.2, pypgstac 0.10.0, stac-fastapi-pgstac 7.2.0,
nginx 1.22.1.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = Path(os.environ.get("RSVLM_STAC_VENV", ROOT / ".venv-stac"))
DEBIAN = ("postgresql", "postgresql-15-postgis-3", "nginx-light")
PACKAGES = ("pypgstac[psycopg]", "stac-fastapi-pgstac", "uvicorn[standard]")


def postgres_bin() -> Path | None:
    """Folder of the newest PostgreSQL that has PostGIS."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        share = Path("/usr/share/postgresql") / folder.parent.name / "extension"
        if (share / "postgis.control").exists():
            return folder
    return None


def missing() -> list[str]:
    """What is not there, in words; empty when it can be started."""
    found = []
    if postgres_bin() is None:
        found.append("PostgreSQL with PostGIS")
    if nginx() is None:
        found.append("nginx")
    if not (VENV / "bin" / "pypgstac").exists():
        found.append(f"pypgstac and stac-fastapi-pgstac in {VENV}")
    return found


def nginx() -> str | None:
    return shutil.which("nginx") or (
        "/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None
    )


def install() -> list[str]:
    """Install what is missing, as far as this user may; returns what still is."""
    if (
        (postgres_bin() is None or nginx() is None)
        and os.geteuid() == 0
        and shutil.which("apt-get")
    ):
        options = ["-y", "-qq", "-o", "DPkg::Lock::Timeout=300"]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        quiet: dict[str, Any] = {"env": environment, "check": False, "stdout": sys.stderr}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", *options, *DEBIAN], **quiet)
    if not (VENV / "bin" / "pypgstac").exists():
        uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
        python = str(VENV / "bin" / "python")
        if Path(uv).exists():
            subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(VENV)], check=False)
            subprocess.run([uv, "pip", "install", "-q", "--python", python, *PACKAGES], check=False)
        else:
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
            subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=False)
    return missing()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RealApi:
    """The running API; ``url`` is its root, ``files`` where nginx serves ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Path(tempfile.mkdtemp(prefix="real-stac-"))
        self.port, self.pg_port, self.web_port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.files = f"http://127.0.0.1:{self.web_port}/cog"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.log = (self.home / "log.txt").open("ab")
        self.env = {
            **os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(self.pg_port), "PGUSER": "rsvlm",
            "PGPASSWORD": "rsvlm", "PGDATABASE": "stac", "ENABLE_TRANSACTIONS_EXTENSIONS": "FALSE",
        }  # fmt: skip
        self.env.pop("PYTHONPATH", None)

    def __enter__(self) -> RealApi:
        try:
            self._database()
            self._web()
            self._api()
        except BaseException:
            self.__exit__()
            raise
        return self

    def load(self, collections: Sequence[dict[str, Any]], items: Sequence[dict[str, Any]]) -> None:
        """Put collections and Items into the database."""
        for kind, rows in (("collections", collections), ("items", items)):
            path = self.home / f"{kind}.ndjson"
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
            self._run(
                [str(VENV / "bin" / "pypgstac"), "load", kind, str(path), "--method", "upsert"]
            )

    def _as_postgres(self, command: list[str]) -> list[str]:
        # PostgreSQL refuses to run as root
        return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command

    def _database(self) -> None:
        binaries, data = postgres_bin(), self.home / "pg"
        data.mkdir()
        self.home.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(data, "postgres", "postgres")
        self._run(self._as_postgres(
            [f"{binaries}/initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync"]
        ))  # fmt: skip
        options = f"-c fsync=off -c listen_addresses=127.0.0.1 -c unix_socket_directories={data}"
        self._start(self._as_postgres(
            [f"{binaries}/postgres", "-D", str(data), "-p", str(self.pg_port), *options.split()]
        ))  # fmt: skip
        self._wait(lambda: self._run(
            [f"{binaries}/pg_isready", "-h", "127.0.0.1", "-p", str(self.pg_port)], check=False
        ) == 0, "PostgreSQL")  # fmt: skip
        for text in (
            "create role rsvlm superuser login password 'rsvlm'",
            "create database stac owner rsvlm",
        ):
            self._sql(text, "postgres")
        self._sql("create extension postgis", "stac")
        self._run([str(VENV / "bin" / "pypgstac"), "migrate"])

    def _sql(self, text: str, database: str) -> None:
        psql = [f"{postgres_bin()}/psql", "-h", "127.0.0.1", "-p", str(self.pg_port)]
        self._run([*psql, "-U", "postgres", "-d", database, "-qc", text])

    def _web(self) -> None:
        config = self.home / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(
            f"{user} daemon off; worker_processes 1; pid {self.home}/nginx.pid; "
            f"error_log {self.home}/nginx.log; events {{ worker_connections 256; }} "
            f"http {{ access_log off; client_body_temp_path {self.home}/b; "
            f"proxy_temp_path {self.home}/p; fastcgi_temp_path {self.home}/f; "
            f"uwsgi_temp_path {self.home}/u; scgi_temp_path {self.home}/s; "
            f"server {{ listen 127.0.0.1:{self.web_port}; location /cog/ {{ alias {self.folder}/; "
            "} } }"
        )
        self._start([str(nginx()), "-c", str(config), "-e", str(self.home / "nginx.log")])

    def _api(self) -> None:
        self._start(
            [str(VENV / "bin" / "uvicorn"), "stac_fastapi.pgstac.app:create_app", "--factory",
             "--host", "127.0.0.1", "--port", str(self.port), "--log-level", "warning"]
        )  # fmt: skip

        def answers() -> bool:
            try:
                with urllib.request.urlopen(self.url, timeout=2) as response:
                    return bool(response.status == 200)
            except OSError:
                return False

        self._wait(answers, "stac-fastapi")

    def _start(self, command: list[str]) -> None:
        self.processes.append(
            subprocess.Popen(command, env=self.env, stdout=self.log, stderr=self.log, cwd=self.home)
        )

    def _run(self, command: list[str], *, check: bool = True) -> int:
        done = subprocess.run(
            command, env=self.env, stdout=self.log, stderr=self.log, check=False, cwd=self.home
        )
        if check and done.returncode:
            raise RuntimeError(f"{command[0]} failed: {self._tail()}")
        return done.returncode

    def _wait(self, ready: Any, what: str) -> None:
        ends = time.monotonic() + 120
        while not ready():
            if time.monotonic() > ends:
                raise RuntimeError(f"{what} did not start: {self._tail()}")
            time.sleep(0.2)

    def _tail(self) -> str:
        self.log.flush()
        return (self.home / "log.txt").read_text(errors="replace")[-800:]

    def __exit__(self, *exc: object) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)


if __name__ == "__main__":
    left = install()
    print("ready" if not left else f"still missing: {', '.join(left)}")
    sys.exit(1 if left else 0)
