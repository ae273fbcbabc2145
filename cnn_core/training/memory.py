"""Memory that training frees and needs again at the next step."""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache

# Names of malloc.h of the GNU C library
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
LARGEST = 2**31 - 1


@lru_cache(maxsize=1)
def keep_freed_memory() -> None:
    """Let the allocator keep what is freed instead of handing it back to the system.

    By default a step of the simple network may be given, by luck of the heap's layout, 16 MB of fresh pages, which
    the system has to clear: 4,000 page faults, 31 ms instead of 23. Does nothing without the GNU C library.
    """
    library = _c_library()
    if library is not None:
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, LARGEST)


def return_memory() -> None:
    """Hand everything that is free back to the system: for a worker between two runs."""
    library = _c_library()
    if library is not None:
        library.malloc_trim(0)


@lru_cache(maxsize=1)
def _c_library() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
