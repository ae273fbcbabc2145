"""A PostgreSQL server for the tests; as a program, install one where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INSTALLED = Path("/usr/lib/postgresql")  # Debian keeps the server's programs off the PATH
OPTIONS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=40"


def find_postgresql() -> Path | None:
    """Folder of initdb and pg_ctl, the newest version's; None where there is none."""
    if path := shutil.which("initdb"):
        return Path(path).resolve().parent
    folders = [folder / "bin" for folder in INSTALLED.glob("*") if (folder / "bin" / "initdb").exists()]
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)


def install_postgresql() -> None:
    prefix = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    subprocess.run([*prefix, "apt-get", "update", "-qq"], check=True)
    subprocess.run([*prefix, "apt-get", "install", "-y", "-qq", "postgresql"], check=True)


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """A new server behind a socket in a folder of its own; gives the URL of its database."""
    user = "nobody" if os.geteuid() == 0 else None  # it refuses to run as root
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # not pytest's: a socket's path has at most 107 characters
    if user:
        shutil.chown(folder, user)
    data, log = folder / "data", folder / "log"

    def run(*command: object) -> None:
        subprocess.run([str(part) for part in command], check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

    try:
        run(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        run(programs / "pg_ctl", "-D", data, "-l", log, "-o", f"{OPTIONS} -k {folder}", "-w", "start")
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            run(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if find_postgresql() is None:
        install_postgresql()
    print(f"Tests with PostgreSQL use {find_postgresql()}")
