"""A process in which what only Linux, or only Unix, has is missing: imports all of the core, trains and imports.

`python -m tests.other_systems FOLDER`; FOLDER/clothes.zip holds images in class folders.
"""

import importlib
import mmap
import os
import pkgutil
import signal
import sys
from pathlib import Path

# What others bring is loaded while the names are there: it has its own ways on other systems.
import filelock
import numpy as np
import PIL.ImageOps
import psutil
import pydantic_settings
import safetensors.torch
import scipy.ndimage
import scipy.optimize
import scipy.spatial
import sklearn.datasets
import sklearn.manifold
import sklearn.metrics
import sqlalchemy.orm
import torch
import torchvision.datasets

LOADED = (filelock, np, PIL.ImageOps, pydantic_settings, safetensors.torch, scipy.ndimage, scipy.optimize)
LOADED += (scipy.spatial, sklearn.datasets, sklearn.manifold, sklearn.metrics, sqlalchemy.orm, torch, torchvision)

OF_UNIX = {
    os: (
        "sched_getaffinity sched_setaffinity fork forkpty geteuid getuid getgid getegid getloadavg nice killpg "
        "getpgid setsid getsid wait3 wait4 WNOHANG posix_fadvise posix_fallocate posix_spawn mkfifo mknod chown lchown "
        "getpriority eventfd memfd_create register_at_fork "
        "ttyname uname pidfd_open splice sched_yield"
    ),
    signal: (
        "SIGKILL SIGHUP SIGUSR1 SIGUSR2 SIGPIPE SIGXFSZ SIGALRM SIGSTOP SIGCONT SIGCHLD SIGQUIT alarm setitimer "
        "pthread_sigmask pthread_kill sigwait"
    ),
    mmap: "MADV_DONTNEED MADV_FREE MADV_SEQUENTIAL MADV_HUGEPAGE MAP_ANONYMOUS MAP_POPULATE PROT_READ MAP_PRIVATE",
}
FLAGS = ("O_NOFOLLOW", "O_NONBLOCK", "O_DIRECTORY", "O_CLOEXEC")  # which filelock needs here
MODULES_OF_UNIX = ("resource", "fcntl", "pwd", "grp", "termios", "pty")


def leave_unix() -> None:
    for module, names in OF_UNIX.items():
        for name in names.split():
            if hasattr(module, name):
                delattr(module, name)
    for name in MODULES_OF_UNIX:
        sys.modules[name] = None  # type: ignore[assignment] - an import of it fails
    for name in ("rename", "replace"):
        setattr(os, name, as_on_windows(getattr(os, name)))


def as_on_windows(move):  # type: ignore[no-untyped-def]
    """Refuses to move what this process has open or mapped, or to put anything in its place."""
    me = psutil.Process()

    def checked(source: str, target: str, **more: object) -> None:
        in_use = [region.path for region in me.memory_maps(grouped=False)] + [file.path for file in me.open_files()]
        for place in map(os.path.abspath, (source, target)):
            for path in in_use:
                if path == place or path.startswith(place + os.sep):
                    raise PermissionError(13, "used by this process", path)
        move(source, target, **more)

    return checked


def main(folder: Path) -> None:
    leave_unix()
    import cnn_core
    from cnn_core.command_line.program import main as command

    flags = {name: getattr(os, name) for name in FLAGS}
    for name in FLAGS:
        delattr(os, name)
    for module in pkgutil.walk_packages(cnn_core.__path__, "cnn_core."):
        if not module.name.endswith(("__main__", "make_fashion_mnist_sample", "migrations.env")):
            importlib.import_module(module.name)
    for name, value in flags.items():
        setattr(os, name, value)
    commands = (
        ("import", str(folder / "clothes.zip"), "--name", "Clothes", "--size", "32"),
        ("import", str(folder / "clothes.zip"), "--name", "Grey", "--size", "32", "--greyscale"),
        ("train", "--dataset", "digits", "--network", "simple_cnn", "--epochs", "1"),
        ("runs",),
        ("datasets",),
    )
    for arguments in commands:
        if command(arguments):
            sys.exit(f"failed: {' '.join(arguments)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
