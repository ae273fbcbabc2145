"""Who a worker is: its computer and a random number. A process id says nothing on another computer, or later."""

from __future__ import annotations

import platform
import re
import secrets

HOST_LENGTH = 40  # of the 64 characters that the store has room for


def new_worker_id() -> str:
    """For example "lab-3:5f1c9e2ab04d7786"."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", platform.node())[:HOST_LENGTH]
    return f"{host or 'unknown'}:{secrets.token_hex(8)}"
