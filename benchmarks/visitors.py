"""Browser sessions without browsers: they speak Streamlit's protocol, look at a page and let it refresh itself.

`python visitors.py URL COUNT SECONDS` prints a JSON list with the seconds from asking for each refresh to its end.
A program of its own, so that its work is not done in the process of the server.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect


async def visit(url: str, seconds: float) -> list[float]:
    """Open the page and refresh it as often as it asks for. Returns the duration of each refresh in seconds."""
    parts = urlsplit(url)
    stream = f"ws://{parts.netloc}/_stcore/stream"
    waits: list[float] = []
    async with _session(stream) as socket:
        await _ask(socket, parts.path.strip("/"), parts.query)
        end, asked, fragment, every, due = time.perf_counter() + seconds, 0.0, "", 0.0, float("inf")
        while time.perf_counter() < end:
            try:
                wait = max(0.0, min(due, end) - time.perf_counter())
                message = ForwardMsg.FromString(await asyncio.wait_for(socket.recv(decode=False), wait))
            except TimeoutError:
                if fragment and time.perf_counter() < end:
                    asked, due = time.perf_counter(), float("inf")
                    await _ask(socket, parts.path.strip("/"), parts.query, fragment)
                continue
            kind = message.WhichOneof("type")
            if kind == "auto_rerun":
                fragment, every = message.auto_rerun.fragment_id, message.auto_rerun.interval
            elif kind == "script_finished":
                if asked:
                    waits.append(time.perf_counter() - asked)
                asked, due = 0.0, time.perf_counter() + every if fragment else float("inf")
    return waits


async def changes(url: str, pages: list[str]) -> list[float]:
    """Seconds from asking for each page to its end, one after the other in one session. pages: "train?run=…"."""
    waits: list[float] = []
    stream = f"ws://{urlsplit(url).netloc}/_stcore/stream"
    async with _session(stream) as socket:
        for page in pages:
            began = time.perf_counter()
            await _ask(socket, *page.partition("?")[::2])
            while ForwardMsg.FromString(await socket.recv(decode=False)).WhichOneof("type") != "script_finished":
                pass
            waits.append(time.perf_counter() - began)
    return waits


def _session(stream: str) -> connect:
    """No pings of its own: a benchmark may stop this program for some seconds, and its sessions stay open."""
    return connect(stream, subprotocols=["streamlit"], max_size=None, compression=None, ping_interval=None)  # type: ignore[list-item]


async def _ask(socket: ClientConnection, page: str, query: str, fragment: str = "") -> None:
    message = BackMsg()
    message.rerun_script.page_name, message.rerun_script.query_string = page, query
    message.rerun_script.fragment_id = fragment
    message.rerun_script.is_auto_rerun = bool(fragment)
    await socket.send(message.SerializeToString())


async def visits(url: str, count: int, seconds: float) -> list[float]:
    """Several sessions, not quite at once."""

    async def one(number: int) -> list[float]:
        await asyncio.sleep(number / count)
        return await visit(url, seconds)

    return [wait for waits in await asyncio.gather(*map(one, range(count))) for wait in waits]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(visits(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))))
